"""The audit log as administrators read it."""

from __future__ import annotations

from video_detective.errors import FieldError, Flaw
from video_detective.services.access import Caller
from video_detective.services.account_checks import Listed, cut
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.audit import AuditQuery, AuditRow, AuditState


async def audit_page(
    workspace: Workspace,
    caller: Caller,
    *,
    limit: int,
    offset: int = 0,
    cursor: str | None = None,
    action: str = "",
    target_id: str = "",
    actor_id: str = "",
    since_ns: int | None = None,
    until_ns: int | None = None,
) -> Listed[AuditRow]:
    """Entries of the caller's account, newest first; see ``AuditQuery``.

    Raises:
        FieldError: the cursor is none.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        flaw = Flaw("is none that this list gave out", reason="cursor_unknown")
        raise FieldError([("cursor", flaw)])
    query = AuditQuery(
        account_id=caller.account_id,
        limit=limit + 1,
        offset=offset,
        before=None if cursor is None else int(cursor),
        action=action,
        target_id=target_id,
        actor_id=actor_id,
        since_ns=since_ns,
        until_ns=until_ns,
    )
    found = await workspace.database.accounts.audit_page(query)
    return cut(found, limit, [str(row.number) for row in found[0]])


async def verify_audit(workspace: Workspace, caller: Caller) -> AuditState:
    """Whether every entry of the caller's account is as it was written."""
    return await workspace.database.accounts.verify_audit(caller.account_id)
