"""What a running service does beside answering: has events told, and keeps vectors up to date."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from video_detective.errors import VideoDetectiveError
from video_detective.services.embedding import embed_pending
from video_detective.services.file_work import keep_analysing_files
from video_detective.services.live import keep_cameras
from video_detective.services.narration import keep_narrating
from video_detective.services.node import keep_beating, node_id
from video_detective.services.notices import keep_telling
from video_detective.services.retention import keep_retaining
from video_detective.services.workspace import Workspace

LOOK_AGAIN_S = 10.0
"""Until the next look for vectors that are out of date."""
ENDING_S = 1.0
"""How long the end of the service waits for vectors that are being made."""
Work = Callable[[Workspace, asyncio.Event], Awaitable[None]]
_log = logging.getLogger(__name__)


@asynccontextmanager
async def words_in_background(workspace: Workspace) -> AsyncIterator[None]:
    """Have pending events told and embedded while the block runs; nothing without settings.

    Facts, search and answers never wait for it: what goes wrong here is logged, and the service
    goes on.
    """
    stop = asyncio.Event()
    node_id(workspace)  # what is wrong with it is told before anything is taken
    works: tuple[Work, ...] = (
        keep_beating, keep_cameras, keep_analysing_files, keep_telling, keep_retaining,
    )  # fmt: skip
    tasks: list[asyncio.Task[None]] = [
        asyncio.create_task(_keep(work, workspace, stop)) for work in works
    ]
    if workspace.settings.narration is not None:
        tasks.append(asyncio.create_task(_narrate(workspace, stop)))
    if workspace.settings.embeddings is not None:
        tasks.append(asyncio.create_task(_embed(workspace, stop)))
    try:
        yield
    finally:
        stop.set()
        # All of them, also where one has failed: what they work on is closed next.
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*tasks)


async def _keep(work: Work, workspace: Workspace, stop: asyncio.Event) -> None:
    """Do work that must not end before the service does."""
    while not stop.is_set():
        try:
            await work(workspace, stop)
            return
        except Exception:  # the boundary: cameras must not stand still for a mistake of ours
            _log.exception("what the service does beside answering has failed; it begins anew")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_AGAIN_S)


async def _narrate(workspace: Workspace, stop: asyncio.Event) -> None:
    try:
        await keep_narrating(workspace, stop)
    except VideoDetectiveError as error:
        _log.error("events are not told by a model: %s", error)


async def _embed(workspace: Workspace, stop: asyncio.Event) -> None:
    stopped = asyncio.ensure_future(stop.wait())
    while not stop.is_set():
        embedding = asyncio.ensure_future(_embed_some(workspace))
        await asyncio.wait({embedding, stopped}, return_when=asyncio.FIRST_COMPLETED)
        # What is being stored is stored; a silent server is not waited for.
        await asyncio.wait({embedding}, timeout=ENDING_S)
        embedding.cancel()
        await asyncio.wait({embedding})
        if not embedding.cancelled() and embedding.result():
            await asyncio.wait({stopped}, timeout=LOOK_AGAIN_S)


async def _embed_some(workspace: Workspace) -> bool:
    """Whether there is nothing more to do for now."""
    try:
        done = await embed_pending(workspace, limit=500)
    except VideoDetectiveError as error:
        _log.error("vectors are not made: %s", error)
        return True
    if done.failed is not None:
        _log.warning("vectors wait: %s", done.failed)
    return done.failed is not None or not done.done
