"""Print the table of accuracy, speed and memory: ``python -m benchmarks [--media FOLDER]``.

Accuracy is exact and repeatable. Speed is CPU time on one core: quote ratios, and run it on a
machine that does nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import detection, speed, tracking
from video_detective.cli.app import main as video_detective

RULES = """\
schema_version: 1
cameras:
  bench: {detection: {detector: mobilenet-ssd, classes: [person]}}
"""


def accuracy(media: Path) -> list[tuple[str, str]]:
    """Detection and tracking on PETS' first half, at 5 frames a second, with the default model."""
    figures = json.loads(
        _printed(detection.main, ["--detector", "mobilenet-ssd", "--media", str(media), "--json"])
    )
    rows = [
        ("person AP, IoU .5", f"{figures['ap']:.3f}"),
        ("person F1 at the default threshold", f"{figures['f1']:.3f}"),
        ("best F1 (at threshold)", f"{figures['best_f1']:.3f} ({figures['best_threshold']:.2f})"),
        ("regions searched a look", f"{figures['tiles_per_look']:.1f}"),
    ]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        rules, tracks = folder / "rules.yaml", folder / "tracks.txt"
        rules.write_text(RULES)
        _command(
            ["analyze", str(media / "pets" / "vtest.avi"), "--rules", str(rules), "--data-dir",
             str(folder / "data"), "--tracks-out", str(tracks), "--json"]
        )  # fmt: skip
        truth = tracking.read_boxes(media / "pets" / "gt_first_half.txt")
        found = tracking.scores(truth, tracking.read_boxes(tracks), source_fps=10)[
            "all labelled frames (main)"
        ]
    return [
        *rows,
        ("MOTA", f"{found.mota:.3f}"),
        ("IDF1", f"{found.idf1:.3f}"),
        ("HOTA", f"{found.hota:.3f}"),
    ]


def _printed(call, arguments: list[str]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as text:
        call(arguments)
    return text.getvalue()


def _command(arguments: list[str]) -> None:
    """The installed command, in this process."""
    earlier, sys.argv = sys.argv, ["video-detective", *arguments]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            video_detective()
    except SystemExit as ended:
        if ended.code:
            raise
    finally:
        sys.argv = earlier


def main() -> None:
    """Print every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[2] / "shared" / "media"
    parser.add_argument("--media", type=Path, default=default, help="folder of footage")
    parser.add_argument("--runs", type=int, default=speed.RUNS, help="runs a speed figure")
    options = parser.parse_args()
    if not (options.media / "pets" / "vtest.avi").is_file():
        parser.error(f"there is no pets/vtest.avi in '{options.media}'; name the folder by --media")
    for what, figure in (*accuracy(options.media), *speed.table(options.media, options.runs)):
        print(f"{what:<62} {figure}", flush=True)


if __name__ == "__main__":
    main()
