"""Pictures that tell who sees from who guesses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_detective.llm.base import Image

COLOURS = {"red": (0, 0, 220), "green": (0, 150, 0), "blue": (220, 0, 0), "black": (0, 0, 0)}
"""Names and BGR values."""

_SIDE = 448
"""Pixels: one tile of most vision encoders, so that nothing is scaled away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A picture of one large digit in one colour on white."""

    image: Image
    digit: int
    colour: str


def draw_signs(count: int, chance: np.random.Generator) -> tuple[Sign, ...]:
    """Signs of which no two have the same digit or the same colour.

    Args:
        count: At most 4.
        chance: Decides what they show and where; guessing one is right 1 time in 32.
    """
    digits = chance.choice(np.arange(2, 10), size=count, replace=False)
    colours = chance.choice(np.array(list(COLOURS)), size=count, replace=False)
    return tuple(_draw(int(d), str(c), chance) for d, c in zip(digits, colours, strict=True))


def _draw(digit: int, colour: str, chance: np.random.Generator) -> Sign:
    import cv2

    picture = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    left, bottom = (int(number) for number in chance.integers((30, 270), (220, 410)))
    font, scale, thickness = cv2.FONT_HERSHEY_SIMPLEX, 11.0, 34
    cv2.putText(
        picture, str(digit), (left, bottom), font, scale, COLOURS[colour], thickness, cv2.LINE_AA
    )
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return Sign(image=Image(jpeg=jpeg.tobytes()), digit=digit, colour=colour)
