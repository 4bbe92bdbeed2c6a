"""Embeds what waits in a data directory until nothing does; a process to be killed."""

import asyncio
import sys
from pathlib import Path

from video_detective.services.embedding import embed_pending
from video_detective.services.workspace import open_workspace


async def main() -> None:
    async with open_workspace(Path(sys.argv[1])) as workspace:
        while (made := await embed_pending(workspace)).waiting or made.untold:
            pass


if __name__ == "__main__":
    asyncio.run(main())
