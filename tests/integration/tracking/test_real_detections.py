"""Both trackers on a real detector's boxes of a real scene, against its ground truth."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def cached_detections(media_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = np.loadtxt(media_dir / "pets/public_detections_first_half.txt", delimiter=",")
    corners = rows[:, 2:6].copy()
    corners[:, 2:] += corners[:, :2]
    path = tmp_path_factory.mktemp("tracking") / "public.npz"
    np.savez(
        path, frames=np.arange(1, 401), rows=np.column_stack([rows[:, 0], corners, rows[:, 6]])
    )
    return path


def main_figures(detections: Path, truth: Path, *options: str) -> dict[str, float]:
    """The benchmark's main line as a user reads it."""
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "benchmarks.tracking"),
            *("--truth", str(truth), "--detections", str(detections), *options),
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("all labelled")]
    words = line.split()
    return {name: float(words[words.index(name) + 1]) for name in ("MOTA", "IDF1", "HOTA")}


@pytest.mark.media
def test_bytetrack_holds_ids_where_plain_overlap_loses_them(
    cached_detections: Path, media_dir: Path
) -> None:
    truth = media_dir / "pets/gt_first_half.txt"
    for fps in ("10", "5", "3.3"):
        ours = main_figures(cached_detections, truth, "--fps", fps)
        plain = main_figures(cached_detections, truth, "--fps", fps, "--tracker", "iou")
        assert ours["IDF1"] > plain["IDF1"] + 0.1
        assert ours["HOTA"] > plain["HOTA"] + 0.1
        assert ours["MOTA"] > plain["MOTA"]
