"""The audit log: append-only, each row chained to the one before it by hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What somebody did. It never holds a secret.

    Args:
        account_id: Whose log.
        time_ns: When.
        actor_kind: ``user``, ``key``, ``local`` (the command line) or ``system``.
        actor_id, actor_name: Who: user id and name, key id and name.
        action: ``device.create``, ``key.revoke``, ``evidence.view`` …: target kind, dot, verb.
        target_kind, target_id: What it was done to.
        request_id: Of the HTTP request; "" otherwise.
        details: What was changed, plain JSON without secrets.
    """

    account_id: str
    time_ns: int
    actor_kind: Literal["user", "key", "local", "system"]
    actor_id: str
    actor_name: str
    action: str
    target_kind: str
    target_id: str
    request_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


async def append(connection: AsyncConnection, kind: Kind, entry: AuditEntry) -> None:
    """Append an entry, in the transaction of what it tells."""
    raise NotImplementedError
