"""Vectors by way of a model server, and of Qdrant: made, found, and what happens when one fails."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Model
from tests.servers.qdrant import QdrantServer

from video_detective.errors import UsageError
from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.search.base import IndexQuery
from video_detective.services import embedding
from video_detective.services.embedding import embed_pending, nearest, rebuild_index
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import RunKey, Step, StoredEvent

MODEL = "bge-m3"
WORKER = str(Path(__file__).with_name("embedding_worker.py"))
START_NS = 1_795_000_000 * NS_PER_S


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    with LlmServer(models=[Model(name=MODEL, embedding=8)]) as server:
        yield server


@pytest.fixture
def qdrant() -> Iterator[QdrantServer]:
    with QdrantServer() as server:
        yield server


def write_settings(folder: Path, llm: LlmServer, qdrant: str = "", model: str = MODEL) -> None:
    folder.mkdir(exist_ok=True)
    place = f", qdrant: {{url: '{qdrant}'}}" if qdrant else ""
    (folder / "settings.yaml").write_text(
        "schema_version: 1\n"
        f"servers: {{local: {{kind: openai, url: '{llm.url}', timeout_s: 3}}}}\n"
        f"embeddings: {{server: local, model: {model}{place}}}\n"
    )


def opened(
    folder: Path, llm: LlmServer, qdrant: str = "", model: str = MODEL
) -> AbstractAsyncContextManager[Workspace]:
    write_settings(folder, llm, qdrant, model)
    return open_workspace(folder)


@pytest.fixture
async def workspace(tmp_path: Path, llm: LlmServer) -> AsyncIterator[Workspace]:
    async with opened(tmp_path, llm) as opened_:
        yield opened_


@pytest.fixture
async def with_qdrant(
    tmp_path: Path, llm: LlmServer, qdrant: QdrantServer
) -> AsyncIterator[Workspace]:
    async with opened(tmp_path, llm, qdrant.url) as opened_:
        yield opened_


def event(n: int, words: str = "", camera: str = "cam01") -> StoredEvent:
    start_ns = START_NS + n * NS_PER_S
    return StoredEvent(
        event=Event(
            event_id=f"evt_20261121_{camera}_{n:04d}",
            camera_id=camera,
            type="intrusion",
            risk_level="high",
            rule_id="yard",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=start_ns,
            frames=(n, n),
        ),
        summary_zh=words or f"第{n}件事",
        keywords_zh=("後門",),
    )


async def text_of(workspace: Workspace, n: int) -> str:
    """The text of which an event's vector is to be made; asked as a question it is the nearest."""
    due = await workspace.database.vectors.due(900)
    return next(entry.text for entry in due if entry.event_id.endswith(f"{n:04d}"))


async def texts(workspace: Workspace, *events: StoredEvent) -> dict[int, str]:
    """Store events; their texts by number."""
    embeddings = workspace.settings.embeddings
    assert embeddings is not None
    await workspace.database.vectors.use(MODEL, qdrant=embeddings.qdrant is not None)
    await workspace.database.import_events(events)
    due = await workspace.database.vectors.due(900)
    return {int(entry.event_id[-4:]): entry.text for entry in due}


async def first(workspace: Workspace, question: str, **query: Any) -> int | None:
    found = await nearest(workspace, question, IndexQuery(**query), 5)
    return int(found.events[0].event_id[-4:]) if found.events else None


# --- the model's server


