"""What a model is told and shown of an event, gathered from the database and its evidence."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from video_detective.errors import VideoDetectiveError
from video_detective.geometry import NS_PER_S, Image
from video_detective.media.decoding import LossBook
from video_detective.media.reading import Recording
from video_detective.media.spans import clip_spans
from video_detective.narration.budget import LEAST_FRAMES, MOST_FRAMES
from video_detective.narration.catalogue import Language
from video_detective.narration.keyframes import AROUND_NS, Sample, choose, nominate
from video_detective.narration.material import Material
from video_detective.narration.pictures import LONGEST_SIDE, KeyFrame, candidates, key_frame
from video_detective.pipeline.clip_times import clip_asked
from video_detective.rules import Event
from video_detective.services.workspace import Workspace
from video_detective.storage import EvidenceRow, PointRow, StoredEvent, frame_id

NEAREST_NS = 60_000_000
"""A clip has at most 15 frames a second, so that the nearest is at most a 30th of a second off; a
little more where frames come unevenly. Nobody moves far in that time."""
WHOLE_NS = 600 * NS_PER_S
"""Of a longer event the tracks are only read around what can be shown of it."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """Where pictures of an event lie.

    Args:
        originals: By the time of the frame.
        clip: The film, and the frame times of its evidence row.
        source: (width, height) in whose pixels tracks are.
        size: (width, height) of the pictures as they are given out.
    """

    originals: dict[int, Path]
    clip: tuple[Path, int] | None
    source: tuple[int, int]
    size: tuple[int, int]


async def gather(workspace: Workspace, stored: StoredEvent, language: Language) -> Material:
    """Everything that telling an event needs.

    Key frames come from its clip and from the original pictures of its moments; what cannot be
    read of them is left out.

    Args:
        workspace: Where the event is.
        stored: The event with its evidence.
        language: Of the account.
    """
    event = stored.event
    places = await workspace.places()
    scene = places.scene(event.camera_id)
    evidence = _evidence(workspace, stored)
    shown = _shown(event, evidence)
    points = await _points(workspace, stored, shown)
    samples = _samples(points, evidence)
    frames = await asyncio.to_thread(
        _key_frames, event, samples, evidence, shown, ZoneInfo(scene.timezone)
    )
    return Material(
        event=event,
        scene=scene,
        camera_name=places.name(event.camera_id),
        language=language,
        size=evidence.size,
        samples=samples,
        frames=frames,
    )


def _evidence(workspace: Workspace, stored: StoredEvent) -> _Evidence:
    originals = [row for row in stored.evidence if row.kind == "original"]
    film = next((row for row in stored.evidence if row.kind == "clip"), None)
    source = _size(originals[0]) if originals else _size(film) if film else (1280, 720)
    scale = min(1.0, LONGEST_SIDE / max(source))
    return _Evidence(
        originals={row.time_ns: workspace.blobs.path(row.sha256, ".jpg") for row in originals},
        clip=(workspace.blobs.path(film.sha256, ".mp4"), film.time_ns) if film else None,
        source=source,
        size=(max(round(source[0] * scale), 1), max(round(source[1] * scale), 1)),
    )


def _size(row: EvidenceRow) -> tuple[int, int]:
    return row.width, row.height


def _shown(event: Event, evidence: _Evidence) -> list[Span]:
    """The stretches that pictures can be had of, in order of time."""
    spans = [(time_ns - NEAREST_NS, time_ns + NEAREST_NS) for time_ns in evidence.originals]
    if evidence.clip is not None:
        spans += clip_spans(*clip_asked(event))
    return sorted(spans)


async def _points(
    workspace: Workspace, stored: StoredEvent, shown: Sequence[Span]
) -> list[PointRow]:
    event = stored.event
    end_ns = event.start_ns if event.end_ns is None else event.end_ns
    spans = [(event.start_ns - AROUND_NS, end_ns + AROUND_NS)]
    if end_ns - event.start_ns > WHOLE_NS:
        spans = list(_joined([*shown, *((m.time_ns, m.time_ns) for m in event.moments)]))
    found: list[PointRow] = []
    for since_ns, until_ns in spans:
        found += await workspace.database.track_points(
            event.camera_id, since_ns, until_ns + 1, run_id=stored.run_id
        )
    return found


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that overlap, as one; in order."""
    last: Span | None = None
    for span in sorted(spans):
        if last is None or span[0] > last[1]:
            if last is not None:
                yield last
            last = span
        else:
            last = last[0], max(last[1], span[1])
    if last is not None:
        yield last


