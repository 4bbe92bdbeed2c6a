"""Evidence pictures: JPEG, and boxes, zones and lines drawn on a frame."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Image, Point

JPEG_QUALITY = 90
"""Indistinguishable at viewing size; 95 costs half as many bytes again."""

Colour = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels, right and bottom exclusive."""

_PALETTE: tuple[Colour, ...] = (
    (75, 190, 255), (90, 220, 90), (255, 170, 70), (200, 110, 255), (60, 240, 240),
    (255, 220, 60), (210, 240, 120), (180, 255, 160),
)  # fmt: skip
"""Bright BGR colours, told apart from each other on grey, green and dark scenes."""
_ALARM: Colour = (60, 60, 255)
_WHITE: Colour = (255, 255, 255)
_INK: Colour = (20, 20, 20)
_FILL = 0.2
"""Opacity of a zone: the scene beneath stays legible."""
_HEAD = 0.3
"""Share of a box from its top that outlines and lines leave as it is: head and shoulders."""
_TAG = 0.72
"""Opacity of the plate behind text: white on it has contrast above 4.5 on any picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxMark:
    """A box to draw.

    Args:
        box: xyxy in pixels; parts outside the picture are cut off.
        label: Text on it, such as ``p12 行人``; none when empty.
        key: Boxes with equal keys have equal colours.
        is_alarmed: Drawn in red, on top, and labelled first.
    """

    box: tuple[float, float, float, float]
    label: str = ""
    key: str = ""
    is_alarmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMark:
    """A polygon to draw, ``points`` in pixels; red when ``is_alarmed``."""

    points: tuple[Point, ...]
    label: str = ""
    is_alarmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMark:
    """A tripwire to draw.

    Args:
        points: Two or more, in pixels.
        label: Its name.
        left_to_right: Name of that direction, or empty to draw no arrow for it. Left and right are
            those of someone who stands on the first point and looks to the last.
        right_to_left: Likewise.
        is_alarmed: Drawn in red.
    """

    points: tuple[Point, ...]
    label: str = ""
    left_to_right: str = ""
    right_to_left: str = ""
    is_alarmed: bool = False


def encode_jpeg(image: Image) -> bytes:
    """A (H, W, 3) BGR picture as JPEG, the same bytes for the same picture.

    Raises:
        ValueError: the picture has no pixels.
    """
    if image.size == 0:
        raise ValueError("a picture without pixels cannot be encoded")
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()


def annotate(
    image: Image,
    *,
    boxes: Sequence[BoxMark] = (),
    zones: Sequence[ZoneMark] = (),
    lines: Sequence[LineMark] = (),
    title: str = "",
) -> Image:
    """Draw what the rules saw on a copy of a frame.

    Labels stay inside the picture and, as far as there is room, off each other; Chinese is drawn
    with OpenCV's built-in Unicode font.

    Args:
        image: (H, W, 3) uint8 BGR, left unchanged.
        boxes: In order of importance; earlier ones get the better label places.
        zones: Filled translucently beneath everything else. Within boxes colours stay as they are;
            neither outlines nor lines run over heads.
        lines: With an arrow for each named direction.
        title: A line at the top left, such as camera and local time.

    Returns:
        A new picture of the same size.
    """
    canvas = image.copy()
    labels = _Labels(canvas)
    thick = labels.thickness
    for zone in zones:
        _fill_zone(canvas, zone)
    for box in boxes:
        _uncover(canvas, image, _whole(box.box), 1.0)
    for zone in zones:
        _outline_zone(canvas, zone, thick)
    for line in lines:
        _draw_line(canvas, line, thick)
    for box in boxes:
        _uncover(canvas, image, _whole(box.box), _HEAD)
    ordered = sorted(boxes, key=lambda box: not box.is_alarmed)
    for box in reversed(ordered):
        _draw_rectangle(canvas, _whole(box.box), _box_colour(box), thick)
    labels.keep_clear([_whole(box.box) for box in ordered])
    labels.put(title, _WHITE, iter([(0, 0)]))
    for box in ordered:
        labels.put(box.label, _box_colour(box), labels.around(_whole(box.box)))
    for line in lines:
        _label_line(labels, line)
    for zone in zones:
        spots = sorted(zone.points, key=lambda p: (p[1], p[0]))
        centre = np.mean(np.array(zone.points), axis=0)
        labels.put(
            zone.label, _zone_colour(zone.is_alarmed),
            labels.beside([*spots, (float(centre[0]), float(centre[1]))]),
        )  # fmt: skip
    return canvas


class _Labels:
    """Places texts on a picture so that they stay inside it and off each other."""

    def __init__(self, canvas: Image) -> None:
        self._canvas = canvas
        self._font = cv2.FontFace("uni")
        height, width = canvas.shape[:2]
        # Measured by eye: legible from a 480 px thumbnail to a 1920 px frame.
        self._size = int(np.clip(round(width / 52), 12, 30))
        self.thickness = int(np.clip(round(width / 480), 1, 4))
        self._taken: list[Rectangle] = []
        self._clear: list[Rectangle] = []
        self.width, self._height = width, height

    def keep_clear(self, boxes: Sequence[Rectangle]) -> None:
        """Rectangles that labels would rather not cover."""
        self._clear = list(boxes)

    def put(self, text: str, colour: Colour, corners: Iterator[tuple[int, int]]) -> None:
        """Write a text at the first free one of the places offered, else at the least covered.

        Args:
            text: Nothing happens when it is empty; what does not fit the width is cut with "…".
            colour: Of the bar at its left.
            corners: Wished top-left corners, best first; moved so that the text stays inside.
        """
        if not text:
            return
        text, width, height = self._fitted(text)
        best: Rectangle | None = None
        least = float("inf")
        for x, y in corners:
            x = min(max(x, 0), max(self.width - width, 0))
            y = min(max(y, 0), max(self._height - height, 0))
            place = (x, y, x + width, y + height)
            cost = 1.0 * sum(_overlap(place, other) for other in self._taken)
            cost += 0.1 * sum(_overlap(place, other) for other in self._clear)
            if cost < least:
                best, least = place, cost
            if cost == 0:
                break
        if best is not None:
            self._taken.append(best)
            self._write(text, best, colour)

    def around(self, box: Rectangle) -> Iterator[tuple[int, int]]:
        """Places for a box's label: above, below, inside, beside, then further up and down."""
        line = self._line_height()
        x1, y1, x2, y2 = box
        yield x1, y1 - line
        yield x1, y2
        yield x2, y1
        yield x1, y1
        for step in range(2, 5):
            yield x1, y1 - step * line
            yield x1, y2 + (step - 1) * line
            yield x2, y1 + (step - 1) * line

    def beside(self, points: Sequence[Point]) -> Iterator[tuple[int, int]]:
        """Places at points: below right, above right, then a line further."""
        line = self._line_height()
        for shift in (4, -line - 4, line + 8, -2 * line - 8):
            for x, y in points:
                yield round(x) + 4, round(y) + shift

    def _line_height(self) -> int:
        return round(self._size * 1.5)

    def _fitted(self, text: str) -> tuple[str, int, int]:
        """The text, shortened if need be, with its plate's width and height."""
        padding = round(self._size * 0.7)
        room = max(self.width - padding, 1)
        while True:
            extent = cv2.getTextSize((0, 0), text, (0, 0), self._font, self._size, 500)
            if extent[2] <= room or len(text) <= 1:
                return text, extent[2] + padding, self._line_height()
            text = text.rstrip("…")[:-1] + "…"

    def _write(self, text: str, place: Rectangle, colour: Colour) -> None:
        x1, y1, x2, y2 = place
        plate = self._canvas[y1:y2, x1:x2]
        plate[:] = (plate * (1 - _TAG) + np.array(_INK) * _TAG).astype(np.uint8)
        plate[:, : max(2, self.thickness)] = colour
        origin = (x1 + round(self._size * 0.4), y2 - round(self._size * 0.42))
        # Wrapping is off: the range is wider than any text.
        cv2.putText(
            self._canvas, text, origin, _WHITE, self._font, self._size, 500, 0, (0, self.width * 2)
        )  # fmt: skip


