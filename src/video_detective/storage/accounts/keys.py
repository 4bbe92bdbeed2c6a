"""API keys: only their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select, update

from video_detective.errors import MissingError
from video_detective.storage.accounts.audit import AuditEntry, Kind, append
from video_detective.storage.accounts.reading import (
    Open,
    cameras_of,
    labelled,
    row_of,
    values_of,
)
from video_detective.storage.accounts.rows import AccountRow, KeyHolder, KeyRow
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ACCOUNTS, API_KEYS


class Keys:
    """The API keys of an open database; see ``Database``.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing

    async def by_prefix(self, prefix: str) -> KeyHolder | None:
        """The key of a prefix, whether or not it may still be used."""
        query = (
            select(*labelled(API_KEYS, "key"), *labelled(ACCOUNTS, "account"))
            .join_from(API_KEYS, ACCOUNTS)
            .where(API_KEYS.c.prefix == prefix)
        )
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            key = row_of(KeyRow, row, "key")
            cameras = await cameras_of(connection, key.account_id, key.devices)
        return KeyHolder(key=key, account=row_of(AccountRow, row, "account"), cameras=cameras)

    async def page(
        self, reach: Reach, *, limit: int, offset: int = 0, after: str | None = None
    ) -> tuple[list[KeyRow], int]:
        """Keys of an account, the newest first, and how many there are.

        Args:
            reach: Whose.
            limit: At most so many.
            offset: So many newer ones are left out.
            after: Only keys made before the one of this id.
        """
        own = of_row(reach, API_KEYS)
        query = select(API_KEYS).where(own).order_by(API_KEYS.c.key_id.desc()).limit(limit)
        if after is not None:
            query = query.where(API_KEYS.c.key_id < after)
        elif offset:
            query = query.offset(offset)
        async with self._reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(API_KEYS).where(own))
            return [row_of(KeyRow, row) for row in await connection.execute(query)], total or 0

    async def get(self, reach: Reach, key_id: str) -> KeyRow:
        """One key of an account.

        Raises:
            MissingError: the account has none of this id.
        """
        query = select(API_KEYS).where(of_row(reach, API_KEYS), API_KEYS.c.key_id == key_id)
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise _missing(key_id)
        return row_of(KeyRow, row)

    async def add(self, key: KeyRow, entry: AuditEntry | None) -> None:
        """Store a new key."""
        async with self._writing() as connection:
            await connection.execute(API_KEYS.insert().values(values_of(key)))
            if entry is not None:
                await append(connection, self._kind, entry)

    async def change(
        self, reach: Reach, key_id: str, values: Mapping[str, Any], entry: AuditEntry | None
    ) -> KeyRow:
        """Change a key that is not revoked.

        Args:
            reach: Whose.
            key_id: Which.
            values: Of ``name``, ``scopes``, ``devices``, ``expires_ns``.
            entry: For the log.

        Raises:
            MissingError: the account has none of this id that is not revoked.
        """
        return await self._update(reach, key_id, values, entry)

    async def revoke(
        self, reach: Reach, key_id: str, now_ns: int, entry: AuditEntry | None
    ) -> KeyRow:
        """Let a key not be used any more; one that was revoked before stays as it is.

        Raises:
            MissingError: the account has none of this id.
        """
        try:
            return await self._update(reach, key_id, {"revoked_ns": now_ns}, entry)
        except MissingError:
            return await self.get(reach, key_id)

    async def _update(
        self, reach: Reach, key_id: str, values: Mapping[str, Any], entry: AuditEntry | None
    ) -> KeyRow:
        statement = (
            update(API_KEYS)
            .where(
                of_row(reach, API_KEYS),
                API_KEYS.c.key_id == key_id,
                API_KEYS.c.revoked_ns.is_(None),
            )
            .values(**values)
            .returning(API_KEYS)
        )
        async with self._writing() as connection:
            row = (await connection.execute(statement)).first()
            if row is None:
                raise _missing(key_id)
            if entry is not None:
                await append(connection, self._kind, entry)
        return row_of(KeyRow, row)

    async def note_use(self, key_id: str, now_ns: int, *, unless_since_ns: int) -> None:
        """Note that a key was used, unless that was noted after a moment."""
        noted = API_KEYS.c.last_used_ns
        async with self._writing() as connection:
            await connection.execute(
                update(API_KEYS)
                .where(API_KEYS.c.key_id == key_id, or_(noted.is_(None), noted <= unless_since_ns))
                .values(last_used_ns=now_ns)
            )


def _missing(key_id: str) -> MissingError:
    return MissingError(
        f"There is no key '{key_id}' in use",
        remedy="List the keys.",
        reason="not_found",
        what="key",
        id=key_id,
    )
