"""What the database promises about vectors: on SQLite, and PostgreSQL with and without pgvector."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy.engine import make_url

from video_detective.geometry import NS_PER_S
from video_detective.rules import Event
from video_detective.search.base import Group, IndexQuery
from video_detective.search.tokens import word_term
from video_detective.storage import RunKey, Step, StoredEvent
from video_detective.storage.database import Database
from video_detective.storage.vectors_outbox import OutboxEntry
from video_detective.storage.vectors_rows import DueText, NewVector

MODEL = "bge-m3"
SIZE = 24
START_NS = 1_795_000_000 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S
HALF_PRECISION = 0.002
RED_CAP = Group(key="word:紅帽", terms=(word_term("紅帽"),))

Vector = Sequence[float]


@pytest.fixture(params=["sqlite", "postgresql", "postgresql without pgvector"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url: str | None = None
    if request.param != "sqlite":
        create: Callable[[], str] = request.getfixturevalue("empty_postgres_database")
        made = create()
        url = made if request.param == "postgresql" else of_plain_user(made)
    async with await Database.open(tmp_path, url) as database:
        yield database


@pytest.fixture
async def with_pgvector(
    empty_postgres_database: Callable[[], str], tmp_path: Path
) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, empty_postgres_database()) as database:
        yield database


def of_plain_user(url: str) -> str:
    """The database's address for its owner, who may not create the extension."""
    parsed = make_url(url)
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'plain'").fetchone():
            connection.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        connection.execute(f"ALTER DATABASE {parsed.database} OWNER TO plain")
    plain = parsed.set(username="plain", password="plain")
    return plain.render_as_string(hide_password=False)


def event(
    n: int, *, at_s: float | None = None, lasts_s: float | None = 0, **changes
) -> StoredEvent:
    start_ns = START_NS + int((n if at_s is None else at_s) * NS_PER_S)
    camera = changes.pop("camera", "cam01")
    return StoredEvent(
        event=Event(
            event_id=f"evt_20261121_{camera}_{n:04d}",
            camera_id=camera,
            type="intrusion",
            risk_level="high",
            rule_id="yard",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=None if lasts_s is None else start_ns + int(lasts_s * NS_PER_S),
            frames=(n, n),
        ),
        **({"summary_zh": f"第{n}件事"} | changes),
    )


def number(event_id: str) -> int:
    return int(event_id[-4:])


def random_vectors(count: int, size: int = SIZE, seed: int = 1) -> list[Vector]:
    """Around a few themes, as texts are."""
    chance = np.random.default_rng(seed)
    themes = chance.normal(size=(12, size))
    chosen = themes[chance.integers(0, 12, count)]
    return (chosen + 0.7 * chance.normal(size=(count, size))).tolist()


async def embed(db: Database, vectors: Mapping[int, Vector], model: str = MODEL) -> int:
    """Give the due events their vectors, by their numbers."""
    stored = 0
    while due := [entry for entry in await db.vectors.due(900) if not entry.is_known]:
        made = [vector_of(entry, vectors[number(entry.event_id)]) for entry in due]
        stored += await db.vectors.store(model, made)
    return stored


def vector_of(entry: DueText, vector: Vector) -> NewVector:
    return NewVector(event_id=entry.event_id, text_sha256=entry.text_sha256, vector=vector)


async def nearest(
    db: Database, vector: Vector, limit: int = 10, model: str = MODEL, **query: Any
) -> list[int]:
    near = await db.vectors.nearest(vector, model, IndexQuery(**query), limit)
    return [number(found.event_id) for found in near]


def by_cosine(vectors: Mapping[int, Vector], question: Vector, numbers: Iterable[int]) -> list[int]:
    """Most similar first, by plain arithmetic."""

    def cosine(n: int) -> float:
        a, b = np.array(vectors[n]), np.array(question)
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    return sorted(numbers, key=lambda n: -cosine(n))


async def begin(db: Database, settings: str = "rules"):
    key = RunKey(camera_id="cam01", fingerprint="film", settings_hash=settings)
    return await db.begin_run(key, {}, START_NS)


def axis(n: int) -> list[float]:
    return [float(n == place) for place in range(SIZE)]


# --- what is due


async def test_nothing_is_due_before_a_model_is_in_use(db: Database) -> None:
    await db.import_events([event(1)])

    assert await db.vectors.count_due() == 0
    assert await db.vectors.due(10) == []
    assert await nearest(db, axis(0)) == []


async def test_every_event_is_due_when_a_model_comes_into_use(db: Database) -> None:
    await db.import_events([event(1), event(2)])
    await db.vectors.use(MODEL)
    await db.import_events([event(3)])

    due = await db.vectors.due(10)

    assert [number(entry.event_id) for entry in due] == [3, 2, 1]
    assert "第3件事" in due[0].text
    assert await db.vectors.count_due() == 3
    assert await db.vectors.due(1) == due[:1]


