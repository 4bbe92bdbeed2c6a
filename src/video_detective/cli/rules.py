"""``rules``: the camera document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from video_detective import config
from video_detective.cli.console import OUTPUT, AsJson, print_json
from video_detective.config import Camera
from video_detective.errors import InvalidRulesError

app = typer.Typer(help="Check camera documents.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keeps ``rules check`` a command of a group."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Camera document (YAML or JSON).")],
    as_json: AsJson = False,
) -> None:
    """Validate a camera document; every problem with its line and field."""
    try:
        document = config.load(file)
    except InvalidRulesError as error:
        if as_json:
            print_json({"valid": False, "problems": list(error.problems)})
        else:
            for problem in error.problems:
                typer.echo(problem, err=True)
        raise typer.Exit(error.exit_status) from None
    if as_json:
        print_json(
            {
                "valid": True,
                "cameras": {
                    key: [rule.id for rule in camera.rules]
                    for key, camera in document.cameras.items()
                },
            }
        )
        return
    for key, camera in document.cameras.items():
        OUTPUT.print(
            f"{key}: {len(camera.zones)} zones, {len(camera.tripwires)} tripwires, "
            f"{len(camera.rules)} rules, {_alerts(camera)}",
            markup=False,
        )


def _alerts(camera: Camera) -> str:
    if camera.alerts is None:
        return "every event an alert"
    return f"{len(camera.alerts)} alert rules"
