"""A user's ONNX detector: the boxes that must come out of every layout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from tests.onnx_graphs import write_detector

from video_detective.detection.detectors.labels import COCO_91
from video_detective.detection.detectors.onnx_layouts import LAYOUTS
from video_detective.detection.detectors.onnx_models import MAX_FILE_BYTES, OnnxDetector
from video_detective.errors import MissingError, UsageError

SIDE = 128
CELLS = 336  # 16 x 16 + 8 x 8 + 4 x 4
WIDE: NDArray[np.uint8] = np.zeros((160, 320, 3), np.uint8)
"""Twice as wide as high: letterboxed to 128 x 64, in the middle with 32 rows above and below."""
PERSON, CAR, ZEBRA = 0, 2, 22

Array = NDArray[np.float32]


def logit(score: float) -> float:
    return float(np.log(score / (1 - score)))


def queries(classes: int, index: int) -> tuple[Array, Array]:
    """A car in the left half of the picture's middle, and a zebra that nobody watches for."""
    boxes = np.array([[0.25, 0.5, 0.5, 0.5], [0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 1, 1]], np.float32)
    logits = np.full((3, classes), -20, np.float32)
    logits[0, index] = logit(0.8)
    logits[1, min(index + 20, classes - 1)] = logit(0.9)
    logits[2, index] = logit(0.1)
    return boxes, logits


def rf_detr() -> dict[str, Array]:
    boxes, logits = queries(91, COCO_91.index("car"))
    return {"dets": boxes, "labels": logits}


def rt_detr_logits() -> dict[str, Array]:
    boxes, logits = queries(80, CAR)
    return {"logits": logits, "pred_boxes": boxes}


def rt_detr() -> dict[str, Array]:
    return {
        "labels": np.array([ZEBRA, CAR, CAR], np.float32),
        "boxes": np.array([[0, 0, 1, 1], [0, 0.25, 0.5, 0.75], [0, 0, 1, 1]], np.float32),
        "scores": np.array([0.9, 0.8, 0.1], np.float32),
    }


def rt_detr_ultralytics() -> dict[str, Array]:
    rows = np.zeros((300, 84), np.float32)
    rows[0, :4], rows[0, 4 + CAR] = (0.25, 0.5, 0.5, 0.5), 0.8
    rows[1, :4], rows[1, 4 + ZEBRA] = (0.5, 0.5, 1, 1), 0.9
    return {"output0": rows}


def rt_detr_ultralytics_6() -> dict[str, Array]:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (0.25, 0.5, 0.5, 0.5, 0.8, CAR)
    rows[1] = (0.5, 0.5, 1, 1, 0.9, ZEBRA)
    return {"output0": rows}


def anchors(rows: int, centre: tuple[float, float]) -> Array:
    """Rows (cx, cy, w, h, objectness, classes): the car twice, so that one must be suppressed."""
    values = np.zeros((rows, 85), np.float32)
    for row, score in ((5, 1.0), (6, 0.75)):
        values[row, :5] = (*centre, 64, 32, 0.8)
        values[row, 5 + CAR] = score
    values[9, :5] = (64, 64, 128, 128, 0.9)
    values[9, 5 + ZEBRA] = 1
    return values


def yolov5() -> dict[str, Array]:
    return {"output0": anchors(3 * CELLS, (32, 64))}


def yolox_decoded() -> dict[str, Array]:
    return {"output": anchors(CELLS, (32, 32))}


def yolox() -> dict[str, Array]:
    """Cell (1, 2) of stride 8 and cell (0, 1) of stride 16 both see the car at (32, 32)."""
    rows = np.zeros((CELLS, 85), np.float32)
    rows[33, :5] = (32 / 8 - 1, 32 / 8 - 2, np.log(64 / 8), np.log(32 / 8), 0.8)
    rows[33, 5 + CAR] = 1
    rows[256 + 8, :5] = (32 / 16 - 0, 32 / 16 - 1, np.log(64 / 16), np.log(32 / 16), 0.8)
    rows[256 + 8, 5 + CAR] = 0.75
    return {"output": rows}


def yolov8() -> dict[str, Array]:
    columns = np.zeros((84, CELLS), np.float32)
    for column, score in ((5, 0.8), (6, 0.6)):
        columns[:4, column] = (32, 64, 64, 32)
        columns[4 + CAR, column] = score
    columns[:4, 9], columns[4 + ZEBRA, 9] = (64, 64, 128, 128), 0.9
    return {"output0": columns}


