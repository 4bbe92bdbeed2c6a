"""The database against a model in memory: whatever is done in whatever order, both agree."""

import asyncio
import itertools
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from video_detective.errors import ConflictError
from video_detective.rules import Event
from video_detective.search.base import Group, IndexQuery, Term
from video_detective.storage import EventQuery, Run, RunKey, Step, StoredEvent, TrackRow
from video_detective.storage.database import Database

CAMERA = "cam01"
SOURCES = st.sampled_from(["a", "b"])
TIMES = st.integers(0, 12)
SPANS = st.lists(st.tuples(TIMES, TIMES), max_size=2)
ENDS = st.none() | st.integers(0, 6)
TYPES = st.sampled_from(["intrusion", "pacing"])
EVENTS = st.lists(st.tuples(st.integers(1, 6), TIMES, ENDS, TYPES), max_size=3)
TRACKS = st.lists(st.tuples(st.integers(1, 5), TIMES, TIMES), max_size=2)
OPTIONAL_TIMES = st.none() | st.integers(0, 13)


def stored_event(number: int, start_ns: int, lasts: int | None, kind: str) -> StoredEvent:
    return StoredEvent(
        event=Event(
            event_id=f"evt_20261121_{CAMERA}_{number:04d}",
            camera_id=CAMERA,
            type=kind,
            risk_level="low",
            rule_id="r",
            start_ns=start_ns,
            established_ns=start_ns,
            end_ns=None if lasts is None else start_ns + lasts,
            frames=(0, 0),
        )
    )


def last_ns(stored: StoredEvent) -> float:
    """Until when it held; imported events without an end are instants."""
    if stored.event.end_ns is not None:
        return stored.event.end_ns
    return stored.event.start_ns if stored.run_id is None else math.inf


