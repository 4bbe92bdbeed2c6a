"""Accounts, users, keys and the audit log, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from video_detective.errors import ConflictError, GoneError, MissingError
from video_detective.storage.accounts.audit import AuditEntry, AuditQuery
from video_detective.storage.accounts.rows import (
    AccountRow,
    InvitationRow,
    KeyRow,
    SessionRow,
    UserRow,
)
from video_detective.storage.database import Database
from video_detective.storage.ids import new_id
from video_detective.storage.reach import Reach

S = 1_000_000_000
NOW = 1_800_000_000 * S
Alter = Callable[[str], None]


Place = tuple[Path, str | None]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Data directory and URL of a database with nothing but its schema."""
    folder = tmp_path_factory.mktemp("accounts")
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("new_postgres_database")()

    async def make() -> None:
        await (await Database.open(folder, url)).close()

    asyncio.run(make())
    return folder, url


@pytest.fixture
def place(prepared: Place, tmp_path: Path) -> Place:
    """A copy of it: to make the schema takes longer than most tests."""
    folder, url = prepared
    if url is None:
        shutil.copy(folder / "video-detective.db", tmp_path)
        return tmp_path, None
    source = make_url(url)
    name = f"accounts_{uuid.uuid4().hex}"
    server = source.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source.database}".encode())
    return tmp_path, source.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
async def db(place: Place) -> AsyncIterator[Database]:
    async with await Database.open(*place) as opened:
        yield opened


@pytest.fixture
def alter(place: Place) -> Alter:
    """Runs statements in a connection of one's own, as somebody with access to the database."""
    folder, url = place

    def alter(statements: str) -> None:
        if url is None:
            with closing(sqlite3.connect(folder / "video-detective.db")) as connection:
                connection.executescript(statements)
        else:
            with psycopg.connect(url, autocommit=True) as postgres:
                for statement in statements.split(";"):
                    if statement.strip():
                        postgres.execute(statement.encode())

    return alter


def unguarded(place: Place, statement: str) -> str:
    """The statement with the log's triggers out of the way."""
    if place[1] is None:
        return f"DROP TRIGGER audit_update; DROP TRIGGER audit_delete; {statement};"
    return f"ALTER TABLE audit DISABLE TRIGGER ALL; {statement};"


def entry(account_id: str, number: int = 1, *, action: str = "device.change") -> AuditEntry:
    return AuditEntry(
        account_id=account_id,
        time_ns=NOW + number,
        actor_kind="user",
        actor_id="u1",
        actor_name="管理員",
        action=action,
        target_kind=action.partition(".")[0],
        target_id=str(number),
        details={"名稱": "後門", "number": number, "nested": {"b": [1, None], "a": 0.5}},
    )


def user(account_id: str, name: str = "ann", role: str = "admin", **more: object) -> UserRow:
    made = UserRow(
        user_id=new_id(NOW),
        account_id=account_id,
        name=name,
        password_hash="hash",
        role="admin",
        devices=None,
        created_ns=NOW,
    )
    return replace(made, role=role, **more)  # type: ignore[arg-type]


def session(user_id: str, name: str = "s" * 64) -> SessionRow:
    return SessionRow(
        session_hash=name,
        user_id=user_id,
        created_ns=NOW,
        expires_ns=NOW + 100 * S,
        last_seen_ns=NOW,
    )


def key(account_id: str, prefix: str = "abcdefgh") -> KeyRow:
    return KeyRow(
        key_id=new_id(NOW),
        account_id=account_id,
        name="後台",
        prefix=prefix,
        secret_hash="f" * 64,
        scopes=("analytics:read",),
        devices=None,
        created_ns=NOW,
        created_by="ann",
    )


async def default_id(db: Database) -> str:
    return (await db.accounts.default()).account_id


