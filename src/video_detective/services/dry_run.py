"""Try a scene on what was seen: which events would appear, vanish or move, which alerts be made.

The rules look at tracks, views and cuts, never at pictures; all that they looked at is stored
(``storage.looks``). So every rule can be played again exactly, under other zones, tripwires and
parameters. What the detector would have found under other settings is not stored.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.config import Camera
from video_detective.errors import FieldError, Flaw, TooLargeError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns as clock
from video_detective.rules import Event, Observation
from video_detective.rules.parameters import Metric
from video_detective.services.access import Caller
from video_detective.services.devices import find_device
from video_detective.services.replay import Difference, Play, PlayedAlert, compare, event_key
from video_detective.services.scenes import check_document, find_scene
from video_detective.services.times import field_period, local_time
from video_detective.services.workspace import Workspace
from video_detective.storage import EventQuery, LookRow, PointRow
from video_detective.storage.devices import DeviceRow, SceneRow
from video_detective.storage.looks import RunSpan
from video_detective.tracking.base import Track
from video_detective.tracking.numbering import id_order

LONGEST_NS = 7 * 24 * 3600 * NS_PER_S
MOST_LOOKS = 650_000
"""Of one dry run: 36 hours at five looks a second, and some minutes of one core at most."""
WHOLE_LOOKS = 100_000
"""A run is played from its start while this is no more; else from ``WARM_UP_NS`` before."""
WARM_UP_NS = 3600 * NS_PER_S
_STRETCH_NS = 60 * NS_PER_S
_MOST_STORED = 10_000
_LATEST_NS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Something that the result cannot show.

    Args:
        code: Stable key.
        message: In words.
        rule_ids: Rules whose events it is about; () for all.
    """

    code: str
    message: str
    rule_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What came of it.

    Args:
        scene: The scene at its version in force.
        since_ns, until_ns: The period.
        timezone: In which times without offset were read.
        difference: Of the events.
        alerts_now, alerts_draft: Alerts that either version makes.
        stored_ids: Of events that are stored as they were played, their ids, by ``event_key``.
        looks: Moments played, warm-up included.
        watched_ns: How long of the period was watched.
        limits: What the result cannot show.
    """

    scene: SceneRow
    since_ns: int
    until_ns: int
    timezone: str
    difference: Difference
    alerts_now: Sequence[PlayedAlert]
    alerts_draft: Sequence[PlayedAlert]
    stored_ids: Mapping[tuple[str, ...], str]
    looks: int
    watched_ns: int
    limits: Sequence[Limit]


class DryRuns:
    """Dry runs of a service, one at a time: each takes a core.

    Args:
        workspace: Where the footage is.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._turn = asyncio.Lock()

    async def run(
        self,
        caller: Caller,
        scene_id: str,
        *,
        document: Mapping[str, Any] | None,
        since: str | None,
        until: str | None,
        hours: float = 24.0,
    ) -> DryRun:
        """Play a period under a draft and under the version in force.

        Cancelling it ends it after the stretch in hand.

        Args:
            caller: Who asks.
            scene_id: Of which scene.
            document: The draft; None plays the version in force against itself.
            since: RFC 3339; without offset in the device's zone. None: ``hours`` before the end.
            until: Likewise, exclusive. None: where the newest footage ends.
            hours: How long, without ``since``.

        Raises:
            MissingError: there is no such scene in reach.
            FieldError: the period or the document cannot be meant.
            TooLargeError: more was seen in it than is played at once.
        """
        workspace = self._workspace
        scene = await find_scene(workspace, caller, scene_id)
        device = await find_device(workspace, caller, scene.device_id)
        since_ns, until_ns = await self._period(device, since, until, hours)
        now = _camera(device, scene.document)
        draft = now
        if document is not None:
            checked = await check_document(workspace, document, kept=scene.document)
            draft = _camera(device, checked.model_dump(mode="json"))
        async with self._turn:
            return await self._play(device, scene, now, draft, since_ns, until_ns)

    async def _play(
        self,
        device: DeviceRow,
        scene: SceneRow,
        now: Camera,
        draft: Camera,
        since_ns: int,
        until_ns: int,
    ) -> DryRun:
        database, camera_id = self._workspace.database, device.camera_id
        runs = await database.shown_runs(camera_id, since_ns, until_ns)
        begins = {
            run.run_id: await self._begin(run, since_ns, until_ns, now, draft) for run in runs
        }
        expected = [
            await database.look_count(run.run_id, begins[run.run_id], until_ns) for run in runs
        ]
        if sum(expected) > MOST_LOOKS:
            raise TooLargeError(
                f"The rules looked {sum(expected):,} times in this period",
                remedy=f"Choose a shorter one: up to {MOST_LOOKS:,} are played at once.",
                reason="period_too_full",
                most=MOST_LOOKS,
            )
        plays = [Play(camera_id, now), Play(camera_id, draft)]
        count = 0
        for run in runs:
            observed = self._observations(camera_id, run, begins[run.run_id], until_ns, now)
            async for observations in observed:
                count += len(observations)
                await asyncio.to_thread(_see, plays, observations)
                if count > MOST_LOOKS:
                    raise TooLargeError(
                        "More was seen in this period than is played at once",
                        remedy="Choose a shorter one.",
                        reason="period_too_full",
                        most=MOST_LOOKS,
                    )
            is_done = run.is_done and run.last_ns < until_ns
            await asyncio.to_thread(_end, plays, is_done=is_done)
        watched = await database.coverage(camera_id, since_ns, until_ns)
        watched_ns = sum(end_ns - start_ns for start_ns, end_ns in watched)
        found_now = plays[0].events(since_ns, until_ns)
        difference = await asyncio.to_thread(
            compare, found_now, plays[1].events(since_ns, until_ns)
        )
        stored = await self._stored(camera_id, since_ns, until_ns)
        limits = [
            *_limits_of_footage(runs, begins, since_ns, until_ns, watched_ns, now, draft),
            *_limits_of_draft(now, draft),
            *_limits_of_stored(stored, found_now),
        ]
        return DryRun(
            scene=scene,
            since_ns=since_ns,
            until_ns=until_ns,
            timezone=device.timezone,
            difference=difference,
            alerts_now=plays[0].alerts(since_ns, until_ns),
            alerts_draft=plays[1].alerts(since_ns, until_ns),
            stored_ids=stored,
            looks=count,
            watched_ns=watched_ns,
            limits=limits,
        )

    async def _period(
        self, device: DeviceRow, since: str | None, until: str | None, hours: float
    ) -> tuple[int, int]:
        since_ns, until_ns = field_period(since, until, ZoneInfo(device.timezone), ("from", "to"))
        if until_ns is None:
            runs = await self._workspace.database.shown_runs(device.camera_id, 0, _LATEST_NS)
            until_ns = max((run.last_ns + 1 for run in runs), default=None) or clock()
        if since_ns is None:
            since_ns = until_ns - round(hours * 3600 * NS_PER_S)
        if since_ns >= until_ns:
            flaw = Flaw(
                f"{since!r} is not before the end of the footage",
                reason="after_footage",
                value=since,
            )
            raise FieldError([("from", flaw)])
        if until_ns - since_ns > LONGEST_NS:
            flaw = Flaw("the period is longer than 7 days", reason="period_too_long", days=7)
            raise FieldError([("to", flaw)])
        return since_ns, until_ns

    async def _begin(
        self, run: RunSpan, since_ns: int, until_ns: int, now: Camera, draft: Camera
    ) -> int:
        """From when on a run is played, so that the rules know what they knew at ``since_ns``."""
        if run.first_ns >= since_ns:
            return run.first_ns
        database = self._workspace.database
        count = await database.look_count(run.run_id, run.first_ns, until_ns)
        if run.is_whole and count <= WHOLE_LOOKS:
            return run.first_ns
        begin_ns = since_ns - WARM_UP_NS
        if any(_counts_the_day(camera) for camera in (now, draft)):
            begin_ns = min(begin_ns, _midnight(since_ns, ZoneInfo(now.timezone)))
        return max(run.first_ns, begin_ns)

    async def _observations(
        self, camera_id: str, run: RunSpan, begin_ns: int, until_ns: int, camera: Camera
    ) -> AsyncIterator[list[Observation]]:
        """What the rules saw, some at a time: short pieces, as each is read in the event loop."""
        if not run.is_whole:
            async for piece in self._guessed(camera_id, run, begin_ns, until_ns, camera):
                yield piece
            return
        following: int | None = begin_ns
        while following is not None:
            looks, following = await self._workspace.database.looks(
                run.run_id, following, until_ns, limit=1
            )
            points: list[PointRow] = []
            if any(look.tracks is None for look in looks):
                points = await self._workspace.database.track_points(
                    camera_id, looks[0].time_ns, looks[-1].time_ns + 1, run_id=run.run_id
                )
            yield _observed(looks, points)

    async def _guessed(
        self, camera_id: str, run: RunSpan, begin_ns: int, until_ns: int, camera: Camera
    ) -> AsyncIterator[list[Observation]]:
        """The same of an analysis of which only points are kept: nothing was seen in between."""
        database = self._workspace.database
        step_ns = round(NS_PER_S / camera.sampling.fps)
        size: tuple[int, int] | None = None
        end_ns = min(until_ns, run.last_ns + 1)
        for start_ns in range(begin_ns, end_ns, _STRETCH_NS):
            stop_ns = min(start_ns + _STRETCH_NS, end_ns)
            points = await database.track_points(camera_id, start_ns, stop_ns, run_id=run.run_id)
            frames = {
                frame.time_ns: frame
                for frame in await database.frames(camera_id, start_ns, stop_ns)
            }
            if frames:
                size = next(iter(frames.values())).size
            if size is None:
                continue
            tracks, numbers = _by_time(points), {point.time_ns: point.frame for point in points}
            empty = [
                moment_ns
                for first_ns, last_ns in await database.coverage(camera_id, start_ns, stop_ns)
                for moment_ns in range(first_ns, last_ns, step_ns)
            ]
            times = sorted({*tracks, *_apart(empty, sorted(tracks), step_ns)})
            yield [
                Observation(
                    time_ns=time_ns,
                    frame=numbers.get(time_ns, 0),
                    size=frames[time_ns].size if time_ns in frames else size,
                    tracks=tracks.get(time_ns, ()),
                    view=frames[time_ns].view if time_ns in frames else "ok",
                    cut=time_ns in frames and frames[time_ns].cut,
                )
                for time_ns in times
            ]

    async def _stored(
        self, camera_id: str, since_ns: int, until_ns: int
    ) -> dict[tuple[str, ...], str]:
        """Ids of the stored events of the period, by what they are."""
        found: dict[tuple[str, ...], str] = {}
        cursor: str | None = None
        while len(found) < _MOST_STORED:
            page = await self._workspace.database.events(
                EventQuery(
                    camera=camera_id,
                    since_ns=since_ns,
                    until_ns=until_ns,
                    limit=200,
                    cursor=cursor,
                    order="oldest",
                )
            )
            found |= {event_key(one.event): one.event.event_id for one in page.events}
            cursor = page.next_cursor
            if cursor is None:
                break
        return found


