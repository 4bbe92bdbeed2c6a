"""Which events are too old: the one place where that is said in SQL.

An event is as old as its end, or as the analysis that found it, whichever is younger: a film of
last year that is analysed today gives events that are kept from today on. Events that are kept on
purpose, those with a confirmed alert and those that go on are never too old; nor is, around them,
what the rules saw.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from video_detective.geometry import NS_PER_S
from video_detective.storage.service_tables import ALERTS, DEVICES, KEPT_EVENTS, RUN_BEGINNINGS
from video_detective.storage.tables import EVENTS, RUNS

AROUND_NS = 30 * NS_PER_S
"""What belongs to an event is kept from so long before it on, until so long after it."""


def cameras_of(account_id: str) -> Select[tuple[str]]:
    """Camera ids of an account, also of devices that were removed."""
    return select(DEVICES.c.camera_id).where(DEVICES.c.account_id == account_id)


def is_too_old(before_ns: int) -> ColumnElement[bool]:
    """Whether an event (of ``EVENTS``) may be deleted."""
    event = EVENTS.c
    later = RUNS.alias("later")
    # An analysis that was left for good closes nothing; the next one of the camera tells it by.
    was_left = exists().where(
        later.c.camera_id == event.camera_id,
        later.c.run_id > event.run_id,
        later.c.start_ns > event.start_ns,
    )
    confirmed = exists().where(
        ALERTS.c.event_id == event.event_id, ALERTS.c.review_state == "confirmed"
    )
    return and_(
        event.start_ns < before_ns,
        func.coalesce(event.end_ns, event.start_ns) < before_ns,
        or_(event.end_ns.is_not(None), event.run_id.is_(None), was_left),
        or_(event.run_id.is_(None), ~is_young(event.run_id, before_ns)),
        ~exists().where(KEPT_EVENTS.c.event_id == event.event_id),
        ~confirmed,
    )


def is_young(run_id: ColumnElement[int], before_ns: int) -> ColumnElement[bool]:
    """Whether an analysis was begun since a moment."""
    begun = RUN_BEGINNINGS.c
    return exists().where(begun.run_id == run_id, begun.begun_ms >= before_ns // 1_000_000)


def is_beside_an_event(
    camera_id: str, first_ns: ColumnElement[int], last_ns: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whether a stretch of a camera's time touches an event that is still there."""
    event = EVENTS.c
    # One of an analysis without an end goes on; an imported one was a moment.
    goes_on = and_(event.end_ns.is_(None), event.run_id.is_not(None))
    return exists().where(
        event.camera_id == camera_id,
        event.start_ns <= last_ns + AROUND_NS,
        or_(goes_on, func.coalesce(event.end_ns, event.start_ns) >= first_ns - AROUND_NS),
    )
