"""A deliverer in a process of its own, to be killed: ``deliverer_process.py <data dir> [url]``."""

import asyncio
import sys
from pathlib import Path

from video_detective.pipeline.deliverer import Deliverer
from video_detective.services.notices import Senders, Teller
from video_detective.services.workspace import open_workspace


async def main() -> None:
    async with open_workspace(Path(sys.argv[1]), *sys.argv[2:]) as workspace:
        teller = Teller(workspace, Senders(workspace))
        await Deliverer(workspace.database.notices, teller, worker="victim").run(asyncio.Event())


asyncio.run(main())
