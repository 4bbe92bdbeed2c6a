"""Many points at once are inside of what each of them is inside of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from video_detective.geometry import Polygon

EIGHTHS = st.integers(0, 8).map(lambda n: n / 8)
POINTS = st.tuples(EIGHTHS, EIGHTHS)


@given(st.lists(POINTS, min_size=3, max_size=7), st.lists(POINTS, max_size=30))
def test_each_point_is_inside_as_if_it_were_alone(
    corners: list[tuple[float, float]], points: list[tuple[float, float]]
) -> None:
    polygon = Polygon(tuple(corners))
    xs, ys = np.array(points, np.float64).reshape(-1, 2).T
    assert polygon.contains_each(xs, ys).tolist() == [polygon.contains(point) for point in points]
