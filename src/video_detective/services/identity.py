"""What a running installation keeps in memory about who comes in."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from video_detective.errors import VideoDetectiveError
from video_detective.services.passwords import Passwords
from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.database import Database

SEEN_AGAIN_NS = 60_000_000_000
"""The same evidence seen again by the same caller within a minute is one view: players fetch a clip
in many parts."""
_MANY = 10_000


class Identity:
    """Of one open workspace: its passwords, secrets, and the log of views.

    Args:
        passwords: Made at first use when None: that takes a moment.
    """

    def __init__(self, passwords: Passwords | None = None) -> None:
        if passwords is not None:
            self.passwords = passwords
        self._secrets: dict[str, bytes] = {}
        self.views = Views()

    @cached_property
    def passwords(self) -> Passwords:
        """Hashes and checks them."""
        return Passwords()

    async def secret(self, database: Database, name: str) -> bytes:
        """A secret of the installation (``media``, ``cookie`` …), made at first use."""
        if name not in self._secrets:
            kept = await database.accounts.secret(name, secrets.token_hex(32))
            self._secrets[name] = bytes.fromhex(kept)
        return self._secrets[name]


@dataclass(slots=True, eq=False)
class _Waiting:
    entry: AuditEntry
    done: asyncio.Future[None] = field(default_factory=asyncio.Future)


class Views:
    """Notes who saw which evidence; views of one moment share a transaction.

    The same view again is the same entry, also while that is being written.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._under_way: dict[tuple[str, ...], _Waiting] = {}
        self._turn = asyncio.Lock()
        self._noted: dict[tuple[str, ...], int] = {}

    async def note(self, database: Database, entry: AuditEntry) -> None:
        """Note a view; it is durable when this returns.

        Raises:
            StorageError: it cannot be noted; the evidence must not be shown.
        """
        key = (entry.account_id, entry.actor_id, entry.action, entry.target_id)
        noted_ns = self._noted.get(key)
        if noted_ns is not None and entry.time_ns - noted_ns < SEEN_AGAIN_NS:
            return
        own = self._under_way.get(key)
        if own is None:
            own = self._under_way[key] = _Waiting(entry)
            own.done.add_done_callback(lambda _: self._under_way.pop(key))
            self._waiting.append(own)
        async with self._turn:
            # Whoever had the turn before has taken all that waited then. Those who wait for one
            # entry take it together: whoever came first may have hung up.
            if not own.done.done():
                batch, self._waiting = self._waiting, []
                # A caller who hangs up does not take the others' entries with it.
                await asyncio.shield(_store(database, batch))
        await own.done
        if len(self._noted) >= _MANY:
            self._noted.clear()
        self._noted[key] = entry.time_ns


async def _store(database: Database, batch: list[_Waiting]) -> None:
    try:
        await database.accounts.log([item.entry for item in batch])
    except VideoDetectiveError as error:
        for item in batch:
            item.done.set_exception(error)
    else:
        for item in batch:
            item.done.set_result(None)
