"""What a perfect detector and tracker would say of the script: a box and an id for each actor."""

from __future__ import annotations

from collections.abc import Iterator

from video_detective.geometry import NS_PER_S
from video_detective.rules import Observation
from video_detective.services.scripted_scene.actors import Actor, Pose, person_height
from video_detective.services.scripted_scene.figures import (
    BAG_HEIGHT,
    BAG_WIDTH,
    CAR_HEIGHT,
    CAR_LENGTH,
)
from video_detective.services.scripted_scene.script import (
    DURATION_S,
    FPS,
    HEIGHT,
    SCRIPT,
    START_NS,
    WIDTH,
    Script,
)
from video_detective.tracking import Track

PERSON_WIDTH = 0.36
"""Of a box, in body heights; a walking stride reaches a little further at times."""
_TRACK_CLASSES = {"person": ("p", "person"), "car": ("v", "car"), "bag": ("o", "object")}


def box(actor: Actor, pose: Pose) -> tuple[float, float, float, float]:
    """The xyxy box in pixels of an actor, not cut at the picture's border."""
    if actor.kind == "car":
        width, height = CAR_LENGTH, CAR_HEIGHT
    elif actor.kind == "bag":
        width, height = BAG_WIDTH, BAG_HEIGHT
    else:
        height = person_height(pose.y) * actor.look.height
        width = PERSON_WIDTH * height
    return pose.x - width / 2, pose.y - height, pose.x + width / 2, pose.y


def observations(script: Script = SCRIPT, *, fps: float = 5.0) -> Iterator[Observation]:
    """What the rules would see, ``fps`` times a second.

    An actor is observed while its foot point is in the picture and the lens is not covered. Each
    keeps one id throughout.
    """
    ids: dict[str, str] = {}
    for n in range(int(DURATION_S * fps)):
        t = n / fps
        dark = script.covered[0] <= t < script.covered[1]
        tracks: list[Track] = []
        for actor in () if dark else script.actors:
            pose = actor.pose(t)
            if pose is None or not 0 <= pose.x < WIDTH:
                continue
            letter, name = _TRACK_CLASSES[actor.kind]
            track_id = ids.setdefault(actor.name, f"{letter}{len(ids) + 1:02d}")
            tracks.append(Track(track_id=track_id, type=name, conf=0.9, bbox=box(actor, pose)))
        yield Observation(
            time_ns=START_NS + n * round(NS_PER_S / fps),
            frame=n * round(FPS / fps),
            size=(WIDTH, HEIGHT),
            tracks=tuple(tracks),
            view="dark" if dark else "ok",
        )
