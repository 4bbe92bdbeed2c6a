"""What a running service does beside answering: has events told, and keeps vectors up to date."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from video_detective.errors import VideoDetectiveError
from video_detective.services.embedding import embed_pending
from video_detective.services.narration import keep_narrating
from video_detective.services.workspace import Workspace

LOOK_AGAIN_S = 10.0
"""Until the next look for vectors that are out of date."""
_log = logging.getLogger(__name__)


@asynccontextmanager
async def words_in_background(workspace: Workspace) -> AsyncIterator[None]:
    """Have pending events told and embedded while the block runs; nothing without settings.

    Facts, search and answers never wait for it: what goes wrong here is logged, and the service
    goes on.
    """
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    if workspace.settings.narration is not None:
        tasks.append(asyncio.create_task(_narrate(workspace, stop)))
    if workspace.settings.embeddings is not None:
        tasks.append(asyncio.create_task(_embed(workspace, stop)))
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _narrate(workspace: Workspace, stop: asyncio.Event) -> None:
    try:
        await keep_narrating(workspace, stop)
    except VideoDetectiveError as error:
        _log.error("events are not told by a model: %s", error)


async def _embed(workspace: Workspace, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            done = await embed_pending(workspace, limit=500)
            if done.failed is not None:
                _log.warning("vectors wait: %s", done.failed)
            waits = done.failed is not None or not done.done
        except VideoDetectiveError as error:
            _log.error("vectors are not made: %s", error)
            waits = True
        if waits:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_AGAIN_S)