def yolo_end2end() -> dict[str, Array]:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (0, 0, 128, 128, 0.9, ZEBRA)
    rows[1] = (0, 48, 64, 80, 0.8, CAR)
    return {"output0": rows}


MAKERS: dict[str, Callable[[], dict[str, Array]]] = {
    "rf-detr": rf_detr,
    "rt-detr": rt_detr,
    "rt-detr-logits": rt_detr_logits,
    "rt-detr-ultralytics": rt_detr_ultralytics,
    "rt-detr-ultralytics-6": rt_detr_ultralytics_6,
    "yolox": yolox,
    "yolox-decoded": yolox_decoded,
    "yolov5": yolov5,
    "yolov8": yolov8,
    "yolo-end2end": yolo_end2end,
}
NOTES = {
    "rt-detr-ultralytics-6": {"head": "RTDETRDecoder", "task": "detect"},
}
CAR_BOX = [0, 40, 160, 120]
"""The car on the wide picture, whichever way that was brought to the input's 128 x 128."""
NOT_RECOGNISED = {"yolox-decoded"}


def detector_of(layout: str, folder: Path, **options: object) -> OnnxDetector:
    path = write_detector(
        folder / f"{layout}.onnx",
        MAKERS[layout](),
        target_sizes=layout == "rt-detr",
        metadata=NOTES.get(layout),
    )
    if layout in NOT_RECOGNISED:
        options["layout"] = layout
    return OnnxDetector(path, **options)  # type: ignore[arg-type]


def test_every_layout_has_a_model_here() -> None:
    assert MAKERS.keys() == LAYOUTS.keys()


@pytest.mark.parametrize("layout", MAKERS)
def test_every_layout_is_recognised_and_gives_the_car_where_it_is(
    layout: str, tmp_path: Path
) -> None:
    detector = detector_of(layout, tmp_path)
    (found,) = detector.detect([WIDE])
    assert detector.layout.name == layout
    assert found.classes == ("car",)
    np.testing.assert_allclose(found.boxes, [CAR_BOX], atol=0.01)
    np.testing.assert_allclose(found.scores, [0.8], atol=1e-5)
    assert (found.boxes.dtype, found.scores.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize("layout", MAKERS)
def test_pictures_of_different_sizes_come_back_in_their_order(layout: str, tmp_path: Path) -> None:
    pictures = [WIDE, np.zeros((320, 640, 3), np.uint8)] * 5  # more than one run of eight
    found = detector_of(layout, tmp_path).detect(pictures)
    assert len(found) == 10
    for i, one in enumerate(found):
        np.testing.assert_allclose(one.boxes, [[v * (1 + i % 2) for v in CAR_BOX]], atol=0.02)


@pytest.mark.parametrize("layout", MAKERS)
def test_no_pictures_give_no_results(layout: str, tmp_path: Path) -> None:
    assert detector_of(layout, tmp_path).detect([]) == []


@pytest.mark.parametrize("layout", MAKERS)
def test_nothing_above_the_threshold_gives_empty_detections(layout: str, tmp_path: Path) -> None:
    (found,) = detector_of(layout, tmp_path, threshold=0.95).detect([WIDE])
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)


@pytest.mark.parametrize("layout", MAKERS)
def test_only_the_wanted_classes_come_out(layout: str, tmp_path: Path) -> None:
    detector = detector_of(layout, tmp_path, classes=["person", "object"])
    assert detector.classes == {"person"}
    assert len(detector.detect([WIDE])[0]) == 0


@pytest.mark.parametrize("layout", sorted(MAKERS.keys() - {"rt-detr"}))
def test_a_fixed_batch_is_filled_up(layout: str, tmp_path: Path) -> None:
    path = write_detector(
        tmp_path / "fixed.onnx",
        MAKERS[layout](),
        input_shape=(4, 3, SIDE, SIDE),
        metadata=NOTES.get(layout),
    )
    found = OnnxDetector(path, layout=layout).detect([WIDE] * 5)
    assert [one.classes for one in found] == [("car",)] * 5


@pytest.mark.parametrize("layout", MAKERS)
def test_scores_are_sorted(layout: str, tmp_path: Path) -> None:
    (found,) = detector_of(layout, tmp_path, threshold=0.0).detect([WIDE])
    assert (np.diff(found.scores) <= 0).all()


def red(value: int) -> float:
    return (value / 255 - 0.485) / 0.229


def blue(value: int) -> float:
    return (value / 255 - 0.406) / 0.225


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


