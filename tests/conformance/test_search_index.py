"""What a search of the index promises, on SQLite and on PostgreSQL."""

import asyncio
import math
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.pool import NullPool

from video_detective.errors import UsageError
from video_detective.rules import Actor, Event, Moment
from video_detective.search.base import Document, Group, Hits, IndexQuery, Term
from video_detective.search.document import event_document
from video_detective.search.tokens import word_term
from video_detective.storage import (
    CameraRow,
    EvidenceRow,
    FrameRow,
    Run,
    RunKey,
    Step,
    StoredEvent,
    migrate,
)
from video_detective.storage.database import Database

CAMERA = "cam01"
S = 10**9
HOUR_NS = 3600 * S
DAY_NS = 24 * HOUR_NS
START_NS = 1_766_000_000 * S

FIRST_SCHEMA = """
INSERT INTO runs (run_id, camera_id, fingerprint, settings_hash, epoch, done, start_ns, info,
    progress, superseded_by) VALUES
    (1, 'cam01', 'film', 'new', 1, TRUE, 0, '{}', '{}', NULL),
    (2, 'cam01', 'film', 'old', 1, TRUE, 0, '{}', '{}', 1);
INSERT INTO events (event_id, camera_id, run_id, type, risk_level, rule_id, start_ns,
    established_ns, end_ns, first_frame, last_frame, actors, moments, facts, parameters,
    summary_zh, summary_en, keywords_zh, search_text) VALUES
    ('evt_1', 'cam01', 1, 'loitering', 'high', 'yard', 5, 5, 9, 0, 0,
     '[{"track_id": "p01", "type": "person", "role": "subject"}]', '[]', '{}', '{}',
     '有人在後門徘徊', 'A person loitered', '["後門"]', '後門'),
    ('evt_2', 'cam01', 2, 'loitering', 'high', 'yard', 6, 6, 9, 0, 0, '[]', '[]', '{}', '{}',
     '有人在後門徘徊', '', '[]', '後門'),
    ('evt_3', 'cam01', NULL, 'intrusion', 'high', 'yard', 7, 7, NULL, 0, 0, '[]', '[]', '{}', '{}',
     '後門闖入', '', '[]', '後門');
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        yield database


def directly(url: str, *statements: str) -> None:
    """What another program does to the database, foreign keys kept."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    if driver == "sqlite":
        sqlalchemy_event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA foreign_keys=ON"))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def found(n: int, start_ns: int | None = None, **changes: Any) -> StoredEvent:
    words: dict[str, Any] = {
        name: changes.pop(name)
        for name in ("summary_zh", "summary_en", "keywords_zh")
        if name in changes
    }
    start_ns = START_NS + n * S if start_ns is None else start_ns
    camera = str(changes.get("camera_id", CAMERA))
    values: dict[str, Any] = {
        "event_id": f"evt_20261121_{camera}_{n:04d}",
        "camera_id": CAMERA,
        "type": "intrusion",
        "risk_level": "high",
        "rule_id": "yard",
        "start_ns": start_ns,
        "established_ns": start_ns,
        "end_ns": start_ns,
        "frames": (n, n),
    }
    return StoredEvent(event=Event(**(values | changes)), **words)


def word(*words: str, weight: float = 1.0) -> Group:
    return Group(key=f"word:{words[0]}", terms=tuple(map(word_term, words)), weight=weight)


def concept(token: str) -> Group:
    return Group(key=token, terms=(Term(tokens=(token,)),))


def numbers(hits: Hits) -> list[int]:
    return [int(hit.event_id[-4:]) for hit in hits.hits]


async def search(db: Database, *groups: Group, **changes: Any) -> list[int]:
    """Numbers of the events found, best first."""
    return numbers(await db.search(IndexQuery(groups=groups, **changes)))


async def begin(db: Database, settings_hash: str = "s", source: str = "film") -> Run:
    key = RunKey(camera_id=CAMERA, fingerprint=source, settings_hash=settings_hash)
    return await db.begin_run(key, {}, START_NS)


async def analysed(db: Database, *events: StoredEvent) -> Run:
    run = await begin(db)
    await db.commit_step(run, Step(checkpoint=b"x", events=events))
    return run


# --- against a reference in plain Python


@dataclass(frozen=True)
class Indexed:
    """An event as the reference sees it."""

    event_id: str
    camera_id: str
    start_ns: int
    end_ns: float
    document: Document


