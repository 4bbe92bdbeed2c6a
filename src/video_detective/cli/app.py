"""``video-detective``: the commands. Exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence

import typer

import video_detective
from video_detective.cli.console import ERRORS, shown
from video_detective.errors import VideoDetectiveError

COMMANDS = {
    "analyze": ("analysis", "Analyse video and store its events."),
    "events": ("events", "List events."),
    "search": ("events", "Answer a question from the events."),
    "report": ("report", "Report what happened between two times, as HTML."),
    "reindex": ("reindex", "Write the search index anew."),
    "narrate": ("narrate", "Have events told by a model."),
    "export": ("exchange", "Write an event's evidence package."),
    "import": ("exchange", "Import event records of another system."),
    "serve": ("serving", "Serve the page and the REST interface."),
    "demo": ("demo", "Show the product at work on a scripted scene or your video."),
    "selftest": ("selftest", "Render a scene whose events are known, analyse it, compare."),
    "users": ("users", "Add, invite, list and disable people who sign in."),
    "keys": ("keys", "Create, list and revoke API keys."),
    "accounts": ("accounts", "Add and list tenants."),
    "audit": ("audit", "Show and verify the audit log."),
    "retention": ("retention", "Show and set how long what happened is kept."),
    "models": ("models", "List, install, verify and bundle model weights."),
    "rules": ("rules", "Check camera documents."),
    "doctor": ("doctor", "Check this machine, its weights and its data."),
    "work": ("work", "Work of the service's own processes."),
}
"""Module of each command, and its line in the overview.

Only the module of the command that is run gets imported: to load the decoder, the detectors, the
database and the web server takes longer than most commands.
"""

HIDDEN = frozenset({"work"})
"""Commands that are not for people."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error is one line with its remedy (``--debug`` for the trace).

    Args:
        arguments: Words after the program's name; those of this process when None.

    Raises:
        SystemExit: always, with the exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names may hold what no encoding has; a report must not fail for that.
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("video_detective").setLevel(logging.DEBUG if debug else logging.ERROR)
    sys.exit(_run(words, debug=debug))


def _run(words: list[str], *, debug: bool) -> int:
    try:
        command = typer.main.get_command(_app_for(words))
        status = command.main(args=words, prog_name="video-detective", standalone_mode=False)
        sys.stdout.flush()
    except VideoDetectiveError as error:
        return _fail(str(error), error.exit_status, debug)
    except typer.TyperException as error:
        said = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
        return _fail(f"{said.rstrip('.')}. {_help_for(words)}", 2, debug)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Interrupted. Run the same command to go on.", 1, debug)
    except BrokenPipeError:
        # The reader of our output went away (| head); nothing is wrong with us.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # the last resort: still one line, never a bare trace
        said = " ".join(str(error).split()) or type(error).__name__
        return _fail(f"Internal error: {said}. Run again with --debug and report it.", 1, debug)
    return status if isinstance(status, int) else 0


def _app_for(words: list[str]) -> typer.Typer:
    """All commands by name, with the one that is asked for loaded."""
    app = typer.Typer(
        name="video-detective",
        help="Surveillance video in, explained and evidenced events out. 影片偵探。",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(invoke_without_command=True)(_root)
    wanted = _command_in(words)
    for name, (module, summary) in COMMANDS.items():
        if name != wanted:
            app.command(name, help=summary, hidden=name in HIDDEN)(_root)
            continue
        loaded = importlib.import_module(f"video_detective.cli.{module}")
        if hasattr(loaded, "app"):
            app.add_typer(loaded.app, name=name)
        else:
            app.command(name)(getattr(loaded, f"{name}_command"))
    return app


def _command_in(words: list[str]) -> str | None:
    return next((word for word in words if not word.startswith("-")), None)


def _help_for(words: list[str]) -> str:
    name = _command_in(words)
    known = f" {name}" if name in COMMANDS else ""
    return f"Try 'video-detective{known} --help'."


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"video-detective {video_detective.__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    debug: bool = typer.Option(False, "--debug", help="Show the trace of an error."),
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version."
    ),
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _fail(line: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    ERRORS.print(shown(f"error: {line}"), style="bold red", markup=False, soft_wrap=True)
    return status