async def second_account(db: Database) -> str:
    account = AccountRow(
        account_id=new_id(NOW),
        name="分店",
        timezone="Asia/Tokyo",
        language="en",
        is_default=False,
        created_ns=NOW,
    )
    await db.accounts.add(account, None)
    return account.account_id


# --- the audit log


async def test_each_account_has_a_chain_of_its_own_from_number_one(db: Database) -> None:
    first, second = await default_id(db), await second_account(db)

    await db.accounts.log([entry(first, 1), entry(second, 2), entry(first, 3)])

    for account_id, targets in ((first, ["3", "1"]), (second, ["2"])):
        rows, total = await db.accounts.audit_page(AuditQuery(account_id=account_id, limit=10))
        assert [row.entry.target_id for row in rows] == targets
        assert [row.number for row in rows] == list(range(total, 0, -1))
        state = await db.accounts.verify_audit(account_id)
        assert (state.broken_at, state.rows, state.head) == (None, total, rows[0].hash)
    rows, _ = await db.accounts.audit_page(AuditQuery(account_id=first, limit=1))
    assert rows[0].entry == entry(first, 3)


async def test_an_empty_log_holds(db: Database) -> None:
    state = await db.accounts.verify_audit(await default_id(db))
    assert (state.rows, state.broken_at) == (0, None)


async def test_the_same_entries_have_the_same_hashes_on_both_databases(db: Database) -> None:
    await db.accounts.add(
        AccountRow(
            account_id="an-account", name="x", timezone="UTC", language="en", is_default=False,
            created_ns=1,
        ),
        None,
    )  # fmt: skip
    odd = replace(entry("an-account"), actor_name="nul\0 and half \ud800", details={"a": "\0é"})
    await db.accounts.log([entry("an-account"), odd])
    state = await db.accounts.verify_audit("an-account")
    assert state.broken_at is None
    assert state.head.startswith("0bd7600e"), state.head


async def test_eight_writers_at_once_make_one_chain(db: Database, place: Place) -> None:
    account_id = await default_id(db)

    async def write(writer: int) -> None:
        async with await Database.open(*place) as own:
            for number in range(15):
                await own.accounts.log([entry(account_id, 100 * writer + number)] * 2)

    await asyncio.gather(*(write(writer) for writer in range(8)))

    state = await db.accounts.verify_audit(account_id)
    assert (state.rows, state.broken_at, state.problem) == (240, None, "")


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit"])
async def test_entries_cannot_be_changed_or_removed(
    db: Database, alter: Alter, statement: str
) -> None:
    account_id = await default_id(db)
    await db.accounts.log([entry(account_id)])
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        alter(statement)
    assert (await db.accounts.verify_audit(account_id)).rows == 1


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET actor_name = 'nobody' WHERE number = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE number = 1", 1),
        ("UPDATE audit SET time_ns = time_ns + 1 WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number >= 4", 4),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit WHERE number = 5; UPDATE audit SET number = 5 WHERE number = 4", 4),
    ],
)
async def test_a_changed_log_is_found_at_its_first_row(
    db: Database, place: Place, alter: Alter, statement: str, broken_at: int
) -> None:
    account_id = await default_id(db)
    await db.accounts.log([entry(account_id, number) for number in range(5)])
    alter(unguarded(place, statement))

    state = await db.accounts.verify_audit(account_id)

    assert (state.broken_at, state.rows) == (broken_at, broken_at - 1)
    assert state.problem


async def test_a_last_row_written_anew_does_not_fit_what_was_noted(
    db: Database, place: Place, alter: Alter
) -> None:
    account_id = await default_id(db)
    await db.accounts.log([entry(account_id, 1)])
    rows, _ = await db.accounts.audit_page(AuditQuery(account_id=account_id, limit=1))
    await db.accounts.log([entry(account_id, 2)])
    alter(unguarded(place, "DELETE FROM audit WHERE number = 2"))
    # Whoever knows how can make a row that fits the one before it.
    alter(f"UPDATE meta SET value = '1:{rows[0].hash}' WHERE key LIKE 'audit_head:%'")
    await db.accounts.log([entry(account_id, 3)])
    assert (await db.accounts.verify_audit(account_id)).broken_at is None
    alter("UPDATE meta SET value = '2:ffff' WHERE key LIKE 'audit_head:%'")

    assert (await db.accounts.verify_audit(account_id)).broken_at == 2