GREY = 114 / 255
# Layout, (channel, row, column) of the input, and what its value makes of the car's score, for a
# wide picture of blue 10, green 20, red 200.
SEEN = [
    ("rf-detr", (0, 0, 0), sigmoid(red(200))),
    ("rf-detr", (2, 127, 127), sigmoid(blue(10))),
    ("rt-detr", (0, 0, 0), 200 / 255),
    ("rt-detr", (1, 127, 127), 20 / 255),
    ("rt-detr-logits", (0, 0, 0), sigmoid(200 / 255)),
    ("rt-detr-logits", (2, 127, 127), sigmoid(10 / 255)),
    ("rt-detr-ultralytics", (0, 0, 0), 200 / 255),
    ("rt-detr-ultralytics", (2, 127, 127), 10 / 255),
    ("rt-detr-ultralytics-6", (0, 0, 0), 200 / 255),
    ("rt-detr-ultralytics-6", (2, 127, 127), 10 / 255),
    ("yolox", (0, 0, 0), 10 / 255),
    ("yolox", (2, 63, 127), 200 / 255),
    ("yolox", (2, 64, 0), GREY),
    ("yolox-decoded", (0, 0, 0), 10 / 255),
    ("yolox-decoded", (2, 63, 127), 200 / 255),
    ("yolox-decoded", (2, 64, 0), GREY),
    ("yolov5", (0, 32, 0), 200 / 255),
    ("yolov5", (2, 95, 127), 10 / 255),
    ("yolov5", (0, 31, 127), GREY),
    ("yolov8", (0, 32, 0), 200 / 255),
    ("yolov8", (2, 95, 127), 10 / 255),
    ("yolov8", (2, 96, 0), GREY),
    ("yolo-end2end", (0, 32, 0), 200 / 255),
    ("yolo-end2end", (2, 95, 127), 10 / 255),
    ("yolo-end2end", (0, 31, 127), GREY),
]


def car_alone(layout: str) -> tuple[dict[str, Array], tuple[str, int]]:
    """The layout's outputs without the other objects, and where the car's score is in them."""
    outputs = MAKERS[layout]()
    name = {"rf-detr": "labels", "rt-detr": "scores", "rt-detr-logits": "logits"}.get(
        layout, next(iter(outputs))
    )
    array = outputs[name]
    if layout in ("rf-detr", "rt-detr-logits"):
        array[1:] = -30
        return outputs, (name, int(array[0].argmax()))
    if layout == "rt-detr":
        array[[0, 2]] = 0
        return outputs, (name, 1)
    if layout == "yolov8":
        array[:, [6, 9]] = 0
        return outputs, (name, (4 + CAR) * CELLS + 5)
    if layout == "yolo-end2end":
        array[0] = 0
        return outputs, (name, 6 + 4)
    if layout.startswith("rt-detr"):
        array[1] = 0
        return outputs, (name, 4 if layout.endswith("-6") else 4 + CAR)
    row = 33 if layout == "yolox" else 5
    array[:row] = array[row + 1 :] = 0
    if layout.startswith("yolox"):
        array[row, 5 + CAR] = 1 / 255  # its pixels, and so this objectness, are 0..255
    return outputs, (name, row * 85 + 4)


@pytest.mark.parametrize(("layout", "place", "score"), SEEN)
def test_the_model_sees_the_picture_as_its_family_was_trained(
    layout: str, place: tuple[int, int, int], score: float, tmp_path: Path
) -> None:
    outputs, (name, index) = car_alone(layout)
    path = write_detector(
        tmp_path / "probe.onnx",
        outputs,
        target_sizes=layout == "rt-detr",
        metadata=NOTES.get(layout),
        pixel=(name, index, place),
    )
    picture = np.empty((160, 320, 3), np.uint8)
    picture[:] = (10, 20, 200)
    (found,) = OnnxDetector(path, layout=layout, threshold=1e-6).detect([picture])
    np.testing.assert_allclose(found.scores, [score], atol=1e-4)


def test_boxes_are_cut_off_at_the_edges_of_the_picture(tmp_path: Path) -> None:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (-20, 0, 150, 128, 0.9, PERSON)
    rows[1] = (0, 0, 128, 20, 0.8, PERSON)  # wholly in the grey above the picture
    path = write_detector(tmp_path / "m.onnx", {"output0": rows})
    (found,) = OnnxDetector(path).detect([WIDE])
    assert found.boxes.tolist() == [[0, 0, 320, 160]]


