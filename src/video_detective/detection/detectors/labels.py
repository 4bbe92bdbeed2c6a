"""Class names of public data sets and of users' models, mapped to the classes kept here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from video_detective.detection.base import CLASS_GROUPS

COCO_80: tuple[str, ...] = (
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
)
"""The 80 annotated COCO classes, numbered without gaps (YOLO, RT-DETR, D-FINE).

Source: Lin et al., "Microsoft COCO", ECCV 2014; the 2017 annotations.
"""

COCO_UNUSED_IDS = frozenset({0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""COCO category ids below 91 that no annotation bears."""


def _coco_by_category_id() -> tuple[str, ...]:
    used = iter(COCO_80)
    return tuple("" if i in COCO_UNUSED_IDS else next(used) for i in range(91))


COCO_91: tuple[str, ...] = _coco_by_category_id()
"""COCO classes by category id, with "" for ids without annotations (RF-DETR's official weights).

Source: RF-DETR, ``rfdetr/util/coco_classes.py``: 1 is person, 90 is toothbrush.
"""

SYNONYMS: Mapping[str, str] = {
    "pedestrian": "person",
    "people": "person",
    "motorbike": "motorcycle",
}
"""Names that common data sets (VOC, VisDrone, BDD100K) use for a class of ``CLASS_GROUPS``."""


def kept_class(name: str) -> str | None:
    """The class of ``CLASS_GROUPS`` that a model's class name means, or None.

    >>> kept_class("Motorbike"), kept_class("zebra")
    ('motorcycle', None)
    """
    plain = name.strip().lower()
    plain = SYNONYMS.get(plain, plain)
    return plain if plain in CLASS_GROUPS else None


def kept_by_index(
    names: Sequence[str], wanted: frozenset[str] | None = None
) -> tuple[str | None, ...]:
    """For each of a model's class numbers the class kept, or None.

    Args:
        names: The model's class names in the order of its numbers; "" for an unused number.
        wanted: Classes to keep; None keeps every class of ``CLASS_GROUPS``.
    """
    kept = (kept_class(name) for name in names)
    return tuple(name if wanted is None or name in wanted else None for name in kept)
