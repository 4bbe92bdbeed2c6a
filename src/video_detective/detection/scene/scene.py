"""What one camera's picture shows before any object is named: view, background, things at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections
from video_detective.detection.scene.background import Background, Foreground
from video_detective.detection.scene.still import LEFT_S, StillObjects
from video_detective.detection.scene.thumbnail import Thumbnail, shrink
from video_detective.detection.scene.view import View, ViewMonitor
from video_detective.geometry import Boxes
from video_detective.media.base import Frame

RELIT_SHARE = 0.5
"""When this share of the picture changes but the edges stay, a light was switched."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """One picture, compared with the scene.

    Args:
        small: Its thumbnail.
        view: The state of the picture as a whole.
        foreground: None while the scene cannot be seen (dark, blurred).
        fresh: The background starts with this picture: what is in it cannot be told apart.
    """

    small: Thumbnail
    view: View
    foreground: Foreground | None
    fresh: bool = False


class Scene:
    """View monitor, background model and things at rest of one camera.

    Args:
        left_s: Seconds after which a still blob is a thing left in view.
    """

    def __init__(self, *, left_s: float = LEFT_S) -> None:
        self._view = ViewMonitor()
        self._background = Background()
        self._still = StillObjects(left_s=left_s)
        self._frame_size = (0, 0)

    def observe(self, frame: Frame) -> Sight:
        """Compare a frame with the scene and learn from it.

        While the lens is covered or out of focus nothing is learned, so that the scene is known
        again at once when the view comes back.
        """
        small = shrink(frame.luma)
        resized = self._frame_size not in ((0, 0), frame.size)
        self._frame_size = frame.size
        if resized:
            self._view = ViewMonitor()
        view = self._view.update(small, frame.time_ns)
        if resized:
            view = View(state=view.state, cut=True, same_scene=False)
        first = self._background.mean.size == 0
        if view.cut or view.moved:
            self._start_anew(small, frame.time_ns)
        if view.state in ("dark", "blurred"):
            return Sight(small=small, view=view, foreground=None)
        foreground = self._background.update(small, frame.time_ns)
        relit = foreground.fraction > RELIT_SHARE and view.same_scene
        if relit:
            self._start_anew(small, frame.time_ns)
            foreground = self._background.update(small, frame.time_ns)
        fresh = first or relit or view.cut or view.moved
        return Sight(small=small, view=view, foreground=foreground, fresh=fresh)

    def things_at_rest(self, sight: Sight, occupied: Boxes, time_ns: int) -> Detections:
        """Things left in view (class ``object``).

        Args:
            sight: Of this picture.
            occupied: (N, 4) boxes in pixels of what is known for something else.
            time_ns: UTC ns of the picture.
        """
        if sight.foreground is None:
            return Detections.none()
        return self._still.update(
            sight.foreground, sight.small, self._background, occupied, time_ns
        )

    def _start_anew(self, small: Thumbnail, time_ns: int) -> None:
        self._background.reset(small, time_ns)
        self._still.reset()

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays named ``part.name``."""
        parts = {
            "view": self._view.state(),
            "background": self._background.state(),
            "still": self._still.state(),
        }
        arrays = {
            f"{part}.{name}": array for part, own in parts.items() for name, array in own.items()
        }
        arrays["frame_size"] = np.array(self._frame_size, np.int64)
        return arrays

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from ``state()``."""
        self._view.restore(part_of(state, "view"))
        self._background.restore(part_of(state, "background"))
        self._still.restore(part_of(state, "still"))
        width, height = state["frame_size"]
        self._frame_size = (int(width), int(height))


def part_of(state: Mapping[str, NDArray[Any]], part: str) -> dict[str, NDArray[Any]]:
    """The arrays named ``part.name``, by name."""
    head = f"{part}."
    return {name[len(head) :]: array for name, array in state.items() if name.startswith(head)}
