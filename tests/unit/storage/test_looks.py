"""What the rules saw is read back as it was, whatever it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_detective.errors import StorageError
from video_detective.storage import LookRow
from video_detective.storage.looks import decode, encode
from video_detective.tracking.base import Track

NOW = 1_765_893_900_000_000_000
COORDINATE = st.floats(-1e5, 1e5)
TRACKS = st.lists(
    st.builds(
        Track,
        track_id=st.sampled_from(["p01", "v02", "o100"]),
        type=st.sampled_from(["person", "car", "object"]),
        conf=st.floats(0, 1),
        bbox=st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE),
    ),
    max_size=3,
).map(tuple)
LOOK = st.tuples(
    st.integers(1, 10**12),
    st.integers(0, 1000),
    st.sampled_from([(640, 360), (1920, 1080)]),
    st.sampled_from(["ok", "dark", "blurred"]),
    st.booleans(),
    st.none() | TRACKS,
)


@given(st.lists(LOOK, min_size=1, max_size=40))
def test_moments_are_read_back_exactly(parts: list[tuple[object, ...]]) -> None:
    looks, time_ns, frame = [], NOW, 0
    for step_ns, frames, size, view, cut, tracks in parts:
        time_ns, frame = time_ns + step_ns, frame + frames  # type: ignore[operator]
        looks.append(
            LookRow(time_ns=time_ns, frame=frame, size=size, view=view, cut=cut, tracks=tracks)  # type: ignore[arg-type]
        )
    assert decode(encode(looks)) == looks


def test_an_hour_in_which_nothing_moves_takes_a_few_bytes_a_minute() -> None:
    parked = (Track(track_id="v01", type="car", conf=0.8, bbox=(10.5, 20.25, 99.0, 80.0)),)
    looks = [
        LookRow(
            time_ns=NOW + n * 200_000_000,
            frame=n * 5,
            size=(1920, 1080),
            tracks=None if n % 5 == 0 else parked,
        )
        for n in range(5 * 3600)
    ]
    stretches = [encode(looks[start : start + 300]) for start in range(0, len(looks), 300)]
    assert sum(map(len, stretches)) < 60 * 1000
    assert [look for data in stretches for look in decode(data)] == looks


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", encode([LookRow(time_ns=1, frame=0, size=(1, 1))])[:-3]]
)
def test_damaged_moments_are_told_from_whole_ones(data: bytes) -> None:
    with pytest.raises(StorageError):
        decode(data)
