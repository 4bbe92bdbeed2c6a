"""Which of six colours a person's upper garment has, from pixels.

The torso is cut out of the person's box, the light of the scene is taken out in part (its cast by
shades of grey, its level by the brightest surfaces), and every pixel of the torso votes in CIE LCh
for the name that people would give it. Where the votes do not agree, or there is too little to
see, nothing is said.

The thresholds were fitted by ``benchmarks.colours`` to one half of a rendered set, and are judged
by the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Image

Colour = Literal["black", "white", "red", "purple", "yellow", "gray", "other"]
COLOURS: tuple[Colour, ...] = ("black", "white", "red", "purple", "yellow", "gray", "other")
"""``other``: a colour that was seen well and is none of the six."""

Box = tuple[float, float, float, float]
Pixels = NDArray[np.float32]

MIN_HEIGHT_PX = 32
"""Of the person: of smaller ones the torso is a dozen pixels, mixed with what is behind."""
MIN_SEEN = 0.6
"""Share of the torso that must lie within the picture and behind nobody else."""
_GRID = (14, 18)
_ACROSS, _DOWN = (0.29, 0.71), (0.19, 0.47)
"""The torso within a person's box: between the arms, below the chin, above the hip."""
_TALL = 2.0
"""Height by width of a person at least; boxes that are wider are cut off below."""
_CUT_TALL = 3.0
"""The same of a person whose box ends where the picture does: head and chest fill it, and the
shoulders are all that tells how tall they are."""
_LIGHT_WIDTH = 160
_SHARP_GRID = (24, 56)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where one colour's name ends, in CIE LCh (hue in degrees) after the light is taken out.

    Args:
        cast: How much of the estimated cast is taken out, 0..1 (as an exponent).
        level: How much of the estimated under-exposure is taken out, 0..1.
        neutral: Below this chroma a colour has no hue; ``neutral_bright`` above lightness 70.
        black: Lightness below which what has no hue is black; ``black_chroma`` is its chroma.
        white: Lightness above which it is white.
        red, purple, yellow: Hue from and to (through 0 where from is larger).
        red_chroma, purple_chroma, yellow_chroma: From which a hue counts.
        red_bright: Above is pink, for hues of red.
        yellow_dark: Below is olive and brown.
        agreed: Share of the votes that the first name needs; ``lead``: that it has before the
            second.
    """

    cast: float = 0.5
    level: float = 0.9
    neutral: float = 12.0
    neutral_bright: float = 14.0
    black: float = 28.5
    black_chroma: float = 13.5
    white: float = 64.0
    red: tuple[float, float] = (358.0, 38.0)
    purple: tuple[float, float] = (292.0, 334.0)
    yellow: tuple[float, float] = (76.0, 116.0)
    red_chroma: float = 32.0
    purple_chroma: float = 20.0
    yellow_chroma: float = 26.0
    red_bright: float = 66.0
    yellow_dark: float = 44.0
    agreed: float = 0.44
    lead: float = 0.2


FITTED = Thresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """The light of a scene, from its whole picture.

    Args:
        cast: Red, green, blue of what should be grey, with mean 1.
        level: Linear luminance (0..1) of the brightest surfaces.
    """

    cast: tuple[float, float, float]
    level: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Torso:
    """What is judged of a person.

    Args:
        pixels: (18, 14, 3) linear red, green, blue.
        seen: (18, 14) whether that part is visible.
        sharpness: Steepest change across the whole person, in levels of 8 bits a cell.
    """

    pixels: Pixels
    seen: NDArray[np.bool_]
    sharpness: float


MIN_LEVEL = 0.035
"""Brightest surfaces darker than this: nothing of the picture's colours is known."""
MIN_SHARPNESS = 6.0


def count_colours(picture: Image, persons: Sequence[Box]) -> dict[str, int | None]:
    """How many persons wear each of the six colours.

    Args:
        picture: The frame.
        persons: Their boxes, pixels.

    Returns:
        ``upper_black`` and so on. All None when nobody could be judged; persons of another colour,
        and such that could not be judged, count to none.

    >>> count_colours(np.zeros((90, 120, 3), np.uint8), [])["upper_red"] is None
    True
    """
    judged = [colour for colour in upper_colours(picture, persons) if colour is not None]
    return {
        f"upper_{name}": judged.count(name) if judged else None
        for name in COLOURS
        if name != "other"
    }


def upper_colours(picture: Image, persons: Sequence[Box]) -> list[Colour | None]:
    """The colour of each person's upper garment; None where it cannot be told.

    Args:
        picture: The frame.
        persons: Their boxes, pixels. Who stands lower in the picture is in front of the others.
    """
    if not persons:
        return []
    light = light_of(picture)
    return [
        None if torso is None else judge(torso, light)
        for torso in (torso_of(picture, persons, number) for number in range(len(persons)))
    ]


def light_of(picture: Image) -> Light:
    """The light of the scene.

    Source: Finlayson and Trezzi, "Shades of Gray and Colour Constancy", CIC 2004 (p = 6).
    """
    height, width = picture.shape[:2]
    size = min(width, _LIGHT_WIDTH), max(1, round(height * min(width, _LIGHT_WIDTH) / width))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    pixels = _linear(np.asarray(small, np.uint8)).reshape(-1, 3)
    luminance = _luminance(pixels)
    whole = pixels[(pixels.max(axis=1) < 0.95) & (luminance > 0.004)]
    if len(whole) < 0.05 * len(pixels):
        whole = pixels
    power = np.mean(whole.astype(np.float64) ** 6, axis=0) ** (1 / 6) + 1e-6
    red, green, blue = (float(v) for v in power / power.mean())
    return Light(cast=(red, green, blue), level=float(np.percentile(luminance, 95)))


