import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.videos import picture

from video_detective.media.pictures import BoxMark, LineMark, ZoneMark, annotate, encode_jpeg


def plain(width: int = 640, height: int = 360, shade: int = 128) -> NDArray[np.uint8]:
    return np.full((height, width, 3), shade, np.uint8)


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.any(before != after, axis=2)


def test_a_jpeg_is_the_same_bytes_for_the_same_picture_and_close_to_it() -> None:
    data = encode_jpeg(picture(3))
    assert data == encode_jpeg(picture(3))
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(decoded.astype(int) - picture(3)).mean() < 8


def test_a_picture_without_pixels_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="without pixels"):
        encode_jpeg(np.zeros((0, 0, 3), np.uint8))


def test_drawing_leaves_the_frame_itself_unchanged() -> None:
    image = plain()
    drawn = annotate(image, boxes=[BoxMark(box=(10, 10, 50, 90), label="p01")], title="cam01")
    assert (image == 128).all()
    assert drawn.shape == image.shape
    assert changed(image, drawn).any()


def test_nothing_to_draw_gives_the_picture_itself() -> None:
    assert np.array_equal(annotate(plain()), plain())


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("width", [480, 1920])
def test_text_is_white_on_dark_whatever_the_scene(shade: int, width: int) -> None:
    image = plain(width, width // 2, shade)
    drawn = annotate(image, title="後門攝影機 cam01")
    rows, columns = np.nonzero(changed(image, drawn))
    plate = drawn[rows.min() : rows.max() + 1, columns.min() + 6 : columns.max() + 1]
    assert plate.max() > 230
    assert np.median(plate) < 110


@pytest.mark.parametrize(
    "box", [(0, 0, 20, 30), (620, 0, 640, 30), (0, 330, 20, 360), (600, 340, 640, 360),
            (-30, -30, 10, 10), (0, 0, 640, 360)],
)  # fmt: skip
def test_a_label_at_the_border_is_whole(box: tuple[float, float, float, float]) -> None:
    """It takes as many dark pixels as in the middle of the picture: none is cut off."""
    mark = "p07 行人 闖入"

    def plate_area(at: tuple[float, float, float, float]) -> int:
        with_label = annotate(plain(shade=255), boxes=[BoxMark(box=at, label=mark)])
        without = annotate(plain(shade=255), boxes=[BoxMark(box=at)])
        return int(changed(with_label, without).sum())

    middle = plate_area((300, 150, 340, 250))
    assert plate_area(box) == pytest.approx(middle, rel=0.15)


def test_a_text_wider_than_the_picture_is_shortened() -> None:
    drawn = annotate(plain(shade=255), title="很長的標題" * 40)
    assert changed(plain(shade=255), drawn)[:40].any()


def test_labels_of_a_crowd_stay_off_each_other() -> None:
    near = [BoxMark(box=(300 + 6 * i, 150, 330 + 6 * i, 250), label=f"p{i:02d}") for i in range(6)]
    image = plain(shade=255)

    def plates(boxes: list[BoxMark]) -> int:
        unlabelled = [BoxMark(box=box.box, key=box.key) for box in boxes]
        return int(changed(annotate(image, boxes=boxes), annotate(image, boxes=unlabelled)).sum())

    alone = sum(plates([box]) for box in near)
    assert plates(near) > 0.85 * alone


def test_a_zone_is_tinted_within_and_the_scene_stays_legible() -> None:
    image = plain()
    zone = ZoneMark(points=((100, 100), (500, 100), (500, 300), (100, 300)))
    drawn = annotate(image, zones=[zone])
    inside, outside = drawn[200, 300].astype(int), drawn[20, 20]
    assert 5 < np.abs(inside - 128).max() < 60
    assert (outside == 128).all()


def test_zones_and_lines_leave_heads_and_colours_of_clothes_as_they_are() -> None:
    zone = ZoneMark(points=((50, 50), (500, 50), (500, 300), (50, 300)))
    line = LineMark(points=((50, 120), (500, 120)))
    drawn = annotate(plain(), zones=[zone], lines=[line], boxes=[BoxMark(box=(200, 80, 300, 280))])
    assert (drawn[85:135, 205:295] == 128).all()
    assert (drawn[140:270, 205:295] == 128).all()
    low = LineMark(points=((50, 250), (500, 250)))
    crossed = annotate(plain(), lines=[low], boxes=[BoxMark(box=(200, 80, 300, 280))])
    assert changed(plain(), crossed)[250, 205:295].all()


def test_an_alarmed_mark_is_red() -> None:
    box = (100.0, 100.0, 200.0, 300.0)
    drawn = annotate(plain(), boxes=[BoxMark(box=box, key="person", is_alarmed=True)])
    blue, green, red = (int(v) for v in drawn[200, 100])
    assert red > 200 > 100 > max(blue, green)


def test_equal_keys_have_equal_colours() -> None:
    at = (100.0, 100.0, 200.0, 300.0)
    one = annotate(plain(), boxes=[BoxMark(box=at, key="person")])
    two = annotate(plain(), boxes=[BoxMark(box=at, key="person")])
    other = annotate(plain(), boxes=[BoxMark(box=at, key="vehicle")])
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_the_arrow_of_left_to_right_points_to_the_right_hand_of_the_line() -> None:
    """A line drawn to the right has its right hand below, in a picture whose y runs down."""
    image = plain()
    line = LineMark(points=((100, 180), (540, 180)), left_to_right="進入")
    bare = LineMark(points=line.points)
    arrow = changed(annotate(image, lines=[line]), annotate(image, lines=[bare]))
    assert arrow[190:, 310:330].any()
    assert not arrow[:170, 310:330].any()


def test_a_line_of_many_points_and_a_point_shaped_line_are_drawn() -> None:
    bent = LineMark(points=((10, 10), (300, 200), (600, 20)), right_to_left="離開", label="圍籬線")
    dot = LineMark(points=((50, 300), (50, 300)), left_to_right="進入")
    assert changed(plain(), annotate(plain(), lines=[bent, dot])).any()
