"""What a model is told of an event: facts, key frames, and what the tracker saw between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sqrt
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.narration.catalogue import Language, catalogue, class_name, fill
from video_detective.narration.keyframes import AROUND_NS, Sample
from video_detective.narration.pictures import KeyFrame
from video_detective.narration.template import moment_text
from video_detective.rules import Event, Moment, Scene
from video_detective.tracking.base import Track

STILL = 0.02
"""Moved less than this share of the picture: it stood."""
GROWN = 1.25
"""A box taller by this factor came nearer; boxes of a standing person vary by some 10 %."""
MOST_TRACKS = 6
"""Tracks that a note tells of; the event's own first."""
_GONE_NS = NS_PER_S
"""Not seen for so long, while others may be: it left."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that telling an event needs.

    Args:
        event: The fact as the rules established it.
        scene: The camera's zones, tripwires and time zone.
        camera_name: What people call the camera.
        language: Of the account.
        size: (width, height) of the source picture, in whose pixels the samples' boxes are.
        samples: Tracks by time from shortly before the event to shortly after it.
        frames: Key frames, at most twelve, in strict order of time; none when no picture could be
            cut out.
    """

    event: Event
    scene: Scene
    camera_name: str
    language: Language
    size: tuple[int, int]
    samples: tuple[Sample, ...] = ()
    frames: tuple[KeyFrame, ...] = ()

    def __post_init__(self) -> None:
        times = [frame.time_ns for frame in self.frames]
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError(f"key frames must be in strict order of time, not at {times}")

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last moment that may be spoken of: the event, its frames and its moments."""
        event = self.event
        times = [event.start_ns, event.established_ns, *(m.time_ns for m in event.moments)]
        times += [frame.time_ns for frame in self.frames]
        if event.end_ns is None:
            times += [sample.time_ns for sample in self.samples]
        return min(times), max([*times, *([] if event.end_ns is None else [event.end_ns])])

    @property
    def track_ids(self) -> frozenset[str]:
        """Every track that the model is told of or may see."""
        seen = {actor.track_id for actor in self.event.actors}
        seen.update(track for moment in self.event.moments for track in moment.track_ids)
        for frame in self.frames:
            seen.update(track.track_id for track in frame.tracks)
        first, last = self.span_ns
        for sample in self.samples:
            if first - AROUND_NS <= sample.time_ns <= last + AROUND_NS:
                seen.update(track.track_id for track in sample.tracks)
        return frozenset(seen)

    @property
    def names(self) -> tuple[str, ...]:
        """Names that may stand in a text in whatever script: of camera, zones and tripwires."""
        event, scene = self.event, self.scene
        words = [self.camera_name, event.camera_id, event.rule_id]
        words += [name for zone in scene.zones for name in (zone.name, zone.id)]
        for wire in scene.tripwires:
            words += [wire.name, wire.id, wire.left_to_right, wire.right_to_left]
        return tuple(dict.fromkeys(word for word in words if word))


def timestamp(time_ns: int, scene: Scene) -> str:
    """RFC 3339 with milliseconds, in the camera's zone."""
    return local(time_ns, scene).isoformat(timespec="milliseconds")


def clock(time_ns: int, scene: Scene, *, tenths: bool = False) -> str:
    """Local time of day, HH:MM:SS, with a tenth of a second where frames lie close."""
    moment = local(time_ns, scene)
    return f"{moment:%H:%M:%S}" + (f".{moment.microsecond // 100_000}" if tenths else "")


