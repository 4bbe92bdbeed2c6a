"""Person detection on PETS09-S2L1: average precision, best F1, F1 at the default threshold, cost.

The eyes look at every second source frame (5 a second, as in operation) and, because the ground
truth has every fifth frame (1-based 1, 6, 11 …), at those frames too: 5.5 looks a second. Boxes
lower than 59 px are ignored: neither a hit nor a miss. Times are CPU time of one thread, so that a
busy machine counts for less::

    python benchmarks/detection.py --detector mobilenet-ssd --media ../shared/media
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.detection.base import Detections, Detector, Eyes
from video_detective.detection.detectors.registry import make_detector
from video_detective.detection.gate import GatedEyes
from video_detective.detection.motion import MotionEyes
from video_detective.geometry import Boxes, Image, iou
from video_detective.media.base import Frame

IGNORE_BELOW_PX = 59
MATCH_IOU = 0.5
START_NS = 1_250_000_000 * 1_000_000_000


class Timed:
    """A detector that counts its own time."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.name = detector.name
        self.classes = detector.classes
        self.seconds = 0.0

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        begin = time.process_time()
        found = self._detector.detect(images)
        self.seconds += time.process_time() - begin
        return found


def ground_truth(path: Path) -> dict[int, Boxes]:
    """0-based frame index to (N, 4) xyxy."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    truth = {}
    for frame in np.unique(rows[:, 0]):
        x, y, w, h = rows[rows[:, 0] == frame, 2:6].T
        truth[int(frame) - 1] = np.stack([x, y, x + w, y + h], axis=1).astype(np.float32)
    return truth


def matches(found: Detections, truth: Boxes) -> tuple[list[tuple[float, bool]], int]:
    """(score, hit) of each person detection that counts, and how many truths count."""
    counts = truth[:, 3] - truth[:, 1] >= IGNORE_BELOW_PX
    overlap = iou(found.boxes, truth)
    taken = np.zeros(len(truth), np.bool_)
    judged: list[tuple[float, bool]] = []
    for i, name in enumerate(found.classes):
        if name != "person":
            continue
        free = np.where(~taken & counts, overlap[i], 0)
        if free.size and free.max() >= MATCH_IOU:
            taken[free.argmax()] = True
            judged.append((float(found.scores[i]), True))
            continue
        ignored = np.where(counts, 0, overlap[i])
        low = found.boxes[i, 3] - found.boxes[i, 1] < IGNORE_BELOW_PX
        if not low and not (ignored.size and ignored.max() >= MATCH_IOU):
            judged.append((float(found.scores[i]), False))
    return judged, int(counts.sum())


def scores(judged: list[tuple[float, bool]], positives: int, threshold: float) -> dict[str, float]:
    """Average precision (all points), best F1 with its threshold, F1 at ``threshold``."""
    judged.sort(key=lambda row: -row[0])
    hits = np.array([hit for _, hit in judged], np.float64)
    levels = np.array([score for score, _ in judged])
    recall = np.cumsum(hits) / positives
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    at = int(np.count_nonzero(levels >= threshold)) - 1
    best = int(f1.argmax())
    return {
        "ap": float((np.diff(recall, prepend=0) * envelope).sum()),
        "best_f1": float(f1[best]),
        "best_threshold": float(levels[best]),
        "f1": float(f1[at]),
        "precision": float(precision[at]),
        "recall": float(recall[at]),
    }


def evaluate(
    eyes: Eyes,
    detector: Timed | None,
    video: Path,
    truth: dict[int, Boxes],
    *,
    threshold: float,
    every: int = 2,
) -> dict[str, float]:
    """Run the eyes over the video and compare them with the ground truth."""
    judged: list[tuple[float, bool]] = []
    positives = tiles = looks = objects = 0
    decoding = looking = seconds = 0.0
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        last_second = -1
        begin = time.process_time()
        for index, picture in enumerate(container.decode(stream)):
            seconds = float(picture.time or 0)
            if index % every and index not in truth:
                continue
            frame = _frame(index, picture, seconds)
            idle_sample = int(seconds) != last_second
            last_second = int(seconds)
            decoding += time.process_time() - begin
            begin = time.process_time()
            seen = eyes.look(frame, idle_sample=idle_sample)
            looking += time.process_time() - begin
            looks += 1
            tiles += seen.tiles
            objects += seen.detections.classes.count("object")
            if index in truth:
                found, count = matches(seen.detections, truth[index])
                judged += found
                positives += count
            begin = time.process_time()
    inference = detector.seconds if detector else 0.0
    result = scores(judged, positives, threshold)
    result |= {
        "looks": looks,
        "tiles_per_look": tiles / looks,
        "objects_per_look": objects / looks,
        "decode_ms": decoding / looks * 1e3,
        "detector_ms": inference / looks * 1e3,
        "gate_ms": (looking - inference) / looks * 1e3,
        "times_real_time": seconds / (decoding + looking),
    }
    return result


def _frame(index: int, picture: av.VideoFrame, seconds: float) -> Frame:
    plane = picture.planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(
        -1, plane.line_size
    )
    pts_ns = round(seconds * 1e9)
    return Frame(
        index=index,
        pts_ns=pts_ns,
        time_ns=START_NS + pts_ns,
        luma=rows[: picture.height, : picture.width],
        to_bgr=lambda: picture.to_ndarray(format="bgr24").astype(np.uint8, copy=False),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table (or JSON) for the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--media", type=Path, default=Path("../shared/media"))
    parser.add_argument("--detector", default="mobilenet-ssd", help="'motion' needs no weights")
    parser.add_argument("--model", type=Path, help="ONNX file in place of the installed weights")
    parser.add_argument("--threshold", type=float, default=0.49)
    parser.add_argument("--every", type=int, default=2, help="look at every so many frames")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    classes = frozenset({"person", "bicycle", "car", "motorcycle", "bus", "dog", "cat", "object"})
    detector = None
    if options.detector != "motion":
        detector = Timed(make_detector(options.detector, model_path=options.model))
    eyes: Eyes = MotionEyes(classes=classes)
    if detector:
        eyes = GatedEyes(detector, classes=classes, score=options.threshold)
    pets = options.media / "pets"
    result = evaluate(
        eyes,
        detector,
        pets / "vtest.avi",
        ground_truth(pets / "gt_first_half.txt"),
        threshold=options.threshold,
        every=options.every,
    )
    if options.json:
        print(json.dumps({name: round(value, 4) for name, value in result.items()}))
        return
    for name, value in result.items():
        print(f"{name:18}{value:9.3f}")


if __name__ == "__main__":
    main()
