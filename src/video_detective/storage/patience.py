"""Waiting for what ends soon by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_PATIENCE_S = 5.0
_LOOK_S = 0.001


async def patiently(is_over: Callable[[], bool]) -> None:
    """Look again and again whether it is over, for some seconds at most."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + _PATIENCE_S
    while not is_over() and clock() < until_s:
        await asyncio.sleep(_LOOK_S)
