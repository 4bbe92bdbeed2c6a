"""Times as people and interfaces write them: RFC 3339 outside, integer nanoseconds inside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from video_detective.errors import FieldError, Flaw, UsageError
from video_detective.geometry import NS_PER_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_BARE = datetime(1970, 1, 1)  # noqa: DTZ001 - of times that end in Z


def local_time(time_ns: int, zone: ZoneInfo) -> datetime:
    """The moment in a time zone, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(zone)


def rfc3339(time_ns: int, zone: ZoneInfo) -> str:
    """``2025-12-16T22:05:00+08:00``; with milliseconds where the second is not whole.

    >>> rfc3339(1765893900_500_000_000, ZoneInfo("Asia/Taipei"))
    '2025-12-16T22:05:00.500+08:00'
    """
    moment = local_time(time_ns, zone)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def utc_text(time_ns: int) -> str:
    """RFC 3339 in UTC, as the interface gives every time; milliseconds where there are some.

    >>> utc_text(1765893900_500_000_000)
    '2025-12-16T14:05:00.500Z'
    """
    # Lists have many: without a look at any time zone.
    moment = _EPOCH_BARE + timedelta(microseconds=time_ns // 1000)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds") + "Z"


def time_range(start_ns: int, end_ns: int | None, zone: ZoneInfo) -> str:
    """``2025-12-16 22:05:00 ~ 22:06:30``; the day again where it changes; open ranges end bare."""
    start = local_time(start_ns, zone)
    if end_ns is None:
        return f"{start:%Y-%m-%d %H:%M:%S} ~"
    end = local_time(end_ns, zone)
    same_day = start.date() == end.date()
    return f"{start:%Y-%m-%d %H:%M:%S} ~ " + end.strftime(
        "%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S"
    )


def parse_time(text: str, zone: ZoneInfo, *, what: str) -> int:
    """Nanoseconds UTC of an RFC 3339 time; without an offset it is read in ``zone``.

    Raises:
        UsageError: the text is no time, or out of range; ``what`` says which time, if it is not
            empty.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        delta = moment - _EPOCH
    except (ValueError, OverflowError) as cause:
        raise UsageError(
            f"{what} {text!r} is not a time".strip(),
            remedy="Write it like 2025-12-16T22:05:00 or 2025-12-16T22:05:00+08:00.",
            reason="not_a_time",
            value=text,
        ) from cause
    if not 0 <= delta.total_seconds() < 9e9:
        raise UsageError(
            f"{what} {text!r} lies outside 1970..2255".strip(),
            remedy="Check the year.",
            reason="time_out_of_range",
            value=text,
        )
    return (delta // timedelta(microseconds=1)) * (NS_PER_S // 1_000_000)


def field_time(text: str, zone: ZoneInfo, field: str) -> int:
    """``parse_time`` of a request's field.

    Raises:
        FieldError: the text is no time, or out of range; under the field's name.
    """
    try:
        return parse_time(text, zone, what="")
    except UsageError as cause:
        flaw = Flaw(str(cause).rstrip("."), reason=cause.reason, **cause.context)
        raise FieldError([(field, flaw)]) from cause


def field_period(
    start: str | None,
    end: str | None,
    zone: ZoneInfo,
    fields: tuple[str, str] = ("startDate", "endDate"),
) -> tuple[int | None, int | None]:
    """The period ``[start, end)`` that a request names; None for an end that it leaves open.

    Raises:
        FieldError: one of them is no time, or the period is empty; under the field's name.
    """
    since_ns = None if start is None else field_time(start, zone, fields[0])
    until_ns = None if end is None else field_time(end, zone, fields[1])
    if since_ns is not None and until_ns is not None and until_ns <= since_ns:
        flaw = Flaw(
            f"{end!r} is not after {fields[0]} {start!r}",
            reason="period_empty",
            since=start,
            until=end,
        )
        raise FieldError([(fields[1], flaw)])
    return since_ns, until_ns
