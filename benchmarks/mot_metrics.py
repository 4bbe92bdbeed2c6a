"""MOTA, IDF1 and HOTA of a tracker on one sequence, with boxes that count neither way.

Sources: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR
MOT Metrics", 2008 (MOTA); Ristani et al., "Performance Measures and a Data Set for Multi-Target,
Multi-Camera Tracking", 2016 (IDF1); Luiten et al., "HOTA: A Higher Order Metric for Evaluating
Multi-Object Tracking", IJCV 2021 (HOTA: the mean over alpha = .05, .10 … .95).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from video_detective.geometry import Boxes, iou

MATCH_IOU = 0.5
"""Overlap from which a box is a hit for MOTA, IDF1 and the ignore rule (MOTChallenge)."""
ALPHAS = np.arange(1, 20) * 0.05
"""Localisation thresholds of HOTA."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Boxes of one frame with the identity of each.

    Args:
        ids: (N,) integers, no one twice.
        boxes: (N, 4) float32 xyxy in pixels.
    """

    ids: NDArray[np.int64]
    boxes: Boxes

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, keep: NDArray[np.bool_]) -> Labelled:
        """Those chosen by a mask (N,)."""
        return Labelled(ids=self.ids[keep], boxes=self.boxes[keep])


NOTHING = Labelled(ids=np.zeros(0, np.int64), boxes=np.zeros((0, 4), np.float32))
Sequence = Mapping[int, Labelled]
"""Boxes by 1-based frame number; a frame that is absent has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How well one sequence was tracked; ratios in 0..1 (``mota`` may be negative).

    Args:
        frames: Frames compared.
        truths: Ground-truth boxes that count.
        ids: Distinct tracker ids that count.
        misses, false_alarms, id_switches: What MOTA deducts.
    """

    frames: int
    truths: int
    ids: int
    mota: float
    idf1: float
    hota: float
    detection_accuracy: float
    association_accuracy: float
    misses: int
    false_alarms: int
    id_switches: int


def evaluate(truth: Sequence, tracks: Sequence, *, ignore_below_px: float = 0.0) -> Scores:
    """Compare tracks with the ground truth on the frames of the ground truth.

    Args:
        truth: Every frame that is labelled.
        tracks: What the tracker gave; frames absent from ``truth`` are not looked at.
        ignore_below_px: Ground-truth boxes lower than this are neither hit nor miss. In each
            frame tracker and ground-truth boxes are paired (pairs of IoU >= .5, greatest total
            overlap). Tracker boxes paired with an ignored one are removed with it, and so are
            unpaired tracker boxes that are themselves lower than the limit.
    """
    frames = [
        _without_ignored(truth[frame], tracks.get(frame, NOTHING), ignore_below_px)
        for frame in sorted(truth)
    ]
    truth_ids = _index([gt.ids for gt, _ in frames])
    track_ids = _index([found.ids for _, found in frames])
    compared = [
        _Compared(
            truths=np.array([truth_ids[i] for i in gt.ids.tolist()], np.intp),
            tracks=np.array([track_ids[i] for i in found.ids.tolist()], np.intp),
            overlap=iou(gt.boxes, found.boxes).astype(np.float64),
        )
        for gt, found in frames
    ]
    size = (len(truth_ids), len(track_ids))
    misses, false_alarms, switches = _clear(compared)
    truths = sum(len(frame.truths) for frame in compared)
    hota, detection, association = _hota(compared, size)
    return Scores(
        frames=len(frames),
        truths=truths,
        ids=len(track_ids),
        mota=1.0 - (misses + false_alarms + switches) / max(truths, 1),
        idf1=_idf1(compared, size),
        hota=hota,
        detection_accuracy=detection,
        association_accuracy=association,
        misses=misses,
        false_alarms=false_alarms,
        id_switches=switches,
    )


def interpolated(tracks: Sequence, frames: list[int], *, max_gap: int) -> dict[int, Labelled]:
    """Tracks at the given frames; those not sampled are filled in between.

    Args:
        tracks: Boxes at the sampled frames (a frame with a key is one that was sampled).
        frames: Frames wanted. A sampled one is taken as it is, whatever is missing there.
        max_gap: An id's box is interpolated linearly between two observations of it that are at
            most this many frames apart.
    """
    observed: dict[int, list[tuple[int, NDArray[np.float32]]]] = {}
    for frame in sorted(tracks):
        for i, box in zip(tracks[frame].ids.tolist(), tracks[frame].boxes, strict=True):
            observed.setdefault(i, []).append((frame, box))
    between: dict[int, list[tuple[int, NDArray[np.float32]]]] = {
        frame: [] for frame in frames if frame not in tracks
    }
    for i, points in observed.items():
        for (before, first), (after, second) in pairwise(points):
            if after - before > max_gap:
                continue
            for frame in range(before + 1, after):
                if frame in between:
                    share = np.float32((frame - before) / (after - before))
                    between[frame].append((i, first + (second - first) * share))
    result = {frame: tracks[frame] for frame in frames if frame in tracks}
    for frame, boxes in between.items():
        if boxes:
            result[frame] = Labelled(
                ids=np.array([i for i, _ in boxes], np.int64),
                boxes=np.array([box for _, box in boxes], np.float32),
            )
    return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """One frame: dense indices of its ground-truth and tracker ids, and IoU of every pair."""

    truths: NDArray[np.intp]
    tracks: NDArray[np.intp]
    overlap: NDArray[np.float64]


def _index(ids: list[NDArray[np.int64]]) -> dict[int, int]:
    known = sorted({i for frame in ids for i in frame.tolist()})
    return {i: index for index, i in enumerate(known)}


def _without_ignored(
    truth: Labelled, found: Labelled, limit_px: float
) -> tuple[Labelled, Labelled]:
    overlap = iou(truth.boxes, found.boxes).astype(np.float64)
    rows, columns = linear_sum_assignment(
        np.where(overlap >= MATCH_IOU, overlap, 0.0), maximize=True
    )
    paired = overlap[rows, columns] >= MATCH_IOU
    rows, columns = rows[paired], columns[paired]
    low_truth = _heights(truth) < limit_px
    drop = _heights(found) < limit_px
    drop[columns] = low_truth[rows]
    return truth.where(~low_truth), found.where(~drop)


def _heights(labelled: Labelled) -> NDArray[np.float32]:
    return labelled.boxes[:, 3] - labelled.boxes[:, 1]


def _clear(frames: list[_Compared]) -> tuple[int, int, int]:
    """Misses, false alarms and id switches at IoU >= .5.

    A pair of the frame before stays paired while its overlap allows, as CLEAR MOT asks.
    """
    misses = false_alarms = switches = 0
    last_ever: dict[int, int] = {}
    last_frame: dict[int, int] = {}
    for frame in frames:
        kept = np.array(
            [[last_frame.get(g) == t for t in frame.tracks.tolist()] for g in frame.truths.tolist()]
        ).reshape(frame.overlap.shape)
        value = np.where(frame.overlap >= MATCH_IOU, frame.overlap + 1000.0 * kept, 0.0)
        rows, columns = linear_sum_assignment(value, maximize=True)
        hit = value[rows, columns] > 0
        pairs = zip(
            frame.truths[rows[hit]].tolist(), frame.tracks[columns[hit]].tolist(), strict=True
        )
        last_frame = dict(pairs)
        switches += sum(last_ever.get(g, t) != t for g, t in last_frame.items())
        last_ever |= last_frame
        misses += len(frame.truths) - len(last_frame)
        false_alarms += len(frame.tracks) - len(last_frame)
    return misses, false_alarms, switches


def _idf1(frames: list[_Compared], size: tuple[int, int]) -> float:
    together = np.zeros(size)
    truths, tracks = np.zeros(size[0]), np.zeros(size[1])
    for frame in frames:
        rows, columns = np.nonzero(frame.overlap >= MATCH_IOU)
        together[frame.truths[rows], frame.tracks[columns]] += 1
        truths[frame.truths] += 1
        tracks[frame.tracks] += 1
    # One identity each: the assignment with most common frames also has least IDFP + IDFN,
    # because both are totals minus the common frames.
    hits = together[linear_sum_assignment(together, maximize=True)].sum()
    return float(2 * hits / max(truths.sum() + tracks.sum(), 1.0))


def _hota(frames: list[_Compared], size: tuple[int, int]) -> tuple[float, float, float]:
    """HOTA, DetA and AssA, each the mean over ``ALPHAS``."""
    likely = np.zeros(size)
    truths, tracks = np.zeros(size[0]), np.zeros(size[1])
    for frame in frames:
        total = frame.overlap.sum(0)[None, :] + frame.overlap.sum(1)[:, None] - frame.overlap
        likely[np.ix_(frame.truths, frame.tracks)] += np.divide(
            frame.overlap, total, out=np.zeros_like(total), where=total > 1e-12
        )
        truths[frame.truths] += 1
        tracks[frame.tracks] += 1
    together = truths[:, None] + tracks[None, :] - likely
    alignment = likely / np.maximum(together, 1e-12)

    matches = np.zeros((len(ALPHAS), *size))
    for frame in frames:
        value = alignment[np.ix_(frame.truths, frame.tracks)] * frame.overlap
        rows, columns = linear_sum_assignment(value, maximize=True)
        overlap = frame.overlap[rows, columns]
        for k, alpha in enumerate(ALPHAS):
            hit = overlap >= alpha - 1e-12
            matches[k, frame.truths[rows[hit]], frame.tracks[columns[hit]]] += 1
    hits = matches.sum((1, 2))
    detection = hits / np.maximum(truths.sum() + tracks.sum() - hits, 1.0)
    share = matches / np.maximum(truths[:, None] + tracks[None, :] - matches, 1.0)
    association = (matches * share).sum((1, 2)) / np.maximum(hits, 1.0)
    hota = np.sqrt(detection * association)
    return float(hota.mean()), float(detection.mean()), float(association.mean())
