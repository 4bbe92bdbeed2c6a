"""The database of everything but media: the one way to it for the rest of the program."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from video_detective.search.base import Hits, IndexQuery
from video_detective.storage import (
    counting,
    looks,
    migrate,
    narrations,
    preparing,
    reading,
    reindexing,
    searching,
    writing,
)
from video_detective.storage.accounts.accounts import Accounts
from video_detective.storage.attributes.attributes import AttributeRecords
from video_detective.storage.backlog import Backlog
from video_detective.storage.base import (
    CameraRow,
    EventQuery,
    EvidenceRow,
    FrameRow,
    ImportCounts,
    LookRow,
    NextNumbers,
    Page,
    PointRow,
    Run,
    RunCounts,
    RunKey,
    RunRow,
    Step,
    StoredEvent,
    TrackRow,
)
from video_detective.storage.changes import Changes
from video_detective.storage.connections import Connections
from video_detective.storage.devices.devices import Devices
from video_detective.storage.dialects import Address
from video_detective.storage.documents import Built
from video_detective.storage.failures import explained
from video_detective.storage.insights.insights import Insights
from video_detective.storage.marks import Mark, marks
from video_detective.storage.narration_rows import NarrationRequest
from video_detective.storage.narrations import Narrations
from video_detective.storage.notices.notices import Notices
from video_detective.storage.notices.rates import SharedWindows, WindowsInMemory
from video_detective.storage.queue_place import QueuePlace, queue_place
from video_detective.storage.reach import Reach, reaches_event
from video_detective.storage.retention.retention import Retention
from video_detective.storage.statistics.statistics import Statistics
from video_detective.storage.vectors import Vectors
from video_detective.storage.work.repository import Work


class Database:
    """An open database. It belongs to the event loop in which it was opened.

    Every writing method is one transaction: wholly there or not at all, also when the process is
    killed. Every method raises ``StorageError`` when the database cannot be used.
    """

    def __init__(self, address: Address, lock_timeout_s: float) -> None:
        self._address = address
        self._place = address.place
        self._kind = address.kind
        self._connections = Connections(address, lock_timeout_s)
        self._reading = self._connections.reading
        self._writing = self._connections.writing
        self.devices = Devices(address.kind, self._reading, self._writing)
        self.accounts = Accounts(address.kind, self._reading, self._writing)
        self.narrations = Narrations(address.kind, self._reading, self._writing)
        self.insights = Insights(address.kind, self._reading, self._writing)
        self.attributes = AttributeRecords(address.kind, self._reading, self._writing)
        self.vectors = Vectors(address.kind, self._reading, self._writing)
        self.work = Work(address.kind, self._reading, self._writing)
        self.notices = Notices(address.kind, self._reading, self._writing)
        self.statistics = Statistics(self._reading)
        self.live = Changes(address.kind, self._reading)
        self.retention = Retention(address.kind, self._reading, self._writing)
        self.backlog = Backlog(self._reading)

    @classmethod
    async def open(
        cls, data_dir: Path, url: str | None = None, *, lock_timeout_s: float = 30.0
    ) -> Self:
        """Open a database; create it or bring it to this version's schema where needed.

        Args:
            data_dir: Folder of the SQLite file ``video-detective.db``; made when absent. Not used
                with ``url``.
            url: ``sqlite:////path/to/file.db`` or ``postgresql://user:password@host/database``.
            lock_timeout_s: How long to wait for another process that writes to the SQLite file,
                or that uses tables on PostgreSQL which are to be brought to this version.

        Raises:
            UsageError: the URL is none of these.
            StorageError: it cannot be opened (read-only, full, damaged, unreachable, refused, in
                use while it is to be migrated), or a newer version wrote it. The text never shows
                the URL's user or password.
        """
        address = Address.parse(data_dir, url)
        with explained(address.place):
            if address.kind == "sqlite":
                Path(address.place).parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(migrate.upgrade, address, lock_timeout_s)
        database = cls(address, lock_timeout_s)
        try:
            async with database._reading() as connection:
                is_stale = await reindexing.is_stale(connection)
            if is_stale:
                await database.reindex()
        except BaseException:
            await database.close()
            raise
        return database

    def windows(self, clock: Callable[[], float]) -> WindowsInMemory:
        """Where requests are counted: with other processes on PostgreSQL, here alone on SQLite.

        Args:
            clock: Seconds since the epoch.
        """
        if self._kind == "sqlite":
            return WindowsInMemory(clock)
        return SharedWindows(self._writing, clock)

    async def queue_place(self) -> QueuePlace:
        """Where the job queue keeps its own tables; see ``storage.queue_place``.

        Raises:
            StorageError: its file cannot be made.
        """
        return await asyncio.to_thread(queue_place, self._address)

    @property
    def changes(self) -> int:
        """How many transactions of this object have changed something."""
        return self._connections.changes

    async def close(self) -> None:
        """Close every connection when what is under way has ended; it cannot be used afterwards."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # --- cameras

    async def save_camera(self, camera: CameraRow) -> None:
        """Store a camera's configuration; a later one replaces it."""
        async with self._writing() as connection:
            await writing.save_camera(connection, self._kind, camera)

    async def cameras(self) -> list[CameraRow]:
        """Every camera ever configured, in order of id."""
        async with self._reading() as connection:
            return await reading.cameras(connection)

    async def cameras_in(self, reach: Reach | None) -> frozenset[str] | None:
        """Camera ids in reach; None where every one is, also those that nobody configured."""
        if reach is None:
            return None
        async with self._reading() as connection:
            return await reading.cameras_in(connection, reach)

    # --- runs

    async def begin_run(self, key: RunKey, info: Mapping[str, Any], start_ns: int) -> Run:
        """Begin an analysis, or continue or report the one of the same key.

        Whoever began it earlier loses the right to write to it. One that is done supersedes the
        others of the same footage again, as when it was finished.

        Args:
            key: Which analysis.
            info: About the source, plain JSON for people.
            start_ns: Time of the source's first frame.
        """
        async with self._writing() as connection:
            return await writing.begin_run(connection, self._kind, key, info, start_ns)

    async def commit_step(self, run: Run, step: Step) -> None:
        """Add one stretch of an analysis and its checkpoint, in one transaction.

        Raises:
            ConflictError: the run was begun again by another process or is done, or another
                analysis of the camera has given out the same track or event id meanwhile.
        """
        async with self._writing() as connection:
            await writing.commit_step(connection, self._kind, run, step)

    async def finish_run(self, run: Run, report: Mapping[str, Any]) -> None:
        """Mark an analysis done, drop its checkpoint, and let it take the place of earlier ones.

        Events of every other analysis of the same camera and fingerprint are no longer listed
        (``event`` still finds them by id), until that analysis is begun again while done, or
        finishes later.

        Raises:
            ConflictError: as ``commit_step``.
        """
        async with self._writing() as connection:
            await writing.finish_run(connection, self._kind, run, report)

    async def runs(self, camera: str | None = None) -> list[RunRow]:
        """Every analysis (of a camera), newest first."""
        async with self._reading() as connection:
            return await reading.runs(connection, camera)

    async def run_counts(self, run: Run) -> RunCounts:
        """What an analysis has given so far."""
        async with self._reading() as connection:
            return await reading.run_counts(connection, run.run_id)

    async def next_numbers(self, camera_id: str) -> NextNumbers:
        """The first track and event numbers that no analysis or import ever used.

        A resumed run must go on from the larger of these and its checkpoint's: another analysis
        of the camera may have run in between.
        """
        async with self._reading() as connection:
            return await reading.next_numbers(connection, camera_id)

    # --- search

    async def search(self, query: IndexQuery) -> Hits:
        """One page of the events whose documents match, best first.

        Of more than ``matching.MAX_GROUPS`` groups only the weightiest are looked for.

        Raises:
            UsageError: limit, offset or the number of words cannot be meant.
        """
        async with self._reading() as connection:
            return await searching.search(connection, self._kind, query)

    async def marks(self, query: IndexQuery, *, most: int) -> tuple[list[Mark], bool]:
        """The newest events that match in full, in order of start, and whether more are older.

        Args:
            query: What is asked; limit and offset are not read, ``only_complete`` must be set.
            most: At most so many.

        Raises:
            UsageError: there are too many words.
        """
        async with self._reading() as connection:
            return await marks(connection, self._kind, query, most)

    async def reindex(
        self, progress: Callable[[int, int], None] | None = None, *, everything: bool = False
    ) -> None:
        """Write the search documents that are missing or of another version; others may work on.

        Many short transactions: one that was ended before its time goes on where it was when it
        is called again. Meanwhile a search finds what it found before.

        Args:
            progress: Called with how many events are done, and of how many.
            everything: Also write those that are of this version, from the beginning: names of
                cameras and places may have changed since.
        """
        if everything:
            async with self._writing() as connection:
                await reindexing.forget_versions(connection)
        async with self._reading() as connection:
            total = await reindexing.count_lacking(connection)
        async with AsyncExitStack() as stack:
            prepare: reindexing.Prepare = self._prepare
            if total > reindexing.MANY:
                elsewhere = preparing.second_process(self._address, self._prepare)
                prepare = await stack.enter_async_context(elsewhere)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            ahead: deque[tuple[reindexing.Stretch, asyncio.Task[list[Built]]]] = deque()
            following = await self._next_stretch(None)
            done = 0
            while following is not None or ahead:
                while following is not None and len(ahead) < reindexing.AHEAD:
                    ahead.append((following, tasks.create_task(prepare(following))))
                    following = await self._next_stretch(following.last)
                stretch, making = ahead.popleft()
                if built := await making:
                    async with self._writing() as connection:
                        await reindexing.store(connection, self._kind, stretch, built)
                done += len(built)
                if progress is not None:
                    progress(min(done, total), total)
        is_first = has_more = total > reindexing.MANY
        while has_more:
            async with self._writing() as connection:
                has_more = await reindexing.join_pieces(connection, self._kind, first=is_first)
            is_first = False
        async with self._writing() as connection:
            await reindexing.set_complete(connection, self._kind)
        if progress is not None:
            progress(total, total)

    async def _prepare(self, stretch: reindexing.Stretch) -> list[Built]:
        async with self._reading() as connection:
            return await connection.run_sync(reindexing.prepare, stretch)

    async def _next_stretch(self, after: reindexing.Place | None) -> reindexing.Stretch | None:
        async with self._reading() as connection:
            return await reindexing.next_stretch(connection, after)

    # --- evidence

    async def events_without_evidence(self, run: Run) -> list[StoredEvent]:
        """The run's events that have no evidence yet, in order of start (open ones included)."""
        async with self._reading() as connection:
            return await reading.events_without_evidence(connection, run.run_id)

    async def add_evidence(
        self,
        event_id: str,
        evidence: Sequence[EvidenceRow],
        frames: Sequence[FrameRow] = (),
        *,
        narrate: NarrationRequest | None = None,
        now_ns: int | None = None,
    ) -> None:
        """Add evidence of an event and the frames it refers to; again is harmless.

        Args:
            event_id: Which event.
            evidence: Pictures and clips.
            frames: Those that have pictures now.
            narrate: Also ask for the event to be told, if it is closed and has no narration.
            now_ns: The time; channels that were told of alerts without pictures are told of them.

        Raises:
            MissingError: there is no such event.
        """
        async with self._writing() as connection:
            await writing.add_evidence(connection, self._kind, event_id, evidence, frames, now_ns)
            if narrate is not None:
                await narrations.request_closed(connection, self._kind, event_id, narrate)

    async def show_open(
        self,
        event_id: str,
        evidence: Sequence[EvidenceRow],
        frames: Sequence[FrameRow],
        *,
        now_ns: int | None = None,
    ) -> None:
        """Give the insights of an event that goes on their pictures, where they have none.

        The event itself gets its evidence when it is over.

        Args:
            event_id: Which event.
            evidence: Pictures, as drawn and as seen.
            frames: Those that have pictures now.
            now_ns: As of ``add_evidence``.
        """
        async with self._writing() as connection:
            await writing.show_open(connection, self._kind, event_id, evidence, frames, now_ns)

    # --- reading

    async def events(self, query: EventQuery) -> Page:
        """One page of the events that meet every condition.

        Raises:
            UsageError: limit or cursor cannot be meant.
        """
        async with self._reading() as connection:
            return await reading.events(connection, query)

    async def event_counts(self, query: EventQuery, clock: counting.Clock) -> counting.EventCounts:
        """How many events meet every condition, by kind and by time, as of one moment.

        Args:
            query: Limit, cursor and order are not read.
            clock: How time is cut.
        """
        async with self._reading() as connection:
            return await counting.event_counts(connection, query, clock)

    async def gravest_events(self, query: EventQuery) -> list[StoredEvent]:
        """The first ``query.limit`` events by falling risk, then by start."""
        async with self._reading() as connection:
            return await counting.gravest(connection, query)

    async def event(self, event_id: str, reach: Reach | None = None) -> StoredEvent | None:
        """One event with its evidence and narration, also of a superseded analysis.

        Args:
            event_id: Which.
            reach: Of whom; None: of everybody.
        """
        async with self._reading() as connection:
            if reach is not None and not await reaches_event(connection, reach, event_id):
                return None
            return await reading.event(connection, event_id)

    async def events_by_id(self, event_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """Those of these events that there are, by id, with evidence and narration."""
        async with self._reading() as connection:
            return await reading.events_by_id(connection, event_ids)

    async def frame(self, frame_id: str) -> FrameRow | None:
        """One frame."""
        async with self._reading() as connection:
            return await reading.frame(connection, frame_id)

    async def frames(self, camera: str, since_ns: int, until_ns: int) -> list[FrameRow]:
        """A camera's frames in ``[since_ns, until_ns)``, in order of time."""
        async with self._reading() as connection:
            return await reading.frames(connection, camera, since_ns, until_ns)

    async def tracks(self, camera: str, since_ns: int, until_ns: int) -> list[TrackRow]:
        """A camera's tracks that were seen in ``[since_ns, until_ns)``, in order of first time."""
        async with self._reading() as connection:
            return await reading.tracks(connection, camera, since_ns, until_ns)

    async def track_points(
        self, camera: str, since_ns: int, until_ns: int, *, run_id: int | None = None
    ) -> list[PointRow]:
        """Tracked boxes in ``[since_ns, until_ns)``, in order of time and track id.

        Args:
            camera: Camera id.
            since_ns: Beginning of the period.
            until_ns: Its end, exclusive.
            run_id: Only of this analysis; without it footage that was analysed twice under
                different settings gives both.
        """
        async with self._reading() as connection:
            return await reading.track_points(connection, camera, since_ns, until_ns, run_id)

    async def shown_runs(self, camera: str, since_ns: int, until_ns: int) -> list[looks.RunSpan]:
        """The analyses of a camera whose events are listed and that saw something in a period."""
        async with self._reading() as connection:
            return await looks.shown_runs(connection, camera, since_ns, until_ns)

    async def look_count(self, run_id: int, since_ns: int, until_ns: int) -> int:
        """About how many moments of an analysis are kept in ``[since_ns, until_ns)``."""
        async with self._reading() as connection:
            return await looks.count(connection, run_id, since_ns, until_ns)

    async def looks(
        self, run_id: int, since_ns: int, until_ns: int, *, limit: int = 4
    ) -> tuple[list[LookRow], int | None]:
        """The first moments of an analysis in ``[since_ns, until_ns)``, about 300 a ``limit``.

        Returns:
            The moments, and from when on there are more; None when these are all.
        """
        async with self._reading() as connection:
            return await looks.read(connection, run_id, since_ns, until_ns, limit)

    async def coverage(self, camera: str, since_ns: int, until_ns: int) -> list[tuple[int, int]]:
        """When the camera was watched: disjoint ``(start_ns, end_ns)`` cut to the period."""
        return (await self.coverages([camera], since_ns, until_ns))[camera]

    async def coverages(
        self, cameras: Collection[str], since_ns: int, until_ns: int
    ) -> dict[str, list[tuple[int, int]]]:
        """As ``coverage``, of each of the cameras, in their order."""
        async with self._reading() as connection:
            return await reading.coverages(connection, cameras, since_ns, until_ns)

    async def import_events(self, events: Sequence[StoredEvent]) -> ImportCounts:
        """Store events that were found elsewhere; again is harmless.

        Evidence rows of the events are not imported: their blobs would not be here.
        """
        async with self._writing() as connection:
            return await writing.import_events(connection, self._kind, events)