async def test_an_event_can_be_found_as_soon_as_its_vector_is_stored(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(n) for n in (1, 2, 3)])
    assert await nearest(db, axis(2)) == []

    assert await embed(db, {n: axis(n) for n in (1, 2, 3)}) == 3

    near = await db.vectors.nearest(axis(2), MODEL, IndexQuery(), 1)
    assert [number(found.event_id) for found in near] == [2]
    assert near[0].similarity == pytest.approx(1, abs=HALF_PRECISION)
    assert near[0].start_ns == START_NS + 2 * NS_PER_S
    assert await db.vectors.count_due() == 0


async def test_a_changed_text_is_not_found_by_its_old_vector(db: Database) -> None:
    await db.vectors.use(MODEL)
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", events=[event(1), event(2)]))
    await embed(db, {1: axis(1), 2: axis(2)})

    changed = replace(event(1), summary_zh="後來的說法")
    await db.commit_step(run, Step(checkpoint=b"2", events=[changed]))

    assert await nearest(db, axis(1)) == [2]
    (due,) = await db.vectors.due(10)
    assert "後來的說法" in due.text
    assert not due.is_known
    await embed(db, {1: axis(5)})
    assert await nearest(db, axis(5), 1) == [1]


async def test_a_document_written_anew_with_the_same_text_needs_no_new_vector(
    db: Database,
) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(n) for n in (1, 2)])
    await embed(db, {1: axis(1), 2: axis(2)})

    await db.reindex(everything=True)
    due = await db.vectors.due(10)

    assert [entry.is_known for entry in due] == [True, True]
    assert await nearest(db, axis(1)) == []
    assert await db.vectors.confirm(due) == 2
    assert await nearest(db, axis(1), 1) == [1]
    assert await db.vectors.count_due() == 0


async def test_an_event_that_moved_in_time_is_found_at_its_new_time(db: Database) -> None:
    await db.vectors.use(MODEL)
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", events=[event(1, at_s=100)]))
    await embed(db, {1: axis(1)})
    await db.commit_step(run, Step(checkpoint=b"2", events=[event(1, at_s=90)]))

    assert await db.vectors.confirm(await db.vectors.due(10)) == 1

    until = START_NS + 95 * NS_PER_S
    assert await nearest(db, axis(1), until_ns=until) == [1]
    assert await nearest(db, axis(1), since_ns=until) == []


async def test_a_vector_of_a_text_that_has_changed_meanwhile_is_not_stored(db: Database) -> None:
    await db.vectors.use(MODEL)
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", events=[event(1)]))
    (before,) = await db.vectors.due(10)
    changed = replace(event(1), summary_zh="後來的說法")
    await db.commit_step(run, Step(checkpoint=b"2", events=[changed]))

    assert await db.vectors.store(MODEL, [vector_of(before, axis(1))]) == 0
    assert await db.vectors.confirm([before]) == 0

    assert await nearest(db, axis(1)) == []
    assert await db.vectors.count_due() == 1


async def test_events_of_a_superseded_analysis_are_not_found_until_they_are_shown_again(
    db: Database,
) -> None:
    await db.vectors.use(MODEL)
    first = await begin(db, "old rules")
    await db.commit_step(first, Step(checkpoint=b"1", events=[event(1)]))
    await db.finish_run(first, {})
    await embed(db, {1: axis(1)})
    second = await begin(db, "new rules")
    await db.commit_step(second, Step(checkpoint=b"1", events=[event(2)]))
    await db.finish_run(second, {})
    await embed(db, {2: axis(2)})

    assert await nearest(db, axis(1)) == [2]
    assert await db.vectors.count_due() == 0

    await begin(db, "old rules")
    assert await db.vectors.confirm(await db.vectors.due(10)) == 1
    assert await nearest(db, axis(1)) == [1]


async def test_vectors_of_another_model_are_not_compared(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(1), event(2)])
    await embed(db, {1: axis(1), 2: axis(2)})

    await db.vectors.use("other model's")

    assert await nearest(db, axis(1), model="other model's") == []
    assert await db.vectors.count_due() == 2
    late = [replace(vector_of(entry, axis(1))) for entry in await db.vectors.due(1)]
    assert await db.vectors.store(MODEL, late) == 0
    await embed(db, {1: axis(3), 2: axis(4)}, model="other model's")
    assert await nearest(db, axis(3), 1, model="other model's") == [1]
    assert await nearest(db, axis(1), model=MODEL) == []


