"""How well ids hold: MOTA, IDF1 and HOTA on labelled footage.

    python benchmarks/tracking.py --truth GT.txt --tracks TRACKS.txt
    python benchmarks/tracking.py --truth GT.txt --detections CACHED.npz --fps 5 [--tracker iou]

``TRACKS.txt`` is what ``video-detective analyze --tracks-out`` writes: MOTChallenge rows
``frame,id,x,y,w,h,conf,-1,-1,-1`` with 1-based source frame numbers. ``GT.txt`` has rows
``frame,id,x,y,w,h``. ``CACHED.npz`` holds detections, so that a tracker can be judged without
running the detector again: ``frames`` (F,) the 1-based source frames that were looked at,
``rows`` (N, 6) float ``frame, x1, y1, x2, y2, score``, all of class person.

The main figure is over *all* labelled frames: where a labelled frame lies between two sampled ones,
each id's box is interpolated linearly if it was observed on both sides at most 0.4 s apart. The
second figure is over the labelled frames that were themselves sampled. Ground-truth boxes lower
than 59 px (PETS09-S2L1: far people at the edge of the picture) are neither hit nor miss; see
``mot_metrics.evaluate`` for the rule.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.mot_metrics import Labelled, Scores, evaluate, interpolated
from video_detective.detection import Detections
from video_detective.geometry import NS_PER_S
from video_detective.tracking import Tracker
from video_detective.tracking.bytetrack import ByteTracker
from video_detective.tracking.iou import IouTracker

IGNORE_BELOW_PX = 59
MAX_GAP_S = 0.4
TRACKERS = {"bytetrack": ByteTracker, "iou": IouTracker}


def read_boxes(path: Path) -> dict[int, Labelled]:
    """Rows ``frame,id,x,y,w,h[,…]`` as xyxy boxes by frame."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    found = {}
    for frame in np.unique(rows[:, 0]):
        chosen = rows[rows[:, 0] == frame]
        boxes = chosen[:, 2:6].copy()
        boxes[:, 2:] += boxes[:, :2]
        found[int(frame)] = Labelled(
            ids=chosen[:, 1].astype(np.int64), boxes=boxes.astype(np.float32)
        )
    return found


def track_detections(
    tracker: Tracker, path: Path, *, source_fps: float, fps: float
) -> dict[int, Labelled]:
    """Tracks of cached detections, by 1-based source frame, sampled at ``fps``."""
    with np.load(path) as cached:
        frames, rows = cached["frames"], cached["rows"]
    step = max(1, round(source_fps / fps))
    tracks = {}
    for frame in frames[(frames - 1) % step == 0].tolist():
        chosen = rows[rows[:, 0] == frame]
        seen = tracker.update(
            Detections(
                boxes=chosen[:, 1:5].astype(np.float32),
                scores=chosen[:, 5].astype(np.float32),
                classes=("person",) * len(chosen),
            ),
            round((frame - 1) / source_fps * NS_PER_S),
        )
        tracks[int(frame)] = Labelled(
            ids=np.array([int(track.track_id[1:]) for track in seen], np.int64),
            boxes=np.array([track.bbox for track in seen], np.float32).reshape(-1, 4),
        )
    return tracks


def scores(
    truth: dict[int, Labelled], tracks: dict[int, Labelled], *, source_fps: float
) -> dict[str, Scores]:
    """The main figure (all labelled frames) and that over sampled labelled frames.

    A frame counts as sampled when ``tracks`` has an entry for it.
    """
    max_gap = round(MAX_GAP_S * source_fps)
    everywhere = interpolated(tracks, sorted(truth), max_gap=max_gap)
    sampled = {frame: boxes for frame, boxes in truth.items() if frame in tracks}
    return {
        "all labelled frames (main)": evaluate(truth, everywhere, ignore_below_px=IGNORE_BELOW_PX),
        "sampled labelled frames": evaluate(sampled, tracks, ignore_below_px=IGNORE_BELOW_PX),
    }


def main() -> int:
    """Print the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--truth", type=Path, required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tracks", type=Path, help="MOTChallenge rows")
    source.add_argument("--detections", type=Path, help="cached detections (.npz)")
    parser.add_argument("--source-fps", type=float, default=10.0, help="of the footage")
    parser.add_argument("--fps", type=float, default=5.0, help="sampling of --detections")
    parser.add_argument("--tracker", choices=sorted(TRACKERS), default="bytetrack")
    chosen = parser.parse_args()
    truth = read_boxes(chosen.truth)
    if chosen.tracks is not None:
        tracks = read_boxes(chosen.tracks)
    else:
        tracks = track_detections(
            TRACKERS[chosen.tracker](),
            chosen.detections,
            source_fps=chosen.source_fps,
            fps=chosen.fps,
        )
    for name, figure in scores(truth, tracks, source_fps=chosen.source_fps).items():
        print(
            f"{name:<27} frames {figure.frames:3}  MOTA {figure.mota:.3f}  "
            f"IDF1 {figure.idf1:.3f}  HOTA {figure.hota:.3f}  "
            f"(DetA {figure.detection_accuracy:.3f}, AssA {figure.association_accuracy:.3f}, "
            f"misses {figure.misses}, false {figure.false_alarms}, "
            f"switches {figure.id_switches}, ids {figure.ids})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
