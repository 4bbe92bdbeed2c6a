"""``video-detective``: the commands. Exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import logging
import os
import sys
import traceback

import click
import typer

import video_detective
from video_detective.cli import analysis, doctor, events, models, rules, serving
from video_detective.cli.console import ERRORS
from video_detective.errors import VideoDetectiveError

app = typer.Typer(
    name="video-detective",
    help="Surveillance video in, explained and evidenced events out. 影片偵探。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"video-detective {video_detective.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: bool = typer.Option(False, "--debug", help="Show the trace of an error."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),
) -> None:
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("video_detective").setLevel(logging.DEBUG if debug else logging.WARNING)


analysis.add_to(app)
events.add_to(app)
serving.add_to(app)
doctor.add_to(app)
app.add_typer(models.app, name="models")
app.add_typer(rules.app, name="rules")


def main() -> None:
    """Run the command line; every error is one line with its remedy (``--debug`` for the trace)."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        status = typer.main.get_command(app).main(
            args=(["--debug"] if debug else []) + sys.argv[1:],
            prog_name="video-detective",
            standalone_mode=False,
        )
    except VideoDetectiveError as error:
        status = _fail(str(error), error.exit_status, debug)
    except click.exceptions.NoArgsIsHelpError as error:
        typer.echo(error.ctx.get_help())
        status = 2
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        name = context.command_path if context else "video-detective"
        status = _fail(f"{error.format_message().rstrip('.')}. Try '{name} --help'.", 2, debug)
    except (KeyboardInterrupt, click.Abort):
        status = _fail("Interrupted. Run the same command to go on.", 1, debug)
    except BrokenPipeError:
        # The reader of our output went away (| head); nothing is wrong with us.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:  # the last resort: still one line, never a bare trace
        said = " ".join(str(error).split()) or type(error).__name__
        status = _fail(f"Internal error: {said}. Run again with --debug and report it.", 1, debug)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(line: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    ERRORS.print(f"error: {line}", style="bold red", markup=False, soft_wrap=True)
    return status
