"""Ids of everything that the service makes: UUIDs of version 7, which sort by time."""

from __future__ import annotations

import os
import uuid


def new_id(time_ns: int) -> str:
    """A new id.

    Args:
        time_ns: When it is made; ids sort by its milliseconds.

    Source: RFC 9562, section 5.7.
    """
    value = (time_ns // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))