class StoreMachine(RuleBasedStateMachine):
    """Two analyses of one camera, imports and restarts, on SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.db = self.open()
        self.runs: dict[str, Run] = {}
        self.checkpoints: dict[str, bytes | None] = {}
        self.finished: set[str] = set()
        self.events: dict[str, StoredEvent] = {}
        self.tracks: dict[str, tuple[int, TrackRow]] = {}
        self.watched: set[int] = set()
        self.next: dict[str, int] = {}

    def open(self) -> Database:
        return self.loop.run(Database.open(Path(self.folder.name)))

    def teardown(self) -> None:
        self.loop.run(self.db.close())
        self.loop.close()
        self.folder.cleanup()

    @rule()
    def restart(self) -> None:
        self.loop.run(self.db.close())
        self.db = self.open()

    @rule(source=SOURCES)
    def begin(self, source: str) -> None:
        key = RunKey(camera_id=CAMERA, fingerprint=source, settings_hash="s")
        older = self.runs.get(source)
        run = self.loop.run(self.db.begin_run(key, {}, 0))
        if source in self.finished:
            assert run.status == "done"
        else:
            assert run.status == ("new" if older is None else "resumed")
            assert run.checkpoint == self.checkpoints.get(source)
        if older is not None:
            with pytest.raises(ConflictError):
                self.loop.run(self.db.commit_step(older, Step(checkpoint=b"late")))
        self.runs[source] = run

    @precondition(lambda self: self.runs)
    @rule(
        data=st.data(), checkpoint=st.binary(max_size=4), events=EVENTS, tracks=TRACKS, spans=SPANS
    )
    def step(
        self,
        data: st.DataObject,
        checkpoint: bytes,
        events: list[tuple[int, int, int | None, str]],
        tracks: list[tuple[int, int, int]],
        spans: list[tuple[int, int]],
    ) -> None:
        source = data.draw(st.sampled_from(sorted(self.runs)))
        run = self.runs[source]
        new_events = [stored_event(*values) for values in events]
        new_tracks = {
            f"p{n}": TrackRow(
                track_id=f"p{n}", type="person", first_ns=min(a, b), last_ns=max(a, b), best_conf=1
            )
            for n, a, b in tracks
        }
        foreign = any(
            self.events[e.event.event_id].run_id != run.run_id
            for e in new_events
            if e.event.event_id in self.events
        ) or any(self.tracks[t][0] != run.run_id for t in new_tracks if t in self.tracks)
        step = Step(
            checkpoint=checkpoint,
            events=new_events,
            tracks=list(new_tracks.values()),
            coverage=spans,
        )
        if source in self.finished or foreign:
            with pytest.raises(ConflictError):
                self.loop.run(self.db.commit_step(run, step))
            return
        self.loop.run(self.db.commit_step(run, step))
        self.checkpoints[source] = checkpoint
        for new in new_events:
            self.events[new.event.event_id] = replace(new, run_id=run.run_id)
            self.count("20261121", int(new.event.event_id[-4:]))
        for track_id, track in new_tracks.items():
            _, old = self.tracks.get(track_id, (0, track))
            grown = replace(
                track,
                first_ns=min(track.first_ns, old.first_ns),
                last_ns=max(track.last_ns, old.last_ns),
            )
            self.tracks[track_id] = (run.run_id, grown)
            self.count("p", int(track_id[1:]))
        for start_ns, end_ns in spans:
            self.watched |= set(range(start_ns, end_ns))

    def count(self, key: str, number: int) -> None:
        self.next[key] = max(self.next.get(key, 0), number + 1)

    @precondition(lambda self: set(self.runs) - self.finished)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        source = data.draw(st.sampled_from(sorted(set(self.runs) - self.finished)))
        self.loop.run(self.db.finish_run(self.runs[source], {}))
        self.finished.add(source)

    @rule(events=EVENTS)
    def import_events(self, events: list[tuple[int, int, int | None, str]]) -> None:
        batch = {new.event.event_id: new for new in (stored_event(*values) for values in events)}
        counts = self.loop.run(self.db.import_events(list(batch.values())))
        expected = {"new": 0, "replaced": 0, "unchanged": 0, "kept": 0}
        for event_id, new in batch.items():
            self.count("20261121", int(event_id[-4:]))
            old = self.events.get(event_id)
            if old is not None and old.run_id is not None:
                expected["kept"] += 1
                continue
            expected["new" if old is None else "unchanged" if old == new else "replaced"] += 1
            self.events[event_id] = new
        assert expected == {name: getattr(counts, name) for name in expected}

    @rule(since=OPTIONAL_TIMES, until=OPTIONAL_TIMES, types=st.sets(TYPES), limit=st.integers(1, 3))
    def list_events(
        self, since: int | None, until: int | None, types: set[str], limit: int
    ) -> None:
        expected = [
            stored
            for stored in sorted(
                self.events.values(), key=lambda e: (e.event.start_ns, e.event.event_id)
            )
            if (not types or stored.event.type in types)
            and (until is None or stored.event.start_ns < until)
            and (since is None or last_ns(stored) >= since)
        ]
        for order in ("oldest", "newest"):
            query = EventQuery(
                since_ns=since, until_ns=until, types=tuple(types), limit=limit, order=order
            )
            found: list[StoredEvent] = []
            while True:
                page = self.loop.run(self.db.events(query))
                assert page.total == len(expected)
                found += page.events
                if page.next_cursor is None:
                    break
                query = replace(query, cursor=page.next_cursor)
            assert found == (expected if order == "oldest" else expected[::-1])

    @rule(since=OPTIONAL_TIMES, until=OPTIONAL_TIMES, types=st.sets(TYPES, max_size=1))
    def search_events(self, since: int | None, until: int | None, types: set[str]) -> None:
        groups = tuple(
            Group(key=kind, terms=(Term(tokens=(f"type:{kind}",)),)) for kind in sorted(types)
        )
        query = IndexQuery(groups=groups, since_ns=since, until_ns=until, limit=1000)
        hits = self.loop.run(self.db.search(query))
        expected = [
            stored.event
            for stored in self.events.values()
            if types <= {stored.event.type}
            and (until is None or stored.event.start_ns < until)
            and (since is None or last_ns(stored) >= since)
        ]
        assert [hit.event_id for hit in hits.hits] == [
            event.event_id for event in sorted(expected, key=lambda e: (-e.start_ns, e.event_id))
        ]

    @rule(since=TIMES, until=TIMES)
    def look_at_coverage(self, since: int, until: int) -> None:
        spans = self.loop.run(self.db.coverage(CAMERA, since, until))
        assert {t for start, end in spans for t in range(start, end)} == {
            t for t in self.watched if since <= t < until
        }
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))

    @rule()
    def look_at_tracks(self) -> None:
        found = self.loop.run(self.db.tracks(CAMERA, -1, 99))
        assert sorted(found, key=lambda t: t.track_id) == [
            self.tracks[track_id][1] for track_id in sorted(self.tracks)
        ]

    @invariant()
    def numbers_are_never_used_again(self) -> None:
        numbers = self.loop.run(self.db.next_numbers(CAMERA))
        assert {**numbers.tracks, **numbers.events} == self.next


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
