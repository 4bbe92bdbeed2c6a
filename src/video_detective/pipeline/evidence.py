"""Evidence of an event, cut out of the footage it happened in: pictures, drawings, a clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S, Image
from video_detective.media import Loss
from video_detective.media.clips import Clip, Footage, extract
from video_detective.media.pictures import BoxMark, LineMark, ZoneMark, annotate, encode_jpeg
from video_detective.narration.template import class_name, event_name
from video_detective.pipeline.clip_times import clip_asked
from video_detective.rules import Event, Moment, Scene
from video_detective.storage import EvidenceRow, FrameRow, PointRow, frame_id
from video_detective.storage.blobs import BlobStore
from video_detective.tracking import Track

MAX_PICTURES = 8
"""Moments of an event that get pictures: first, established, last, and the rest evenly."""
NEAR_NS = NS_PER_S
"""Boxes drawn in a frame are at most this far from it in time."""


class EvidenceCutter:
    """Cuts and stores the evidence of one camera's events.

    Args:
        footage: Tells where the frames lie by now (a live recording grows).
        scene: Zones and tripwires to draw.
        blobs: Where pictures and clips go.
    """

    def __init__(self, *, footage: Callable[[], Footage], scene: Scene, blobs: BlobStore) -> None:
        self._footage = footage
        self._scene = scene
        self._blobs = blobs
        self._zone = ZoneInfo(scene.timezone)
        self._losses: list[Loss] = []

    @property
    def losses(self) -> tuple[Loss, ...]:
        """Moments whose frame could not be cut out again."""
        return tuple(self._losses)

    def pictures(
        self, event: Event, points: Sequence[PointRow]
    ) -> tuple[list[EvidenceRow], list[FrameRow]]:
        """Cut, draw and store pictures of an event that still goes on; no clip, no complaint."""
        moments = chosen_moments(event)
        found = extract(self._footage(), frames=[m.time_ns for m in moments], clips=[])
        there = [moment for moment in moments if moment.time_ns in found.pictures]
        return self._pictures(event, there, found.pictures, _by_time(points))

    def cut(
        self, events: Sequence[tuple[Event, Sequence[PointRow]]]
    ) -> list[tuple[list[EvidenceRow], list[FrameRow]]]:
        """Cut, draw and store pictures and clips; events near each other share the decoding.

        Args:
            events: Closed events of this camera, each with the camera's tracks around its time.

        Returns:
            For each event its evidence in order of time, and the frames that have pictures now.
        """
        moments = [chosen_moments(event) for event, _ in events]
        found = extract(
            self._footage(),
            frames=[moment.time_ns for chosen in moments for moment in chosen],
            clips=[clip_asked(event) for event, _ in events],
        )
        kept = []
        for (event, points), chosen, clip in zip(events, moments, found.clips, strict=True):
            evidence, frames = self._pictures(event, chosen, found.pictures, _by_time(points))
            if clip is not None:
                evidence.append(self._clip(event, clip))
            kept.append((evidence, frames))
        return kept

    def _pictures(
        self,
        event: Event,
        moments: Sequence[Moment],
        pictures: Mapping[int, Image],
        tracks: Mapping[int, list[Track]],
    ) -> tuple[list[EvidenceRow], list[FrameRow]]:
        evidence: list[EvidenceRow] = []
        frames: list[FrameRow] = []
        for moment in moments:
            picture = pictures.get(moment.time_ns)
            if picture is None:
                self._lost(event, moment)
                continue
            rows, frame = self._keep(event, moment, picture, _nearest(tracks, moment.time_ns))
            evidence += rows
            frames.append(frame)
        return evidence, frames

    def _clip(self, event: Event, clip: Clip) -> EvidenceRow:
        return EvidenceRow(
            kind="clip",
            what="clip",
            time_ns=clip.spans[0][0],
            frame=event.frames[0],
            sha256=self._blobs.put(clip.data, ".mp4"),
            media_type="video/mp4",
            bytes=len(clip.data),
            width=clip.size[0],
            height=clip.size[1],
        )

    def _keep(
        self, event: Event, moment: Moment, picture: Image, tracks: Sequence[Track]
    ) -> tuple[list[EvidenceRow], FrameRow]:
        height, width = picture.shape[:2]
        name = frame_id(event.camera_id, moment.time_ns, moment.frame, self._zone)
        contents = {
            "original": encode_jpeg(picture),
            "annotated": encode_jpeg(self._drawn(event, moment, picture, tracks)),
        }
        names = {kind: self._blobs.put(content, ".jpg") for kind, content in contents.items()}
        rows = [
            EvidenceRow(
                kind=kind,  # type: ignore[arg-type]
                what=moment.what,
                time_ns=moment.time_ns,
                frame=moment.frame,
                frame_id=name,
                sha256=names[kind],
                media_type="image/jpeg",
                bytes=len(content),
                width=width,
                height=height,
            )
            for kind, content in contents.items()
        ]
        frame = FrameRow(
            frame_id=name,
            camera_id=event.camera_id,
            time_ns=moment.time_ns,
            frame=moment.frame,
            size=(width, height),
            detections=[track.as_record() for track in tracks],
            image_sha256=names["original"],
        )
        return rows, frame

    def _drawn(
        self, event: Event, moment: Moment, picture: Image, tracks: Sequence[Track]
    ) -> Image:
        """The frame with the rule's zone and tripwire, every track's box, and a title."""
        height, width = picture.shape[:2]
        concerned = {actor.track_id for actor in event.actors}
        local = local_time(moment.time_ns, self._zone)
        return annotate(
            picture,
            boxes=[
                BoxMark(
                    box=track.bbox,
                    label=f"{track.track_id} {class_name(track.type)}",
                    key=track.track_id,
                    is_alarmed=track.track_id in concerned,
                )
                for track in tracks
            ],
            zones=[
                ZoneMark(
                    points=tuple((x * width, y * height) for x, y in zone.polygon.points),
                    label=zone.name,
                )
                for zone in self._scene.zones
                if zone.id == event.zone
            ],
            lines=[
                LineMark(
                    points=tuple((x * width, y * height) for x, y in wire.points),
                    label=wire.name,
                    left_to_right=wire.left_to_right,
                    right_to_left=wire.right_to_left,
                )
                for wire in self._scene.tripwires
                if wire.id == event.tripwire
            ],
            title=f"{event_name(event.type)}（{event.rule_id}） {event.camera_id} "
            f"{local:%Y-%m-%d %H:%M:%S}",
        )

    def _lost(self, event: Event, moment: Moment) -> None:
        loss = Loss(
            reason="evidence",
            pts_ns=None,
            count=1,
            detail=f"no picture of {event.event_id} ({moment.what}): the frame cannot be read",
        )
        if loss not in self._losses:  # an event that changed is cut again
            self._losses.append(loss)


def local_time(time_ns: int, zone: ZoneInfo) -> datetime:
    """The second in which a moment lies, in a time zone."""
    return datetime.fromtimestamp(time_ns // NS_PER_S, zone)


def chosen_moments(event: Event) -> list[Moment]:
    """The moments to show, at most ``MAX_PICTURES``, one per frame, in order of time."""
    by_frame: dict[int, Moment] = {}
    for moment in event.moments:
        by_frame.setdefault(moment.time_ns, moment)
    moments = sorted(by_frame.values(), key=lambda moment: moment.time_ns)
    if len(moments) <= MAX_PICTURES:
        return moments
    last = len(moments) - 1
    established = min(
        range(len(moments)), key=lambda i: abs(moments[i].time_ns - event.established_ns)
    )
    kept = {0, established, last}
    evenly = (round(i * last / (MAX_PICTURES - 1)) for i in range(MAX_PICTURES))
    for index in evenly:
        if len(kept) < MAX_PICTURES:
            kept.add(index)
    return [moments[index] for index in sorted(kept)]


def _by_time(points: Sequence[PointRow]) -> Mapping[int, list[Track]]:
    tracks: dict[int, list[Track]] = {}
    for point in points:
        tracks.setdefault(point.time_ns, []).append(point.track)
    return tracks


def _nearest(tracks: Mapping[int, list[Track]], time_ns: int) -> list[Track]:
    """The tracks of the sampled frame at a time, or of the last one before it.

    Never of a later one: whether that is stored already depends on when evidence is cut.
    """
    nearest = max((known for known in tracks if known <= time_ns), default=None)
    if nearest is None or time_ns - nearest > NEAR_NS:
        return []
    return tracks[nearest]