def _samples(points: Sequence[PointRow], evidence: _Evidence) -> tuple[Sample, ...]:
    """Tracks by frame, their boxes in pixels of the pictures as they are given out."""
    across = evidence.size[0] / evidence.source[0]
    down = evidence.size[1] / evidence.source[1]
    frames: dict[int, list[PointRow]] = defaultdict(list)
    for point in points:
        frames[point.time_ns].append(point)
    samples = []
    for time_ns, seen in sorted(frames.items()):
        tracks = []
        for point in seen:
            x1, y1, x2, y2 = point.track.bbox
            box = (x1 * across, y1 * down, x2 * across, y2 * down)
            tracks.append(replace(point.track, bbox=box))
        samples.append(Sample(time_ns=time_ns, frame=seen[0].frame, tracks=tuple(tracks)))
    return tuple(samples)


def _key_frames(
    event: Event,
    samples: Sequence[Sample],
    evidence: _Evidence,
    shown: Sequence[Span],
    zone: ZoneInfo,
) -> tuple[KeyFrame, ...]:
    """Blocks: decodes the clip."""
    within = [s for s in samples if any(since <= s.time_ns <= until for since, until in shown)]
    nominated = nominate(event, within)
    pictures = _read(event, [sample.time_ns for sample in nominated], evidence)
    by_time = {sample.time_ns: sample for sample in nominated}
    chosen = choose(candidates(event, nominated, pictures), most=MOST_FRAMES, least=LEAST_FRAMES)
    return tuple(
        key_frame(
            frame_id(event.camera_id, one.time_ns, one.frame, zone),
            one,
            by_time[one.time_ns],
            pictures[one.time_ns],
        )
        for one in chosen
    )


def _read(event: Event, times: Sequence[int], evidence: _Evidence) -> dict[int, Image]:
    pictures: dict[int, Image] = {}
    for time_ns in times:
        if (path := evidence.originals.get(time_ns)) is not None:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.exists() else None
            if image is not None:
                pictures[time_ns] = _sized(np.asarray(image, np.uint8), evidence.size)
    left = [time_ns for time_ns in times if time_ns not in pictures]
    if left and evidence.clip is not None:
        pictures |= _of_clip(event, left, *evidence.clip, evidence.size)
    return pictures


def _of_clip(
    event: Event, times: Sequence[int], path: Path, first_ns: int, size: tuple[int, int]
) -> dict[int, Image]:
    """The clip's frames nearest to these times, if near."""
    spans = clip_spans(*clip_asked(event))
    near: dict[int, tuple[int, Image]] = {}
    try:
        for picture in Recording(path).pictures(LossBook()):
            # The film counts time from where its first span begins, which may lie before its
            # first frame; a second span follows the first without a gap.
            time_ns = first_ns + picture.pts_ns
            if len(spans) == 2 and time_ns > spans[0][1]:
                time_ns += spans[1][0] - spans[0][1]
            wanted = [t for t in times if abs(t - time_ns) <= NEAREST_NS]
            wanted = [t for t in wanted if t not in near or abs(t - time_ns) < near[t][0]]
            if wanted:
                image = _sized(picture.to_bgr(), size)
                near |= {t: (abs(t - time_ns), image) for t in wanted}
    except VideoDetectiveError:
        pass  # a film that is gone or damaged: what was read of it so far can be shown
    return {t: image for t, (_, image) in near.items()}


def _sized(image: Image, size: tuple[int, int]) -> Image:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