def _fill_zone(canvas: Image, zone: ZoneMark) -> None:
    filled = canvas.copy()
    cv2.fillPoly(filled, [_polyline(zone.points)], _zone_colour(zone.is_alarmed))
    cv2.addWeighted(filled, _FILL, canvas, 1 - _FILL, 0, dst=canvas)


def _outline_zone(canvas: Image, zone: ZoneMark, thick: int) -> None:
    outline = _polyline(zone.points)
    colour = _zone_colour(zone.is_alarmed)
    cv2.polylines(canvas, [outline], True, _INK, thick + 2, cv2.LINE_AA)
    cv2.polylines(canvas, [outline], True, colour, thick, cv2.LINE_AA)


def _draw_line(canvas: Image, line: LineMark, thick: int) -> None:
    colour = _line_colour(line.is_alarmed)
    strokes = [(_polyline(line.points), False)]
    for head, _ in _arrows(line, canvas.shape[1]):
        strokes.append((head, False))
    for ink, extra in ((_INK, 3), (colour, 1)):
        for points, closed in strokes:
            cv2.polylines(canvas, [points], closed, ink, thick + extra, cv2.LINE_AA)


def _label_line(labels: _Labels, line: LineMark) -> None:
    colour = _line_colour(line.is_alarmed)
    for head, name in _arrows(line, labels.width):
        tip = (float(head[2][0]), float(head[2][1]))
        labels.put(name, colour, labels.beside([tip]))
    labels.put(line.label, colour, labels.beside([line.points[0], line.points[-1]]))


