"""Who may come in, what they may do there, and what is kept of it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url
from tests.api import (
    BASE,
    PASSWORD,
    client_of,
    make_account,
    make_key,
    make_user,
    quick,
    signed_in,
)
from tests.commands import video_detective

from video_detective.errors import UnauthorizedError
from video_detective.services.access import SCOPES_OF, Caller
from video_detective.services.accounts import local_caller, set_up_token
from video_detective.services.callers import SESSION_IDLE_NS, Callers
from video_detective.services.media_links import signed
from video_detective.services.sign_in import INVITATION_NS, SESSION_NS, accept, sign_in
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage.accounts.audit import AuditQuery, AuditRow
from video_detective.storage.accounts.rows import UserRow

S = 1_000_000_000
Place = tuple[Path, str | None]
OURS = {"Origin": BASE}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("access")
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("new_postgres_database")()

    async def make() -> None:
        async with open_workspace(folder, url):
            pass

    asyncio.run(make())
    return folder, url


@pytest.fixture
def place(prepared: Place, tmp_path: Path) -> Place:
    """A fresh data directory and database: a copy of the prepared one."""
    folder, url = prepared
    if url is None:
        shutil.copy(folder / "video-detective.db", tmp_path)
        return tmp_path, None
    source = make_url(url)
    name = f"access_{uuid.uuid4().hex}"
    server = source.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source.database}".encode())
    return tmp_path, source.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
async def workspace(place: Place) -> AsyncIterator[Workspace]:
    async with open_workspace(*place) as opened:
        yield quick(opened)


@pytest.fixture
async def admin(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """A program that may do everything."""
    async with client_of(workspace, await make_key(workspace)) as client:
        yield client


@pytest.fixture
async def stranger(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(workspace) as client:
        yield client


def data_of(answer: httpx.Response, status: int = 200) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["statusCode"]) == (True, status)
    found: dict[str, object] = body["data"]
    return found


def refused(answer: httpx.Response, status: int) -> str:
    """The message of an error in its envelope."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["success"], body["statusCode"]) == (False, status)
    return str(body["message"])


async def log_of(workspace: Workspace, account: str = "") -> list[AuditRow]:
    caller = await local_caller(workspace, account)
    query = AuditQuery(account_id=caller.account_id, limit=1000)
    rows, _ = await workspace.database.accounts.audit_page(query)
    return rows[::-1]


def everything_in(place: Place) -> str:
    """Whatever is stored in any table."""
    folder, url = place
    found: list[object] = []
    if url is None:
        with closing(sqlite3.connect(folder / "video-detective.db")) as connection:
            named = (
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
            )
            for (table,) in connection.execute(named).fetchall():
                found += connection.execute(f"SELECT * FROM '{table}'").fetchall()
    else:
        with psycopg.connect(url) as postgres:
            named = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            for (table,) in postgres.execute(named.encode()).fetchall():
                found += postgres.execute(f"SELECT * FROM {table}".encode()).fetchall()
    return repr(found)


# --- keys


