"""Renders the script to a film as a surveillance camera would have recorded it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S, Image
from video_detective.services.scripted_scene.figures import draw_bag, draw_car, draw_person
from video_detective.services.scripted_scene.script import (
    FPS,
    FRAME_COUNT,
    HEIGHT,
    SCRIPT,
    START_NS,
    TIMEZONE_OFFSET_S,
    WIDTH,
    Script,
)
from video_detective.services.scripted_scene.yard import draw_yard, light_map

SEED = 20260115
NOISE_SIGMA = 1.7
"""Grey levels of sensor noise: a decent camera by lamp light."""
COVER_FALL_S = 0.3
"""How long the cloth takes to fall over the lens, and to be lifted."""


def frames(script: Script = SCRIPT) -> Iterator[Image]:
    """The pictures in order, (HEIGHT, WIDTH, 3) uint8 BGR; the same ones every time."""
    rng = np.random.default_rng(SEED)
    yard = draw_yard(rng)
    light = light_map()
    cloth = _cloth(rng)
    grain = _Grain(rng)
    for number in range(FRAME_COUNT):
        t = number / FPS
        frame = yard.copy()
        _draw_actors(frame, script, t, light)
        _cover(frame, cloth, script.covered, t)
        grain.add_to(frame)
        _burn_in_clock(frame, t)
        yield frame


def render(path: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the film to ``path`` (MP4, H.264, 10 frames a second, wall-clock start in the file).

    The same machine and libraries give the same bytes. The file appears when it is complete.

    Args:
        path: File to write; replaced when there.
        progress: Called after each frame with the frames done and all.

    Raises:
        StorageError: the file cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        _encode(unfinished, progress)
        unfinished.replace(path)
    except OSError as error:  # PyAV's write errors are such, too
        raise StorageError(
            f"The scripted scene cannot be written to {str(path)!r}: {error.strerror or error}",
            remedy="Choose a folder that exists, is writable and has 10 MB free",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(path: Path, progress: Callable[[int, int], None] | None) -> None:
    started = dt.datetime.fromtimestamp(START_NS / NS_PER_S, tz=dt.UTC)
    with av.open(
        path, "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as container:
        container.metadata["creation_time"] = started.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        stream = container.add_stream(
            "libx264", rate=FPS, options={"crf": "25", "preset": "veryfast", "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = 5 * FPS
        for number, picture in enumerate(frames()):
            # OpenCV's conversion, not FFmpeg's: that one's result varies with memory alignment.
            planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(np.asarray(planes, dtype=np.uint8), format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
            if progress is not None:
                progress(number + 1, FRAME_COUNT)
        container.mux(stream.encode(None))


def _draw_actors(frame: Image, script: Script, t: float, light: NDArray[np.float32]) -> None:
    """Everyone present, the far ones first."""
    present = [(actor, pose) for actor in script.actors if (pose := actor.pose(t)) is not None]
    for actor, pose in sorted(present, key=lambda item: item[1].y):
        column = min(max(int(pose.x), 0), WIDTH - 1)
        row = min(max(int(pose.y) - 1, 0), HEIGHT - 1)
        bright = float(light[row, column])
        if actor.kind == "car":
            draw_car(frame, pose, actor.look, bright)
        elif actor.kind == "bag":
            draw_bag(frame, pose, bright)
        else:
            draw_person(frame, pose, actor.look, t, bright)


def _cloth(rng: np.random.Generator) -> Image:
    """A dark cloth so near the lens that nothing of it is sharp."""
    coarse = rng.normal(9, 2.5, (5, 8, 1)).astype(np.float32) * np.ones(3, np.float32)
    cloth = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(cloth, 2, 24).astype(np.uint8)


def _cover(frame: Image, cloth: Image, covered: tuple[float, float], t: float) -> None:
    """Let the cloth fall over the lens from above, with a soft hem, and take it away again."""
    start, end = covered
    share = min(1 + (t - start) / COVER_FALL_S, 1 + (end - t) / COVER_FALL_S, 1.0)
    if share <= 0:
        return
    hem = share * (HEIGHT + 60)
    rows = np.arange(HEIGHT, dtype=np.float32)
    opacity = np.clip((np.float32(hem) - rows) / 60, 0, 1)[:, None, None]
    mixed = frame * (1 - opacity) + cloth * opacity
    frame[:] = np.clip(mixed, 0, 255).astype(np.uint8)


class _Grain:
    """Sensor noise: one large field, a different cut of it for every frame."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        field = rng.normal(0, NOISE_SIGMA, (HEIGHT + 64, WIDTH + 64, 3)).round()
        self._lighter = np.clip(field, 0, 255).astype(np.uint8)
        self._darker = np.clip(-field, 0, 255).astype(np.uint8)

    def add_to(self, frame: Image) -> None:
        y, x = (int(v) for v in self._rng.integers(0, 64, 2))
        cut = np.s_[y : y + HEIGHT, x : x + WIDTH]
        cv2.add(frame, self._lighter[cut], dst=frame)
        cv2.subtract(frame, self._darker[cut], dst=frame)


def _burn_in_clock(frame: Image, t: float) -> None:
    """Camera name and local time in the upper left corner, over the eave."""
    seconds = START_NS // NS_PER_S + TIMEZONE_OFFSET_S + math.floor(t + 1e-9)
    local = dt.datetime.fromtimestamp(seconds, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    strip = frame[:26]
    cv2.putText(
        strip, f"CAM01 後門攝影機  {local}", (12, 19), (232, 232, 232), cv2.FontFace("uni"), 15, 500
    )
