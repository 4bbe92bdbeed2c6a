"""Web users, their sessions, and the invitations with which they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from video_detective.errors import ConflictError, GoneError, no_such
from video_detective.storage.accounts.audit import AuditEntry, Kind, append
from video_detective.storage.accounts.reading import (
    Open,
    cameras_of,
    labelled,
    row_of,
    values_of,
)
from video_detective.storage.accounts.rows import (
    AccountRow,
    InvitationRow,
    SessionHolder,
    SessionRow,
    UserRow,
)
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ACCOUNTS, INVITATIONS, SESSIONS, USERS


class Users:
    """The users, sessions and invitations of an open database; see ``Database``.

    Args:
        kind: Which database.
        reading, writing: Open a connection for it.
    """

    def __init__(self, kind: Kind, reading: Open, writing: Open) -> None:
        self._kind = kind
        self._reading = reading
        self._writing = writing

    async def page(
        self, reach: Reach, *, limit: int, offset: int = 0, after: str | None = None
    ) -> tuple[list[UserRow], int]:
        """Users of an account in order of making, and how many there are.

        Args:
            reach: Whose.
            limit: At most so many.
            offset: So many earlier ones are left out.
            after: Only users made after the one of this id.
        """
        own = of_row(reach, USERS)
        query = select(USERS).where(own).order_by(USERS.c.user_id).limit(limit)
        if after is not None:
            query = query.where(USERS.c.user_id > after)
        elif offset:
            query = query.offset(offset)
        async with self._reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(USERS).where(own))
            return [row_of(UserRow, row) for row in await connection.execute(query)], total or 0

    async def get(self, reach: Reach, user_id: str) -> UserRow:
        """One user of an account.

        Raises:
            MissingError: the account has none of this id.
        """
        async with self._reading() as connection:
            return await _user(connection, reach, user_id)

    async def by_name(self, account_id: str, name: str) -> UserRow | None:
        """The user of a folded name."""
        query = select(USERS).where(USERS.c.account_id == account_id, USERS.c.name == name)
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else row_of(UserRow, row)

    async def add(self, user: UserRow, entry: AuditEntry | None) -> None:
        """Store a new user. An account's first one voids its open invitations.

        Raises:
            ConflictError: the account has one of this name.
        """
        async with self._writing() as connection:
            await _add(connection, user)
            if entry is not None:
                await append(connection, self._kind, entry)

    async def change(
        self,
        reach: Reach,
        user_id: str,
        values: Mapping[str, Any],
        entry: AuditEntry | None,
        *,
        keep_session: str | None = None,
    ) -> UserRow:
        """Change a user; a new password, or being disabled, ends their sessions.

        Args:
            reach: Whose.
            user_id: Which.
            values: Of ``password_hash``, ``role``, ``devices``, ``disabled_ns``.
            entry: For the log.
            keep_session: Hash of the one session that goes on.

        Raises:
            MissingError: the account has none of this id.
            ConflictError: the account would have no admin left.
        """
        async with self._writing() as connection:
            await _lock_account(connection, reach.account_id)
            before = await _user(connection, reach, user_id)
            if _is_admin(before) and (
                values.get("role", "admin") != "admin" or values.get("disabled_ns") is not None
            ):
                await _require_other_admin(connection, before)
            values = dict(values)
            if "password_hash" in values:
                values |= {"failures": 0, "locked_until_ns": None}
            changed = (
                await connection.execute(
                    update(USERS)
                    .where(USERS.c.user_id == user_id)
                    .values(**values)
                    .returning(USERS)
                )
            ).one()
            if "password_hash" in values or values.get("disabled_ns") is not None:
                ended = delete(SESSIONS).where(SESSIONS.c.user_id == user_id)
                if keep_session is not None:
                    ended = ended.where(SESSIONS.c.session_hash != keep_session)
                await connection.execute(ended)
            if entry is not None:
                await append(connection, self._kind, entry)
        return row_of(UserRow, changed)

    # --- signing in and out

    async def attempt(
        self, user_id: str, now_ns: int, locked_until: Callable[[int], int | None]
    ) -> bool:
        """Count an attempt to sign in before its password is looked at.

        So no more are made at once than one after the other; ``sign_in`` takes the count back.

        Args:
            user_id: Whose.
            now_ns: When.
            locked_until: Until when a user is locked out after so many attempts.

        Returns:
            False: the user is locked out or disabled, and the attempt was not counted.
        """
        query = select(USERS).where(USERS.c.user_id == user_id).with_for_update()
        async with self._writing() as connection:
            row = (await connection.execute(query)).one()
            if row.disabled_ns is not None or (row.locked_until_ns or 0) > now_ns:
                return False
            failures = row.failures + 1
            await connection.execute(
                update(USERS)
                .where(USERS.c.user_id == user_id)
                .values(failures=failures, locked_until_ns=locked_until(failures))
            )
        return True

    async def sign_in(self, user: UserRow, session: SessionRow, entry: AuditEntry) -> bool:
        """Begin a session of a user whose password was right, and forget those that ended.

        Returns:
            False: the user was disabled or their password changed meanwhile.
        """
        async with self._writing() as connection:
            signed = await connection.execute(
                update(USERS)
                .where(
                    USERS.c.user_id == user.user_id,
                    USERS.c.password_hash == user.password_hash,
                    USERS.c.disabled_ns.is_(None),
                )
                .values(failures=0, locked_until_ns=None, last_login_ns=session.created_ns)
            )
            if signed.rowcount == 0:
                return False
            await _begin(connection, session)
            await append(connection, self._kind, entry)
        return True

    async def session(self, session_hash: str) -> SessionHolder | None:
        """A session with its user and account, whether or not it may still be used."""
        query = (
            select(
                *labelled(SESSIONS, "session"),
                *labelled(USERS, "user"),
                *labelled(ACCOUNTS, "account"),
            )
            .join_from(SESSIONS, USERS)
            .join(ACCOUNTS)
            .where(SESSIONS.c.session_hash == session_hash)
        )
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return None
            user = row_of(UserRow, row, "user")
            cameras = await cameras_of(connection, user.account_id, user.devices)
        return SessionHolder(
            session=row_of(SessionRow, row, "session"),
            user=user,
            account=row_of(AccountRow, row, "account"),
            cameras=cameras,
        )

    async def note_session(self, session_hash: str, now_ns: int) -> None:
        """Note that a session was used."""
        async with self._writing() as connection:
            await connection.execute(
                update(SESSIONS)
                .where(SESSIONS.c.session_hash == session_hash, SESSIONS.c.last_seen_ns < now_ns)
                .values(last_seen_ns=now_ns)
            )

    async def end_session(self, session_hash: str, entry: AuditEntry) -> None:
        """End a session; one that ended before leaves nothing in the log."""
        async with self._writing() as connection:
            ended = await connection.execute(
                delete(SESSIONS).where(SESSIONS.c.session_hash == session_hash)
            )
            if ended.rowcount:
                await append(connection, self._kind, entry)

    # --- invitations

    async def invite(self, invitation: InvitationRow, entry: AuditEntry | None) -> None:
        """Store an invitation, and forget those that nobody can use any more."""
        async with self._writing() as connection:
            await connection.execute(
                delete(INVITATIONS).where(INVITATIONS.c.expires_ns <= invitation.created_ns)
            )
            await connection.execute(INVITATIONS.insert().values(values_of(invitation)))
            if entry is not None:
                await append(connection, self._kind, entry)

    async def invitation(self, token_hash: str, now_ns: int) -> InvitationRow:
        """An invitation that can be used.

        Raises:
            GoneError: there is none of this token, it has expired or was used.
        """
        query = select(INVITATIONS).where(
            INVITATIONS.c.token_hash == token_hash,
            INVITATIONS.c.used_ns.is_(None),
            INVITATIONS.c.expires_ns > now_ns,
        )
        async with self._reading() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise _used_up()
        return row_of(InvitationRow, row)

    async def accept(
        self, token_hash: str, user: UserRow, session: SessionRow, entry: AuditEntry
    ) -> None:
        """Use an invitation: make its user and begin their session.

        Raises:
            GoneError: as ``invitation``.
            ConflictError: the account has a user of this name.
        """
        used = (
            update(INVITATIONS)
            .where(
                INVITATIONS.c.token_hash == token_hash,
                INVITATIONS.c.account_id == user.account_id,
                INVITATIONS.c.role == user.role,
                INVITATIONS.c.used_ns.is_(None),
                INVITATIONS.c.expires_ns > user.created_ns,
            )
            .values(used_ns=user.created_ns)
        )
        async with self._writing() as connection:
            if (await connection.execute(used)).rowcount == 0:
                raise _used_up()
            await _add(connection, user)
            await _begin(connection, session)
            await append(connection, self._kind, entry)


async def _lock_account(connection: AsyncConnection, account_id: str) -> None:
    """One change of an account's users after the other; other rows can refer to it meanwhile."""
    query = select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.account_id == account_id)
    await connection.execute(query.with_for_update(key_share=True))


