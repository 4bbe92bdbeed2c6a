"""``models``: weights of detectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from video_detective.cli.console import OUTPUT, AsJson, print_json, progress_bar, say
from video_detective.detection.weights import (
    Model,
    bundle,
    catalogue,
    install,
    status,
    verify,
)

app = typer.Typer(
    help="List, install, verify and bundle model weights.",
    rich_markup_mode=None,
)
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which models.")]


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """Models, where they come from, their licences, and whether they are installed."""
    rows = [(model, status(model)) for model in catalogue()]
    if as_json:
        print_json(
            [
                {
                    "name": model.name,
                    "what": model.what,
                    "source": f"{model.package} {model.version}",
                    "member": model.member,
                    "licence": model.licence,
                    "sha256": model.sha256,
                    "size": model.size,
                    "state": found.state,
                    "folder": str(found.folder),
                }
                for model, found in rows
            ]
        )
        return
    for model, found in rows:
        say(f"{model.name}  {found.state}  {model.licence}  {model.package} {model.version}")
        say(model.what, indent=4)
        say(f"SHA-256 {model.sha256}", indent=4)


@app.command("install")
def install_command(
    names: Names = None,
    from_file: Annotated[
        Path | None,
        typer.Option(help="A wheel, a weights file or a bundle, for machines without a network."),
    ] = None,
) -> None:
    """Install weights: the default ones, those named, or those in a file."""
    with progress_bar("models", shown=True) as show:

        def tell(model: Model, step: str) -> None:
            show(None, f"{model.name}: {step}")

        folders = install(tuple(names or ()), from_file=from_file, progress=tell)
    for folder in folders:
        OUTPUT.print(f"{folder.name}: ready in {folder}", markup=False, soft_wrap=True)


@app.command("verify")
def verify_command(names: Names = None, as_json: AsJson = False) -> None:
    """Check every installed file against its SHA-256."""
    rows = verify(tuple(names or ()))
    if as_json:
        print_json([{"name": r.model.name, "state": r.state, "detail": r.detail} for r in rows])
    else:
        for row in rows:
            OUTPUT.print(f"{row.model.name}: {row.state} {row.detail}".rstrip(), markup=False)
    if any(row.state != "ready" for row in rows):
        raise typer.Exit(1)


@app.command("bundle")
def bundle_command(
    file: Annotated[Path, typer.Argument(help="The .tar file to write.")], names: Names = None
) -> None:
    """Write installed weights to one file for machines without a network."""
    models = bundle(file, tuple(names or ()))
    OUTPUT.print(
        f"Wrote {', '.join(model.name for model in models)} to {file}; install it elsewhere with "
        f"'video-detective models install --from-file {file.name}'",
        markup=False,
        soft_wrap=True,
    )
