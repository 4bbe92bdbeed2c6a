"""The self test: a scene whose events are known, analysed, and compared row by row."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.errors import ConflictError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.worker import Progress
from video_detective.rules import Event
from video_detective.services.analysis import Request, analyze
from video_detective.services.scripted_scene.compare import Row, compare
from video_detective.services.scripted_scene.expected import document, expected_events
from video_detective.services.scripted_scene.render import render
from video_detective.services.scripted_scene.script import DURATION_S, START_NS
from video_detective.services.times import local_time, rfc3339
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import EventQuery

CAMERA_ID = "cam01"
CLIP = "scripted-scene.mp4"
RENDER_SHARE = 0.5
"""Share of the progress bar that rendering takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the comparison as text; what is not there is empty.

    Args:
        status: See ``compare.Row``.
        type: Of the event.
        expected, found: Local time of its start.
        start_shift, end_shift: Found minus expected.
        detail: What is the matter.
    """

    status: str
    type: str
    expected: str
    found: str
    start_shift: str
    end_shift: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the self test gave.

    Args:
        comparison: Expected against found, in order of time.
        report: The analysis' report.
        zone: The camera's time zone, for showing times.
    """

    comparison: tuple[Row, ...]
    report: dict[str, Any]
    zone: ZoneInfo

    @property
    def passed(self) -> bool:
        """Whether every event was found in time and none that is not in the script."""
        return bool(self.comparison) and all(row.is_ok for row in self.comparison)

    def verdict(self) -> str:
        """One line."""
        good = sum(row.is_ok for row in self.comparison)
        total = len(self.comparison)
        return f"{'PASSED' if self.passed else 'FAILED'}: {good} of {total} rows as expected"

    def rows(self) -> list[Line]:
        """The comparison as text."""
        return [
            Line(
                status=row.status,
                type=_either(row).type,
                expected=self._clock(row.expected),
                found=self._clock(row.found),
                start_shift=_shift(row.start_shift_s),
                end_shift=_shift(row.end_shift_s),
                detail=row.detail,
            )
            for row in self.comparison
        ]

    def as_record(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "passed": self.passed,
            "rows": [
                {
                    "status": row.status,
                    "type": _either(row).type,
                    "rule_id": _either(row).rule_id,
                    "expected_start": self._start(row.expected),
                    "found_start": self._start(row.found),
                    "event_id": row.found.event_id if row.found else None,
                    "start_shift_s": row.start_shift_s,
                    "end_shift_s": row.end_shift_s,
                    "detail": row.detail,
                }
                for row in self.comparison
            ],
            "analysis": self.report,
        }

    def _start(self, event: Any) -> str | None:
        return None if event is None else rfc3339(event.start_ns, self.zone)

    def _clock(self, event: Any) -> str:
        return "" if event is None else f"{local_time(event.start_ns, self.zone):%H:%M:%S.%f}"[:-5]


def _either(row: Row) -> Any:
    return row.expected or row.found


def _shift(shift_s: float | None) -> str:
    return "" if shift_s is None else f"{shift_s:+.2f} s"


async def run_selftest(
    data_dir: Path | None,
    *,
    stop: threading.Event,
    on_progress: Callable[[float | None, str], None] = lambda share, note: None,
) -> Result:
    """Render the scripted scene, analyse it, compare.

    Args:
        data_dir: Where clip and results are kept; None uses a folder that is removed again.
        stop: Ends it early.
        on_progress: Told of the share done (0..1) and what is being done.

    Raises:
        ConflictError: it was stopped.
    """
    with ExitStack() as stack:
        folder = data_dir
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="selftest-")))
        async with open_workspace(folder) as workspace:
            clip = folder / CLIP
            if not clip.exists():

                def tell(done: int, total: int) -> None:
                    if stop.is_set():
                        raise _stopped()
                    on_progress(RENDER_SHARE * done / total, "rendering")

                await asyncio.to_thread(render, clip, tell)
            return await _analyse_and_compare(workspace, clip, stop, on_progress)


async def _analyse_and_compare(
    workspace: Workspace,
    clip: Path,
    stop: threading.Event,
    on_progress: Callable[[float | None, str], None],
) -> Result:
    camera = document().camera(CAMERA_ID)
    scene = camera.scene(CAMERA_ID)
    zone = ZoneInfo(camera.timezone)

    def tell(progress: Progress) -> None:
        done = progress.pts_ns / (DURATION_S * NS_PER_S)
        on_progress(RENDER_SHARE + (1 - RENDER_SHARE) * min(done, 1.0), "analysing")

    report = await analyze(
        workspace,
        Request(
            source=str(clip),
            camera_id=CAMERA_ID,
            camera=camera,
            start=rfc3339(START_NS, zone),
        ),
        stop=stop,
        on_progress=tell,
    )
    if report["status"] == "interrupted":
        raise _stopped()
    found = await _events_of(workspace, report["run_id"])
    rows = compare(expected_events(scene), found)
    return Result(comparison=tuple(rows), report=report, zone=zone)


def _stopped() -> ConflictError:
    return ConflictError("The self test was interrupted", remedy="Run it again.")


async def _events_of(workspace: Workspace, run_id: int) -> list[Event]:
    found: list[Event] = []
    cursor: str | None = None
    while True:
        page = await workspace.database.events(
            EventQuery(camera=CAMERA_ID, limit=1000, cursor=cursor)
        )
        found += [stored.event for stored in page.events if stored.run_id == run_id]
        cursor = page.next_cursor
        if cursor is None:
            return found
