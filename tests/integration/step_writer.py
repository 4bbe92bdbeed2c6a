"""Analyses an imaginary source, life after life: ``python step_writer.py URL``.

Every line on standard input begins a life: a forked process writes steps from where the last one
was stopped up to the number in the line, and prints its id after the first. When it ends, its wait
status is printed.
"""

import asyncio
import os
import sys
from pathlib import Path

from video_detective.rules import Event
from video_detective.storage import FrameRow, PointRow, RunKey, Step, StoredEvent, TrackRow
from video_detective.storage.database import Database
from video_detective.tracking import Track

CAMERA = "cam01"
KEY = RunKey(camera_id=CAMERA, fingerprint="film", settings_hash="s")
FRAMES_PER_STEP = 10


def step(number: int) -> Step:
    """The step of this number (from 1): always the same."""
    times = range((number - 1) * FRAMES_PER_STEP, number * FRAMES_PER_STEP)
    track_id = f"p{(number + 1) // 2:02d}"  # each track lives for two steps
    box = (float(number), 2.0, float(number) + 30, 80.0)
    return Step(
        checkpoint=str(number).encode(),
        frames=[
            FrameRow(frame_id=f"f{t:06d}", camera_id=CAMERA, time_ns=t, frame=t, size=(768, 576))
            for t in times
        ],
        points=[
            PointRow(
                time_ns=t,
                frame=t,
                track=Track(track_id=track_id, type="person", conf=0.5, bbox=box),
            )
            for t in times
        ],
        tracks=[
            TrackRow(
                track_id=track_id,
                type="person",
                first_ns=times[0],
                last_ns=times[-1],
                best_conf=1 - 1 / number,
            )
        ],
        events=[
            StoredEvent(
                event=Event(
                    event_id=f"evt_20261121_{CAMERA}_{(number + 2) // 3:04d}",
                    camera_id=CAMERA,
                    type="intrusion",
                    risk_level="high",
                    rule_id="yard",
                    start_ns=(number - 1) // 3 * 3 * FRAMES_PER_STEP,
                    established_ns=times[0],
                    end_ns=times[-1] if number % 3 == 0 else None,
                    frames=(times[0], times[-1]),
                ),
                summary_zh=f"第 {number} 步",
            )
        ],
        coverage=[(times[0], times[-1] + 1)],
        progress={"step": number},
    )


async def write(url: str, last: int) -> None:
    """Go on from the last committed step to step ``last``."""
    async with await Database.open(Path(), url) as db:
        run = await db.begin_run(KEY, {}, 0)
        done = int(run.checkpoint or 0)
        for number in range(done + 1, last + 1):
            await db.commit_step(run, step(number))
            if number == done + 1:
                print(os.getpid(), flush=True)


def main() -> None:
    """Fork a writer for every line, one at a time."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(write(sys.argv[1], int(line)))
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