@pytest.mark.parametrize("size", [(577, 413), (1080, 1920), (90, 35), (3, 200)])
def test_odd_sizes_lose_nothing_to_rounding(size: tuple[int, int], tmp_path: Path) -> None:
    """The box around all that is not grey comes back as the whole picture, exactly."""
    height, width = size
    ratio = 128 / max(size)
    inner_h, inner_w = max(1, round(height * ratio)), max(1, round(width * ratio))
    left, top = round((128 - inner_w) / 2 - 0.1), round((128 - inner_h) / 2 - 0.1)
    rows = np.array([[left, top, left + inner_w, top + inner_h, 0.9, PERSON]], np.float32)
    path = write_detector(tmp_path / "m.onnx", {"output0": rows})
    (found,) = OnnxDetector(path).detect([np.zeros((height, width, 3), np.uint8)])
    np.testing.assert_allclose(found.boxes, [[0, 0, width, height]], rtol=1e-6)


def test_boxes_that_are_no_numbers_are_dropped(tmp_path: Path) -> None:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (np.nan, 50, 30, 80, 0.9, PERSON)
    rows[1] = (10, 50, 30, 80, np.nan, PERSON)
    rows[2] = (10, 50, 30, 80, 0.7, PERSON)
    path = write_detector(tmp_path / "m.onnx", {"output0": rows})
    assert OnnxDetector(path).detect([WIDE])[0].classes == ("person",)


def test_overlapping_boxes_of_different_groups_stay(tmp_path: Path) -> None:
    columns = np.zeros((84, 2100), np.float32)
    columns[:4, :2] = np.array([[160], [160], [50], [50]])
    columns[4 + PERSON, 0], columns[4 + CAR, 1] = 0.9, 0.8
    path = write_detector(tmp_path / "m.onnx", {"output0": columns}, input_shape=(1, 3, 320, 320))
    (found,) = OnnxDetector(path).detect([np.zeros((320, 320, 3), np.uint8)])
    assert found.classes == ("person", "car")


def test_half_precision_inputs_are_served(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "half.onnx", yolo_end2end(), input_type=TensorProto.FLOAT16)
    assert OnnxDetector(path).detect([WIDE])[0].classes == ("car",)


def test_a_free_input_size_takes_the_side_asked_for(tmp_path: Path) -> None:
    path = write_detector(
        tmp_path / "free.onnx", yolo_end2end(), input_shape=("batch", 3, "height", "width")
    )
    (found,) = OnnxDetector(path, side=256).detect([WIDE])
    np.testing.assert_allclose(found.boxes, [[0, 0, 80, 20]])  # the same pixels of a larger input


def test_sides_that_an_exporter_left_open_are_measured(tmp_path: Path) -> None:
    path = write_detector(
        tmp_path / "open.onnx",
        yolov5(),
        input_shape=("batch", 3, "height", "width"),
        output_shapes={"output0": ("batch", "anchors", "columns")},
    )
    assert OnnxDetector(path, side=SIDE).layout.name == "yolov5"


# Class names


def test_names_written_by_the_exporter_are_used(tmp_path: Path) -> None:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (0, 48, 64, 80, 0.8, 1)
    names = {"names": "{0: 'forklift', 1: 'Pedestrian', 2: 'truck'}"}
    path = write_detector(tmp_path / "m.onnx", {"output0": rows}, metadata=names)
    detector = OnnxDetector(path)
    assert detector.classes == {"person", "truck"}
    assert detector.detect([WIDE])[0].classes == ("person",)


def test_declared_names_go_before_the_file_s(tmp_path: Path) -> None:
    path = write_detector(
        tmp_path / "m.onnx", yolo_end2end(), metadata={"names": "['a', 'b', 'c']"}
    )
    names = ["", "", "suitcase", *([""] * 20)]
    assert OnnxDetector(path, class_names=names).detect([WIDE])[0].classes == ("suitcase",)


def test_rf_detr_trained_on_own_classes_may_have_a_background_at_the_end(tmp_path: Path) -> None:
    boxes = np.array([[0.5, 0.5, 0.5, 0.5]], np.float32)
    logits = np.array([[-9, 2, -9, -9]], np.float32)  # as wide as a box: told apart by name
    path = write_detector(tmp_path / "m.onnx", {"labels": logits, "dets": boxes})
    (found,) = OnnxDetector(path, class_names=["dog", "cat", "bus"]).detect([WIDE])
    assert found.classes == ("cat",)
    np.testing.assert_allclose(found.boxes, [[80, 40, 240, 120]])


def test_unnamed_classes_are_asked_for(tmp_path: Path) -> None:
    columns = np.zeros((4 + 3, 2100), np.float32)
    path = write_detector(tmp_path / "m.onnx", {"o": columns}, input_shape=(1, 3, 320, 320))
    with pytest.raises(UsageError, match=r"3 classes, but no names.*Declare its 3 class names"):
        OnnxDetector(path)


