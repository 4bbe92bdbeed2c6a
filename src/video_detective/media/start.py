"""When a recording began: from the caller, the container, the file name or the file's date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from video_detective.errors import UsageError

_STAMP = re.compile(
    r"(?<!\d)(?P<year>19[89]\d|20\d\d)(?P<dsep>[-_.]?)(?P<month>[01]\d)(?P=dsep)(?P<day>[0-3]\d)"
    r"[ T_.@-]{0,3}"
    r"(?P<hour>[012]\d)(?P<tsep>[-_.:h時]?)(?P<minute>[0-5]\d)[-_.:m分]?(?P<second>[0-5]\d)秒?"
    r"(?:[._-]?(?P<ms>\d{3}))?(?!\d)(?P<zone>Z(?![a-zA-Z])|[+-]\d{2}:?\d{2}(?!\d))?"
)
"""``20251216_220501``, ``2025-12-16_22-05-01``, ``20251216T220501Z``, ``VID_20251216_220501123``
(a phone's, with milliseconds)."""
_UNSET_BEFORE = datetime(1990, 1, 1, tzinfo=UTC)
"""Containers write their epoch (1904, 1970) for "unknown"."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(
            f"time zone {name!r} is unknown", remedy="Use an IANA name such as Asia/Taipei."
        ) from error


def to_ns(moment: datetime, zone: ZoneInfo) -> int:
    """UTC ns of a moment; one without a zone is in ``zone``.

    Where clocks go back, the first of the two moments is meant; a time that clocks skip is moved
    on by the length of the skip (``fold=0``, PEP 495).
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone, fold=0)
    since = moment.astimezone(UTC) - _EPOCH
    return (since // timedelta(microseconds=1)) * 1000


def start_in_name(name: str, zone: ZoneInfo) -> int | None:
    """UTC ns of the first date and time in a file name, read in ``zone``; None without one."""
    for match in _STAMP.finditer(name):
        try:
            moment = datetime(  # noqa: DTZ001 - local to the camera unless the name has a zone
                int(match["year"]), int(match["month"]), int(match["day"]),
                int(match["hour"]), int(match["minute"]), int(match["second"]),
                int(match["ms"] or 0) * 1000,
            )  # fmt: skip
        except ValueError:
            continue
        if match["zone"]:
            return to_ns(datetime.fromisoformat(f"{moment.isoformat()}{match['zone']}"), zone)
        return to_ns(moment, zone)
    return None


def start_in_metadata(metadata: dict[str, str], zone: ZoneInfo) -> int | None:
    """UTC ns of a container's ``creation_time``; None when absent, unreadable or its epoch."""
    try:
        moment = datetime.fromisoformat(metadata["creation_time"].strip())
    except (KeyError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return to_ns(moment, zone) if moment > _UNSET_BEFORE else None
