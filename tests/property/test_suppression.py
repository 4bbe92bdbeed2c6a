"""What suppression promises for any set of boxes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from video_detective.detection.base import CLASS_GROUPS, Detections
from video_detective.detection.suppression import suppress
from video_detective.geometry import intersection_over_smaller, iou

ROWS = st.lists(
    st.tuples(
        st.integers(0, 100),
        st.integers(0, 100),
        st.integers(1, 60),
        st.integers(1, 60),
        st.integers(1, 100),
        st.sampled_from(["person", "car", "bus", "dog"]),
    ),
    max_size=30,
)


def detections_of(rows: list[tuple[int, int, int, int, int, str]]) -> Detections:
    return Detections(
        boxes=np.array([(x, y, x + w, y + h) for x, y, w, h, _, _ in rows], np.float32).reshape(
            -1, 4
        ),
        scores=np.array([s / 100 for *_, s, _ in rows], np.float32),
        classes=tuple(name for *_, name in rows),
    )


def test_no_detections_stay_none() -> None:
    assert len(suppress(Detections.none())) == 0


@given(ROWS)
def test_survivors_are_in_descending_order_of_score(rows) -> None:
    kept = suppress(detections_of(rows))
    assert (np.diff(kept.scores) <= 0).all()


@given(ROWS)
def test_no_two_survivors_of_a_group_overlap_beyond_the_limits(rows) -> None:
    kept = suppress(detections_of(rows), iou=0.4, ios=0.7)
    groups = np.array([CLASS_GROUPS[c] for c in kept.classes])
    pairs = (groups[:, None] == groups[None]) & ~np.eye(len(kept), dtype=bool)
    assert not (pairs & (iou(kept.boxes, kept.boxes) > 0.4)).any()
    assert not (pairs & (intersection_over_smaller(kept.boxes, kept.boxes) > 0.7)).any()


@given(ROWS)
def test_everything_dropped_is_covered_by_a_survivor_of_its_group_scored_no_lower(rows) -> None:
    given_ = detections_of(rows)
    kept = suppress(given_)
    survivors = {(*box.tolist(), float(s)) for box, s in zip(kept.boxes, kept.scores, strict=True)}
    for i, name in enumerate(given_.classes):
        if (*given_.boxes[i].tolist(), float(given_.scores[i])) in survivors:
            continue
        better = [
            j
            for j, other in enumerate(kept.classes)
            if CLASS_GROUPS[other] == CLASS_GROUPS[name] and kept.scores[j] >= given_.scores[i]
        ]
        box, covers = given_.boxes[i : i + 1], kept.boxes[better]
        assert ((iou(box, covers) > 0.45) | (intersection_over_smaller(box, covers) > 0.8)).any()


@given(ROWS)
def test_suppressing_twice_changes_nothing(rows) -> None:
    once = suppress(detections_of(rows))
    twice = suppress(once)
    assert twice.boxes.tolist() == once.boxes.tolist()
    assert twice.classes == once.classes


@given(ROWS)
def test_each_group_is_suppressed_as_if_it_were_alone(rows) -> None:
    everything = suppress(detections_of(rows))
    people = suppress(detections_of([row for row in rows if row[-1] == "person"]))
    mask = np.array([name == "person" for name in everything.classes], bool)
    assert everything.where(mask).boxes.tolist() == people.boxes.tolist()
