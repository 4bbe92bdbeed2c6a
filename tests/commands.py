"""Runs commands: in this process where one is as good as another, else in one of their own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from video_detective.cli.app import main

PROGRAM = [sys.executable, "-m", "video_detective"]


@dataclass(frozen=True)
class Outcome:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


def video_detective(*words: str | Path) -> Outcome:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as exit_:
            code = exit_.code
    assert isinstance(code, int)
    return Outcome(code, out.getvalue(), err.getvalue())


def start(*words: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Run a command in a process of its own; its output is kept."""
    kept: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": os.environ}
    return subprocess.Popen([*PROGRAM, *map(str, words)], text=True, **kept | options)


def finish(process: subprocess.Popen[str], timeout_s: float = 60) -> Outcome:
    """Wait for its end."""
    with process:
        out, err = process.communicate(timeout=timeout_s)
    return Outcome(process.returncode, out or "", err or "")


def assert_refused(outcome: Outcome, code: int, *said: str) -> None:
    """One line on standard error that says all this, nothing on standard output, that code."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert "Traceback" not in outcome.err
    assert "Internal error" not in outcome.err
    for words in said:
        assert words in outcome.err, outcome.err
