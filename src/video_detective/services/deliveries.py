"""What became of an account's notifications, and telling them again."""

from __future__ import annotations

from video_detective.errors import ConflictError, no_such
from video_detective.services.access import Caller
from video_detective.services.channels import find_channel
from video_detective.services.workspace import Workspace
from video_detective.storage.notices.base import DeliveryQuery, DeliveryRow


async def delivery_page(
    workspace: Workspace, caller: Caller, query: DeliveryQuery
) -> tuple[list[DeliveryRow], int]:
    """One page of the caller's deliveries, newest first, and how many there are in all."""
    return await workspace.database.notices.deliveries(caller.reach, query)


async def find_delivery(workspace: Workspace, caller: Caller, delivery_id: str) -> DeliveryRow:
    """One delivery of the caller's.

    Raises:
        MissingError: there is none in reach.
    """
    delivery = await workspace.database.notices.delivery(caller.reach, delivery_id)
    if delivery is None:
        raise no_such("delivery", delivery_id, remedy="List the deliveries to see their ids")
    return delivery


async def replay_delivery(
    workspace: Workspace, caller: Caller, delivery_id: str, *, now_ns: int
) -> DeliveryRow:
    """Have a delivery that has ended told again, under its id.

    Raises:
        MissingError: there is none in reach.
        ConflictError: it has not ended: it is told anyway.
    """
    delivery = await find_delivery(workspace, caller, delivery_id)
    entry = caller.entry(
        "delivery.replay", delivery_id, time_ns=now_ns, details={"channelId": delivery.channel_id}
    )
    if not await workspace.database.notices.replay_one(caller.reach, delivery_id, now_ns, entry):
        raise ConflictError(
            f"The delivery '{delivery_id}' is waiting to be sent",
            remedy="Wait until it has ended.",
            reason="delivery_waiting",
        )
    return await find_delivery(workspace, caller, delivery_id)


async def replay_range(
    workspace: Workspace, caller: Caller, query: DeliveryQuery, *, now_ns: int
) -> int:
    """Have every ended delivery of a query told again; how many.

    Raises:
        MissingError: the query names a channel that is not in reach.
    """
    if query.channel_id is not None:
        await find_channel(workspace, caller, query.channel_id)
    entry = caller.entry(
        "delivery.replay",
        query.channel_id or "",
        time_ns=now_ns,
        details={"sinceNs": query.since_ns, "untilNs": query.until_ns, "status": query.status},
    )
    return await workspace.database.notices.replay(caller.reach, query, now_ns, entry)
