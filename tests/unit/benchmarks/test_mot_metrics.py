"""The benchmark's own measures, on sequences that can be worked out by hand."""

import numpy as np
import pytest
from benchmarks import mot_metrics as mot


def labelled(**boxes: tuple[float, float, float, float]) -> mot.Labelled:
    """``_7=(x1, y1, x2, y2)`` is identity 7."""
    return mot.Labelled(
        ids=np.array([int(name[1:]) for name in boxes], np.int64),
        boxes=np.array(list(boxes.values()), np.float32).reshape(-1, 4),
    )


BOX = (0.0, 0.0, 40.0, 100.0)
FAR = (300.0, 0.0, 340.0, 100.0)
SMALL = (600.0, 0.0, 620.0, 50.0)


def test_perfect_tracks_score_one() -> None:
    truth = {n: labelled(_1=BOX, _2=FAR) for n in range(1, 6)}
    tracks = {n: labelled(_9=BOX, _4=FAR) for n in range(1, 6)}
    scores = mot.evaluate(truth, tracks)
    assert (scores.mota, scores.idf1, scores.hota) == pytest.approx((1, 1, 1))
    assert (scores.truths, scores.ids, scores.id_switches) == (10, 2, 0)


def test_no_tracks_score_nothing() -> None:
    scores = mot.evaluate({1: labelled(_1=BOX)}, {})
    assert (scores.mota, scores.idf1, scores.hota, scores.misses) == (0, 0, 0, 1)


def test_an_id_that_changes_half_way_is_counted_once_and_halves_the_association() -> None:
    truth = {n: labelled(_1=BOX) for n in range(1, 11)}
    tracks = {n: labelled(**{"_5" if n <= 5 else "_6": BOX}) for n in range(1, 11)}
    scores = mot.evaluate(truth, tracks)
    assert scores.id_switches == 1
    assert scores.mota == pytest.approx(0.9)
    assert scores.idf1 == pytest.approx(0.5)
    assert scores.association_accuracy == pytest.approx(0.5)
    assert scores.hota == pytest.approx(0.5**0.5)


def test_a_false_alarm_and_a_miss_cost_one_each() -> None:
    truth = {1: labelled(_1=BOX), 2: labelled(_1=BOX)}
    tracks = {1: labelled(_1=BOX, _2=FAR)}
    scores = mot.evaluate(truth, tracks)
    assert (scores.misses, scores.false_alarms) == (1, 1)
    assert scores.mota == pytest.approx(0)


def test_hota_asks_for_better_boxes_than_a_half_overlap() -> None:
    truth = {n: labelled(_1=BOX) for n in range(1, 5)}
    # IoU .6: right at 12 of the 19 thresholds.
    tracks = {n: labelled(_1=(0, 0, 40, 60)) for n in range(1, 5)}
    scores = mot.evaluate(truth, tracks)
    assert scores.mota == pytest.approx(1)
    assert scores.hota == pytest.approx(12 / 19)


def test_low_boxes_are_neither_hit_nor_miss_nor_false_alarm() -> None:
    truth = {n: labelled(_1=BOX, _2=SMALL) for n in (1, 2)}
    elsewhere = (900.0, 0.0, 920.0, 50.0)
    for tracks in (
        {n: labelled(_1=BOX) for n in (1, 2)},
        {n: labelled(_1=BOX, _2=SMALL) for n in (1, 2)},
        {n: labelled(_1=BOX, _3=elsewhere) for n in (1, 2)},
        # Paired with an ignored box although it is not itself low.
        {n: labelled(_1=BOX, _2=(600, 0, 620, 65)) for n in (1, 2)},
    ):
        scores = mot.evaluate(truth, tracks, ignore_below_px=59)
        assert (scores.truths, scores.misses, scores.false_alarms, scores.ids) == (2, 0, 0, 1)
    tall = {n: labelled(_1=BOX, _3=FAR) for n in (1, 2)}
    assert mot.evaluate(truth, tall, ignore_below_px=59).false_alarms == 2


def test_boxes_between_two_samples_are_interpolated() -> None:
    tracks = {
        1: labelled(_1=(0, 0, 40, 100), _2=FAR),
        3: labelled(_1=(20, 10, 60, 110)),
        9: labelled(_2=FAR),
    }
    filled = mot.interpolated(tracks, [1, 2, 3, 6], max_gap=4)
    assert sorted(filled) == [1, 2, 3]
    assert filled[2].ids.tolist() == [1]
    np.testing.assert_allclose(filled[2].boxes, [[10, 5, 50, 105]])
    assert filled[3].ids.tolist() == [1]
