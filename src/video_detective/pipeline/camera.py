"""One camera's way from frames to events: sampling, eyes, tracker and rules in a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from video_detective.attributes import AttributeRecord
from video_detective.attributes.observer import AttributeObserver
from video_detective.detection import Eyes
from video_detective.media import Frame, Position
from video_detective.media.file import luma_crc
from video_detective.media.sampling import Sampler
from video_detective.pipeline.checkpoint import Checkpoint
from video_detective.rules import Event, Observation, Scene
from video_detective.rules.engine import RuleEngine
from video_detective.tracking import Tracker

MakeTracker = Callable[[Mapping[str, int]], Tracker]
"""Makes a tracker from the first unused number of each id letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one looked-at frame gave.

    Args:
        observation: What the rules saw.
        events: New or changed events.
        sampled: Whether the frame counts as sampled (active rate while anything moves, else idle
            rate); the frames between idle samples only go through the motion gate.
        idle: Whether the frame is one of the idle grid (1 a second): where frame records are kept.
        tiles: Regions that went through the detector.
        record: What the persons look like, where a record was due.
    """

    observation: Observation
    events: tuple[Event, ...]
    sampled: bool
    idle: bool
    tiles: int
    record: AttributeRecord | None = None


class CameraGraph:
    """The state of one camera; frames in, looks out, all of it restorable.

    Args:
        scene: Zones, tripwires, rules.
        sampler: Which frames are looked at.
        eyes: Perception of this camera.
        make_tracker: Called at the start, and with continued numbers after a cut.
        track_numbers: First unused number of each id letter.
        event_numbers: First unused event number of each local date (YYYYMMDD).
        observer: Records what persons look like; None records nothing.
    """

    def __init__(
        self,
        *,
        scene: Scene,
        sampler: Sampler,
        eyes: Eyes,
        make_tracker: MakeTracker,
        track_numbers: Mapping[str, int],
        event_numbers: Mapping[str, int],
        observer: AttributeObserver | None = None,
    ) -> None:
        self._sampler = sampler
        self._eyes = eyes
        self._make_tracker = make_tracker
        self._tracker = make_tracker(track_numbers)
        self._engine = RuleEngine(scene, next_numbers=event_numbers)
        self._observer = observer
        self._position: Position | None = None

    @property
    def position(self) -> Position | None:
        """The last frame looked at."""
        return self._position

    @property
    def observes(self) -> bool:
        """Whether it records what persons look like."""
        return self._observer is not None

    @property
    def throttled(self) -> Mapping[str, int]:
        """Events that a cooldown held back, by rule."""
        return self._engine.throttled

    def step(self, frame: Frame) -> Look | None:
        """Handle the next decoded frame; None when it is not one of the sampling grid."""
        due = self._sampler.due(frame.pts_ns)
        if not due.active:
            return None
        perception = self._eyes.look(frame, idle_sample=due.idle)
        if perception.cut:
            self._tracker = self._make_tracker(self._tracker.state()["next_numbers"])
        tracks = self._tracker.update(perception.detections, frame.time_ns)
        observation = Observation(
            time_ns=frame.time_ns,
            frame=frame.index,
            size=frame.size,
            tracks=tracks,
            view=perception.view,
            cut=perception.cut,
        )
        events = self._engine.update(observation)
        self._position = Position(
            index=frame.index,
            pts_ns=frame.pts_ns,
            luma_crc=luma_crc(frame.luma),
        )
        return Look(
            observation=observation,
            events=events,
            sampled=perception.moving or due.idle,
            idle=due.idle,
            tiles=perception.tiles,
            record=None if self._observer is None else self._observer.look(frame, tracks),
        )

    def finish(self) -> tuple[Event, ...]:
        """The source ended: the events that were still open, closed."""
        return self._engine.finish()

    def checkpoint(self, extra: Mapping[str, Any]) -> Checkpoint:
        """The state after the last step; ``extra`` is plain data to keep with it."""
        position = self._position
        data = {
            "position": None
            if position is None
            else [position.index, position.pts_ns, position.luma_crc],
            "sampler": self._sampler.state(),
            "tracker": self._tracker.state(),
            "engine": self._engine.state(),
            "observer": None if self._observer is None else self._observer.state(),
            "extra": extra,
        }
        return Checkpoint(data=data, arrays=self._eyes.state())

    def restore(self, checkpoint: Checkpoint) -> Mapping[str, Any]:
        """Go on from a checkpoint of an equal configuration; gives back its ``extra``."""
        data = checkpoint.data
        if data["position"] is not None:
            index, pts_ns, luma_crc = data["position"]
            self._position = Position(index=index, pts_ns=pts_ns, luma_crc=luma_crc)
        self._sampler.restore(data["sampler"])
        self._tracker.restore(data["tracker"])
        self._engine.restore(data["engine"])
        self._eyes.restore(checkpoint.arrays)
        # Checkpoints of earlier versions, and of cameras that had another plan, have none.
        if self._observer is not None and data.get("observer") is not None:
            self._observer.restore(data["observer"])
        extra: Mapping[str, Any] = data["extra"]
        return extra