async def _user(connection: AsyncConnection, reach: Reach, user_id: str) -> UserRow:
    query = select(USERS).where(of_row(reach, USERS), USERS.c.user_id == user_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise no_such("user", user_id, remedy="List the users.")
    return row_of(UserRow, row)


def _is_admin(user: UserRow) -> bool:
    return user.role == "admin" and user.disabled_ns is None


async def _require_other_admin(connection: AsyncConnection, user: UserRow) -> None:
    query = select(USERS.c.user_id).where(
        USERS.c.account_id == user.account_id,
        USERS.c.role == "admin",
        USERS.c.disabled_ns.is_(None),
    )
    if set(await connection.scalars(query)) <= {user.user_id}:
        raise ConflictError(
            f"'{user.name}' is the last admin of the account",
            remedy="Make another user an admin first.",
            reason="last_admin",
            name=user.name,
        )


async def _add(connection: AsyncConnection, user: UserRow) -> None:
    await _lock_account(connection, user.account_id)
    others = select(USERS.c.name).where(USERS.c.account_id == user.account_id)
    same = await connection.scalar(others.where(USERS.c.name == user.name))
    if same is not None:
        raise ConflictError(
            f"There is a user {user.name!r} already",
            remedy="Choose another name.",
            reason="name_taken",
            name=user.name,
        )
    if (await connection.execute(others.limit(1))).first() is None:
        await connection.execute(
            delete(INVITATIONS).where(
                INVITATIONS.c.account_id == user.account_id, INVITATIONS.c.used_ns.is_(None)
            )
        )
    await connection.execute(USERS.insert().values(values_of(user)))


async def _begin(connection: AsyncConnection, session: SessionRow) -> None:
    await connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_ns <= session.created_ns))
    await connection.execute(SESSIONS.insert().values(values_of(session)))


def _used_up() -> GoneError:
    return GoneError(
        "The link cannot be used: it has expired or was used",
        remedy="Ask for a new one.",
        reason="link_used",
    )
