"""Speed and memory of one analysis on one core: ratios to real time and to decode-only, by stage.

Each clip is analysed by the installed command in a process of its own, held to one processor; its
user and system time count, so that a busy machine does not. Real time over CPU time is the figure:
a busy machine makes it a little worse, never better. The median of the runs is printed.

- busy: PETS09-S2L1 whole, 5 frames a second, with a zone, a tripwire and three rules.
- quiet: a still of an empty room with sensor noise, five minutes, nothing moves.
- still: likewise of the busy clip's first frame: eight people and two cars who never move.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective import config
from video_detective.geometry import NS_PER_S
from video_detective.media.file import VideoFile
from video_detective.media.sampling import Sampler
from video_detective.pipeline.camera import CameraGraph
from video_detective.services.analysis import make_eyes
from video_detective.tracking.bytetrack import ByteTracker

RUNS = 3
QUIET_S = 300
RULES = """\
schema_version: 1
cameras:
  bench:
    detection: {detector: mobilenet-ssd, classes: [person, car, object]}
    zones:
      lawn: {points: [[0.05, 0.55], [0.6, 0.55], [0.6, 0.98], [0.05, 0.98]]}
    tripwires:
      road: {points: [[0.45, 0.3], [0.8, 0.75]]}
    rules:
      - {id: cross, type: line_crossing, tripwire: road}
      - {id: enter, type: intrusion, zone: lawn}
      - {id: stay, type: loitering, zone: lawn}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What one clip costs.

    Args:
        video_s: Length of the clip.
        cpu_s: Of a whole analysis, start of the program included.
        evidence_s: Part of it that cuts, draws and encodes evidence.
        decode_s: Of decoding every frame and nothing else.
        stages_s: Of decoding, eyes, tracking and rules, in one process.
        peak_mb: Largest resident size of the analysis.
    """

    video_s: float
    cpu_s: float
    evidence_s: float
    decode_s: float
    stages_s: dict[str, float]
    peak_mb: float


def quiet_clip(still_of: Path, target: Path) -> None:
    """Five minutes of a first frame with sensor noise (sigma 2 of 255), 10 frames a second.

    MPEG-4 at 1.5 Mbit/s as in the busy clip, so that the noise survives the encoder.
    """
    with av.open(still_of) as container:
        still: NDArray[np.float32] = (
            next(container.decode(video=0)).to_ndarray(format="bgr24").astype(np.float32)
        )
    rng = np.random.default_rng(7)
    noise = [rng.normal(0, 2, still.shape).astype(np.float32) for _ in range(16)]
    with av.open(target, "w") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.height, stream.width = still.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 1_500_000
        for index in range(QUIET_S * 10):
            shifted = np.roll(noise[index % 16], int(rng.integers(0, 500)), axis=1)
            picture = np.clip(still + shifted, 0, 255).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(stream.encode(None))


def measure(clip: Path, folder: Path, runs: int) -> Speed:
    """Analyse a clip several times; medians."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    whole = [_analysis(clip, rules, folder / f"{clip.stem}-{run}") for run in range(runs)]
    stages = [_stages(clip) for _ in range(runs)]
    middle = {name: statistics.median(s[name] for s in stages) for name in stages[0]}
    cpu_s = statistics.median(cpu for cpu, _ in whole)
    help_command = [sys.executable, "-m", "video_detective", "--help"]
    start_s = statistics.median(_run(help_command).ru_utime for _ in range(runs))
    return Speed(
        video_s=_length(clip),
        cpu_s=cpu_s,
        evidence_s=max(0.0, cpu_s - start_s - sum(middle.values())),
        decode_s=statistics.median(_decode_only(clip) for _ in range(runs)),
        stages_s={"start": start_s, **middle},
        peak_mb=max(peak for _, peak in whole),
    )


def _analysis(clip: Path, rules: Path, data_dir: Path) -> tuple[float, float]:
    command = [sys.executable, "-m", "video_detective", "analyze", str(clip), "--rules",
               str(rules), "--data-dir", str(data_dir), "--json"]  # fmt: skip
    used = _run(command)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _run(command: list[str]) -> resource.struct_rusage:
    """What a command used, held to one processor; kB and s."""
    processor = min(os.sched_getaffinity(0))
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {processor}),
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return used


def _length(clip: Path) -> float:
    duration_ns = VideoFile(clip, timezone="UTC", start_ns=0).info.duration_ns
    assert duration_ns is not None
    return duration_ns / NS_PER_S


def _decode_only(clip: Path) -> float:
    source = VideoFile(clip, timezone="UTC", start_ns=0)
    begin = time.process_time()
    for _ in source.frames():
        pass
    return time.process_time() - begin


def _stages(clip: Path) -> dict[str, float]:
    """CPU seconds of each stage, the pipeline driven by hand in this process."""
    cv2.setNumThreads(1)
    camera = config.parse(RULES).camera("bench")
    spent = dict.fromkeys(("decode", "eyes", "tracking", "rules"), 0.0)
    eyes = make_eyes(camera)
    eyes.look = _timed(eyes.look, spent, "eyes")  # type: ignore[method-assign]
    tracker = ByteTracker()
    tracker.update = _timed(tracker.update, spent, "tracking")  # type: ignore[method-assign]
    graph = CameraGraph(
        scene=camera.scene("bench"),
        sampler=Sampler(),
        eyes=eyes,
        make_tracker=lambda _: tracker,
        track_numbers={},
        event_numbers={},
    )
    begin = time.process_time()
    frames = VideoFile(clip, timezone="UTC", start_ns=0).frames()
    while True:
        mark = time.process_time()
        frame = next(frames, None)
        spent["decode"] += time.process_time() - mark
        if frame is None:
            break
        graph.step(frame)
    total = time.process_time() - begin
    spent["rules"] = total - spent["decode"] - spent["eyes"] - spent["tracking"]
    return spent


def _timed(call: Callable, spent: dict[str, float], name: str) -> Callable:
    def timed(*args: object, **kwargs: object) -> object:
        begin = time.process_time()
        try:
            return call(*args, **kwargs)
        finally:
            spent[name] += time.process_time() - begin

    return timed


def table(media: Path, runs: int = RUNS) -> list[tuple[str, str]]:
    """Rows of (what, figure)."""
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        busy = media / "pets" / "vtest.avi"
        quiet, still = folder / "quiet.avi", folder / "still.avi"
        quiet_clip(media / "one-by-one-person-detection.mp4", quiet)
        quiet_clip(busy, still)
        for label, clip in (("busy", busy), ("quiet", quiet), ("still", still)):
            speed = measure(clip, folder, runs)
            analysis_s = sum(v for k, v in speed.stages_s.items() if k != "start")
            rows += [
                (f"{label}: frames to events, x real time", f"{speed.video_s / analysis_s:.1f}"),
                (
                    f"{label}: whole command with storage and evidence, x real time",
                    f"{speed.video_s / speed.cpu_s:.1f}",
                ),
                (f"{label}: decode only, x real time", f"{speed.video_s / speed.decode_s:.0f}"),
                (
                    f"{label}: frames to events, share of decode only",
                    f"{analysis_s / speed.decode_s:.1f} x its cost",
                ),
                (
                    f"{label}: stages, CPU s per minute of video",
                    ", ".join(
                        f"{stage} {60 * seconds / speed.video_s:.2f}"
                        for stage, seconds in {
                            **{k: v for k, v in speed.stages_s.items() if k != "start"},
                            "storage and evidence": speed.evidence_s,
                        }.items()
                    ),
                ),
                (f"{label}: peak memory", f"{speed.peak_mb:.0f} MB"),
            ]
    return rows
