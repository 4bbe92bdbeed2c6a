"""Who calls: what they may do, and whose rows they reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.reach import Reach

Scope = Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
SCOPES: tuple[Scope, ...] = (
    "analytics:read", "analytics:write", "devices:read", "devices:write", "admin",
)  # fmt: skip
Role = Literal["admin", "operator", "viewer"]
SCOPES_OF: Mapping[Role, frozenset[Scope]] = {
    "admin": frozenset(SCOPES),
    "operator": frozenset({"analytics:read", "analytics:write", "devices:read"}),
    "viewer": frozenset({"analytics:read", "devices:read"}),
}
"""What a web user of each role may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who showed a key or has a session.

    Args:
        reach: Whose rows; limited to cameras for limited keys and users.
        kind: ``key``, ``user`` or ``local`` (the command line, as the default account).
        id, name: Of the key or user.
        scopes: What they may do.
        timezone, language: Of the account.
        request_id: Of this request; "" otherwise.
    """

    reach: Reach
    kind: Literal["key", "user", "local"]
    id: str
    name: str
    scopes: frozenset[Scope]
    timezone: str
    language: Literal["zh-TW", "en"]
    request_id: str = ""

    @property
    def account_id(self) -> str:
        """Whose rows."""
        return self.reach.account_id

    def entry(
        self,
        action: str,
        target_id: str,
        *,
        time_ns: int,
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """An entry of the audit log about something this caller did.

        Args:
            action: Target kind, dot, verb: ``device.create``.
            target_id: Which.
            time_ns: When.
            details: Plain JSON without secrets.
        """
        return AuditEntry(
            account_id=self.account_id,
            time_ns=time_ns,
            actor_kind=self.kind,
            actor_id=self.id,
            actor_name=self.name,
            action=action,
            target_kind=action.partition(".")[0],
            target_id=target_id,
            request_id=self.request_id,
            details=details or {},
        )