def _see(plays: Sequence[Play], observations: Sequence[Observation]) -> None:
    for play in plays:
        play.see(observations)


def _end(plays: Sequence[Play], *, is_done: bool) -> None:
    for play in plays:
        play.end_run(is_done=is_done)


def _camera(device: DeviceRow, document: Mapping[str, Any]) -> Camera:
    named = {"name": device.name, "timezone": device.timezone}
    return Camera.model_validate({**document, **named})


def _observed(looks: Sequence[LookRow], points: Sequence[PointRow]) -> list[Observation]:
    tracks = _by_time(points)
    return [
        Observation(
            time_ns=look.time_ns,
            frame=look.frame,
            size=look.size,
            tracks=tracks.get(look.time_ns, ()) if look.tracks is None else look.tracks,
            view=look.view,
            cut=look.cut,
        )
        for look in looks
    ]


def _by_time(points: Sequence[PointRow]) -> dict[int, tuple[Track, ...]]:
    """Tracks of each moment in the tracker's order, on which the order of events depends."""
    grouped: dict[int, list[Track]] = defaultdict(list)
    for point in points:
        grouped[point.time_ns].append(point.track)
    return {
        time_ns: tuple(sorted(tracks, key=lambda track: id_order(track.track_id)))
        for time_ns, tracks in grouped.items()
    }