def indexed(stored: StoredEvent) -> Indexed:
    fact = stored.event
    ends_ns = fact.start_ns if stored.run_id is None else math.inf
    return Indexed(
        event_id=fact.event_id,
        camera_id=fact.camera_id,
        start_ns=fact.start_ns,
        end_ns=ends_ns if fact.end_ns is None else fact.end_ns,
        document=event_document(
            fact,
            summary_zh=stored.summary_zh,
            summary_en=stored.summary_en,
            keywords_zh=stored.keywords_zh,
        ),
    )


def has_tokens(term: Term, document: Document) -> bool:
    return all(
        any(held.startswith(token[:-1]) for held in document.tokens)
        if token.endswith("*")
        else token in document.tokens
        for token in term.tokens
    )


def has(group: Group, document: Document) -> bool:
    return any(has_tokens(term, document) and term.text in document.text for term in group.terms)


def often(group: Group, document: Document) -> float:
    """BM25 of a group that the document has, without its rarity."""
    words = [
        term.text or token.removesuffix("*")
        for term in group.terms
        for token in ((term.text,) if term.text else term.tokens)
        if ":" not in token
    ]
    if not words:
        return 1
    count = max(1, *(document.text.count(word) for word in words))
    return count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(document.text) / 200))


def expected(query: IndexQuery, corpus: Sequence[Indexed], block: int) -> list[tuple[object, ...]]:
    """Event id, matched groups and completeness of every hit, in order."""
    groups = query.groups
    least = -(-len(groups) // 2) if query.least is None else min(query.least, len(groups))
    tiers: dict[int, list[tuple[Indexed, list[bool]]]] = {}
    for item in sorted(corpus, key=lambda item: (-item.start_ns, item.event_id)):
        matched = [has(group, item.document) for group in groups]
        if (
            (not query.cameras or item.camera_id in query.cameras)
            and (query.until_ns is None or item.start_ns < query.until_ns)
            and (query.since_ns is None or item.end_ns >= query.since_ns)
            and not any(has(group, item.document) for group in query.without)
            and sum(matched) >= max(least, min(1, len(groups)))
        ):
            tiers.setdefault(sum(matched), []).append((item, matched))
    rarity = []
    for group in groups:
        count = sum(any(has_tokens(t, i.document) for t in group.terms) for i in corpus)
        rarity.append(math.log(1 + (2000 - count + 0.5) / (count + 0.5)))

    def rank(pair: tuple[Indexed, list[bool]]) -> tuple[object, ...]:
        item, matched = pair
        weight = sum(group.weight for group, had in zip(groups, matched, strict=True) if had)
        score = sum(
            often(group, item.document) * rare if had else 0
            for group, rare, had in zip(groups, rarity, matched, strict=True)
        )
        return -weight, -round(score, 9), -item.start_ns, item.event_id

    hits = []
    for tier in sorted(tiers, reverse=True):
        left = tiers[tier]
        while left:
            end = min(block, len(left))
            while (
                end < len(left) and left[end - 1][0].start_ns >> 20 == left[end][0].start_ns >> 20
            ):
                end += 1
            hits += sorted(left[:end], key=rank)
            left = left[end:]
    return [
        (
            item.event_id,
            tuple(group.key for group, had in zip(groups, matched, strict=True) if had),
            all(matched),
        )
        for item, matched in hits
    ]


PLACES = ("後門", "後門口", "門口", "停車場", "圍籬線", "倉庫")
DEEDS = ("徘徊", "闖入", "停留", "口停", "翻越圍籬", "奔跑")
THINGS = ("紅色外套", "白色車", "雨傘", "背包", "cam-01", "Forklift", "100%")
TYPES = ("loitering", "intrusion", "line_crossing", "pacing")
CAMERAS = ("cam01", "Cam-乙_a", "cam1")
WORDS = (*PLACES, *DEEDS, *THINGS, "門", "車", "火箭", "停車", "色車")


def random_corpus(rng: np.random.Generator, size: int) -> list[StoredEvent]:
    events = []
    for n in range(size):
        camera = str(rng.choice(CAMERAS))
        # Some begin within the same millisecond, some last for hours.
        start_ns = START_NS + int(rng.integers(size)) * 97 * S + int(rng.integers(2))
        lasts_ns = int(rng.choice([0, 5 * S, 300 * S, 2 * HOUR_NS, 9 * HOUR_NS]))
        parts = [str(rng.choice(words)) for words in (PLACES, DEEDS, THINGS)]
        summary = "，".join(parts[: int(rng.integers(1, 4))] * int(rng.integers(1, 3)))
        events.append(
            found(
                n,
                start_ns,
                camera_id=camera,
                type=str(rng.choice(TYPES)),
                end_ns=None if rng.random() < 0.1 else start_ns + lasts_ns,
                summary_zh=summary,
                keywords_zh=tuple(parts[int(rng.integers(3)) :]),
                actors=(Actor(track_id=f"p{n % 9}", type="person"),) if n % 3 else (),
            )
        )
    return events


def random_query(rng: np.random.Generator, size: int) -> IndexQuery:
    def group() -> Group:
        if rng.random() < 0.3:
            return concept(f"type:{rng.choice(TYPES)}")
        words = rng.choice(WORDS, size=int(rng.integers(1, 4)), replace=False)
        return word(*map(str, words), weight=float(rng.choice([1, 1, 0.5, 2])))

    count = int(rng.choice([0, 1, 1, 2, 3, 4, 6]))
    groups = {made.key: made for made in (group() for _ in range(count))}
    moments = sorted(START_NS + int(n) * 97 * S for n in rng.integers(0, size + 90, 2))
    return IndexQuery(
        groups=tuple(groups.values()),
        without=tuple(group() for _ in range(int(rng.integers(4) == 0))),
        cameras=tuple(map(str, rng.choice(CAMERAS, int(rng.choice([0, 0, 1, 2])), replace=False))),
        since_ns=moments[0] if rng.random() < 0.4 else None,
        until_ns=moments[1] if rng.random() < 0.4 else None,
        least=int(rng.integers(1, 4)) if rng.random() < 0.3 else None,
        limit=int(rng.choice([1, 7, 50, 1000])),
        offset=int(rng.choice([0, 0, 0, 3, 260])),
    )


async def test_every_search_finds_what_looking_at_every_event_finds(db: Database) -> None:
    rng = np.random.default_rng(20261121)
    size = 700
    corpus = random_corpus(rng, size)
    await db.import_events([e for e in corpus if e.event.camera_id != CAMERA])
    own = [e for e in corpus if e.event.camera_id == CAMERA]
    run = await analysed(db, *own)
    reference = [
        indexed(replace(e, run_id=run.run_id) if e.event.camera_id == CAMERA else e) for e in corpus
    ]
    answered = 0
    for _ in range(150):
        query = random_query(rng, size)
        wanted = expected(query, reference, block=200)
        hits = await db.search(query)

        assert [(hit.event_id, hit.matched, hit.complete) for hit in hits.hits] == wanted[
            query.offset : query.offset + query.limit
        ], query
        assert hits.complete == sum(bool(complete) for *_, complete in wanted), query
        answered += bool(hits.hits)
    assert answered > 75


async def test_a_hit_below_the_most_groups_says_what_it_has(db: Database) -> None:
    await db.import_events(
        [found(1, summary_zh="後門徘徊"), found(2, summary_zh="後門"), found(3, summary_zh="雨傘")]
    )

    hits = await db.search(IndexQuery(groups=(word("後門"), word("徘徊"))))

    assert numbers(hits) == [1, 2]
    assert [hit.matched for hit in hits.hits] == [("word:後門", "word:徘徊"), ("word:後門",)]
    assert [hit.complete for hit in hits.hits] == [True, False]
    assert (hits.complete, hits.counted_to) == (1, 10_000)
    assert await search(db, word("後門"), word("徘徊"), least=2) == [1]


async def test_words_must_stand_together_and_not_only_their_pairs(db: Database) -> None:
    await db.import_events(
        [found(1, summary_zh="門口有人，口停"), found(2, summary_zh="在門口停下")]
    )

    assert await search(db, word("門口停")) == [2]
    assert await search(db, word("門口"), without=(word("門口停"),)) == [1]


async def test_a_long_question_keeps_to_its_weightiest_words(db: Database) -> None:
    words = [f"w{n}" for n in range(12)]
    await db.import_events([found(1, summary_en=" ".join(words[4:])), found(2, summary_en="w0 w1")])
    groups = [word(each, weight=2 if n >= 4 else 1) for n, each in enumerate(words)]

    assert await search(db, *groups) == [1]


@pytest.mark.parametrize(
    "query",
    [
        IndexQuery(limit=0),
        IndexQuery(limit=1001),
        IndexQuery(offset=-1),
        IndexQuery(groups=(word(" ".join(f"w{n}" for n in range(501))),)),
    ],
)
async def test_a_search_that_cannot_be_meant_is_refused(db: Database, query: IndexQuery) -> None:
    with pytest.raises(UsageError):
        await db.search(query)


# --- periods


async def test_events_that_lasted_or_last_into_a_period_are_found(db: Database) -> None:
    await analysed(
        db,
        found(1, START_NS - 9 * DAY_NS, end_ns=None),
        found(2, START_NS - 9 * DAY_NS, end_ns=START_NS - 8 * DAY_NS),
        found(3, START_NS - 2 * DAY_NS, end_ns=START_NS + S),
        found(4, START_NS - HOUR_NS, end_ns=START_NS),
        found(5, START_NS - HOUR_NS, end_ns=START_NS - 1),
        found(6, START_NS),
        found(7, START_NS + HOUR_NS - 1),
        found(8, START_NS + HOUR_NS),
    )
    await db.import_events([found(9, START_NS - DAY_NS, end_ns=None)])
    period = {"since_ns": START_NS, "until_ns": START_NS + HOUR_NS}

    assert await search(db, **period) == [7, 6, 4, 3, 1]
    assert await search(db, concept("type:intrusion"), **period) == [7, 6, 4, 3, 1]
    assert await search(db, since_ns=START_NS + HOUR_NS) == [8, 1]
    assert await search(db, until_ns=START_NS - 5 * DAY_NS) == [1, 2]
    assert await search(db, since_ns=-(10**40), until_ns=10**40) == [8, 7, 6, 4, 5, 9, 3, 1, 2]


async def test_any_time_that_can_be_stored_can_be_searched(db: Database) -> None:
    await db.import_events([found(1, 2**63 - 1), found(2, -(2**63)), found(3, -1), found(4, 0)])

    assert await search(db) == [1, 4, 3, 2]
    assert await search(db, since_ns=0) == [1, 4]
    assert await search(db, until_ns=0) == [3, 2]


async def test_cameras_of_similar_names_are_not_mixed_up(db: Database) -> None:
    names = ("cam01", "Cam01", "cam01-b", "cam 01", "cam", "攝影機")
    await db.import_events([found(n, camera_id=name) for n, name in enumerate(names)])

    for n, name in enumerate(names):
        assert await search(db, cameras=(name,)) == [n]
    assert await search(db, cameras=("Cam01", "cam")) == [4, 1]
    assert await search(db, cameras=("cam02",)) == []


# --- one transaction with the rows


async def test_an_event_is_found_by_what_is_said_of_it_now(db: Database) -> None:
    run = await analysed(db, found(1, summary_zh="後門徘徊", end_ns=None))
    ended = found(1, summary_zh="後門闖入", type="loitering", end_ns=START_NS + 9 * S)
    assert await search(db, word("徘徊")) == [1]

    await db.commit_step(run, Step(checkpoint=b"y", events=[ended]))

    assert await search(db, word("徘徊")) == []
    assert await search(db, word("闖入"), concept("type:loitering"), least=2) == [1]
    assert await search(db, since_ns=START_NS + 10 * S) == []


async def test_an_imported_event_is_found_by_its_evidence_and_when_it_changes(
    db: Database,
) -> None:
    shown = Moment(time_ns=START_NS, frame=0, what="人物靠近門把")
    await db.import_events([found(1, moments=(shown,)), found(2)])
    assert await search(db, word("門把")) == [1]

    await db.import_events([found(1, summary_zh="更正")])

    assert await search(db, word("門把")) == []
    assert await search(db, word("更正")) == [1]


async def test_an_event_with_empty_and_very_long_words_is_found(db: Database) -> None:
    long = "雨傘" + "x" * 3000
    actor = Actor(track_id="", type="")
    await db.import_events([found(1, actors=(actor,), keywords_zh=("", long, "後" * 3000))])

    assert await search(db, word("雨傘")) == [1]
    assert await search(db, word("x" * 3000)) == [1]
    assert await search(db, word("x" * 2999)) == []


async def test_a_step_that_fails_leaves_nothing_to_find(db: Database) -> None:
    await db.import_events([found(2)])
    run = await begin(db)

    with pytest.raises(Exception, match="evt_20261121_cam01_0002"):
        await db.commit_step(run, Step(checkpoint=b"x", events=[found(1), found(2)]))

    assert await search(db) == [2]


async def test_a_deleted_event_is_not_found(db: Database, url: str) -> None:
    await db.import_events([found(1), found(2)])

    directly(url, "DELETE FROM events WHERE event_id = 'evt_20261121_cam01_0001'")

    assert await search(db) == [2]
    assert await search(db, concept("type:intrusion")) == [2]


async def test_only_the_analysis_that_is_shown_is_searched(db: Database) -> None:
    async def analysis(settings_hash: str, n: int) -> None:
        run = await begin(db, settings_hash)
        if run.status != "done":
            await db.commit_step(run, Step(checkpoint=b"x", events=[found(n)]))
            await db.finish_run(run, {})

    await analysis("old", 1)
    unfinished = await begin(db, "unfinished")
    await db.commit_step(unfinished, Step(checkpoint=b"x", events=[found(3)]))
    assert await search(db) == [1]

    await analysis("new", 2)
    assert await search(db) == [2]
    await db.commit_step(unfinished, Step(checkpoint=b"y", events=[found(4)]))
    assert await search(db) == [2]
    await db.reindex(everything=True)
    assert await search(db) == [2]

    await analysis("old", 1)
    assert await search(db) == [1]


async def test_very_many_events_of_one_moment_are_all_found(db: Database) -> None:
    events = [found(n, START_NS + n % 3) for n in range(2500)]
    await db.import_events(events)

    hits = await db.search(IndexQuery(groups=(concept("type:intrusion"),), limit=1000))
    after = await db.search(
        IndexQuery(groups=(concept("type:intrusion"),), limit=1000, offset=1000)
    )

    assert hits.complete == 2500
    newest = sorted(events, key=lambda e: (-e.event.start_ns, e.event.event_id))
    assert [hit.event_id for hit in (*hits.hits, *after.hits)] == [
        e.event.event_id for e in newest[:2000]
    ]


# --- frames


def shown_in(n: int, **changes: Any) -> tuple[EvidenceRow, FrameRow]:
    frame_id = f"{CAMERA}_20261121_000000_{n:06d}"
    values: dict[str, Any] = {
        "frame_id": frame_id,
        "camera_id": CAMERA,
        "time_ns": n,
        "frame": n,
        "size": (9, 9),
    }
    piece = EvidenceRow(
        kind="original",
        what="entered",
        time_ns=n,
        frame=n,
        sha256="ab" * 32,
        media_type="image/jpeg",
        bytes=1,
        width=9,
        height=9,
        frame_id=frame_id,
    )
    return piece, FrameRow(**(values | changes))


async def test_an_event_is_found_by_the_words_of_its_frames(db: Database) -> None:
    run = await analysed(db, found(1, summary_zh="後門徘徊"), found(2, summary_zh="後門徘徊"))
    event_id = found(1).event.event_id
    hat = shown_in(
        2, vlm_json={"entities": [{"type": "人", "notable": "戴紅帽"}], "unsure": ["傘"]}
    )
    shown = (
        shown_in(1), hat, shown_in(3, summary_zh="白色車經過"),
    )  # fmt: skip
    await db.add_evidence(event_id, [piece for piece, _ in shown], [frame for _, frame in shown])

    hits = await db.search(IndexQuery(groups=(word("徘徊"), word("紅帽"))))
    assert numbers(hits) == [1, 2]
    assert [hit.frame_id for hit in hits.hits] == [hat[1].frame_id, None]
    hits = await db.search(IndexQuery(groups=(word("白色車"), word("紅帽"), word("後門"))))
    assert (hits.complete, hits.hits[0].frame_id) == (1, hat[1].frame_id)
    assert (await db.search(IndexQuery(groups=(word("徘徊"),)))).hits[1].frame_id is None
    assert await search(db, word("傘")) == []
    assert await search(db, word("帽白")) == []
    assert await search(db, word("徘徊"), without=(word("紅帽"),)) == [2]

    again = replace(hat[1], vlm_json={"summary_zh": "撐著雨傘"})
    await db.commit_step(run, Step(checkpoint=b"y", frames=[again]))
    assert await search(db, word("紅帽")) == []
    assert await search(db, word("雨傘")) == [1]

    await db.commit_step(run, Step(checkpoint=b"z", events=[found(1, summary_zh="離開")]))
    assert await search(db, word("雨傘")) == []


# --- whatever is asked


HOSTILE = st.text(
    st.sampled_from("\"'*():^+-&|!<>\\%=~_.@ {}\0\n\ud83d後門aA\u3000") | st.characters(),
    max_size=8,
)


async def test_no_token_has_a_meaning_for_the_database(db: Database) -> None:
    await db.import_events(
        [found(1, summary_zh="後門", camera_id='c" OR "=all'), found(2, camera_id="=all*")]
    )
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(HOSTILE, min_size=1, max_size=3), HOSTILE, HOSTILE)
    def ask(tokens: list[str], said: str, camera: str) -> None:
        term = Term(tokens=tuple(tokens), text=said)
        groups = (Group(key="x", terms=(term,)),)
        for query in (
            IndexQuery(groups=groups),
            IndexQuery(groups=(*groups, word("後門")), without=groups, least=1),
            IndexQuery(cameras=(camera, f"{camera}*")),
        ):
            hits = asyncio.run_coroutine_threadsafe(db.search(query), loop).result(30)
            if query.cameras:
                assert not hits.hits

    await asyncio.to_thread(ask)
    assert await search(db, cameras=('c" OR "=all',)) == [1]
    assert await search(db, cameras=("=all*",)) == [2]


