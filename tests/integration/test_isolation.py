"""Nothing of one account can be read, listed, counted, guessed or searched by another.

Walks the route table: a new route is covered by itself, and one whose parameters nobody has said
what they are the id of (``tests/routes.py``) fails.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
from tests.api import client_of, make_key, quick
from tests.routes import Operation, absent_like, operations
from tests.tenants import Tenant, make_tenant

from video_detective.services.workspace import Workspace, open_workspace

UNLIMITED = {
    "schema_version": 1,
    "limits": {"per_key": 1_000_000, "per_user": 1_000_000, "searches": 1_000_000},
}
ROUTES = [item for item in operations() if item.spec.get("security")]
CHANGED = ("x-request-id", "ratelimit-remaining", "ratelimit-reset", "date")
"""Headers that differ between any two answers."""
ORDER = {"get": 0, "post": 1, "put": 2, "patch": 3, "delete": 4}
LAST = ("/api/v1/keys/{id}", "/api/v1/session", "/api/v1/devices/{id}", "/api/v1/accounts/{id}")
"""What takes away with what the others are asked, or what they are asked about."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Two accounts with equal data, and clients of their keys.

    Args:
        mine: Whose key is used.
        other: Whose data must not be seen.
        client: With every scope in ``mine``.
        limited: Likewise, but with the first device only.
    """

    workspace: Workspace
    mine: Tenant
    other: Tenant
    client: httpx.AsyncClient
    limited: httpx.AsyncClient


async def make_tenants(folder: Path, url: str | None) -> tuple[Tenant, Tenant]:
    folder.mkdir(exist_ok=True)
    (folder / "settings.yaml").write_text(json.dumps(UNLIMITED), "utf-8")
    async with open_workspace(folder, url) as opened:
        workspace = quick(opened)
        words = ("zanthorim", "quibblex")
        mine, other = [
            await make_tenant(workspace, folder, f"{word} ltd", word, url=url) for word in words
        ]
    return mine, other


@asynccontextmanager
async def world_of(
    tenants: tuple[Tenant, Tenant], folder: Path, url: str | None
) -> AsyncIterator[World]:
    mine, other = tenants
    async with open_workspace(folder, url) as opened:
        workspace = quick(opened)
        limited = await make_key(
            workspace, devices=[mine.ids["device"]], account=mine.name, name="limited zanthorim"
        )
        async with client_of(workspace, mine.key) as client, client_of(workspace, limited) as few:
            yield World(workspace=workspace, mine=mine, other=other, client=client, limited=few)


@pytest.fixture(scope="module")
def made_on_sqlite(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, tuple[Tenant, Tenant]]:
    """Made once and copied for each test."""
    folder = tmp_path_factory.mktemp("tenants") / "data"
    return folder, asyncio.run(make_tenants(folder, None))


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    made_on_sqlite: tuple[Path, tuple[Tenant, Tenant]],
) -> AsyncIterator[World]:
    if request.param == "sqlite":
        folder, tenants = made_on_sqlite
        url = None
        shutil.copytree(folder, tmp_path / "data")
    else:
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
        tenants = await make_tenants(tmp_path / "data", url)
    async with world_of(tenants, tmp_path / "data", url) as made:
        yield made


@pytest.fixture
async def world_on_sqlite(
    tmp_path: Path, made_on_sqlite: tuple[Path, tuple[Tenant, Tenant]]
) -> AsyncIterator[World]:
    folder, tenants = made_on_sqlite
    shutil.copytree(folder, tmp_path / "data")
    async with world_of(tenants, tmp_path / "data", None) as made:
        yield made


async def send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    sent = client.build_request(
        request.method, request.url, content=request.content or None, headers=request.headers
    )
    return await client.send(sent)


def in_order() -> Iterator[Operation]:
    """Whatever reads before what changes, and what takes away last."""
    yield from sorted(ROUTES, key=lambda op: (op.path in LAST, ORDER[op.method]))


def told(answer: httpx.Response) -> str:
    """Everything of an answer in which something could be read."""
    return answer.text + repr(sorted(answer.headers.items()))


def likened(answer: httpx.Response, identity: str) -> tuple[int, str, list[tuple[str, str]]]:
    """What two answers must share: status, body and headers, but for id, time and request."""
    body = answer.text.replace(identity, "<id>")
    for name in ("timestamp", "requestId"):
        body = re.sub(rf'"{name}":\s*"[^"]*"', f'"{name}":""', body)
    body = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", body)
    body = re.sub(r"expires=\d+&[^\"]*", "<link>", body)
    headers = [
        (name, value) for name, value in sorted(answer.headers.items()) if name not in CHANGED
    ]
    return answer.status_code, body, headers


def test_every_parameter_of_every_route_is_known_for_what_it_is() -> None:
    for operation in ROUTES:
        list(operation.id_parameters())


async def test_an_id_of_another_account_answers_like_one_of_nothing(world: World) -> None:
    """Status, body and headers, wherever an id may stand."""
    compared = 0
    for operation in in_order():
        for where, name, kind in operation.id_parameters():
            theirs = world.other.ids[kind]
            nothing = absent_like(theirs)
            assert theirs != nothing
            foreign = await send(
                world.client, operation.request(world.mine.ids, one=(where, name, theirs))
            )
            absent = await send(
                world.client, operation.request(world.mine.ids, one=(where, name, nothing))
            )
            about = f"{operation}: {where} {name}"
            assert likened(foreign, theirs) == likened(absent, nothing), about
            if where == "path":
                assert foreign.status_code == 404, (about, foreign.text)
            compared += 1
    assert compared > 30
    async with client_of(world.workspace, world.other.key) as theirs_client:
        for operation in ROUTES:
            if operation.method == "get" and operation.path_names:
                answer = await send(theirs_client, operation.request(world.other.ids))
                assert answer.status_code in {200, 503}, (str(operation), answer.text)


async def test_no_answer_holds_anything_of_another_account(world: World) -> None:
    answered = 0
    for operation in in_order():
        answer = await send(world.client, operation.request(world.mine.ids))
        assert answer.status_code < 500 or answer.status_code == 503, (str(operation), answer.text)
        for secret in world.other.own:
            assert secret not in told(answer), f"{operation} tells {secret}"
        answered += answer.is_success
    assert answered > len(ROUTES) / 2


async def test_a_limited_key_is_told_nothing_of_other_devices(
    world_on_sqlite: World,
) -> None:
    world = world_on_sqlite
    other_device = {world.mine.devices[1]} | {
        value for value in world.mine.own if value.endswith("_0001") or value.startswith("cam-")
    }
    visible = set(world.mine.ids.values())
    hidden = other_device - visible
    assert len(hidden) >= 3
    for operation in in_order():
        if operation.method != "get":
            continue
        answer = await send(world.limited, operation.request(world.mine.ids))
        assert answer.status_code < 500 or answer.status_code == 503, (str(operation), answer.text)
        for secret in hidden:
            assert secret not in told(answer), f"{operation} tells {secret}"
        for secret in world.other.own:
            assert secret not in told(answer), f"{operation} tells {secret}"


async def test_words_of_another_account_are_found_by_nobody_else(world: World) -> None:
    """Neither answers nor counts of a search tell that another account has such words."""
    searches: list[Callable[[str], httpx.Request]] = []
    for operation in ROUTES:
        names = {p["name"] for p in operation.parameters if p["in"] == "query"}
        if operation.method == "get" and "q" in names:
            searches.append(
                lambda words, op=operation: op.request(  # type: ignore[misc]
                    world.mine.ids, q=("query", "q", words)
                )
            )
        if operation.path.endswith("/insights/search"):
            searches.append(
                lambda words, op=operation: httpx.Request(  # type: ignore[misc]
                    "POST", f"http://localhost{op.path}", json={"query": words}
                )
            )
    assert searches
    for search in searches:
        theirs = await send(world.client, search(world.other.word))
        nothing = await send(world.client, search("flumpdorf"[: len(world.other.word)]))
        assert theirs.status_code == nothing.status_code
        assert _count(theirs.json()) == _count(nothing.json()), theirs.url
        for secret in world.other.own - {world.other.word}:
            assert secret not in told(theirs)


def _count(body: Any) -> Any:
    """Everything that counts in an answer."""
    data = body.get("data", body)
    meta = body.get("meta", {}).get("pagination", {})
    if isinstance(data, dict):
        sized = {key: len(value) for key, value in data.items() if isinstance(value, list)}
        return sized.get("data"), sized.get("timeline"), data.get("total"), meta.get("total")
    return len(data), meta.get("total")


async def test_existence_cannot_be_told_from_the_time_an_answer_takes(
    world_on_sqlite: World,
) -> None:
    """Medians of a foreign and an absent id, asked for in turn; three tries, for a busy machine."""
    world = world_on_sqlite
    for operation in ROUTES:
        if operation.method != "get" or not operation.path_names:
            continue
        kind = next((kind for where, _, kind in operation.id_parameters() if where == "path"), None)
        if kind is None:
            continue
        name = operation.path_names[0]
        theirs = operation.request(world.mine.ids, one=("path", name, world.other.ids[kind]))
        ratios = []
        for _ in range(3):
            foreign: list[float] = []
            absent: list[float] = []
            for _ in range(9):
                nothing = absent_like(world.other.ids[kind])
                asked = operation.request(world.mine.ids, one=("path", name, nothing))
                for request, times in ((theirs, foreign), (asked, absent)):
                    began = time.perf_counter()
                    await send(world.client, request)
                    times.append(time.perf_counter() - began)
            ratios.append(median(foreign) / median(absent))
            if 1 / 2 < ratios[-1] < 2:
                break
        assert 1 / 2 < ratios[-1] < 2, (str(operation), ratios)


async def test_links_to_pictures_are_of_their_account_alone(
    world_on_sqlite: World,
) -> None:
    """A signed link opens its own file; changed to another account's, it opens nothing."""
    world = world_on_sqlite
    link = None
    for operation in ROUTES:
        if operation.method == "get":
            answer = await send(world.client, operation.request(world.mine.ids))
            found = re.search(r'http://localhost(/media/[^"]+)', answer.text)
            link = link or (found and found[1].replace("\\u0026", "&"))
    assert link
    async with client_of(world.workspace) as stranger:
        assert (await stranger.get(link)).status_code == 200
        changed = link.replace(world.mine.ids["account"], world.other.ids["account"])
        assert changed != link
        assert (await stranger.get(changed)).status_code == 403
        assert (await stranger.get(link.replace("key", "user", 1))).status_code == 403
        assert (await stranger.get(link.partition("?")[0])).status_code == 400
        later = re.sub(r"expires=(\d+)", lambda m: f"expires={int(m[1]) + 1}", link)
        assert (await stranger.get(later)).status_code == 403
