"""What the repositories of accounts, users and keys share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.storage.accounts.rows import (
    AccountRow,
    InvitationRow,
    KeyRow,
    SessionRow,
    UserRow,
)
from video_detective.storage.service_tables import ACCOUNTS, DEVICES

Open = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
R = TypeVar("R", AccountRow, UserRow, SessionRow, InvitationRow, KeyRow)


def labelled(table: Table, mark: str) -> list[ColumnElement[Any]]:
    """A table's columns under names that no other table of a join has."""
    return [column.label(f"{mark}_{column.name}") for column in table.columns]


def row_of(kind: type[R], row: Row[Any], mark: str = "") -> R:
    """A row of the database as a value; ``mark`` as given to ``labelled``."""
    values: dict[str, Any] = {}
    for item in fields(kind):
        value = getattr(row, f"{mark}_{item.name}" if mark else item.name)
        values[item.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def values_of(row: AccountRow | UserRow | SessionRow | InvitationRow | KeyRow) -> dict[str, Any]:
    """A value as a row of the database."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(row).items()
    }


async def cameras_of(
    connection: AsyncConnection, account_id: str, devices: Collection[str] | None
) -> frozenset[str] | None:
    """Camera ids of an account's devices; those of other accounts and removed ones are left out."""
    if devices is None:
        return None
    query = select(DEVICES.c.camera_id).where(
        DEVICES.c.account_id == account_id,
        DEVICES.c.deleted_ns.is_(None),
        DEVICES.c.device_id.in_(sorted(devices)),
    )
    return frozenset(await connection.scalars(query))


async def account_of(connection: AsyncConnection, account_id: str) -> AccountRow | None:
    """One account."""
    query = select(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id)
    row = (await connection.execute(query)).first()
    return None if row is None else row_of(AccountRow, row)
