"""The scripted scene through real parts: the rules agree with the script, the film can be read."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from video_detective.detection.motion import MotionEyes
from video_detective.errors import StorageError
from video_detective.geometry import NS_PER_S
from video_detective.media.file import VideoFile
from video_detective.media.sampling import Sampler
from video_detective.pipeline.camera import CameraGraph
from video_detective.rules import Event
from video_detective.rules.engine import RuleEngine
from video_detective.services.scripted_scene.compare import compare
from video_detective.services.scripted_scene.expected import document, expected_events
from video_detective.services.scripted_scene.render import render
from video_detective.services.scripted_scene.script import (
    FPS,
    FRAME_COUNT,
    HEIGHT,
    SCRIPT,
    START_NS,
    WIDTH,
)
from video_detective.services.scripted_scene.truth import observations
from video_detective.tracking.bytetrack import ByteTracker

SCENE = document().camera("cam01").scene("cam01")


@pytest.mark.parametrize("fps", [5.0, 10.0])
def test_the_rules_find_in_the_script_what_the_script_says(fps: float) -> None:
    engine = RuleEngine(SCENE)
    events: dict[str, Event] = {}
    for observation in observations(fps=fps):
        events |= {event.event_id: event for event in engine.update(observation)}
    events |= {event.event_id: event for event in engine.finish()}

    rows = compare(expected_events(SCENE), list(events.values()))

    assert [(row.status, row.detail, row.found) for row in rows if not row.is_ok] == []


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "scene.mp4"
    render(path)
    return path


def test_the_film_has_every_frame_and_knows_when_it_was_shot(film: Path) -> None:
    source = VideoFile(film, timezone="UTC")
    times = [frame.pts_ns for frame in source.frames()]
    assert len(times) == FRAME_COUNT
    assert times[-1] == pytest.approx((FRAME_COUNT - 1) / FPS * NS_PER_S, abs=1000)
    assert source.losses == ()
    assert source.info.start_ns == START_NS
    assert source.info.start_from == "container"
    assert (source.info.width, source.info.height) == (WIDTH, HEIGHT)


def test_the_motion_detector_finds_in_the_film_what_the_script_says(film: Path) -> None:
    graph = CameraGraph(
        scene=SCENE,
        sampler=Sampler(fps=5, idle_fps=1),
        eyes=MotionEyes(classes=frozenset({"person", "car", "object"})),
        make_tracker=lambda numbers: ByteTracker(next_numbers=numbers),
        track_numbers={},
        event_numbers={},
    )
    events: dict[str, Event] = {}
    for frame in VideoFile(film, timezone="UTC").frames():
        look = graph.step(frame)
        if look is not None:
            events |= {event.event_id: event for event in look.events}
    events |= {event.event_id: event for event in graph.finish()}

    rows = compare(expected_events(SCENE), list(events.values()))

    assert [(row.status, row.detail, row.found) for row in rows if not row.is_ok] == []


def test_the_covered_lens_is_dark_and_the_yard_is_not(film: Path) -> None:
    brightness = [float(np.mean(frame.luma)) for frame in VideoFile(film, timezone="UTC").frames()]
    start, end = (round(t * FPS) for t in SCRIPT.covered)
    assert max(brightness[start:end]) < 30
    assert min(brightness[: start - 3] + brightness[end + 4 :]) > 60


def test_a_film_that_cannot_be_written_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"absent.*Choose a folder that exists"):
        render(tmp_path / "absent" / "scene.mp4")


def test_a_film_that_was_given_up_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    def give_up(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(tmp_path / "scene.mp4", progress=give_up)
    assert list(tmp_path.iterdir()) == []


RENDER = (
    "import sys; from pathlib import Path; "
    "from video_detective.services.scripted_scene.render import render; render(Path(sys.argv[1]))"
)


def test_the_film_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    # Each in a process of its own, as commands are: x264 reads beyond pictures whose sides are no
    # multiples of 16, so that within one process a second film may differ from the first.
    hashes = set()
    for name in ("first.mp4", "again.mp4"):
        subprocess.run([sys.executable, "-c", RENDER, str(tmp_path / name)], check=True)
        hashes.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_rendering_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    render(tmp_path / "scene.mp4", progress=lambda done, total: told.append((done, total)))
    assert told == [(n, FRAME_COUNT) for n in range(1, FRAME_COUNT + 1)]