def local(time_ns: int, scene: Scene) -> datetime:
    """A moment in the camera's zone."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(ZoneInfo(scene.timezone))


def moment_lines(material: Material, moments: Iterable[Moment]) -> list[str]:
    """What the rule established when, a line for each moment, in order of time."""
    told = []
    for moment in sorted(moments, key=lambda m: m.time_ns):
        what = moment_text(moment, material.event, material.language, scene=material.scene)
        when = clock(moment.time_ns, material.scene)
        told.append(fill(material.language, "tracker", "moment", time=when, what=what))
    return list(dict.fromkeys(told))


def tracker_notes(material: Material, since_ns: int, until_ns: int) -> tuple[str, ...]:
    """What the tracker saw from one moment to another, a line for each thing.

    Who appeared, who left, who moved how far and which way; the event's own tracks first, then
    those seen longest. Moments of the rule in between are told too.

    Args:
        material: Samples, size and language.
        since_ns: From this moment, a frame's: who is in it has not just appeared.
        until_ns: To this moment, the next frame's.

    Returns:
        At least one line.
    """
    seen: dict[str, list[tuple[int, Track]]] = {}
    for sample in sorted(material.samples, key=lambda one: one.time_ns):
        for track in sample.tracks:
            seen.setdefault(track.track_id, []).append((sample.time_ns, track))
    ways = {
        track_id: [(t, track) for t, track in way if since_ns <= t <= until_ns]
        for track_id, way in seen.items()
    }
    actors = {actor.track_id for actor in material.event.actors}
    present = [track_id for track_id, way in ways.items() if way]
    present.sort(key=lambda track_id: (track_id not in actors, -len(ways[track_id]), track_id))
    told: list[str] = []
    for track_id in present[:MOST_TRACKS]:
        told += _way(material, ways[track_id], seen[track_id], since_ns, until_ns)
    rest = len(present) - MOST_TRACKS
    told += [fill(material.language, "tracker", "others", count=rest)] if rest > 0 else []
    between = [m for m in material.event.moments if since_ns < m.time_ns < until_ns]
    told += moment_lines(material, between)
    return tuple(told) or (fill(material.language, "tracker", "nothing"),)


def _way(
    material: Material,
    way: Sequence[tuple[int, Track]],
    whole: Sequence[tuple[int, Track]],
    since_ns: int,
    until_ns: int,
) -> list[str]:
    """What one track did between two moments; ``whole`` is all that is known of it."""
    width, height = material.size
    first, last = way[0][1], way[-1][1]
    language = material.language
    actor = f"{class_name(last.type, language)} {last.track_id}"
    place = _place(last, material)
    told = []
    if whole[0][0] > since_ns:
        told.append(
            fill(
                language,
                "tracker",
                "appeared",
                actor=actor,
                time=clock(whole[0][0], material.scene),
                place=_place(first, material),
            )
        )
    across = (last.foot[0] - first.foot[0]) / width
    down = (last.foot[1] - first.foot[1]) / height
    if sqrt(across**2 + down**2) < STILL:
        if len(way) > 1:
            told.append(fill(language, "tracker", "still", actor=actor, place=place))
    else:
        told.append(
            fill(
                language,
                "tracker",
                "moved",
                actor=actor,
                direction=catalogue(language)["headings"][_heading(across, down)],
                across=abs(round(across * 100)),
                down=abs(round(down * 100)),
                place=place,
            )
        )
    told += _growth(actor, first, last, language)
    if whole[-1][0] <= until_ns - _GONE_NS:
        when = clock(whole[-1][0], material.scene)
        told.append(fill(language, "tracker", "left", actor=actor, time=when, place=place))
    return told


def _growth(actor: str, first: Track, last: Track, language: Language) -> list[str]:
    before, after = (track.bbox[3] - track.bbox[1] for track in (first, last))
    ratio = after / before if before > 0 else 1.0
    if 1 / GROWN < ratio < GROWN:
        return []
    key = "larger" if ratio > 1 else "smaller"
    return [fill(language, "tracker", key, actor=actor, ratio=f"{ratio:.1f}")]


def _heading(across: float, down: float) -> str:
    """One of eight directions in the picture as people see it."""
    # Within 22.5 degrees of an axis the other part is left out.
    sideways = "" if abs(across) < 0.414 * abs(down) else "left" if across < 0 else "right"
    upright = "" if abs(down) < 0.414 * abs(across) else "up" if down < 0 else "down"
    return "_".join(part for part in (upright, sideways) if part)


def _place(track: Track, material: Material) -> str:
    """In which ninth of the picture the middle of the box lies."""
    width, height = material.size
    x = (track.bbox[0] + track.bbox[2]) / 2 / width
    y = (track.bbox[1] + track.bbox[3]) / 2 / height
    column = "left" if x < 1 / 3 else "right" if x >= 2 / 3 else ""
    row = "top" if y < 1 / 3 else "bottom" if y >= 2 / 3 else ""
    key = "_".join(part for part in (row, column) if part) or "middle"
    return str(catalogue(material.language)["grid"][key])
