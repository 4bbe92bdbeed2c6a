"""Accounts, with their users, keys and audit logs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, text, update

from video_detective.errors import ConflictError, MissingError, no_such
from video_detective.storage.accounts import audit
from video_detective.storage.accounts.audit import (
    AuditEntry,
    AuditQuery,
    AuditRow,
    AuditState,
    Kind,
)
from video_detective.storage.accounts.keys import Keys
from video_detective.storage.accounts.reading import Open, account_of, row_of, values_of
from video_detective.storage.accounts.rows import AccountRow
from video_detective.storage.accounts.users import Users
from video_detective.storage.dialects import insert_into
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ACCOUNTS, DEVICES
from video_detective.storage.tables import META


class Accounts:
    """The accounts of an open database; ``users``, ``keys`` and the audit log belong to them.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing
        self.users = Users(kind, reading, writing)
        self.keys = Keys(kind, reading, writing)

    async def ready(self) -> None:
        """Whether the database answers.

        Raises:
            StorageError: it does not.
        """
        async with self._reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def default(self) -> AccountRow:
        """The account of the command line."""
        query = select(ACCOUNTS).where(ACCOUNTS.c.is_default)
        async with self._reading() as connection:
            return row_of(AccountRow, (await connection.execute(query)).one())

    async def get(self, account_id: str) -> AccountRow:
        """One account.

        Raises:
            MissingError: there is none of this id.
        """
        async with self._reading() as connection:
            found = await account_of(connection, account_id)
        if found is None:
            raise _missing(account_id)
        return found

    async def by_name(self, name: str) -> AccountRow | None:
        """The account of a name."""
        query = select(ACCOUNTS).where(ACCOUNTS.c.name == name)
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else row_of(AccountRow, row)

    async def page(
        self, *, limit: int, offset: int = 0, after: str | None = None
    ) -> tuple[list[AccountRow], int]:
        """Accounts in order of making (after the one of an id), and how many there are."""
        query = select(ACCOUNTS).order_by(ACCOUNTS.c.account_id).limit(limit)
        if after is not None:
            query = query.where(ACCOUNTS.c.account_id > after)
        elif offset:
            query = query.offset(offset)
        async with self._reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(ACCOUNTS))
            return [row_of(AccountRow, row) for row in await connection.execute(query)], total or 0

    async def add(self, account: AccountRow, entry: AuditEntry | None) -> None:
        """Store a new account.

        Raises:
            ConflictError: there is one of this name.
        """
        stored = (
            insert_into(ACCOUNTS, self._kind)
            .values(values_of(account))
            .on_conflict_do_nothing(index_elements=["name"])
            .returning(ACCOUNTS.c.account_id)
        )
        async with self._writing() as connection:
            if (await connection.execute(stored)).first() is None:
                raise ConflictError(
                    f"There is an account {account.name!r} already",
                    remedy="Choose another name.",
                    reason="name_taken",
                    name=account.name,
                )
            if entry is not None:
                await audit.append(connection, self._kind, entry)

    async def change(
        self, account_id: str, values: Mapping[str, Any], entry: AuditEntry | None
    ) -> AccountRow:
        """Change ``timezone`` or ``language`` of an account.

        Raises:
            MissingError: there is none of this id.
        """
        statement = (
            update(ACCOUNTS)
            .where(ACCOUNTS.c.account_id == account_id)
            .values(**values)
            .returning(ACCOUNTS)
        )
        async with self._writing() as connection:
            row = (await connection.execute(statement)).first()
            if row is None:
                raise _missing(account_id)
            if entry is not None:
                await audit.append(connection, self._kind, entry)
        return row_of(AccountRow, row)

    async def require_devices(self, reach: Reach, devices: Collection[str]) -> None:
        """Check that an account has these devices.

        Raises:
            MissingError: it has not; names the first.
        """
        query = select(DEVICES.c.device_id).where(
            of_row(reach, DEVICES), DEVICES.c.device_id.in_(sorted(devices))
        )
        async with self._reading() as connection:
            known = set(await connection.scalars(query))
        for device_id in sorted(set(devices) - known):
            raise no_such("device", device_id, remedy="List the devices.")

    async def secret(self, name: str, offered: str) -> str:
        """A secret of this installation; the one offered becomes it where there is none yet."""
        key = f"secret:{name}"
        query = select(META.c.value).where(META.c.key == key)
        async with self._reading() as connection:
            kept: str | None = await connection.scalar(query)
        if kept is not None:
            return kept
        async with self._writing() as connection:
            await connection.execute(
                insert_into(META, self._kind)
                .values(key=key, value=offered)
                .on_conflict_do_nothing(index_elements=["key"])
            )
            return str(await connection.scalar(query))

    # --- the audit log

    async def log(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries in one transaction; they are durable when this returns."""
        async with self._writing() as connection:
            await audit.append_all(connection, self._kind, entries)

    async def audit_page(self, query: AuditQuery) -> tuple[list[AuditRow], int]:
        """Entries, newest first, and how many there are; see ``AuditQuery``."""
        async with self._reading() as connection:
            return await audit.page(connection, query)

    async def verify_audit(self, account_id: str) -> AuditState:
        """Walk an account's log; see ``audit.verify``."""
        async with self._reading() as connection:
            return await audit.verify(connection, account_id)


def _missing(account_id: str) -> MissingError:
    return no_such("account", account_id, remedy="List the accounts.")
