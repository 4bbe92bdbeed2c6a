"""Short ways to write what a question is expected to mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from video_detective.search.times import TimeReading, read_times

TAIPEI = ZoneInfo("Asia/Taipei")
NOW = "2025-12-17 10:20"
"""A Wednesday."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(wall: str, zone: ZoneInfo = TAIPEI, *, fold: int = 0) -> int:
    """``2025-12-17 10:20`` in a zone as nanoseconds UTC."""
    moment = datetime.fromisoformat(wall).replace(tzinfo=zone, fold=fold)
    return (moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1) * 1000


def reading(question: str, *, now: str = NOW, zone: ZoneInfo = TAIPEI) -> TimeReading:
    """Read a question asked at a local time."""
    return read_times(question, now_ns=instant_ns(now, zone), zone=zone)


def local(time_ns: int | None, zone: ZoneInfo = TAIPEI) -> str:
    """Nanoseconds UTC as a local time to the minute, to the second where there are some."""
    if time_ns is None:
        return "…"
    moment = (EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def period(question: str, *, now: str = NOW, zone: ZoneInfo = TAIPEI) -> str:
    """``2025-12-16 22:00 / 2025-12-16 23:00``: what the question's times mean; "" for none."""
    found = reading(question, now=now, zone=zone).period
    return f"{local(found.start_ns, zone)} / {local(found.end_ns, zone)}" if found else ""