async def test_a_key_is_shown_once_and_kept_nowhere(
    workspace: Workspace, place: Place, admin: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        wanted = {"name": "後台", "scopes": ["analytics:read"]}
        made = data_of(await admin.post("/api/v1/keys", json=wanted), 201)
        text = str(made["key"])
        async with client_of(workspace, text) as program:
            assert data_of(await program.get("/api/v1/session"))["scopes"] == ["analytics:read"]
            refused(await program.get("/api/v1/keys"), 403)
            refused(await program.get(f"/api/v1/{text}"), 404)
    listed = await admin.get("/api/v1/keys")
    one = await admin.get(f"/api/v1/keys/{made['id']}")

    assert re.fullmatch(r"vd_live_[0-9A-Za-z]{51}", text)
    assert str(made["prefix"]) == text[:16]
    secret = text[16:]
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    for where in (listed.text, one.text, "\n".join(ours), everything_in(place)):
        assert secret not in where
    assert data_of(one)["lastUsedAt"] is not None


async def test_a_revoked_key_is_refused_within_a_second(
    workspace: Workspace, admin: httpx.AsyncClient
) -> None:
    text = await make_key(workspace, "analytics:read")
    async with client_of(workspace, text) as program:
        who = data_of(await program.get("/api/v1/session"))
        # As another process would: this one's memory knows nothing of it.
        await workspace.database.accounts.keys.revoke(
            (await local_caller(workspace)).reach, str(who["id"]), time.time_ns(), None
        )
        begun = time.monotonic()
        while (await program.get("/api/v1/session")).status_code == 200:
            assert time.monotonic() - begun < 1.0
            await asyncio.sleep(0.05)
        assert "vd_live_" in refused(await program.get("/api/v1/session"), 401)


async def test_a_key_revoked_here_is_refused_at_once(
    workspace: Workspace, admin: httpx.AsyncClient
) -> None:
    who = data_of(await admin.get("/api/v1/session"))
    assert data_of(await admin.delete(f"/api/v1/keys/{who['id']}"))["revokedAt"] is not None
    refused(await admin.get("/api/v1/session"), 401)


async def test_an_expired_key_is_refused(workspace: Workspace, admin: httpx.AsyncClient) -> None:
    now_ns = time.time_ns()
    text = await make_key(workspace, "analytics:read", expires_ns=now_ns + 60 * S)
    callers = Callers(workspace.database)
    assert await callers.by_key(text, now_ns) is not None
    assert await callers.by_key(text, now_ns + 60 * S) is None  # known in memory
    assert await Callers(workspace.database).by_key(text, now_ns + 60 * S) is None
    past = {"name": "x", "scopes": ["admin"], "expiresAt": "2020-01-01T00:00:00Z"}
    assert "expiresAt" in refused(await admin.post("/api/v1/keys", json=past), 400)


async def test_only_the_very_key_opens(workspace: Workspace) -> None:
    text, callers = await make_key(workspace), Callers(workspace.database)
    assert await callers.by_key(text, 0) is not None
    other_end = text[:-1] + ("a" if text[-1] != "a" else "b")
    other_prefix = text[:8] + ("a" if text[8] != "a" else "b") + text[9:]
    altered = (
        other_end, other_prefix, text[:-1], f"{text}a", f" {text}", f"{text}\n", text.upper(), "",
        "vd_live_\u00fc", text.replace("vd_live", "vd_test"),
    )  # fmt: skip
    for wrong in altered:
        assert await callers.by_key(wrong, 0) is None, wrong


async def test_the_last_use_is_true_to_a_minute(workspace: Workspace) -> None:
    text, callers, now_ns = await make_key(workspace), Callers(workspace.database), time.time_ns()

    async def used_after(seconds: int) -> int | None:
        at_ns = now_ns + seconds * S
        caller = await callers.by_key(text, at_ns)
        assert caller is not None
        await callers.note_use(caller, text, at_ns)
        key = await workspace.database.accounts.keys.get(caller.reach, caller.id)
        return None if key.last_used_ns is None else (key.last_used_ns - now_ns) // S

    assert [await used_after(s) for s in (0, 30, 59, 60, 100, 200)] == [0, 0, 0, 60, 60, 200]


async def test_keys_are_changed_and_the_log_says_how(
    workspace: Workspace, admin: httpx.AsyncClient
) -> None:
    wanted = {"name": "a", "scopes": ["admin"], "expiresAt": "2040-01-01"}
    made = data_of(await admin.post("/api/v1/keys", json=wanted), 201)
    # A time without offset is the account's.
    assert made["expiresAt"] == "2039-12-31T16:00:00Z"
    path = f"/api/v1/keys/{made['id']}"
    change = {"scopes": ["devices:read"], "expiresAt": None}
    changed = data_of(await admin.patch(path, json=change))
    assert (changed["name"], changed["scopes"], changed["expiresAt"]) == (
        "a",
        ["devices:read"],
        None,
    )
    entry = (await log_of(workspace))[-1].entry
    assert (entry.action, entry.target_id, entry.actor_kind) == ("key.change", made["id"], "key")
    assert entry.details["scopes"] == ["devices:read"]
    assert entry.request_id


async def test_a_key_that_cannot_be_meant_names_its_field(admin: httpx.AsyncClient) -> None:
    good: dict[str, object] = {"name": "x", "scopes": ["devices:read"]}
    wrong: list[tuple[dict[str, object], str]] = [
        ({"scopes": ["admin"]}, "name"),
        (good | {"name": ""}, "name"),
        (good | {"name": " "}, "name"),
        (good | {"scopes": []}, "scopes"),
        (good | {"scopes": ["everything"]}, "scopes[0]"),
        (good | {"expiresAt": "soon"}, "expiresAt"),
        (good | {"expiresAt": "9999-01-01"}, "expiresAt"),
        (good | {"deviceIds": []}, "deviceIds"),
        (good | {"deviceIds": ["7"]}, "deviceIds[0]"),
        (good | {"more": 1}, "more"),
    ]
    for body, field in wrong:
        answer = await admin.post("/api/v1/keys", json=body)
        refused(answer, 400)
        named = [item["field"] for item in answer.json()["error"]["details"]]
        assert named == [field], body


async def test_a_limited_key_or_user_reaches_its_devices_alone(workspace: Workspace) -> None:
    await make_account(workspace, "other")
    own, cameras = zip(*[await make_device(workspace) for _ in range(2)], strict=True)
    foreign, _ = await make_device(workspace, account="other")
    text = await make_key(workspace, devices=own[:1])
    await make_user(workspace, "guard", "viewer", devices=own[1:])

    callers, now_ns = Callers(workspace.database), time.time_ns()
    key = await callers.by_key(text, now_ns)
    (session,) = (await signed_in(workspace, "guard")).values()
    user = await callers.by_session(session, now_ns)

    assert key is not None
    assert key.reach.cameras == {cameras[0]}
    assert user is not None
    assert user.reach.cameras == {cameras[1]}
    async with client_of(workspace, await make_key(workspace)) as admin:
        for path, body in (
            ("/api/v1/keys", {"name": "x", "scopes": ["devices:read"]}),
            ("/api/v1/users", {"name": "x", "password": PASSWORD, "role": "viewer"}),
        ):
            for unknown in (foreign, str(uuid.uuid4())):
                limited = body | {"deviceIds": [unknown]}
                assert unknown in refused(await admin.post(path, json=limited), 404)
        boss = {"name": "x", "scopes": ["admin"], "deviceIds": [own[0]]}
        assert "deviceIds" in refused(await admin.post("/api/v1/keys", json=boss), 400)


async def make_device(workspace: Workspace, *, account: str = "") -> tuple[str, str]:
    """A new device of an account; returns its id and its camera's."""
    async with client_of(workspace, await make_key(workspace, account=account)) as client:
        made = data_of(await client.post("/api/v1/devices", json={"name": "門口"}), 201)
    return str(made["id"]), str(made["cameraId"])


# --- people


async def test_signing_in_gives_a_cookie_that_scripts_cannot_read(
    workspace: Workspace, place: Place, stranger: httpx.AsyncClient
) -> None:
    await make_user(workspace, "Ann", "operator")
    answer = await stranger.post("/api/v1/session", json={"name": "ＡＮＮ", "password": PASSWORD})
    entered = data_of(answer, 201)
    assert (entered["name"], entered["role"]) == ("ann", "operator")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert token not in everything_in(place)
    assert token not in answer.text
    who = data_of(await stranger.get("/api/v1/session"))
    assert set(who["scopes"]) == SCOPES_OF["operator"]  # type: ignore[call-overload]

    assert data_of(await stranger.delete("/api/v1/session", headers=OURS))["done"] is True
    stranger.cookies.set(cookie.partition("=")[0], token)  # kept by somebody
    refused(await stranger.get("/api/v1/session"), 401)
    actions = [row.entry.action for row in await log_of(workspace)]
    assert actions == ["user.create", "session.start", "session.end"]


async def test_behind_tls_the_cookie_is_sent_by_tls_alone(workspace: Workspace) -> None:
    await make_user(workspace, "ann")
    async with client_of(workspace, base="https://localhost") as client:
        answer = await client.post("/api/v1/session", json={"name": "ann", "password": PASSWORD})
    assert "; Secure" in answer.headers["Set-Cookie"]


async def test_every_refusal_looks_alike(workspace: Workspace, stranger: httpx.AsyncClient) -> None:
    await make_user(workspace, "ann")
    gone = await make_user(workspace, "bea", "viewer")
    await workspace.database.accounts.users.change(
        (await local_caller(workspace)).reach, gone, {"disabled_ns": 1}, None
    )
    attempts = [
        {"name": "ann", "password": "wrong"},
        {"name": "nobody", "password": PASSWORD},
        {"name": "bea", "password": PASSWORD},
        {"name": "a b\u200b", "password": PASSWORD},
        {"name": "ann", "password": PASSWORD, "account": "none"},
        {"name": "ann", "password": "x" * 1000},
    ]
    answers = [await stranger.post("/api/v1/session", json=body) for body in attempts]
    assert {refused(answer, 401) for answer in answers} == {
        "Name or password is wrong, or there were too many attempts. Try again, after some minutes "
        "if it goes on; an admin can set a new one."
    }
    assert not any("Set-Cookie" in answer.headers for answer in answers)


async def test_five_failures_lock_a_user_out_for_longer_each_time(workspace: Workspace) -> None:
    await make_user(workspace, "ann")
    await make_user(workspace, "bea")
    now_s = 0

    async def attempt(password: str, name: str = "ann") -> bool:
        try:
            await sign_in(workspace, name=name, password=password, now_ns=now_s * S)
        except UnauthorizedError:
            return False
        return True

    for _ in range(5):
        assert not await attempt("wrong password")
    assert not await attempt(PASSWORD)
    assert await attempt(PASSWORD, "bea")  # nobody else is
    now_s = 59
    assert not await attempt(PASSWORD)
    now_s = 60
    assert not await attempt("wrong password")
    now_s = 60 + 119
    assert not await attempt(PASSWORD)
    now_s = 60 + 120
    assert await attempt(PASSWORD)
    for _ in range(4):  # from the beginning
        assert not await attempt("wrong password")
    assert await attempt(PASSWORD)
    refusals = [r for r in await log_of(workspace) if r.entry.action == "session.refuse"]
    assert len(refusals) == 5 + 1 + 4


async def test_a_session_ends_after_a_week_or_half_a_day_unused(workspace: Workspace) -> None:
    await make_user(workspace, "ann")
    (token,) = (await signed_in(workspace, "ann")).values()
    begun_ns = time.time_ns()

    async def is_in(at_ns: int) -> bool:
        callers = Callers(workspace.database)
        caller = await callers.by_session(token, at_ns)
        if caller is not None:
            await callers.note_use(caller, token, at_ns)
        return caller is not None

    assert not await is_in(begun_ns + SESSION_IDLE_NS)
    for hours in range(0, 7 * 24, 11):
        assert await is_in(begun_ns + hours * 3600 * S), hours
    assert not await is_in(begun_ns + SESSION_NS)


async def test_a_session_changes_something_only_from_our_own_pages(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    await make_user(workspace, "ann")
    stranger.cookies.update(await signed_in(workspace, "ann"))
    nobody = uuid.uuid4()
    for headers, is_ours in (
        ({}, False),
        ({"Origin": BASE}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": BASE}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
    ):
        assert (await stranger.get("/api/v1/users", headers=headers)).status_code == 200
        for method, path in (
            ("POST", "/api/v1/users/invitations"),
            ("DELETE", f"/api/v1/keys/{nobody}"),
            ("PATCH", f"/api/v1/users/{nobody}"),
        ):
            body = {"role": "viewer"} if method != "DELETE" else None
            answer = await stranger.request(method, path, json=body, headers=headers)
            assert (answer.status_code == 403) is not is_ours, (headers, answer.text)


async def test_another_sites_page_cannot_sign_a_browser_in(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    await make_user(workspace, "ann")
    body = {"name": "ann", "password": PASSWORD}
    foreign = {"Origin": "https://evil.example"}
    refused(await stranger.post("/api/v1/session", json=body, headers=foreign), 403)


async def test_a_program_is_not_asked_where_it_comes_from(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/v1/users/invitations", json={"role": "viewer"})
    assert answer.status_code == 201


async def test_changing_ones_password_ends_ones_other_sessions(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    await make_user(workspace, "ann")
    other = await signed_in(workspace, "ann")
    stranger.cookies.update(await signed_in(workspace, "ann"))
    path, new = "/api/v1/session/password", "another horse"

    wrong = {"present": "no idea at all", "password": new}
    refused(await stranger.post(path, json=wrong, headers=OURS), 401)
    short = {"present": PASSWORD, "password": "short"}
    assert "password" in refused(await stranger.post(path, json=short, headers=OURS), 400)
    data_of(await stranger.post(path, json=short | {"password": new}, headers=OURS))

    data_of(await stranger.get("/api/v1/session"))
    async with client_of(workspace) as elsewhere:
        elsewhere.cookies.update(other)
        refused(await elsewhere.get("/api/v1/session"), 401)
        body = {"name": "ann", "password": new}
        data_of(await elsewhere.post("/api/v1/session", json=body), 201)


async def test_a_refusal_gives_its_reason_and_the_values_that_its_words_name(
    admin: httpx.AsyncClient,
) -> None:
    async def reasons(method: str, path: str, body: dict[str, Any]) -> list[tuple[Any, ...]]:
        answer = await admin.request(method, f"/api/v1/{path}", json=body)
        error = answer.json()["error"]
        assert PASSWORD not in answer.text
        return [(one.get("reason"), one.get("values")) for one in error.get("details") or [error]]

    ann = {"name": "ann", "password": PASSWORD, "role": "admin"}
    made = data_of(await admin.post("/api/v1/users", json=ann), 201)
    user = f"users/{made['id']}"
    assert await reasons("POST", "users", ann) == [("name_taken", {"name": "ann"})]
    assert await reasons("PATCH", user, {"role": "viewer"}) == [("last_admin", {"name": "ann"})]
    expired = {"name": "k", "scopes": ["admin"], "expiresAt": "2001-01-01T00:00:00Z"}
    assert await reasons("POST", "keys", expired) == [("not_in_future", None)]
    device = {"name": "d", "source": f"gopher://u:{PASSWORD}@h/x", "timezone": "Nowhere/Town"}
    schemes = {"schemes": ["rtsp", "rtsps", "http", "https"]}
    assert await reasons("POST", "devices", device) == [
        ("timezone_unknown", {"value": "Nowhere/Town"}),
        ("scheme_wrong", schemes),
    ]
    # What the shape alone forbids has the names and limits of that.
    long = {"name": "n" * 201, "password": PASSWORD * 99, "role": "king"}
    assert await reasons("POST", "users", long) == [
        ("string_too_long", {"max_length": 200}),
        ("string_too_long", {"max_length": 200}),
        ("literal_error", {"expected": ["admin", "operator", "viewer"]}),
    ]


async def test_users_are_managed_and_the_last_admin_stays(
    workspace: Workspace, admin: httpx.AsyncClient
) -> None:
    body = {"name": "Ann", "password": PASSWORD, "role": "admin"}
    ann = data_of(await admin.post("/api/v1/users", json=body), 201)
    assert "password" not in str(ann)
    assert "ann" in refused(await admin.post("/api/v1/users", json=body), 409)
    path = f"/api/v1/users/{ann['id']}"
    for change in ({"role": "viewer"}, {"isDisabled": True}):
        assert "last admin" in refused(await admin.patch(path, json=change), 409)
    refused(await admin.delete(path), 409)

    bea = {"name": "bea", "password": PASSWORD, "role": "admin"}
    data_of(await admin.post("/api/v1/users", json=bea), 201)
    cookies = await signed_in(workspace, "ann")
    assert data_of(await admin.delete(path))["isDisabled"] is True
    async with client_of(workspace) as browser:
        browser.cookies.update(cookies)
        refused(await browser.get("/api/v1/session"), 401)
    assert data_of(await admin.patch(path, json={"isDisabled": False}))["isDisabled"] is False
    page = (await admin.get("/api/v1/users?limit=1")).json()
    cursor = page["meta"]["pagination"]["nextCursor"]
    assert [u["name"] for u in page["data"]] == ["ann"]
    rest = (await admin.get(f"/api/v1/users?limit=1&cursor={cursor}")).json()
    assert [u["name"] for u in rest["data"]] == ["bea"]
    assert rest["meta"]["pagination"]["nextCursor"] is None
    assert PASSWORD not in json.dumps([str(row) for row in await log_of(workspace)])


# --- one-time links


async def test_the_set_up_link_makes_the_first_admin_once(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    token = await set_up_token(workspace, time.time_ns())
    again = await set_up_token(workspace, time.time_ns())  # the next start
    assert token is not None
    assert again is not None
    body = {"token": token, "name": "boss", "password": "short"}
    assert "password" in refused(await stranger.post("/api/v1/session/set-up", json=body), 400)
    body["password"] = PASSWORD
    assert data_of(await stranger.post("/api/v1/session/set-up", json=body), 201)["role"] == "admin"
    assert "admin" in data_of(await stranger.get("/api/v1/session"))["scopes"]  # type: ignore[operator]

    async with client_of(workspace) as late:
        for used in (token, again, "nonsense"):
            body |= {"token": used, "name": "late"}
            answer = await late.post("/api/v1/session/set-up", json=body)
            refused(answer, 410)
            assert answer.json()["error"]["code"] == "GONE"
    assert await set_up_token(workspace, time.time_ns()) is None


async def test_a_link_is_good_for_a_day(workspace: Workspace) -> None:
    now_ns = time.time_ns()
    token = await set_up_token(workspace, now_ns)
    assert token is not None
    with pytest.raises(Exception, match="expired"):
        await accept(
            workspace, token=token, name="a", password=PASSWORD, now_ns=now_ns + INVITATION_NS
        )
    in_time = now_ns + INVITATION_NS - S
    await accept(workspace, token=token, name="a", password=PASSWORD, now_ns=in_time)


# --- accounts


async def test_tenants_see_themselves_alone(workspace: Workspace, admin: httpx.AsyncClient) -> None:
    made = data_of(await admin.post("/api/v1/accounts", json={"name": "分店"}), 201)
    link = made["invitation"]["url"]  # type: ignore[index]
    own_path = f"/api/v1/accounts/{made['id']}"
    default = data_of(await admin.get("/api/v1/session"))["accountId"]
    assert len((await admin.get("/api/v1/accounts")).json()["data"]) == 2

    async with client_of(workspace) as tenant:
        body = {"token": link.partition("#")[2], "name": "boss", "password": PASSWORD}
        data_of(await tenant.post("/api/v1/session/set-up", json=body), 201)
        listed = (await tenant.get("/api/v1/accounts")).json()
        assert [account["id"] for account in listed["data"]] == [made["id"]]
        assert listed["meta"]["pagination"]["total"] == 1
        zone = {"timezone": "Asia/Tokyo", "language": "en"}
        changed = data_of(await tenant.patch(own_path, json=zone, headers=OURS))
        assert (changed["timezone"], changed["language"]) == ("Asia/Tokyo", "en")
        for foreign in (default, uuid.uuid4()):
            path = f"/api/v1/accounts/{foreign}"
            refused(await tenant.get(path), 404)
            refused(await tenant.patch(path, json=zone, headers=OURS), 404)
        refused(await tenant.post("/api/v1/accounts", json={"name": "x"}, headers=OURS), 403)
        refused(await tenant.patch(own_path, json={"timezone": "Mars"}, headers=OURS), 400)
        users = (await tenant.get("/api/v1/users")).json()["data"]
        assert [user["name"] for user in users] == ["boss"]
        assert (await tenant.get("/api/v1/keys")).json()["data"] == []
        log = (await tenant.get("/api/v1/audit")).json()["data"]
        assert {entry["actorName"] for entry in log} == {"boss"}
    # The same name in another account is another person.
    await make_user(workspace, "boss", "viewer")
    assert await signed_in(workspace, "boss") != await signed_in(workspace, "boss", account="分店")


@pytest.mark.parametrize("role", ["operator", "viewer"])
async def test_only_admins_manage(
    workspace: Workspace, stranger: httpx.AsyncClient, role: str
) -> None:
    await make_user(workspace, "ann", role)  # type: ignore[arg-type]
    stranger.cookies.update(await signed_in(workspace, "ann"))
    account = data_of(await stranger.get("/api/v1/session"))["accountId"]
    for path in ("users", "keys", "audit", "audit/verify", f"users/{uuid.uuid4()}"):
        assert "'admin'" in refused(await stranger.get(f"/api/v1/{path}"), 403)
    body = {"timezone": "UTC"}
    path = f"/api/v1/accounts/{account}"
    refused(await stranger.patch(path, json=body, headers=OURS), 403)
    assert data_of(await stranger.get(path))["timezone"] == "Asia/Taipei"


# --- the audit log


async def test_the_log_is_listed_and_verified_by_the_interface(
    admin: httpx.AsyncClient, place: Place
) -> None:
    for name in "abc":
        data_of(await admin.post("/api/v1/keys", json={"name": name, "scopes": ["admin"]}), 201)
    page = (await admin.get("/api/v1/audit?limit=2&action=key.create")).json()
    assert [entry["details"]["name"] for entry in page["data"]] == ["c", "b"]
    pagination = page["meta"]["pagination"]
    assert (pagination["total"], pagination["totalPages"]) == (4, 2)
    rest = await admin.get(
        f"/api/v1/audit?limit=2&action=key.create&cursor={pagination['nextCursor']}"
    )
    assert [entry["details"]["name"] for entry in rest.json()["data"]] == ["a", "tests"]
    for path in ("users", "keys", "accounts", "devices", "scenes"):
        refused(await admin.get(f"/api/v1/{path}?cursor=x"), 400)
    day = await admin.get("/api/v1/audit?startDate=2026-01-15&endDate=2200-01-01")
    assert day.json()["meta"]["timezone"] == "Asia/Taipei"
    for wrong in ("cursor=x", "action=A%20B", "startDate=soon", "page=0", "who=me"):
        refused(await admin.get(f"/api/v1/audit?{wrong}"), 400)
    state = data_of(await admin.get("/api/v1/audit/verify"))
    assert (state["isIntact"], state["rows"]) == (True, 4)
    assert state["head"] == page["data"][0]["hash"]


# --- signed links


async def link_of(workspace: Workspace, content: bytes, caller: Caller, *, ago_s: int = 0) -> str:
    links = await signed(workspace, caller, f"{BASE}/", now_ns=time.time_ns() - ago_s * S)
    return links.link(workspace.blobs.put(content, ".jpg"), ".jpg")


async def test_a_signed_link_opens_its_file_and_is_noted(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    caller = await local_caller(workspace)
    *others, link = [await link_of(workspace, b"picture", caller) for _ in range(3)]
    assert len({link, *others}) <= 2  # it may be made anew in between, once in five minutes

    answers = await asyncio.gather(*(stranger.get(link) for _ in range(3)))

    for answer in answers:
        assert (answer.status_code, answer.content) == (200, b"picture")
        assert answer.headers["Content-Type"] == "image/jpeg"
        life = re.search(r"max-age=(\d+)", answer.headers["Cache-Control"])
        assert life is not None
        assert 595 <= int(life[1]) <= 900
    part = await stranger.get(link, headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"ict")
    # Views that come at once are one, as those that follow each other are.
    (entry,) = [row.entry for row in await log_of(workspace)]
    assert entry.action == "evidence.view"
    assert entry.target_id in link


async def test_a_changed_link_opens_nothing(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    caller = await local_caller(workspace)
    link, other = [await link_of(workspace, content, caller) for content in (b"one", b"two")]
    until = parse_qs(urlsplit(link).query)["expires"][0]
    for changed, status in (
        (link.replace(until, "9999999999"), 403),
        (link[:-1] + ("0" if link[-1] != "0" else "1"), 403),
        (f"{urlsplit(link).path}?{urlsplit(other).query}", 403),
        (link.replace("local%3Alocal", "user%3Aboss"), 403),
        (link.replace(".jpg", ".mp4"), 403),
        (link.partition("?")[0], 400),
        (f"{link}&more=1", 400),
        (link.replace("/media/", "/media/../"), 401),
    ):
        refused(await stranger.get(changed), status)
    assert await log_of(workspace) == []


async def test_an_expired_link_is_gone(workspace: Workspace, stranger: httpx.AsyncClient) -> None:
    caller = await local_caller(workspace)
    refused(await stranger.get(await link_of(workspace, b"picture", caller, ago_s=901)), 410)
    data = await stranger.get(await link_of(workspace, b"picture", caller, ago_s=590))
    assert data.status_code == 200


async def test_a_link_to_a_file_that_was_removed_says_so(
    workspace: Workspace, stranger: httpx.AsyncClient
) -> None:
    link = await link_of(workspace, b"picture", await local_caller(workspace))
    shutil.rmtree(workspace.data_dir / "blobs")
    refused(await stranger.get(link), 404)


async def test_views_of_one_moment_share_a_transaction(workspace: Workspace) -> None:
    caller = await local_caller(workspace)
    links = [await link_of(workspace, bytes([n]), caller) for n in range(20)]
    async with client_of(workspace) as client:
        answers = await asyncio.gather(*(client.get(link) for link in links))
        assert {answer.status_code for answer in answers} == {200}
        again = await client.get(links[0])
    assert again.status_code == 200
    assert len(await log_of(workspace)) == 20
    assert parse_qs(urlsplit(links[0]).query)["for"] == ["local:local"]
    state = await workspace.database.accounts.verify_audit(caller.account_id)
    assert state.broken_at is None


# --- the command line


def on(place: Place) -> Sequence[str | Path]:
    return ["--data-dir", place[0], *(["--database", place[1]] if place[1] else [])]


def test_keys_are_made_and_revoked_by_command(place: Place) -> None:
    made = json.loads(video_detective("keys", "create", "tool", "--json", *on(place)).out)
    assert made["scopes"] == ["analytics:read", "devices:read"]
    assert made["key"][16:] not in everything_in(place)
    listed = video_detective("keys", "list", *on(place)).out
    assert made["key"][:16] in listed
    assert made["key"] not in listed
    assert video_detective("keys", "revoke", made["key"], *on(place)).code == 0
    assert "revoked" in video_detective("keys", "list", *on(place)).out
    missing = video_detective("keys", "revoke", "vd_live_none", *on(place))
    assert missing.code == 2
    log = json.loads(video_detective("audit", "list", "--json", *on(place)).out)
    assert [row["entry"]["action"] for row in log] == ["key.revoke", "key.create"]


async def test_verifying_by_command_names_the_row_and_ends_with_one(
    workspace: Workspace, place: Place
) -> None:
    await make_user(workspace, "ann")
    await make_key(workspace)
    outcome = await asyncio.to_thread(video_detective, "audit", "verify", *on(place))
    assert (outcome.code, "all 2 rows hold" in outcome.out) == (0, True)
    if place[1] is None:
        with closing(sqlite3.connect(place[0] / "video-detective.db")) as connection:
            connection.executescript(
                "DROP TRIGGER audit_update; UPDATE audit SET actor_name = 'x' WHERE number = 2"
            )
    else:
        with psycopg.connect(place[1], autocommit=True) as postgres:
            postgres.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
            postgres.execute("UPDATE audit SET actor_name = 'x' WHERE number = 2")
    outcome = await asyncio.to_thread(video_detective, "audit", "verify", *on(place))
    assert (outcome.code, "row 2 does not hold" in outcome.out) == (1, True)


async def test_users_are_found_by_the_command_line(workspace: Workspace, place: Place) -> None:
    user_id = await make_user(workspace, "ann")
    refusal = await asyncio.to_thread(video_detective, "users", "disable", "ann", *on(place))
    assert (refusal.code, "last admin" in refusal.err) == (1, True)
    listed = await asyncio.to_thread(video_detective, "users", "list", "--json", *on(place))
    (row,) = json.loads(listed.out)
    assert (row["name"], row["user_id"]) == ("ann", user_id)
    assert set(row) == {f for f in UserRow.__dataclass_fields__ if f != "password_hash"}
