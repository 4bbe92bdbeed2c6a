"""Looks at the persons of one camera now and then: a record every so many seconds of video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from video_detective.attributes.base import AttributeRecord, Attributes, merged
from video_detective.attributes.colour import Box, count_colours
from video_detective.attributes.onnx import PersonModel
from video_detective.geometry import NS_PER_S
from video_detective.media import Frame
from video_detective.tracking import Track


class AttributeObserver:
    """Records what the tracked persons look like, while there are any.

    Args:
        every_s: Seconds of video between two records.
        model: Tells more than colours; None for colours alone.
    """

    def __init__(self, *, every_s: float, model: PersonModel | None = None) -> None:
        self._every_ns = round(every_s * NS_PER_S)
        self._model = model
        self._last_ns: int | None = None

    def look(self, frame: Frame, tracks: Sequence[Track]) -> AttributeRecord | None:
        """A record of this frame, if one is due; only then is the picture in colour touched."""
        persons: list[Box] = [track.bbox for track in tracks if track.type == "person"]
        if not persons or not self._is_due(frame.time_ns):
            return None
        self._last_ns = frame.time_ns
        attributes = Attributes(**count_colours(frame.bgr, persons))
        if self._model is not None:
            attributes = merged(attributes, self._model.count(frame.bgr, persons))
        return AttributeRecord(
            captured_ns=frame.time_ns,
            total_persons=len(persons),
            attributes=attributes,
            source="colour" if self._model is None else "onnx",
        )

    def _is_due(self, time_ns: int) -> bool:
        # A clock that was set back must not silence the camera until it has caught up.
        last_ns = self._last_ns
        return last_ns is None or not last_ns <= time_ns < last_ns + self._every_ns

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as plain JSON."""
        return {"last_ns": self._last_ns}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()``."""
        self._last_ns = state["last_ns"]