async def test_a_log_whose_head_is_gone_goes_on_and_says_so(db: Database, alter: Alter) -> None:
    account_id = await default_id(db)
    await db.accounts.log([entry(account_id, 1)])
    alter("DELETE FROM meta WHERE key LIKE 'audit_head:%'")
    assert (await db.accounts.verify_audit(account_id)).broken_at == 2
    await db.accounts.log([entry(account_id, 2)])
    assert (await db.accounts.verify_audit(account_id)).rows == 2


async def test_entries_are_listed_by_what_and_when(db: Database) -> None:
    account_id = await default_id(db)
    actions = ["device.create", "device.change", "key.create", "device.change"]
    await db.accounts.log(
        [entry(account_id, number, action=action) for number, action in enumerate(actions)]
    )

    async def numbers(**more: object) -> list[int]:
        query = AuditQuery(account_id=account_id, limit=10)
        rows, _ = await db.accounts.audit_page(replace(query, **more))  # type: ignore[arg-type]
        return [row.number for row in rows]

    assert await numbers(action="device.change") == [4, 2]
    assert await numbers(action="device") == [4, 2, 1]
    assert await numbers(target_id="2") == [3]
    assert await numbers(since_ns=NOW + 1, until_ns=NOW + 3) == [3, 2]
    assert await numbers(before=3, limit=1) == [2]
    assert await numbers(offset=3) == [1]


async def test_an_entry_is_kept_only_with_what_it_tells(db: Database) -> None:
    account_id = await default_id(db)
    await db.accounts.users.add(user(account_id), entry(account_id))
    with pytest.raises(ConflictError):
        await db.accounts.users.add(user(account_id), entry(account_id))
    assert (await db.accounts.verify_audit(account_id)).rows == 1


# --- keys


async def test_a_key_is_found_by_its_prefix_with_its_account(db: Database) -> None:
    account_id = await default_id(db)
    made = key(account_id)
    await db.accounts.keys.add(made, None)

    holder = await db.accounts.keys.by_prefix("abcdefgh")

    assert holder is not None
    assert (holder.key, holder.account, holder.cameras) == (made, await db.accounts.default(), None)
    assert await db.accounts.keys.by_prefix("zzzzzzzz") is None


async def test_a_key_is_revoked_once_and_not_changed_afterwards(db: Database) -> None:
    account_id = await default_id(db)
    reach, made = Reach(account_id=account_id), key(account_id)
    await db.accounts.keys.add(made, None)
    changed = await db.accounts.keys.change(reach, made.key_id, {"name": "other"}, None)
    assert changed.name == "other"

    for when in (NOW, NOW + S):
        revoked = await db.accounts.keys.revoke(reach, made.key_id, when, entry(account_id))
        assert revoked.revoked_ns == NOW
    assert (await db.accounts.verify_audit(account_id)).rows == 1
    with pytest.raises(MissingError):
        await db.accounts.keys.change(reach, made.key_id, {"name": "third"}, None)


async def test_another_accounts_keys_and_users_are_not_there(db: Database) -> None:
    account_id = await default_id(db)
    foreign = Reach(account_id=await second_account(db))
    made, person = key(account_id), user(account_id)
    await db.accounts.keys.add(made, None)
    await db.accounts.users.add(person, None)

    assert await db.accounts.keys.page(foreign, limit=10) == ([], 0)
    assert await db.accounts.users.page(foreign, limit=10) == ([], 0)
    for refused in (
        db.accounts.keys.get(foreign, made.key_id),
        db.accounts.keys.revoke(foreign, made.key_id, NOW, None),
        db.accounts.users.get(foreign, person.user_id),
        db.accounts.users.change(foreign, person.user_id, {"role": "viewer"}, None),
    ):
        with pytest.raises(MissingError):
            await refused
    holder = await db.accounts.keys.by_prefix(made.prefix)
    assert holder is not None
    assert holder.key.revoked_ns is None


