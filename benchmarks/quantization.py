"""Precision and cost of the default detector, full precision against 8 bits.

Run: python benchmarks/quantization.py FOLDER_WITH_PETS [CACHE]
where the folder holds ``vtest.avi`` and ``gt_first_half.txt`` (PETS09-S2L1). Every frame of the
ground truth goes through overlapping tiles of 256 pixels; people lower than 59 pixels count
neither way. Prints AP (IoU .5), the best F1 with its threshold, and processor time for a tile.
"""

import argparse
import time
from pathlib import Path

import av
import cv2
import numpy as np

from video_detective.detection.base import Detections, Detector
from video_detective.detection.detectors.registry import make_detector
from video_detective.detection.suppression import suppress
from video_detective.detection.weights import default_cache_dir, find
from video_detective.detection.weights.catalogue import MOBILENET_SSD, MOBILENET_SSD_INT8
from video_detective.geometry import Image, iou

TILE, OVERLAP = 256, 0.25
THRESHOLD = 0.05
CUT_WEIGHT, CUT_MARGIN = 0.35, 0.012
"""A box that a tile's inner border cuts counts less: a neighbour sees it whole."""
LEAST_HEIGHT, LEAST_FOUND_HEIGHT = 59, 40


def starts(length: int) -> list[int]:
    count = int(np.ceil((length - TILE) / (TILE * (1 - OVERLAP)))) + 1
    return [round(i * (length - TILE) / (count - 1)) for i in range(count)]


def in_tiles(detector: Detector, picture: Image) -> tuple[Detections, int, float]:
    """People of the whole picture, how many tiles, and processor seconds in the detector."""
    height, width = picture.shape[:2]
    corners = [(x, y) for y in starts(height) for x in starts(width)]
    began = time.process_time()
    found = detector.detect([picture[y : y + TILE, x : x + TILE] for x, y in corners])
    took = time.process_time() - began
    boxes, scores = [], []
    for (x, y), tile in zip(corners, found, strict=True):
        inner = np.array([x > 0, y > 0, x + TILE < width, y + TILE < height])
        near = np.concatenate([tile.boxes[:, :2], TILE - tile.boxes[:, 2:]], axis=1)
        cut = ((near < CUT_MARGIN * TILE) & inner).any(axis=1)
        boxes.append(tile.boxes + np.array([x, y, x, y], np.float32))
        scores.append(np.where(cut, tile.scores * CUT_WEIGHT, tile.scores))
    everything = Detections(
        boxes=np.concatenate(boxes),
        scores=np.concatenate(scores).astype(np.float32),
        classes=("person",) * sum(map(len, scores)),
    )
    return suppress(everything.where(everything.scores > THRESHOLD)), len(corners), took


def judged(found: Detections, truth: np.ndarray) -> list[tuple[float, bool]]:
    """(score, whether right) of each detection that counts; ``truth`` has rows x, y, w, h."""
    overlap = iou(found.boxes, np.c_[truth[:, :2], truth[:, :2] + truth[:, 2:]].astype(np.float32))
    ignored = truth[:, 3] < LEAST_HEIGHT
    taken = ignored.copy()
    rows = []
    for i, score in enumerate(found.scores):
        free = np.where(taken, 0, overlap[i])
        if free.max() >= 0.5:
            taken[free.argmax()] = True
            rows.append((float(score), True))
        elif not (
            (overlap[i][ignored] >= 0.5).any()
            or found.boxes[i, 3] - found.boxes[i, 1] < LEAST_FOUND_HEIGHT
        ):
            rows.append((float(score), False))
    return rows


def evaluate(detector: Detector, folder: Path) -> str:
    truth = np.loadtxt(folder / "gt_first_half.txt", delimiter=",")
    rows: list[tuple[float, bool]] = []
    people = tiles = 0
    seconds = 0.0
    with av.open(str(folder / "vtest.avi")) as container:
        for number, frame in enumerate(container.decode(video=0), 1):
            if number > truth[:, 0].max():
                break
            here = truth[truth[:, 0] == number][:, 2:6]
            if len(here) == 0:
                continue
            found, count, took = in_tiles(
                detector, frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
            )
            rows += judged(found, here)
            people += int((here[:, 3] >= LEAST_HEIGHT).sum())
            tiles += count
            seconds += took
    rows.sort(reverse=True)
    right = np.cumsum([hit for _, hit in rows])
    precision, recall = right / np.arange(1, len(rows) + 1), right / people
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    ap = float((np.diff(recall, prepend=0) * envelope).sum())
    f1 = 2 * precision * recall / (precision + recall)
    best = int(f1.argmax())
    return (
        f"AP {ap:.3f}  F1 {f1[best]:.3f} at {rows[best][0]:.2f}  "
        f"{seconds / tiles * 1000:.1f} ms a tile"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("cache", type=Path, nargs="?", default=default_cache_dir())
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    for file in (MOBILENET_SSD, MOBILENET_SSD_INT8):
        detector = make_detector(
            "mobilenet-ssd",
            classes=["person"],
            threshold=THRESHOLD,
            model_path=find("mobilenet-ssd", file, arguments.cache),
        )
        print(f"{file:24} {evaluate(detector, arguments.folder)}", flush=True)


if __name__ == "__main__":
    main()