async def test_without_a_model_nothing_is_made_and_nothing_found(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as workspace:
        await workspace.database.import_events([event(1)])

        assert await embed_pending(workspace) == embedding.Embedded()
        assert await rebuild_index(workspace) == embedding.Embedded()
        assert await nearest(workspace, "徘徊", IndexQuery()) == embedding.Nearest()


async def test_events_are_found_by_what_their_texts_mean(
    workspace: Workspace, llm: LlmServer
) -> None:
    told = await texts(workspace, *(event(n) for n in range(150)))
    steps: list[tuple[int, int]] = []

    made = await embed_pending(workspace, progress=lambda done, of: steps.append((done, of)))

    assert made == embedding.Embedded(done=150)
    assert steps == [(64, 150), (128, 150), (150, 150)]
    found = await nearest(workspace, told[77], IndexQuery(), 3)
    assert found.failed is None
    assert len(found.events) == 3
    assert found.events[0].event_id.endswith("0077")
    assert found.events[0].similarity == pytest.approx(1, abs=0.002)
    asked = len(llm.asks)
    assert await embed_pending(workspace) == embedding.Embedded()
    assert len(llm.asks) == asked


async def test_only_as_many_are_made_as_asked_for_the_newest_first(workspace: Workspace) -> None:
    told = await texts(workspace, *(event(n) for n in range(10)))

    made = await embed_pending(workspace, limit=3)

    assert (made.done, made.waiting) == (3, 7)
    found = await nearest(workspace, told[1], IndexQuery(), 9)
    assert sorted(near.event_id[-1] for near in found.events) == ["7", "8", "9"]


async def test_when_the_server_fails_events_wait_and_the_reason_is_told(
    workspace: Workspace, llm: LlmServer
) -> None:
    told = await texts(workspace, *(event(n) for n in range(3)))
    llm.behave("few-vectors")

    made = await embed_pending(workspace)

    assert (made.done, made.waiting) == (0, 3)
    assert made.failed is not None
    assert "embeddings" in made.failed
    llm.behave("ok")
    assert await embed_pending(workspace) == embedding.Embedded(done=3)
    assert await first(workspace, told[1]) == 1


async def test_what_was_made_before_the_server_failed_stays_made(
    workspace: Workspace, llm: LlmServer
) -> None:
    await texts(workspace, *(event(n) for n in range(100)))
    llm.behave("ok", "ok", "nan-vectors")  # a request holds half a batch

    made = await embed_pending(workspace)

    assert (made.done, made.waiting) == (64, 36)
    assert made.failed is not None


async def test_a_text_for_which_the_model_gives_no_numbers_holds_up_no_other(
    workspace: Workspace, llm: LlmServer
) -> None:
    told = await texts(workspace, *(event(n) for n in range(70)))
    # The first request and, asked for alone, the newest event.
    llm.behave("nan-vectors", "nan-vectors", "ok")

    made = await embed_pending(workspace)

    assert (made.done, made.waiting) == (69, 1)
    assert made.failed is not None
    (left,) = await workspace.database.vectors.due(9)
    assert left.event_id.endswith("0069")
    assert await first(workspace, told[68]) == 68
    assert await embed_pending(workspace) == embedding.Embedded(done=1)


async def test_a_server_that_does_not_answer_costs_a_search_only_its_vectors(
    workspace: Workspace, llm: LlmServer
) -> None:
    await texts(workspace, event(1))
    await embed_pending(workspace)
    llm.behave("no-reply")

    found = await nearest(workspace, "有人徘徊嗎", IndexQuery())

    assert found.events == ()
    assert found.failed is not None
    assert "3 s" in found.failed


async def test_of_a_text_too_long_for_the_model_the_beginning_is_taken(
    workspace: Workspace, llm: LlmServer
) -> None:
    told = await texts(workspace, event(1, "很長的一句話。" * 200))
    llm.behave("too-long", "too-long", "ok")

    assert await embed_pending(workspace) == embedding.Embedded(done=1)

    lengths = [len(ask.texts[0]) for ask in llm.asks]
    assert lengths == [len(told[1]), len(told[1]) // 2, len(told[1]) // 4]
    assert told[1].startswith(llm.asks[-1].texts[0])


async def test_another_model_makes_all_vectors_anew(tmp_path: Path) -> None:
    models = [Model(name=MODEL, embedding=8), Model(name="larger", embedding=16)]
    with LlmServer(models=models) as llm:
        async with opened(tmp_path, llm) as workspace:
            told = await texts(workspace, *(event(n) for n in range(5)))
            await embed_pending(workspace)
        async with opened(tmp_path, llm, model="larger") as workspace:
            assert await first(workspace, told[2]) is None
            assert await embed_pending(workspace) == embedding.Embedded(done=5)
            assert await first(workspace, told[2]) == 2


async def test_a_model_that_changed_its_size_under_its_name_makes_all_vectors_anew(
    tmp_path: Path,
) -> None:
    with LlmServer(models=[Model(name=MODEL, embedding=8)]) as llm:
        async with opened(tmp_path, llm) as workspace:
            told = await texts(workspace, *(event(n) for n in range(5)))
            await embed_pending(workspace)
    with LlmServer(models=[Model(name=MODEL, embedding=16)]) as llm:
        async with opened(tmp_path, llm) as workspace:
            await workspace.database.import_events([event(9)])
            made = await embed_pending(workspace)
            assert (made.done, made.waiting) == (6, 0)
            assert await first(workspace, told[2]) == 2


# --- Qdrant


async def test_qdrant_is_told_of_every_vector_and_asked_for_candidates(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    told = await texts(with_qdrant, *(event(n, camera=f"cam0{n % 2}") for n in range(150)))

    assert await embed_pending(with_qdrant) == embedding.Embedded(done=150)

    assert len(qdrant.event_ids()) == 150
    assert await first(with_qdrant, told[77]) == 77
    since_ns, until_ns = START_NS + 40 * NS_PER_S, START_NS + 50 * NS_PER_S
    period = IndexQuery(cameras=("cam01",), since_ns=since_ns, until_ns=until_ns)
    found = await nearest(with_qdrant, told[77], period, 9)
    assert sorted(int(near.event_id[-4:]) for near in found.events) == [41, 43, 45, 47, 49]
    assert qdrant.asked("points/query") == 2


async def test_what_qdrant_finds_is_ranked_as_the_database_ranks_it(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    told = await texts(with_qdrant, *(event(n) for n in range(120)))
    await embed_pending(with_qdrant)
    by_qdrant = await nearest(with_qdrant, told[5], IndexQuery(), 20)
    qdrant.behaviour = "500"

    by_database = await nearest(with_qdrant, told[5], IndexQuery(), 20)

    assert by_database.events == by_qdrant.events
    assert by_qdrant.failed is None
    assert by_database.failed is not None
    assert "disk is on fire" in by_database.failed


@pytest.mark.parametrize("behaviour", ["500", "html", "other-json", "hang-up", "wait"])
async def test_when_qdrant_fails_the_database_answers(
    with_qdrant: Workspace, qdrant: QdrantServer, behaviour: str
) -> None:
    told = await texts(with_qdrant, *(event(n) for n in range(9)))
    await embed_pending(with_qdrant)
    qdrant.behaviour = behaviour

    found = await nearest(with_qdrant, told[4], IndexQuery(), 3)

    assert found.events[0].event_id.endswith("0004")
    assert found.failed is not None
    assert qdrant.url in found.failed


async def test_search_works_where_there_is_no_qdrant_at_all(tmp_path: Path, llm: LlmServer) -> None:
    async with opened(tmp_path, llm, "http://127.0.0.1:1") as workspace:
        told = await texts(workspace, *(event(n) for n in range(9)))
        made = await embed_pending(workspace)

        assert (made.done, made.untold) == (9, 9)
        assert "cannot be reached" in (made.index_failed or "")
        assert await first(workspace, told[4]) == 4


async def test_qdrant_is_told_later_what_happened_while_it_was_down(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    told = await texts(with_qdrant, *(event(n) for n in range(9)))
    qdrant.behaviour = "500"

    made = await embed_pending(with_qdrant)

    assert (made.done, made.waiting, made.untold) == (9, 0, 9)
    assert "disk is on fire" in (made.index_failed or "")
    assert await first(with_qdrant, told[4]) == 4
    qdrant.behaviour = "ok"
    assert await embed_pending(with_qdrant) == embedding.Embedded()
    assert len(qdrant.event_ids()) == 9


async def test_what_was_told_but_not_acknowledged_is_told_again(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    await texts(with_qdrant, *(event(n) for n in range(9)))
    await embed_pending(with_qdrant, limit=1)
    qdrant.behaviour = "hang-up"

    made = await embed_pending(with_qdrant)
    assert made.untold == 8
    qdrant.behaviour = "ok"
    assert (await embed_pending(with_qdrant)).untold == 0

    assert len(qdrant.event_ids()) == 9


async def test_an_event_is_found_before_qdrant_knows_it_and_not_by_what_it_knew(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    database = with_qdrant.database
    await embed_pending(with_qdrant)  # the model comes into use
    key = RunKey(camera_id="cam01", fingerprint="film", settings_hash="rules")
    run = await database.begin_run(key, {}, START_NS)
    await database.commit_step(run, Step(checkpoint=b"1", events=[event(1), event(2)]))
    before = await text_of(with_qdrant, 1)
    await embed_pending(with_qdrant)
    changed = replace(event(1), summary_zh="後來的說法")
    await database.commit_step(run, Step(checkpoint=b"2", events=[changed]))

    assert await first(with_qdrant, before) == 2  # Qdrant still has the first

    after = await text_of(with_qdrant, 1)
    qdrant.behaviour = "500"
    await embed_pending(with_qdrant)
    qdrant.behaviour = "ok"
    assert await first(with_qdrant, after) == 1
    found = await nearest(with_qdrant, before, IndexQuery(), 5)
    assert found.events[0].similarity < 0.99


async def test_a_qdrant_server_that_lost_everything_is_told_everything(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    told = await texts(with_qdrant, *(event(n) for n in range(9)))
    await embed_pending(with_qdrant)
    qdrant.collections.clear()

    assert await first(with_qdrant, told[4]) == 4
    await embed_pending(with_qdrant)

    assert len(qdrant.event_ids()) == 9


async def test_the_index_can_be_rebuilt(with_qdrant: Workspace, qdrant: QdrantServer) -> None:
    await texts(with_qdrant, *(event(n) for n in range(150)))
    await embed_pending(with_qdrant)
    for collection in qdrant.collections.values():
        collection.points.clear()
    steps: list[tuple[int, int]] = []

    rebuilt = await rebuild_index(with_qdrant, lambda done, of: steps.append((done, of)))

    assert rebuilt == embedding.Embedded()
    assert steps == [(100, 150), (150, 150)]
    assert len(qdrant.event_ids()) == 150


async def test_a_superseded_event_leaves_qdrant(
    with_qdrant: Workspace, qdrant: QdrantServer
) -> None:
    await embed_pending(with_qdrant)
    for n, rules in enumerate(("old", "new"), 1):
        key = RunKey(camera_id="cam01", fingerprint="film", settings_hash=rules)
        run = await with_qdrant.database.begin_run(key, {}, START_NS)
        await with_qdrant.database.commit_step(run, Step(checkpoint=b"1", events=[event(n)]))
        await with_qdrant.database.finish_run(run, {})
        await embed_pending(with_qdrant)

    assert qdrant.event_ids() == {event(2).event.event_id}


@asynccontextmanager
async def locked(folder: Path, llm: LlmServer, url: str) -> AsyncIterator[Workspace]:
    write_settings(folder, llm, url)
    path = folder / "settings.yaml"
    path.write_text(path.read_text().replace(f"'{url}'", f"'{url}', api_key_env: QDRANT_KEY"))
    async with open_workspace(folder) as workspace:
        yield workspace


async def test_a_locked_qdrant_server_is_opened_with_its_key(
    tmp_path: Path, llm: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with QdrantServer(key="secret") as qdrant:
        async with locked(tmp_path, llm, qdrant.url) as workspace:
            await texts(workspace, event(1))
            monkeypatch.delenv("QDRANT_KEY", raising=False)
            with pytest.raises(UsageError, match="QDRANT_KEY"):
                await embed_pending(workspace)
            monkeypatch.setenv("QDRANT_KEY", "wrong")
            assert "401" in ((await embed_pending(workspace)).index_failed or "")
            monkeypatch.setenv("QDRANT_KEY", "secret")
            assert (await embed_pending(workspace)).untold == 0
        assert len(qdrant.event_ids()) == 1


async def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(
    tmp_path: Path, llm: LlmServer, qdrant: QdrantServer
) -> None:
    """Killed after so many requests to either server, whatever it is doing then."""
    async with opened(tmp_path, llm, qdrant.url) as workspace:
        told = await texts(workspace, *(event(n) for n in range(900)))
    killed = 0
    for requests in (1, 2, 3, 5, 8):
        worker = subprocess.Popen([sys.executable, WORKER, str(tmp_path)])
        before = len(llm.asks) + len(qdrant.requests)
        while worker.poll() is None and len(llm.asks) + len(qdrant.requests) < before + requests:
            await asyncio.sleep(0.002)
        worker.kill()
        killed += worker.wait() == -signal.SIGKILL

    assert killed == 5
    async with opened(tmp_path, llm, qdrant.url) as workspace:
        made = await embed_pending(workspace)
        assert (made.waiting, made.failed, made.untold) == (0, None, 0)
        assert len(qdrant.event_ids()) == 900
        (collection,) = qdrant.collections.values()
        assert len(collection.points) == 900
        assert [await first(workspace, told[n]) for n in (0, 450, 899)] == [0, 450, 899]
        found = await nearest(workspace, told[1], IndexQuery(), 1000)
        assert len(found.events) == 900