async def test_vectors_of_another_size_make_the_earlier_ones_due(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(1), event(2)])
    await embed(db, {1: axis(1), 2: axis(2)})
    await db.import_events([event(3)])

    await embed(db, {n: [float(n == place) for place in range(4)] for n in (1, 2, 3)})

    assert await nearest(db, axis(1)) == []
    assert await nearest(db, [0, 1, 0, 0], 1) == [1]
    assert await db.vectors.count_due() == 0


# --- what is found


async def test_the_nearest_are_those_of_plain_arithmetic_under_every_condition(
    db: Database,
) -> None:
    """Every twentieth event lasts for long, some go on; cameras alternate."""
    count = 240
    vectors = dict(enumerate(random_vectors(count)))
    lasting = {n: (None if n % 40 == 0 else 5 * 3600) for n in range(0, count, 20)}
    events = {
        n: event(
            n,
            at_s=600 * n,
            lasts_s=lasting.get(n, 30),
            camera=f"cam0{n % 3}",
            keywords_zh=("紅帽",) if n % 7 == 0 else ("後門",),
        )
        for n in range(count)
    }
    await db.vectors.use(MODEL)
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", events=list(events.values())))
    await embed(db, vectors)
    since_ns, until_ns = START_NS + 20 * HOUR_NS, START_NS + 30 * HOUR_NS

    def held(n: int, until_ns: int = until_ns) -> bool:
        end_ns = events[n].event.end_ns
        return events[n].event.start_ns < until_ns and (end_ns is None or end_ns >= since_ns)

    def where(meant: Callable[[int], bool]) -> list[int]:
        return [n for n in range(count) if meant(n)]

    cases: list[tuple[dict[str, Any], list[int]]] = [
        ({}, where(lambda n: True)),
        ({"cameras": ("cam01",)}, where(lambda n: n % 3 == 1)),
        ({"cameras": ("cam00", "cam02")}, where(lambda n: n % 3 != 1)),
        ({"since_ns": since_ns, "until_ns": until_ns}, where(held)),
        ({"without": (RED_CAP,)}, where(lambda n: n % 7 != 0)),
        (
            {
                "cameras": ("cam01",),
                "since_ns": since_ns,
                "until_ns": until_ns,
                "without": (RED_CAP,),
            },
            where(lambda n: held(n) and n % 7 != 0 and n % 3 == 1),
        ),
        ({"cameras": ("nobody's",)}, []),
    ]
    for question in random_vectors(3, seed=2):
        for query, meant in cases:
            expected = by_cosine(vectors, question, meant)
            found = await db.vectors.nearest(question, MODEL, IndexQuery(**query), 8)
            numbers = [number(near.event_id) for near in found]
            assert len(numbers) == min(8, len(meant))
            # Half precision may exchange neighbours that are nearly equal.
            assert set(numbers[:5]) <= set(expected[:8])
            similarities = [near.similarity for near in found]
            assert similarities == sorted(similarities, reverse=True)
    everything = await nearest(db, question, count)
    assert sorted(everything) == list(range(count))


async def test_of_equally_similar_events_the_newest_comes_first(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(n) for n in range(9)])
    await embed(db, {n: axis(1) for n in range(9)})

    assert await nearest(db, axis(1), 3) == [8, 7, 6]


async def test_events_that_hide_behind_excluded_ones_are_found(db: Database) -> None:
    """The nearest 600 are excluded by a word; the one that is meant comes after them."""
    await db.vectors.use(MODEL)
    await db.import_events([event(n, keywords_zh=("紅帽",)) for n in range(600)] + [event(600)])
    near, far = axis(1), [0.2 if place == 1 else 1.0 for place in range(SIZE)]
    await embed(db, dict.fromkeys(range(600), near) | {600: far})

    assert await nearest(db, axis(1), 1, without=(RED_CAP,)) == [600]


async def test_the_search_can_be_kept_to_some_events(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(n) for n in range(5)])
    await embed(db, {n: axis(n) for n in range(5)})
    some = [event(n).event.event_id for n in (1, 3)]

    near = await db.vectors.nearest(axis(2), MODEL, IndexQuery(), 9, among=[*some, "nobody's"])
    none = await db.vectors.nearest(axis(2), MODEL, IndexQuery(), 9, among=[])

    assert sorted(number(found.event_id) for found in near) == [1, 3]
    assert none == []


async def test_the_length_of_a_vector_does_not_matter(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(1), event(2)])
    await embed(db, {1: [1e6 * x for x in axis(1)], 2: [1e-6 * x for x in axis(2)]})

    near = await db.vectors.nearest([30 * x for x in axis(2)], MODEL, IndexQuery(), 2)

    assert [number(found.event_id) for found in near] == [2, 1]
    assert near[0].similarity == pytest.approx(1, abs=HALF_PRECISION)