async def test_the_last_use_is_noted_once_in_a_while(db: Database) -> None:
    account_id = await default_id(db)
    made = key(account_id)
    await db.accounts.keys.add(made, None)
    for seconds, noted in ((0, 0), (59, 0), (60, 60)):
        now_ns = NOW + seconds * S
        await db.accounts.keys.note_use(made.key_id, now_ns, unless_since_ns=now_ns - 60 * S)
        found = await db.accounts.keys.get(Reach(account_id=account_id), made.key_id)
        assert found.last_used_ns == NOW + noted * S


# --- users


async def test_pages_of_users_and_keys_join_without_gap(db: Database) -> None:
    account_id = await default_id(db)
    reach = Reach(account_id=account_id)
    for number in range(5):
        await db.accounts.users.add(
            replace(user(account_id, f"u{number}"), user_id=f"i{number}"), None
        )
        made = replace(key(account_id, f"prefix0{number}"), key_id=f"k{number}")
        await db.accounts.keys.add(made, None)
    users = [row.user_id for row in (await db.accounts.users.page(reach, limit=2))[0]]
    users += [row.user_id for row in (await db.accounts.users.page(reach, limit=9, after="i1"))[0]]
    assert users == ["i0", "i1", "i2", "i3", "i4"]
    keys = [row.key_id for row in (await db.accounts.keys.page(reach, limit=2))[0]]
    keys += [row.key_id for row in (await db.accounts.keys.page(reach, limit=9, offset=2))[0]]
    assert keys == ["k4", "k3", "k2", "k1", "k0"]


@pytest.mark.parametrize("values", [{"role": "viewer"}, {"disabled_ns": NOW}])
async def test_the_last_admin_stays(db: Database, values: dict[str, object]) -> None:
    account_id = await default_id(db)
    reach = Reach(account_id=account_id)
    first, second = user(account_id, "ann"), user(account_id, "bea")
    await db.accounts.users.add(first, None)
    await db.accounts.users.add(second, None)

    results = await asyncio.gather(
        *(db.accounts.users.change(reach, one.user_id, values, None) for one in (first, second)),
        return_exceptions=True,
    )

    assert sorted(isinstance(result, ConflictError) for result in results) == [False, True]


async def test_a_new_password_or_being_disabled_ends_sessions(db: Database) -> None:
    account_id = await default_id(db)
    reach, users = Reach(account_id=account_id), db.accounts.users
    await users.add(user(account_id, "boss"), None)
    person = user(account_id)
    await users.add(person, None)

    async def open_sessions() -> list[str]:
        return [name for name in ("a" * 64, "b" * 64) if await users.session(name) is not None]

    for name in ("a" * 64, "b" * 64):
        assert await users.sign_in(person, session(person.user_id, name), entry(account_id))
    await users.change(reach, person.user_id, {"password_hash": "new"}, None, keep_session="b" * 64)
    assert await open_sessions() == ["b" * 64]
    await users.change(reach, person.user_id, {"disabled_ns": NOW}, None)
    assert await open_sessions() == []
    # Whoever checked the old password before it changed comes too late.
    assert not await users.sign_in(person, session(person.user_id), entry(account_id))