def _arrows(line: LineMark, width: int) -> Iterator[tuple[NDArray[np.int32], str]]:
    """Strokes of each named direction's arrow (its third point is the tip), and the name."""
    middle = (len(line.points) - 1) // 2
    (x1, y1), (x2, y2) = line.points[middle], line.points[middle + 1]
    length = max(float(np.hypot(x2 - x1, y2 - y1)), 1e-6)
    # To the right hand in a picture whose y runs down.
    normal = np.array([-(y2 - y1), x2 - x1]) / length
    along = np.array([x2 - x1, y2 - y1]) / length
    centre = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    reach = max(14.0, width / 28)
    for name, sign in ((line.left_to_right, 1), (line.right_to_left, -1)):
        if name:
            tip = centre + sign * reach * normal
            barb = tip - sign * 0.4 * reach * normal
            points = [centre, tip, tip, barb + 0.3 * reach * along, tip, barb - 0.3 * reach * along]
            yield np.round(points).astype(np.int32), name


def _uncover(canvas: Image, image: Image, box: Rectangle, share: float) -> None:
    """Let a box, or that share of it from its top, be seen as it was."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    rows = slice(max(y1, 0), min(max(y1 + round(share * (y2 - y1)), 0), height))
    columns = slice(max(x1, 0), min(max(x2, 0), width))
    canvas[rows, columns] = image[rows, columns]


def _draw_rectangle(canvas: Image, box: Rectangle, colour: Colour, thick: int) -> None:
    x1, y1, x2, y2 = box
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), _INK, thick + 2)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), colour, thick)


def _overlap(a: Rectangle, b: Rectangle) -> int:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def _whole(box: tuple[float, float, float, float]) -> Rectangle:
    return round(box[0]), round(box[1]), round(box[2]), round(box[3])


def _polyline(points: Sequence[Point]) -> NDArray[np.int32]:
    return np.round(np.array(points)).astype(np.int32)


def _box_colour(box: BoxMark) -> Colour:
    if box.is_alarmed:
        return _ALARM
    # Of all shifts this one keeps people, vehicles, animals, objects and faces apart.
    return _PALETTE[(zlib.crc32(box.key.encode()) >> 3) % len(_PALETTE)]


def _zone_colour(is_alarmed: bool) -> Colour:
    return _ALARM if is_alarmed else (255, 190, 60)


def _line_colour(is_alarmed: bool) -> Colour:
    return _ALARM if is_alarmed else (60, 230, 255)