async def test_those_who_work_at_the_same_time_store_each_vector_once(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(n) for n in range(40)])
    due = await db.vectors.due(100)
    made = [vector_of(entry, axis(number(entry.event_id) % SIZE)) for entry in due]

    counts = await asyncio.gather(*(db.vectors.store(MODEL, made) for _ in range(4)))

    assert sum(counts) == 40
    assert len(await nearest(db, axis(1), 100)) == 40


# --- PostgreSQL's own index


async def test_pgvector_finds_nearly_all_of_the_nearest(with_pgvector: Database) -> None:
    db, count = with_pgvector, 1500
    vectors = dict(enumerate(random_vectors(count, seed=3)))
    await db.vectors.use(MODEL)
    await db.import_events([event(n, camera=f"cam0{n % 10}") for n in range(count)])
    await embed(db, vectors)
    hits = wanted = 0
    for question in random_vectors(20, seed=4):
        for query in (IndexQuery(), IndexQuery(cameras=("cam03",))):
            exact = await db.vectors.nearest(question, MODEL, query, 10)
            looked_up = await db.vectors.nearest(question, MODEL, query, 10, exact_up_to=0)
            assert len(looked_up) == 10
            hits += len({near.event_id for near in exact} & {near.event_id for near in looked_up})
            wanted += 10

    assert hits / wanted >= 0.95


async def test_vectors_stored_before_pgvector_came_are_found_with_it(
    empty_postgres_database: Callable[[], str], tmp_path: Path
) -> None:
    url = empty_postgres_database()
    async with await Database.open(tmp_path, of_plain_user(url)) as db:
        await db.vectors.use(MODEL)
        await db.import_events([event(1)])
        await embed(db, {1: axis(1)})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
    async with await Database.open(tmp_path, of_plain_user(url)) as db:
        await db.import_events([event(2)])
        await embed(db, {2: axis(2)})

        assert await nearest(db, axis(1)) == [1, 2]


# --- the outbox


async def told(db: Database) -> dict[int, OutboxEntry]:
    """What a derived index is told next, and that it was."""
    entries = await db.vectors.outbox.entries(900)
    await db.vectors.outbox.sent(entries)
    return {number(entry.event_id): entry for entry in entries}


async def test_the_outbox_is_empty_while_no_derived_index_is_in_use(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(1)])
    await embed(db, {1: axis(1)})

    assert await db.vectors.outbox.count() == 0


async def test_the_outbox_tells_what_holds_and_what_no_longer_does(db: Database) -> None:
    await db.vectors.use(MODEL, qdrant=True)
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", events=[event(1), event(2)]))
    await embed(db, {1: axis(1), 2: axis(2)})

    first = await told(db)
    point = first[1].point
    assert point is not None
    assert point.vector.tolist() == axis(1)
    assert (point.camera_id, point.start_ns, point.model) == ("cam01", START_NS + NS_PER_S, MODEL)
    assert await db.vectors.outbox.count() == 0

    changed = replace(event(1), summary_zh="後來的說法")
    await db.commit_step(run, Step(checkpoint=b"2", events=[changed]))
    assert {n: entry.point for n, entry in (await told(db)).items()} == {1: None}

    await embed(db, {1: axis(7)})
    (again,) = (await told(db)).values()
    assert again.point is not None
    assert again.point.vector.tolist() == axis(7)


async def test_what_changes_while_it_is_told_remains_to_be_told(db: Database) -> None:
    await db.vectors.use(MODEL, qdrant=True)
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"1", events=[event(1)]))
    await embed(db, {1: axis(1)})
    entries = await db.vectors.outbox.entries(900)
    changed = replace(event(1), summary_zh="後來的說法")
    await db.commit_step(run, Step(checkpoint=b"2", events=[changed]))

    await db.vectors.outbox.sent(entries)

    assert {n: entry.point for n, entry in (await told(db)).items()} == {1: None}


async def test_an_index_that_comes_into_use_later_is_told_of_everything(db: Database) -> None:
    await db.vectors.use(MODEL)
    await db.import_events([event(n) for n in range(5)])
    await embed(db, {n: axis(n) for n in range(5)})

    await db.vectors.use(MODEL, qdrant=True)
    assert sorted(await told(db)) == [0, 1, 2, 3, 4]
    await db.vectors.outbox.refill()
    assert sorted(await told(db)) == [0, 1, 2, 3, 4]


async def test_it_is_known_whether_the_index_lags_behind(db: Database) -> None:
    await db.vectors.use(MODEL, qdrant=True)
    await db.import_events([event(n) for n in range(5)])
    await embed(db, {n: axis(n) for n in range(5)})

    assert await db.vectors.outbox.untold(4) is None
    assert len(await db.vectors.outbox.untold(100) or []) == 5
    await db.vectors.use(MODEL)
    assert await db.vectors.outbox.untold(4) == []
