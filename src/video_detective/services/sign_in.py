"""How people come in: invitations, passwords, sessions, lock-out."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from dataclasses import dataclass

from video_detective.errors import FieldError, Flaw, UnauthorizedError
from video_detective.services.access import Caller, Role
from video_detective.services.callers import digest_of
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.accounts.rows import InvitationRow, SessionRow, UserRow
from video_detective.storage.ids import new_id

_S = 1_000_000_000
SESSION_NS = 7 * 24 * 3600 * _S
"""A session ends then at the latest."""
INVITATION_NS = 24 * 3600 * _S
"""How long a one-time link is good."""
FREE_ATTEMPTS = 5
LOCKED_S, LOCKED_MOST_S = 60, 3600
"""After so many failures nobody can sign in as this user for a minute, twice as long after each
further one, at most an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody came in. ``token`` is the secret of the session, known to their browser only."""

    user: UserRow
    token: str
    expires_ns: int


def folded_name(name: str) -> str:
    """A user's name as it is kept and compared.

    Raises:
        FieldError: it is empty, longer than 64, or has spaces or invisible characters.
    """
    folded = unicodedata.normalize("NFKC", name).strip().lower()
    if not 1 <= len(folded) <= 64 or not folded.isprintable() or " " in folded:
        flaw = Flaw(
            "must be 1 to 64 visible characters without spaces", reason="user_name_wrong", most=64
        )
        raise FieldError([("name", flaw)])
    return folded


async def sign_in(
    workspace: Workspace,
    *,
    name: str,
    password: str,
    now_ns: int,
    account: str = "",
    request_id: str = "",
) -> SignedIn:
    """Begin a session.

    Args:
        workspace: Where.
        name: Of the user.
        password: Theirs.
        now_ns: When.
        account: Name of their account; "" for the default one.
        request_id: Of the request.

    Raises:
        UnauthorizedError: not with this name and password, or not now. All reasons look alike, and
            take the same time.
    """
    refusal = asyncio.ensure_future(asyncio.sleep(workspace.identity.passwords.refusal_s))
    try:
        signed = await _signed_in(workspace, account, name, password, now_ns, request_id)
        if signed is None:
            await refusal
            raise UnauthorizedError(
                "Name or password is wrong, or there were too many attempts",
                remedy="Try again, after some minutes if it goes on; an admin can set a new one.",
            )
        return signed
    finally:
        refusal.cancel()


async def _signed_in(
    workspace: Workspace, account: str, name: str, password: str, now_ns: int, request_id: str
) -> SignedIn | None:
    accounts, passwords = workspace.database.accounts, workspace.identity.passwords
    tenant = await accounts.by_name(account) if account else await accounts.default()
    try:
        folded = folded_name(name)
    except FieldError:
        folded = ""
    user = await accounts.users.by_name(tenant.account_id, folded) if tenant and folded else None
    may_try = user is not None and await accounts.users.attempt(
        user.user_id, now_ns, lambda failures: _locked_until(failures, now_ns)
    )
    is_right = await passwords.is_right(password, user.password_hash if user else None)
    if user is None or not may_try:
        return None
    if not is_right:
        await accounts.log([_entry(user, "session.refuse", now_ns, request_id)])
        return None
    token, session = _new_session(user.user_id, now_ns)
    entry = _entry(user, "session.start", now_ns, request_id)
    if not await accounts.users.sign_in(user, session, entry):
        return None
    return SignedIn(user=user, token=token, expires_ns=session.expires_ns)


async def sign_out(workspace: Workspace, caller: Caller, token: str, now_ns: int) -> None:
    """End a session."""
    entry = caller.entry("session.end", caller.id, time_ns=now_ns)
    await workspace.database.accounts.users.end_session(digest_of(token), entry)


async def change_own_password(
    workspace: Workspace, caller: Caller, *, token: str, present: str, new: str, now_ns: int
) -> None:
    """Give oneself another password; all other sessions end.

    Args:
        workspace: Where.
        caller: A user.
        token: Of the session that goes on.
        present: The password up to now; wrong ones count as attempts to sign in.
        new: The password from now on.
        now_ns: When.

    Raises:
        UnauthorizedError: the present one is wrong, or there were too many attempts.
        FieldError: the new one cannot be a password.
    """
    users, passwords = workspace.database.accounts.users, workspace.identity.passwords
    user = await users.get(caller.reach, caller.id)
    hashed = await passwords.hash(new)
    may_try = await users.attempt(
        user.user_id, now_ns, lambda failures: _locked_until(failures, now_ns)
    )
    if not await passwords.is_right(present, user.password_hash) or not may_try:
        raise UnauthorizedError(
            "The present password is wrong, or there were too many attempts",
            remedy="Try again, after some minutes if it goes on.",
            reason="present_password_wrong",
        )
    await users.change(
        caller.reach,
        user.user_id,
        {"password_hash": hashed},
        caller.entry("user.password", user.user_id, time_ns=now_ns),
        keep_session=digest_of(token),
    )


# --- invitations


async def invite(
    workspace: Workspace, caller: Caller, *, role: Role, now_ns: int, account_id: str = ""
) -> tuple[str, int]:
    """A one-time link's token, and until when it is good.

    Args:
        workspace: Where.
        caller: Who invites.
        role: Of the user to be made.
        now_ns: When.
        account_id: Of the new user; "" for the caller's.
    """
    token = secrets.token_urlsafe(32)
    invitation = InvitationRow(
        token_hash=digest_of(token),
        account_id=account_id or caller.account_id,
        role=role,
        created_ns=now_ns,
        expires_ns=now_ns + INVITATION_NS,
    )
    entry = caller.entry(
        "invitation.create", invitation.token_hash[:12], time_ns=now_ns, details={"role": role}
    )
    await workspace.database.accounts.users.invite(invitation, entry)
    return token, invitation.expires_ns


async def accept(
    workspace: Workspace,
    *,
    token: str,
    name: str,
    password: str,
    now_ns: int,
    request_id: str = "",
) -> SignedIn:
    """Make a user by a one-time link, and sign them in.

    Raises:
        GoneError: the link is unknown, has expired or was used.
        FieldError: name or password cannot be one.
        ConflictError: the name is taken.
    """
    users = workspace.database.accounts.users
    invitation = await users.invitation(digest_of(token), now_ns)
    user = UserRow(
        user_id=new_id(now_ns),
        account_id=invitation.account_id,
        name=folded_name(name),
        password_hash=await workspace.identity.passwords.hash(password),
        role=invitation.role,
        devices=None,
        created_ns=now_ns,
        last_login_ns=now_ns,
    )
    session_token, session = _new_session(user.user_id, now_ns)
    entry = _entry(user, "user.create", now_ns, request_id, role=user.role, by="invitation")
    await users.accept(invitation.token_hash, user, session, entry)
    return SignedIn(user=user, token=session_token, expires_ns=session.expires_ns)


def _new_session(user_id: str, now_ns: int) -> tuple[str, SessionRow]:
    token = secrets.token_urlsafe(32)
    return token, SessionRow(
        session_hash=digest_of(token),
        user_id=user_id,
        created_ns=now_ns,
        expires_ns=now_ns + SESSION_NS,
        last_seen_ns=now_ns,
    )


def _locked_until(failures: int, now_ns: int) -> int | None:
    if failures < FREE_ATTEMPTS:
        return None
    doublings = min(failures - FREE_ATTEMPTS, 16)
    return now_ns + min(LOCKED_S << doublings, LOCKED_MOST_S) * _S


def _entry(
    user: UserRow, action: str, now_ns: int, request_id: str, **details: object
) -> AuditEntry:
    return AuditEntry(
        account_id=user.account_id,
        time_ns=now_ns,
        actor_kind="user",
        actor_id=user.user_id,
        actor_name=user.name,
        action=action,
        target_kind=action.partition(".")[0],
        target_id=user.user_id,
        request_id=request_id,
        details=details,
    )
