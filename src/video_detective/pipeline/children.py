"""Worker processes and their parent: both ends of the pipes between them.

A child tells JSON lines on its standard output, each with its ``kind``; its standard input is held
open by the parent and tells it by its end that the parent is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

LINE_BYTES = 4 << 20
"""A line longer than this is left out."""
GRACE_S = 8.0
"""What a child has to end in order after SIGTERM, before it is killed."""
ORPHAN_GRACE_S = 15.0
"""What a child gives itself to end in order when its parent is gone."""


class Child:
    """A worker process that has been started.

    Attributes:
        latest: Its last line of the kind ``progress``, None before the first.
        end: Its line of the kind ``end``, None when it ended without one (killed, crashed).
        heard_s: When it last said anything, on the clock that never goes back.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.latest: Mapping[str, Any] | None = None
        self.end: Mapping[str, Any] | None = None
        self.heard_s = time.monotonic()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, words: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start a command of this program.

        Args:
            words: Of the command; everybody on the machine can read them.
            environment: Added to this process' own.

        Raises:
            OSError: no process can be started.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "video_detective",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
            limit=LINE_BYTES,
            # Ctrl-C is meant for the parent, which ends its children in order.
            start_new_session=True,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def wait(self) -> int:
        """Its exit status, once it has ended and everything it said is read."""
        await asyncio.shield(self._reading)
        return await self._process.wait()

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """End it: in order, then by force; nothing where it has ended."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self.wait(), grace_s)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        await self.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for at the start
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:  # a line beyond the limit; what follows is read again
                continue
            if not line:
                return
            self.heard_s = time.monotonic()
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if said.get("kind") == "end":
                    self.end = said
                elif said.get("kind") == "progress":
                    self.latest = said


class Parent:
    """The process that started this one, as seen from here.

    Args:
        stop: Set when the parent is gone.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="parent", daemon=True).start()

    def tell(self, kind: str, **said: object) -> None:
        """Say something; from any thread. A parent that is gone ends the work."""
        line = json.dumps({"kind": kind, **said}, ensure_ascii=True, allow_nan=False)
        try:
            with self._lock:
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
        except OSError:
            self._stop.set()

    def _watch(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        self._stop.set()
        time.sleep(ORPHAN_GRACE_S)
        os._exit(1)