# --- writing the index anew


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_events_of_the_first_version_can_be_found_after_an_upgrade(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    if kind == "postgresql":
        url = request.getfixturevalue("empty_postgres_database")()
    at_first_schema(url)

    async with await Database.open(tmp_path, url) as db:
        hits = await db.search(IndexQuery(groups=(word("后门"),)))

    assert {hit.event_id for hit in hits.hits} == {"evt_1", "evt_3"}


def at_first_schema(url: str) -> None:
    """A database of the first version, with a current, a superseded and an imported event."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(text(statement.replace(": ", "\\: ")))


async def test_names_that_changed_are_found_after_reindexing_everything(db: Database) -> None:
    zones = {"zones": {"yard": {"name": "後院"}}}
    camera = CameraRow(camera_id=CAMERA, name="攝影機", timezone="Asia/Taipei", document=zones)
    await db.save_camera(camera)
    await db.import_events([found(1, zone="yard")])
    assert await search(db, word("後院")) == [1]
    await db.save_camera(replace(camera, document={"zones": {"yard": {"name": "花園"}}}))
    await db.reindex()
    assert await search(db, word("花園")) == []
    told: list[tuple[int, int]] = []

    await db.reindex(lambda done, total: told.append((done, total)), everything=True)

    assert await search(db, word("花園")) == [1]
    assert await search(db, word("後院")) == []
    assert told[-1] == (1, 1)


async def test_reindexing_takes_nothing_away_and_lets_others_write(
    db: Database, url: str, tmp_path: Path
) -> None:
    events = [found(n, summary_zh="後門徘徊") for n in range(1500)]
    await db.import_events(events)
    directly(url, "UPDATE event_documents SET version = 0")
    run = await begin(db)
    written = 0
    async with await Database.open(tmp_path, url) as other:
        reindexing = asyncio.create_task(other.reindex())
        while not reindexing.done():
            new = found(2000 + written, summary_zh="後門闖入")
            await db.commit_step(run, Step(checkpoint=b"x", events=[new]))
            written += 1
            assert (await db.search(IndexQuery(groups=(word("徘徊"),)))).complete == 1500
            assert (await db.search(IndexQuery(groups=(word("闖入"),)))).complete == written
        await reindexing
    assert (await db.search(IndexQuery(groups=(word("後門"),)))).complete == 1500 + written


async def test_a_reindexing_that_was_ended_goes_on_where_it_was(db: Database, url: str) -> None:
    # So many that a second process makes the documents.
    await db.import_events([found(n) for n in range(5200)])
    directly(url, "DELETE FROM event_documents")
    told: list[int] = []

    def stop(done: int, _total: int) -> None:
        told.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await db.reindex(stop)
    assert 0 < (await db.search(IndexQuery())).complete < 5200
    left: list[int] = []
    await db.reindex(lambda _done, total: left.append(total))

    assert (await db.search(IndexQuery())).complete == 5200
    assert set(left) == {5200 - told[0]}


async def test_where_a_second_process_cannot_be_the_first_does_its_work(
    db: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await db.import_events([found(n) for n in range(5200)])
    directly(url, "DELETE FROM event_documents")
    monkeypatch.setattr(sys, "executable", which("false"))  # ends at once

    await db.reindex()

    assert (await db.search(IndexQuery())).complete == 5200
