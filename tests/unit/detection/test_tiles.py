"""Tiles of a picture: where they are, who claims them, how their boxes come together."""

from __future__ import annotations

import numpy as np
import pytest

from video_detective.detection.base import Detections
from video_detective.detection.tiles import join, make_grid, merge_tiles


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def persons(*rows):
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(boxes=table[:, :4], scores=table[:, 4], classes=("person",) * len(table))


@pytest.mark.parametrize(
    "size", [(768, 576), (1920, 1080), (640, 360), (576, 768), (320, 240), (100, 90), (1, 1)]
)
def test_tiles_cover_every_pixel_and_stay_inside(size):
    width, height = size
    grid = make_grid(width, height)
    for first, last in grid.levels:
        covered = np.zeros((height, width), np.bool_)
        for x1, y1, x2, y2 in grid.boxes[first:last].astype(int):
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height
            covered[y1:y2, x1:x2] = True
        assert covered.all()


def test_the_measured_tile_size_is_271_on_768_by_576():
    grid = make_grid(768, 576)
    first, last = grid.levels[0]
    assert last - first == 12
    assert grid.boxes[0].tolist() == [0, 0, 271, 271]


def test_nothing_claims_nothing():
    assert make_grid(768, 576).claim(boxes()) == []


def test_one_small_object_claims_one_tile_that_holds_it():
    grid = make_grid(768, 576)
    claimed = grid.claim(boxes([300, 200, 330, 280]))
    assert len(claimed) == 1
    x1, y1, x2, y2 = grid.boxes[claimed[0]]
    assert x1 <= 300
    assert y1 <= 200
    assert x2 >= 330
    assert y2 >= 280


def test_two_neighbours_share_a_tile():
    grid = make_grid(768, 576)
    assert len(grid.claim(boxes([60, 60, 80, 120], [110, 70, 130, 130]))) == 1


def test_an_object_as_large_as_the_picture_claims_the_picture():
    grid = make_grid(768, 576)
    assert grid.claim(boxes([100, 20, 700, 560])) == [len(grid) - 1]


def test_a_seed_outside_the_picture_claims_nothing():
    assert make_grid(768, 576).claim(boxes([-80, 10, -20, 90])) == []


def test_a_larger_tile_says_nothing_about_a_small_object():
    grid = make_grid(768, 576)
    small = boxes([300, 200, 330, 280])
    assert grid.seen(small, [len(grid) - 1]).tolist() == [False]
    assert grid.seen(small, grid.claim(small)).tolist() == [True]
    assert grid.seen(boxes(), [0]).tolist() == []


def test_boxes_near_each_other_join_and_distant_ones_do_not():
    joined = join(boxes([0, 0, 10, 10], [100, 0, 110, 10], [15, 0, 25, 10], [30, 0, 40, 10]), 8)
    assert sorted(joined.tolist()) == [[0, 0, 40, 10], [100, 0, 110, 10]]
    assert join(boxes(), 8).shape == (0, 4)


def test_a_box_cut_by_an_inner_border_loses_to_the_whole_one():
    tiles = boxes([0, 0, 256, 256], [170, 0, 426, 256])
    cut = persons([220, 50, 256, 150, 0.9])
    whole = persons([50, 50, 110, 150, 0.6])
    merged = merge_tiles([cut, whole], tiles, (426, 256))
    assert merged.boxes.tolist() == [[220, 50, 280, 150]]
    assert merged.scores.tolist() == pytest.approx([0.6])


def test_a_box_at_the_pictures_own_border_keeps_its_score():
    tiles = boxes([0, 0, 256, 256], [170, 0, 426, 256])
    found = [persons([0, 50, 40, 256, 0.9]), Detections.none()]
    assert merge_tiles(found, tiles, (426, 256)).scores.tolist() == pytest.approx([0.9])


def test_no_tiles_give_no_detections():
    assert len(merge_tiles([], boxes(), (426, 256))) == 0
    assert len(merge_tiles([Detections.none()], boxes([0, 0, 9, 9]), (426, 256))) == 0