def _apart(moments: Sequence[int], others: Sequence[int], step_ns: int) -> list[int]:
    """The moments that are no nearer than half a step to any of the others; both sorted."""
    kept, place = [], 0
    for moment_ns in moments:
        while place < len(others) and others[place] <= moment_ns - step_ns // 2:
            place += 1
        if place == len(others) or others[place] >= moment_ns + step_ns // 2:
            kept.append(moment_ns)
    return kept


def _counts_the_day(camera: Camera) -> bool:
    return any(
        isinstance(rule, Metric) and rule.metric.startswith("tripwires.") for rule in camera.rules
    )


def _midnight(time_ns: int, zone: ZoneInfo) -> int:
    local = local_time(time_ns, zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    return time_ns - round((local - midnight) / timedelta(microseconds=1)) * 1000


def _limits_of_footage(
    runs: Sequence[RunSpan],
    begins: Mapping[int, int],
    since_ns: int,
    until_ns: int,
    watched_ns: int,
    now: Camera,
    draft: Camera,
) -> list[Limit]:
    limits: list[Limit] = []
    if watched_ns < until_ns - since_ns:
        missing_s = round((until_ns - since_ns - watched_ns) / NS_PER_S)
        limits.append(
            Limit(
                code="not_watched",
                message=f"{missing_s} s of the period were not watched: nothing of them is known.",
            )
        )
    if any(begins[run.run_id] > run.first_ns for run in runs if run.first_ns < since_ns):
        limits.append(
            Limit(
                code="warm_up",
                message="The rules were started an hour before the period (at midnight where they "
                "count by day). Events that depend on anything earlier may differ.",
            )
        )
    if any(run.last_ns >= until_ns or not run.is_done for run in runs):
        limits.append(
            Limit(
                code="open_end",
                message="The footage goes on after the period: events that are open at its end "
                "have no end here, and what is established later is left out.",
            )
        )
    if any(not run.is_whole for run in runs):
        rules = {rule.id: rule for camera in (now, draft) for rule in camera.rules}
        unsure = ("camera_tampered", "abandoned_object", "loitering", "post_left", "metric")
        limits.append(
            Limit(
                code="points_only",
                message="Some footage was analysed by an earlier version, which kept tracks of "
                "sampled frames only. Whether the camera was covered, things at rest and empty "
                "moments needed the picture: these rules may find other events there.",
                rule_ids=tuple(key for key, rule in rules.items() if rule.type in unsure),
            )
        )
    return limits


def _limits_of_draft(now: Camera, draft: Camera) -> list[Limit]:
    limits: list[Limit] = []
    parts = [
        name
        for name in ("detection", "sampling", "attributes")
        if getattr(now, name) != getattr(draft, name)
    ]
    if parts:
        limits.append(
            Limit(
                code="needs_the_picture",
                message=f"The draft also changes {', '.join(parts)}. What the detector would then "
                "find is not stored: the tracks are those of the settings of that time.",
            )
        )
    detected = set(now.detection.classes)
    blind = {
        rule.id: rule.classes
        for rule in draft.rules
        if rule.classes and not detected.intersection(rule.classes)
    }
    if blind:
        named = sorted({name for classes in blind.values() for name in classes})
        limits.append(
            Limit(
                code="classes_not_detected",
                message=f"Nobody looked for {', '.join(named)}: there are no tracks of them.",
                rule_ids=tuple(blind),
            )
        )
    return limits


def _limits_of_stored(
    stored: Mapping[tuple[str, ...], str], played: Sequence[Event]
) -> list[Limit]:
    again = {event_key(event) for event in played}
    other = len(set(stored) - again)
    if not other:
        return []
    return [
        Limit(
            code="stored_differ",
            message=f"{other} of the {len(stored)} stored events of the period are not found by "
            "the version in force: an earlier version, other settings or an import made them, or "
            "they reach beyond the period.",
        )
    ]
