"""ByteTrack with buffered overlap, in seconds instead of frames.

Sources: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV
2022 (sure detections are matched first, weak ones only continue tracks); Yang et al., "Hard to
Track Objects with Irregular Motions and Similar Appearances? Make It Easier by Buffering the
Matching Space", WACV 2023 (boxes are grown before their overlap is taken, more in a second round).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections
from video_detective.geometry import NS_PER_S, Boxes
from video_detective.tracking import kalman
from video_detective.tracking.base import Track
from video_detective.tracking.matching import (
    Matrix,
    assigned,
    by_group,
    foot_agreement,
    height_agreement,
    overlap,
)
from video_detective.tracking.numbering import TrackNumbers, id_order

BUFFER = 0.3
"""Growth of boxes in the rounds for sure and for weak detections (C-BIoU's first buffer)."""
LAST_BUFFER = 0.7
"""Growth in the last round, for what is left of tracks and sure detections (C-BIoU's second)."""
SURE_SIMILARITY = 0.2
"""Least similarity (buffered IoU, height and foot agreement) of a track and a sure detection."""
WEAK_SIMILARITY = 0.5
"""Least similarity of a track and a weak detection, which is often a stray or cut-off box."""
LAST_SIMILARITY = 0.1
"""Least similarity (buffered IoU and height agreement) in the last round."""
RECENT_S = 0.5
"""A track is recent when it was seen no longer ago, or in the frame before. Only recent tracks are
continued by weak detections, and an unconfirmed track that is not recent was a false alarm."""
CONFIRM_HITS = 2
"""Sure detections that confirm a track, unless one has ``CERTAIN_SCORE``."""
CERTAIN_SCORE = 0.8
"""Score of a detection that is a confirmed track at once."""


@dataclass(slots=True, kw_only=True)
class _Followed:
    """One object: confirmed when it has an id (``""`` before).

    ``votes`` sums the scores by class; place, speed (4,) and covariance (4, 3) are a
    row of ``kalman.Motion`` at ``seen_ns``.
    """

    track_id: str
    group: str
    votes: dict[str, float]
    hits: int
    seen_ns: int
    place: NDArray[np.float64]
    speed: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def see(self, motion: kalman.Motion, row: int, name: str, score: float, time_ns: int) -> None:
        """Take over what an observation says."""
        self.place, self.speed = motion.place[row], motion.speed[row]
        self.covariance = motion.covariance[row]
        self.votes[name] = self.votes.get(name, 0.0) + score
        self.seen_ns = time_ns


class ByteTracker:
    """Follows objects by overlap with where they should be by now.

    In each class group: predict every track to the time of the frame, match tracks with sure
    detections, then those seen just before with weak detections, then the rest with the rest of the
    sure ones in a wider buffer. What is left of the strong detections begins tracks. A track has an
    id and is output from its second observation on, or at once when its score is certain.

    The box given out is the detection as it is, not smoothed: the foot point never lags. The class
    is the one with the greatest sum of scores so far, so that a car taken for a bus now and then
    stays a car.

    After a cut make a new tracker with ``next_numbers=old.state()["next_numbers"]``.

    Args:
        next_numbers: First unused number by id letter; an absent letter starts with 1.
        sure_score: Least score of the first round.
        weak_score: Least score that is looked at.
        start_score: Least score that begins a track.
        max_lost_s: A confirmed track not seen for longer is gone; its id does not come back.
    """

    def __init__(
        self,
        *,
        next_numbers: Mapping[str, int] | None = None,
        sure_score: float = 0.45,
        weak_score: float = 0.15,
        start_score: float = 0.55,
        max_lost_s: float = 2.0,
    ) -> None:
        self._unused = TrackNumbers(next_numbers or {})
        self._numbers = TrackNumbers(next_numbers or {})
        self._sure_score = sure_score
        self._weak_score = weak_score
        self._start_score = start_score
        self._max_lost_s = max_lost_s
        self._time_ns: int | None = None
        self._followed: list[_Followed] = []

    def update(self, detections: Detections, time_ns: int) -> tuple[Track, ...]:
        """Confirmed tracks observed at ``time_ns`` (UTC ns), in order of id.

        A time not after the last one gives () and changes nothing.
        """
        if self._time_ns is not None and time_ns <= self._time_ns:
            return ()
        recent_ns = round(RECENT_S * NS_PER_S)
        if self._time_ns is not None:
            recent_ns = max(recent_ns, time_ns - self._time_ns)
        self._time_ns = time_ns
        lost_ns = round(self._max_lost_s * NS_PER_S)
        self._followed = [
            one
            for one in self._followed
            if time_ns - one.seen_ns <= (lost_ns if one.track_id else recent_ns)
        ]
        seen: list[Track] = []
        for group, found in by_group(detections).items():
            followed = [one for one in self._followed if one.group == group]
            matches = self._match(followed, found, time_ns, recent_ns / NS_PER_S)
            begun = self._begin(group, found, matches, time_ns)
            self._followed += begun.values()
            for index in sorted(matches | begun):
                one = matches.get(index) or begun[index]
                score = float(found.scores[index])
                if not one.track_id and (one.hits >= CONFIRM_HITS or score >= CERTAIN_SCORE):
                    one.track_id = self._numbers.take(group)
                if one.track_id:
                    x1, y1, x2, y2 = found.boxes[index].tolist()
                    seen.append(
                        Track(
                            track_id=one.track_id,
                            type=max(sorted(one.votes), key=one.votes.__getitem__),
                            conf=score,
                            bbox=(x1, y1, x2, y2),
                        )
                    )
        return tuple(sorted(seen, key=lambda track: id_order(track.track_id)))

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as plain JSON; ``next_numbers`` is the constructor's."""
        return {
            "time_ns": self._time_ns,
            "next_numbers": self._numbers.unused(),
            "followed": [
                {
                    "track_id": one.track_id,
                    "group": one.group,
                    "votes": dict(one.votes),
                    "hits": one.hits,
                    "seen_ns": one.seen_ns,
                    "place": one.place.tolist(),
                    "speed": one.speed.tolist(),
                    "covariance": one.covariance.tolist(),
                }
                for one in self._followed
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()``, also after a round trip through JSON; identical from then on."""
        self._time_ns = state["time_ns"]
        self._numbers = self._unused.resumed(state["next_numbers"])
        self._followed = [
            _Followed(
                track_id=one["track_id"],
                group=one["group"],
                votes=dict(one["votes"]),
                hits=one["hits"],
                seen_ns=one["seen_ns"],
                place=np.array(one["place"], np.float64),
                speed=np.array(one["speed"], np.float64),
                covariance=np.array(one["covariance"], np.float64),
            )
            for one in state["followed"]
        ]

    def _match(
        self, followed: Sequence[_Followed], found: Detections, time_ns: int, recent_s: float
    ) -> dict[int, _Followed]:
        """Tracks that go on, updated, by index of their detection."""
        if not followed:
            return {}
        elapsed_s = np.array([(time_ns - one.seen_ns) / NS_PER_S for one in followed])
        expected = kalman.predicted(
            kalman.Motion(
                place=np.stack([one.place for one in followed]),
                speed=np.stack([one.speed for one in followed]),
                covariance=np.stack([one.covariance for one in followed]),
            ),
            elapsed_s,
        )
        boxes = expected.boxes()
        sure = found.scores >= self._sure_score
        weak = (found.scores >= self._weak_score) & ~sure
        open_track = np.ones(len(followed), np.bool_)
        pairs: list[tuple[int, int]] = []
        for tracks, detections, similarity, at_least in (
            (open_track, sure, _near, SURE_SIMILARITY),
            (elapsed_s <= recent_s, weak, _near, WEAK_SIMILARITY),
            (open_track, sure, _far, LAST_SIMILARITY),
        ):
            rows = np.flatnonzero(tracks & open_track)
            columns = np.flatnonzero(detections)
            if not len(rows) or not len(columns):
                continue
            alike = similarity(boxes[rows], found.boxes[columns])
            for row, column in zip(*assigned(alike, at_least=at_least), strict=True):
                pairs.append((int(rows[row]), int(columns[column])))
                open_track[rows[row]] = False
                detections[columns[column]] = False
        if not pairs:
            return {}
        matched = [row for row, _ in pairs]
        indices = [column for _, column in pairs]
        motion = kalman.corrected(expected.at(matched), found.boxes[indices], found.scores[indices])
        for k, (row, column) in enumerate(pairs):
            name, score = found.classes[column], float(found.scores[column])
            followed[row].see(motion, k, name, score, time_ns)
            followed[row].hits += score >= self._sure_score
        return {column: followed[row] for row, column in pairs}

    def _begin(
        self, group: str, found: Detections, taken: Mapping[int, _Followed], time_ns: int
    ) -> dict[int, _Followed]:
        """New, unconfirmed tracks by index of their detection."""
        strong = np.flatnonzero(found.scores >= self._start_score)
        indices = [index for index in strong.tolist() if index not in taken]
        if not indices:
            return {}
        motion = kalman.begun(found.boxes[indices])
        return {
            index: _Followed(
                track_id="",
                group=group,
                votes={found.classes[index]: float(found.scores[index])},
                hits=1,
                seen_ns=time_ns,
                place=motion.place[k],
                speed=motion.speed[k],
                covariance=motion.covariance[k],
            )
            for k, index in enumerate(indices)
        }


def _near(tracks: Boxes, detections: Boxes) -> Matrix:
    """Likeness of every pair where nothing unexpected happened, 0..1."""
    return (
        overlap(tracks, detections, buffer=BUFFER)
        * np.sqrt(height_agreement(tracks, detections))
        * foot_agreement(tracks, detections)
    )


def _far(tracks: Boxes, detections: Boxes) -> Matrix:
    """Likeness of every pair after a sudden turn or a start at full speed, 0..1."""
    return overlap(tracks, detections, buffer=LAST_BUFFER) * np.sqrt(
        height_agreement(tracks, detections)
    )
