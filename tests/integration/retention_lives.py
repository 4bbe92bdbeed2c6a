"""Deletes what is too old, life after life: ``python retention_lives.py DATA_DIR URL ACCOUNT_ID``.

Every line on standard input is a life: a forked process goes on with the account's round and then
removes files. The line says where it is killed, so that no load on the machine can make it come
too late: ``step 2 0.007`` that many seconds of its work after the second step, ``unlink 5`` before
the fifth file is removed, ``unlinked 5`` after it, ``end`` nowhere. When it has ended, its wait
status is printed. URL is "-" for the SQLite file in the data directory.
"""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from video_detective.services.retention import run_round, sweep
from video_detective.services.workspace import open_workspace
from video_detective.storage.retention import records, retention

# Many short steps: as many moments to be killed in.
retention.EVENTS_A_STEP = records.EVENTS_A_STEP = 3


def kill_at(place: str, number: int) -> None:
    """Let this process be killed where it removes that file."""
    unlink, count = Path.unlink, 0

    def killed(path: Path, missing_ok: bool = False) -> None:
        nonlocal count
        count += 1
        if place == "unlinked":
            unlink(path, missing_ok)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        if place == "unlink":
            unlink(path, missing_ok)

    Path.unlink = killed  # type: ignore[assignment, method-assign]


async def live(folder: Path, url: str | None, account_id: str, line: str) -> None:
    """Go on until the round has ended and what nothing refers to is removed."""
    place, *when = line.split()
    steps = 0

    def on_step(_: object) -> None:
        nonlocal steps
        steps += 1
        if place == "step" and steps == int(when[0]):
            # Of its own work: in the middle of anything, and ended as hard as by SIGKILL.
            signal.setitimer(signal.ITIMER_PROF, float(when[1]))

    if place.startswith("unlink"):
        kill_at(place, int(when[0]))
    async with open_workspace(folder, url) as workspace:
        while True:
            await run_round(workspace, account_id, on_step=on_step)
            row = await workspace.database.retention.get(account_id)
            if row.round is None and row.last is not None:
                break
            await asyncio.sleep(0.01)  # the server has not noticed yet that the last one was killed
        await sweep(workspace, now_ns=time.time_ns())


def main() -> None:
    """Fork a process for every line, one at a time."""
    folder, url, account_id = sys.argv[1:]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(live(Path(folder), None if url == "-" else url, account_id, line))
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
