"""Deletes what is too old, life after life: ``python retention_lives.py DATA_DIR URL ACCOUNT_ID``.

Every line on standard input begins a life: a forked process goes on with the account's round and
then removes files, and prints its id and what it has done. When it ends, its wait status is
printed. URL is "-" for the SQLite file in the data directory.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from video_detective.services.retention import run_round, sweep
from video_detective.services.workspace import open_workspace
from video_detective.storage.retention import records, retention

# Many short steps: as many moments to be killed in.
retention.EVENTS_A_STEP = records.EVENTS_A_STEP = 3


async def live(folder: Path, url: str | None, account_id: str) -> None:
    """Go on until the round has ended and what nothing refers to is removed."""
    async with open_workspace(folder, url) as workspace:
        while True:
            await run_round(workspace, account_id, on_step=lambda _: print("step", flush=True))
            row = await workspace.database.retention.get(account_id)
            if row.round is None and row.last is not None:
                break
            await asyncio.sleep(0.01)  # the server has not noticed yet that the last one was killed
        print("sweep", flush=True)
        await sweep(workspace, now_ns=time.time_ns())


def main() -> None:
    """Fork a process for every line, one at a time."""
    folder, url, account_id = sys.argv[1:]
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            print("begun", os.getpid(), flush=True)
            asyncio.run(live(Path(folder), None if url == "-" else url, account_id))
            os._exit(0)
        print("ended", os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