def test_a_wrong_number_of_names_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="80 classes, but 2 names"):
        detector_of("yolov5", tmp_path, class_names=["person", "car"])


def test_a_class_number_without_a_name_is_told(tmp_path: Path) -> None:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = (0, 48, 64, 80, 0.8, 200)
    path = write_detector(tmp_path / "objects365.onnx", {"output0": rows})
    with pytest.raises(UsageError, match="class number 200, but 80"):
        OnnxDetector(path).detect([WIDE])


def test_unreadable_names_are_told(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "m.onnx", yolo_end2end(), metadata={"names": "{0: person"})
    with pytest.raises(UsageError, match="class names cannot be read"):
        OnnxDetector(path)


def test_a_model_without_any_wanted_class_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot find face: it knows person, bicycle"):
        detector_of("yolov8", tmp_path, classes=["face"])


# Layouts that cannot be told, or are told wrongly


def test_an_unknown_layout_is_refused_with_its_shapes_and_the_known_ones(tmp_path: Path) -> None:
    odd = {"heat": np.zeros((7, 9, 9), np.float32)}
    path = write_detector(tmp_path / "m.onnx", odd)
    with pytest.raises(UsageError) as refused:
        OnnxDetector(path)
    text = str(refused.value)
    assert "images (?, 3, 128, 128); outputs heat (?, 7, 9, 9)" in text
    assert all(layout in text for layout in LAYOUTS)


def test_a_shape_of_two_layouts_is_refused_naming_both(tmp_path: Path) -> None:
    two_names = {"names": "['person', 'car']"}
    rows = {"output0": np.zeros((300, 6), np.float32)}
    path = write_detector(tmp_path / "m.onnx", rows, metadata=two_names)
    with pytest.raises(UsageError, match="yolo-end2end or rt-detr-ultralytics"):
        OnnxDetector(path)
    assert OnnxDetector(path, layout="rt-detr-ultralytics").layout.name == "rt-detr-ultralytics"


def test_logits_of_own_classes_may_be_of_two_families(tmp_path: Path) -> None:
    boxes, logits = queries(5, 1)
    path = write_detector(tmp_path / "m.onnx", {"logits": logits, "pred_boxes": boxes})
    with pytest.raises(UsageError, match="rt-detr-logits or rf-detr"):
        OnnxDetector(path)


def test_a_layout_nobody_knows_is_refused_with_the_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no ONNX layout 'yolo9000'.*rf-detr, rt-detr"):
        OnnxDetector(write_detector(tmp_path / "m.onnx", yolov5()), layout="yolo9000")


def test_a_wrongly_declared_layout_is_refused(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "m.onnx", yolov5())
    with pytest.raises(UsageError, match="2 inputs"):
        OnnxDetector(path, layout="rt-detr")
    with pytest.raises(UsageError, match="2 outputs"):
        OnnxDetector(path, layout="rf-detr")
    with pytest.raises(UsageError, match=r"\(1008, 85\).*not of layout 'yolox'"):
        OnnxDetector(path, layout="yolox").detect([WIDE])


def test_decoded_yolox_taken_for_raw_is_told(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "m.onnx", yolox_decoded())
    with pytest.raises(UsageError, match="Declare the layout 'yolox-decoded'"):
        OnnxDetector(path).detect([WIDE])


def test_a_segmentation_model_is_refused(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "m.onnx", yolov5(), metadata={"task": "segment"})
    with pytest.raises(UsageError, match="task 'segment'"):
        OnnxDetector(path)


# Files


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"gone\.onnx"):
        OnnxDetector(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 this is no model", b"\x08\x07" * 50])
def test_a_file_that_is_no_model_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"'m\.onnx' cannot be loaded as an ONNX model"):
        OnnxDetector(path)


def test_a_file_larger_than_onnx_allows_is_told(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no room on the disk
    with pytest.raises(UsageError, match=r"2\.0 GiB, an ONNX file at most 2"):
        OnnxDetector(path)


@pytest.mark.parametrize("shape", [("batch", 64, 64, 3), ("batch", 1, 64, 64)])
def test_an_input_that_is_no_colour_picture_is_told(
    shape: tuple[int | str, ...], tmp_path: Path
) -> None:
    path = write_detector(tmp_path / "m.onnx", yolo_end2end(), input_shape=shape)
    with pytest.raises(UsageError, match=r"\(N, 3, height, width\)"):
        OnnxDetector(path)
