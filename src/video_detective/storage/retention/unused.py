"""Which stored files no row refers to any more."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import Text, cast, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.reading import chunks
from video_detective.storage.service_tables import INSIGHTS, MEDIA_DELETIONS
from video_detective.storage.tables import EVIDENCE, FRAMES

_SHA256 = re.compile(r"[0-9a-f]{64}")


async def unused(connection: AsyncConnection, hashes: Collection[str]) -> set[str]:
    """Those of these hashes to which no event, frame or insight of any account refers."""
    left = set(hashes)
    for chunk in chunks(sorted(left)):
        has_media = ~exists().where(MEDIA_DELETIONS.c.event_id == EVIDENCE.c.event_id)
        for query in (
            select(EVIDENCE.c.sha256).where(EVIDENCE.c.sha256.in_(chunk), has_media),
            select(FRAMES.c.image_sha256).where(FRAMES.c.image_sha256.in_(chunk)),
            select(FRAMES.c.annotated_sha256).where(FRAMES.c.annotated_sha256.in_(chunk)),
        ):
            left.difference_update((await connection.execute(query)).scalars())
    if not left:
        return left
    # Few are asked for: to look through all insights once is less than an index kept for it.
    text = cast(INSIGHTS.c.snapshots, Text)
    shown = select(text).where(text != "[]", ~text.contains('"deletedNs"', autoescape=True))
    stream = await connection.stream(shown)
    async for (snapshots,) in stream:
        left.difference_update(_SHA256.findall(snapshots))
    return left