def torso_of(picture: Image, persons: Sequence[Box], number: int) -> Torso | None:
    """What can be judged of one of the persons; None where it is too little.

    Args:
        picture: The frame.
        persons: All of them.
        number: Which.
    """
    x1, y1, x2, y2 = persons[number]
    is_cut = y2 >= 0.99 * picture.shape[0]
    width, height = x2 - x1, max(y2 - y1, (_CUT_TALL if is_cut else _TALL) * (x2 - x1))
    if y2 - y1 < MIN_HEIGHT_PX or width <= 0:
        return None
    left, right = (x1 + share * width for share in _ACROSS)
    top, bottom = (y1 + share * height for share in _DOWN)
    columns = _cells(left, right, _GRID[0])
    rows = _cells(top, bottom, _GRID[1])
    seen = (
        (rows[:, None] >= 0)
        & (rows[:, None] < min(picture.shape[0], y2))
        & (columns[None, :] >= 0)
        & (columns[None, :] < picture.shape[1])
    )
    for other, (ox1, oy1, ox2, oy2) in enumerate(persons):
        if other != number and oy2 > y2:
            hidden_rows, hidden_columns = (rows >= oy1) & (rows < oy2), (columns >= ox1)
            seen &= ~(hidden_rows[:, None] & (hidden_columns & (columns < ox2))[None, :])
    if seen.mean() < MIN_SEEN:
        return None
    pixels = _linear(_patch(picture, (left, top, right, bottom), _GRID))
    whole = _patch(picture, persons[number], _SHARP_GRID)
    return Torso(pixels=pixels, seen=seen, sharpness=_sharpness(whole))


def judge(torso: Torso, light: Light, thresholds: Thresholds = FITTED) -> Colour | None:
    """The colour on which the torso's pixels agree; None where they do not, or see too little."""
    if light.level < MIN_LEVEL or torso.sharpness < MIN_SHARPNESS:
        return None
    votes = names(torso.pixels[torso.seen], light, thresholds)
    shares = np.bincount(votes, minlength=len(COLOURS)) / len(votes)
    first, second = np.argsort(-shares, kind="stable")[:2]
    if shares[first] < thresholds.agreed or shares[first] - shares[second] < thresholds.lead:
        return None
    return COLOURS[int(first)]


def names(pixels: Pixels, light: Light, limits: Thresholds = FITTED) -> NDArray[np.intp]:
    """The name of each pixel, as its number in ``COLOURS``.

    Args:
        pixels: (N, 3) linear red, green, blue.
        light: Of the scene.
        limits: Between the names.
    """
    gains = np.array(light.cast, np.float32) ** -np.float32(limits.cast)
    raised = max(1.0, _FULL_LEVEL / max(light.level, 1e-3)) ** limits.level
    lit = np.clip(pixels * gains * np.float32(raised), 0, 1)
    lab = np.asarray(cv2.cvtColor(lit[None].astype(np.float32), cv2.COLOR_LRGB2Lab))[0]
    lightness = lab[:, 0]
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360

    neutral = chroma < np.where(lightness > 70, limits.neutral_bright, limits.neutral)
    found = np.full(len(pixels), COLOURS.index("other"))

    def put(name: Colour, where: NDArray[Any]) -> None:
        found[where] = COLOURS.index(name)

    put("gray", neutral)
    put("white", neutral & (lightness > limits.white))
    put("red", ~neutral & _within(hue, limits.red) & (chroma >= limits.red_chroma)
        & (lightness < limits.red_bright))  # fmt: skip
    put("purple", ~neutral & _within(hue, limits.purple) & (chroma >= limits.purple_chroma))
    put("yellow", ~neutral & _within(hue, limits.yellow) & (chroma >= limits.yellow_chroma)
        & (lightness >= limits.yellow_dark))  # fmt: skip
    put("black", (lightness < limits.black) & (chroma < limits.black_chroma))
    return found


_FULL_LEVEL = 0.5
"""Level of the brightest surfaces in a well exposed picture."""


def _within(hue: NDArray[Any], span: tuple[float, float]) -> NDArray[np.bool_]:
    start, end = span
    inside = (hue >= start) & (hue < end) if start <= end else (hue >= start) | (hue < end)
    return np.asarray(inside, np.bool_)


def _cells(start: float, end: float, count: int) -> NDArray[np.float64]:
    return start + (np.arange(count) + 0.5) * (end - start) / count


def _patch(picture: Image, box: Box, grid: tuple[int, int]) -> Image:
    """The box's part of the picture, averaged to ``grid`` (columns, rows) cells."""
    height, width = picture.shape[:2]
    x1, y1 = (
        round(min(max(v, 0), side - 1)) for v, side in zip(box[:2], (width, height), strict=True)
    )
    x2, y2 = round(min(max(box[2], x1 + 1), width)), round(min(max(box[3], y1 + 1), height))
    part = picture[y1:y2, x1:x2]
    return np.asarray(cv2.resize(part, grid, interpolation=cv2.INTER_AREA), np.uint8)


def _sharpness(whole: Image) -> float:
    """How steep the steepest twentieth of changes from left to right is."""
    grey = cv2.GaussianBlur(cv2.cvtColor(whole, cv2.COLOR_BGR2GRAY), (3, 3), 0).astype(np.float32)
    steps = np.abs(grey[:, 2:] - grey[:, :-2])
    return float(np.percentile(steps, 95))


def _linear(picture: Image) -> Pixels:
    """Red, green, blue in 0..1 of linear light, from 8-bit BGR in sRGB's gamma (IEC 61966-2-1)."""
    return _TO_LINEAR[picture[..., ::-1]]


def _luminance(pixels: Pixels) -> Pixels:
    return np.asarray(pixels @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


_CODES = np.arange(256, dtype=np.float64) / 255
_TO_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