async def test_attempts_are_counted_before_they_are_looked_at(db: Database) -> None:
    account_id = await default_id(db)
    person = user(account_id)
    await db.accounts.users.add(person, None)

    async def attempt(seconds: int) -> bool:
        now_ns = NOW + seconds * S
        return await db.accounts.users.attempt(
            person.user_id, now_ns, lambda failures: now_ns + 60 * S if failures >= 5 else None
        )

    together = await asyncio.gather(*(attempt(0) for _ in range(12)))
    assert sum(together) == 5
    assert not await attempt(59)
    assert await attempt(60)
    assert not await attempt(61)
    assert await db.accounts.users.sign_in(person, session(person.user_id), entry(account_id))
    assert await attempt(62)


async def test_a_session_ends_once(db: Database) -> None:
    account_id = await default_id(db)
    person = user(account_id)
    await db.accounts.users.add(person, None)
    await db.accounts.users.sign_in(person, session(person.user_id), entry(account_id))
    await db.accounts.users.end_session("s" * 64, entry(account_id))
    await db.accounts.users.end_session("s" * 64, entry(account_id))
    assert await db.accounts.users.session("s" * 64) is None
    assert (await db.accounts.verify_audit(account_id)).rows == 2


# --- invitations


def invitation(account_id: str, name: str = "i" * 64, **more: object) -> InvitationRow:
    made = InvitationRow(
        token_hash=name,
        account_id=account_id,
        role="admin",
        created_ns=NOW,
        expires_ns=NOW + 100 * S,
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def test_an_invitation_makes_one_user(db: Database) -> None:
    account_id = await default_id(db)
    users = db.accounts.users
    await users.invite(invitation(account_id), None)
    one, other = user(account_id, "ann"), user(account_id, "bea")

    results = await asyncio.gather(
        *(
            users.accept("i" * 64, row, session(row.user_id, row.name), entry(account_id))
            for row in (one, other)
        ),
        return_exceptions=True,
    )

    assert sorted(isinstance(result, GoneError) for result in results) == [False, True]
    assert (await users.page(Reach(account_id=account_id), limit=9))[1] == 1


async def test_an_invitation_expires(db: Database) -> None:
    account_id = await default_id(db)
    await db.accounts.users.invite(invitation(account_id), None)
    with pytest.raises(GoneError):
        await db.accounts.users.invitation("i" * 64, NOW + 100 * S)
    late = replace(user(account_id), created_ns=NOW + 100 * S)
    with pytest.raises(GoneError):
        await db.accounts.users.accept("i" * 64, late, session(late.user_id), entry(account_id))


async def test_the_first_user_voids_the_links_of_earlier_starts(db: Database) -> None:
    account_id = await default_id(db)
    for name in ("i" * 64, "j" * 64):
        await db.accounts.users.invite(invitation(account_id, name), None)
    person = user(account_id)
    await db.accounts.users.accept("i" * 64, person, session(person.user_id), entry(account_id))
    with pytest.raises(GoneError):
        await db.accounts.users.invitation("j" * 64, NOW)


async def test_an_invitation_to_one_role_or_account_gives_no_other(db: Database) -> None:
    account_id, other = await default_id(db), await second_account(db)
    await db.accounts.users.invite(invitation(account_id, role="viewer"), None)
    for person in (user(account_id, role="admin"), user(other, role="viewer")):
        with pytest.raises(GoneError):
            await db.accounts.users.accept(
                "i" * 64, person, session(person.user_id), entry(account_id)
            )


# --- accounts and secrets


async def test_names_of_accounts_are_unique(db: Database) -> None:
    account_id = await second_account(db)
    with pytest.raises(ConflictError):
        await second_account(db)
    changed = await db.accounts.change(account_id, {"timezone": "UTC"}, entry(account_id))
    assert changed == await db.accounts.get(account_id)
    assert changed.timezone == "UTC"
    rows, total = await db.accounts.page(limit=1, offset=1)
    assert ([row.name for row in rows], total) == (["分店"], 2)


async def test_of_secrets_offered_at_once_one_is_kept(db: Database) -> None:
    kept = await asyncio.gather(*(db.accounts.secret("media", str(n)) for n in range(5)))
    assert len(set(kept)) == 1
