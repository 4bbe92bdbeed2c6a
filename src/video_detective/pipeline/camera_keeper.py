"""Keeps the process of one live camera running for as long as this service has the camera."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from video_detective.pipeline.children import Child
from video_detective.storage.work.base import LiveReport, LiveTask

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a process that died is started again; the last one repeats."""
SOUND_S = 60.0
"""A process that lived for so long was sound: the next pause is the first again."""
SILENT_S = 60.0
"""A process that says nothing for so long hangs, and is started anew. It may take ten seconds to
find out that a camera does not answer, and longer to load a model."""
_AWAY = frozenset({"SOURCE_LOST", "UNSUPPORTED_SOURCE"})
_log = logging.getLogger(__name__)


class CameraKeeper:
    """The process of one camera, from taking the camera to letting it go.

    Args:
        task: What it is made of.
        epoch: Of this taking.
        spawn: Starts it.
    """

    def __init__(
        self, task: LiveTask, epoch: int, spawn: Callable[[Sequence[str]], Awaitable[Child]]
    ) -> None:
        self.epoch = epoch
        self.ending: asyncio.Task[None] | None = None
        self._task = task
        self._spawn = spawn
        self._child: Child | None = None
        self._failure: tuple[str, str] | None = None
        self._leaving = asyncio.Event()
        self._changed = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def camera_id(self) -> str:
        """Which camera."""
        return self._task.camera_id

    @property
    def is_leaving(self) -> bool:
        """Whether it is to end, or has."""
        return self._leaving.is_set()

    @property
    def has_ended(self) -> bool:
        """Whether there is no process any more, and none will be."""
        return self._running.done()

    def change(self, task: LiveTask) -> None:
        """Begin anew where what it is made of has changed."""
        if task != self._task:
            self._task = task
            self._changed.set()

    def leave(self) -> None:
        """End the process in order; see ``ended``."""
        self._leaving.set()

    async def ended(self) -> None:
        """Wait until there is no process any more."""
        await asyncio.wait({self._running})

    def report(self) -> LiveReport:
        """How it is going."""
        if self._child is not None and self._child.latest is not None:
            return _report_from(self._child.latest)
        if self._failure is None:
            return LiveReport(state="starting")
        code, words = self._failure
        return LiveReport(state="waiting" if code in _AWAY else "failed", error=words)

    async def _run(self) -> None:
        deaths = 0
        while not self._leaving.is_set():
            self._changed.clear()
            began_s = time.monotonic()
            await self._live_once()
            if self._leaving.is_set() or self._changed.is_set():
                deaths, self._failure = 0, None
                continue
            deaths = 0 if time.monotonic() - began_s > SOUND_S else deaths
            pause_s = PAUSES_S[min(deaths, len(PAUSES_S) - 1)]
            deaths += 1
            _log.info("camera %s is started again in %g s", self.camera_id, pause_s)
            await self._any_of(timeout_s=pause_s)

    async def _live_once(self) -> None:
        """One process from its start to its end."""
        words = ("work", "camera", self.camera_id, "--epoch", str(self.epoch))
        try:
            child = self._child = await self._spawn(words)
        except OSError as error:
            self._failure = ("INTERNAL", f"No process can be started ({error.strerror}).")
            return
        died = asyncio.create_task(child.wait())
        try:
            while not await self._any_of(died, timeout_s=1.0):
                if time.monotonic() - child.heard_s > SILENT_S:
                    _log.error("the process of camera %s hangs", self.camera_id)
                    break
        finally:
            await child.stop()
            self._failure = await _failure_of(child)
            self._child = None
            died.cancel()

    async def _any_of(self, *others: asyncio.Task[int], timeout_s: float) -> bool:
        """Wait until it is to end or to begin anew, or one of the others is done."""
        waits = [asyncio.create_task(e.wait()) for e in (self._leaving, self._changed)]
        done, _ = await asyncio.wait(
            {*waits, *others}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        for wait in waits:
            wait.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*waits, return_exceptions=True)
        return bool(done)


async def _failure_of(child: Child) -> tuple[str, str]:
    """Why a process ended, as code and words."""
    status = await child.wait()
    if child.end is None:
        return "INTERNAL", f"Its process ended without a word (exit status {status})."
    if (error := child.end.get("error")) is not None:
        return str(error["code"]), str(error["message"])
    return "SOURCE_LOST", "The stream has come to its end. It is opened again."


def _report_from(said: Mapping[str, Any]) -> LiveReport:
    return LiveReport(
        state=said["state"],
        fps=said["fps"],
        lag_s=said["lag_s"],
        last_frame_ns=said["last_frame_ns"],
        drops=said["drops"],
        error=said["error"],
    )
