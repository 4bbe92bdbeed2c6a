"""The empty yard, drawn once: wall, door, fence, courtyard, waiting area, driveway, lamp light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Image, Point
from video_detective.services.scripted_scene.actors import Colour
from video_detective.services.scripted_scene.script import HEIGHT, WIDTH

WALL_FOOT_Y = 150
CURB_Y = 438
FENCE_FAR, FENCE_NEAR, LINE_END = (519, 152), (527, 262), (540, 429)
LAMPS: tuple[tuple[float, float, float, float], ...] = (
    (150, 215, 300, 0.36),
    (400, 205, 330, 0.42),
    (730, 270, 420, 0.42),
    (430, 420, 420, 0.22),
    (840, 500, 330, 0.18),
    (150, 480, 300, 0.14),
)
"""Pools of light on the ground: x, y, radius in px, strength."""
LAMP_TINT = np.array([0.93, 0.99, 1.03], np.float32)
"""Blue, green, red: warm white."""

_Canvas = NDArray[np.float32]
"""(H, W, 3) float32 BGR, before the light falls on it."""


def light_map() -> NDArray[np.float32]:
    """How bright each place is, (HEIGHT, WIDTH) float32 around 1; falls off to the corners."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = np.full((HEIGHT, WIDTH), 0.64, np.float32)
    for lx, ly, radius, strength in LAMPS:
        distance = ((x - lx) / radius) ** 2 + ((y - ly) / (radius * 0.6)) ** 2
        light += np.float32(strength) * np.exp(-distance * 1.4)
    corner = ((x - WIDTH / 2) / (WIDTH / 2)) ** 2 + ((y - HEIGHT / 2) / (HEIGHT / 2)) ** 2
    vignette = 1.0 - 0.13 * np.clip(corner - 0.3, 0, None)
    return np.asarray(np.minimum(light, 1.16) * vignette, dtype=np.float32)


def draw_yard(rng: np.random.Generator) -> Image:
    """The background, (HEIGHT, WIDTH, 3) uint8 BGR; ``rng`` gives the textures."""
    picture: _Canvas = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = (118, 124, 128)
    _paving(picture, rng)
    _driveway(picture, rng)
    _markings(picture)
    _wall(picture, rng)
    _wall_fittings(picture)
    _plants(picture, rng)
    picture *= light_map()[..., None] * LAMP_TINT
    _lit_things(picture)
    _fence(picture)
    _gate(picture)
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.7)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def _clouds(rng: np.random.Generator, cell: int, amplitude: float) -> NDArray[np.float32]:
    """Smooth noise, (HEIGHT, WIDTH, 1) float32 of about ``amplitude``, blotches of ``cell`` px."""
    coarse = rng.standard_normal((HEIGHT // cell + 2, WIDTH // cell + 2)).astype(np.float32)
    field = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field[..., None] * np.float32(amplitude), dtype=np.float32)


def _paving(picture: _Canvas, rng: np.random.Generator) -> None:
    """Slabs in rows that grow towards the viewer, stained."""
    y, row_height, row = float(WALL_FOOT_Y), 13.0, 0
    while y < CURB_Y:
        bottom = min(CURB_Y, round(y + row_height))
        width = 46 + 0.16 * (y - WALL_FOOT_Y)
        # Joints lean away from the middle, as they do for a camera above it.
        x = WIDTH / 2 + ((row % 2) / 2 - 14) * width
        while x < WIDTH + width:
            corners = np.array(
                [[x, y], [x + width, y], [x + width, bottom], [x, bottom]], np.float32
            )
            corners[:2, 0] += (WIDTH / 2 - corners[:2, 0]) * 0.012
            tint = float(rng.normal(0, 3.2))
            cv2.fillConvexPoly(
                picture, corners.astype(np.int32), (118 + tint, 124 + tint, 128 + tint)
            )
            cv2.polylines(
                picture, [corners.astype(np.int32)], True, (101, 107, 111), 1, cv2.LINE_AA
            )
            x += width
        y, row_height, row = bottom, row_height * 1.085, row + 1
    picture[WALL_FOOT_Y:CURB_Y] += (
        _clouds(rng, 60, 4.0) + _clouds(rng, 14, 2.2) + _clouds(rng, 2, 2.2)
    )[WALL_FOOT_Y:CURB_Y]


def _driveway(picture: _Canvas, rng: np.random.Generator) -> None:
    """Asphalt with a curb, a dashed edge line and arrows for the allowed direction."""
    picture[CURB_Y:] = (82, 82, 84)
    picture[CURB_Y:] += (_clouds(rng, 40, 3.0) + _clouds(rng, 2, 4.0))[CURB_Y:]
    for i, x in enumerate(range(-20, WIDTH, 48)):
        colour: Colour = (40, 170, 205) if i % 2 else (52, 52, 54)
        slab = np.array([[x, CURB_Y], [x + 48, CURB_Y], [x + 50, CURB_Y + 9], [x + 2, CURB_Y + 9]])
        cv2.fillConvexPoly(picture, slab.astype(np.int32), colour)
    for x in (180, 800):
        arrow = np.array(
            [
                [x - 52, 490],
                [x + 14, 490],
                [x + 14, 481],
                [x + 50, 495],
                [x + 14, 509],
                [x + 14, 500],
                [x - 52, 500],
            ]
        )
        _paint(picture, arrow, (190, 194, 196), 0.7)


def _paint(picture: _Canvas, outline: NDArray[np.int_], colour: Colour, share: float) -> None:
    """Worn paint: ``share`` of the colour over the ground."""
    layer = picture.copy()
    cv2.fillPoly(layer, [outline.astype(np.int32)], colour, cv2.LINE_AA)
    picture += (layer - picture) * np.float32(share)


def _stripe(picture: _Canvas, a: Point, b: Point, colour: Colour, width: int, share: float) -> None:
    layer = picture.copy()
    start, end = (round(a[0]), round(a[1])), (round(b[0]), round(b[1]))
    cv2.line(layer, start, end, colour, width, cv2.LINE_AA)
    picture += (layer - picture) * np.float32(share)


def _markings(picture: _Canvas) -> None:
    """Paint on the ground: restricted area, the fence's line, lanes of the waiting area."""
    door = [(90, 172), (246, 172), (246, 268), (90, 268)]
    for i in range(4):
        _stripe(picture, door[i], door[(i + 1) % 4], (40, 150, 200), 4, 0.75)
    for x in range(100, 336, 20):  # hatching, thin so that people stay in front of plain ground
        top = (min(x, 246), 172 + max(0, x - 246))
        bottom = (max(90, x - 96), 268 - max(0, 90 - (x - 96)))
        if top[1] < 268:
            _stripe(picture, top, bottom, (46, 130, 170), 1, 0.5)
    _stripe(picture, FENCE_NEAR, LINE_END, (60, 205, 235), 5, 0.85)
    for y in (204, 304, 416):
        _stripe(picture, (578, y), (872, y), (196, 150, 90), 3, 0.7)
    _stripe(picture, (576, 172), (566, 420), (196, 150, 90), 3, 0.7)


def _wall(picture: _Canvas, rng: np.random.Generator) -> None:
    """Tiled wall with a plinth, a door, two windows and an eave where the clock is burnt in."""
    wall = picture[:WALL_FOOT_Y]
    wall[:] = (92, 100, 108)
    for row, y in enumerate(range(30, WALL_FOOT_Y - 16, 8)):
        for x in range(-16 * (row % 2), WIDTH, 32):
            tint = float(rng.normal(0, 3.5))
            cv2.rectangle(picture, (x, y), (x + 31, y + 7), (92 + tint, 100 + tint, 108 + tint), -1)
        cv2.line(picture, (0, y), (WIDTH, y), (80, 88, 96), 1)
    picture[WALL_FOOT_Y - 16 : WALL_FOOT_Y] = (66, 68, 70)
    picture[:28] = (44, 42, 42)
    picture[28:32] = (70, 68, 66)
    picture[WALL_FOOT_Y - 1 : WALL_FOOT_Y + 3] *= 0.72
    cv2.rectangle(picture, (132, 62), (196, WALL_FOOT_Y), (52, 54, 56), -1)
    cv2.rectangle(picture, (137, 67), (191, WALL_FOOT_Y), (92, 96, 70), -1)
    for top, bottom in ((74, 104), (112, 142)):
        cv2.rectangle(picture, (144, top), (184, bottom), (80, 84, 60), 2)
    cv2.circle(picture, (184, 110), 3, (180, 190, 195), -1)
    for x in (330, 660):
        cv2.rectangle(picture, (x, 58), (x + 92, 118), (50, 50, 52), -1)
    cv2.rectangle(picture, (0, 32), (WIDTH, 36), (60, 64, 68), -1)
    cv2.line(picture, (470, 36), (470, WALL_FOOT_Y - 1), (74, 74, 76), 5)
    cv2.rectangle(picture, (880, 100), (936, 134), (88, 86, 80), -1)
    for y in range(104, 132, 5):
        cv2.line(picture, (884, y), (932, y), (66, 64, 60), 2)


def _lit_things(picture: _Canvas) -> None:
    """What shines by itself: windows, lamps, signs."""
    for x, colour in ((330, (126, 178, 196)), (660, (150, 178, 186))):
        cv2.rectangle(picture, (x + 5, 63), (x + 87, 113), colour, -1)
        for y in range(67, 112, 6):
            cv2.line(picture, (x + 5, y), (x + 87, y), tuple(c * 0.8 for c in colour), 2)
        cv2.line(picture, (x + 46, 63), (x + 46, 113), (52, 52, 54), 3)
    glow = np.zeros_like(picture)
    for x in (164, 400, 560, 770):
        cv2.ellipse(glow, (x, 46), (26, 7), 0, 0, 360, (170, 205, 225), -1)
    picture += cv2.GaussianBlur(glow, (0, 0), 16) * np.float32(0.9)
    for x in (164, 400, 560, 770):
        cv2.ellipse(picture, (x, 44), (15, 4), 0, 0, 360, (225, 245, 250), -1)
    _sign(picture, (206, 76), (74, 26), "禁止進入", (40, 36, 168), (236, 238, 240))
    _sign(picture, (596, 70), (56, 24), "等候區", (140, 84, 30), (236, 238, 240))


def _sign(
    picture: _Canvas,
    corner: tuple[int, int],
    size: tuple[int, int],
    text: str,
    ground: Colour,
    ink: Colour,
) -> None:
    plate: Image = np.full((size[1], size[0], 3), ground, np.uint8)
    cv2.rectangle(plate, (1, 1), (size[0] - 2, size[1] - 2), ink, 1)
    # OpenCV 5 carries a font with Chinese characters ("uni"), so none has to be found or shipped.
    cv2.putText(plate, text, (6, size[1] - 8), ink, cv2.FontFace("uni"), 15, 600)
    x, y = corner
    picture[y : y + size[1], x : x + size[0]] = plate


def _fence(picture: _Canvas) -> None:
    """Posts and wires from the wall to the opening."""
    height_far, height_near = 44, 54
    for i in range(8):
        share = i / 7
        x = round(FENCE_FAR[0] + share * (FENCE_NEAR[0] - FENCE_FAR[0]))
        y = round(FENCE_FAR[1] + share * (FENCE_NEAR[1] - FENCE_FAR[1]))
        top = round(y - height_far - share * (height_near - height_far))
        cv2.line(picture, (x, y), (x, top), (112, 116, 112), 3, cv2.LINE_AA)
        cv2.line(picture, (x - 1, y), (x - 1, top), (160, 166, 162), 1, cv2.LINE_AA)
    for level in (0.1, 0.4, 0.7, 0.98):
        start = (FENCE_FAR[0], round(FENCE_FAR[1] - level * height_far))
        end = (FENCE_NEAR[0], round(FENCE_NEAR[1] - level * height_near))
        cv2.line(picture, start, end, (142, 148, 144), 1, cv2.LINE_AA)
    for x, y, h in ((FENCE_NEAR[0], FENCE_NEAR[1], 62), (LINE_END[0], LINE_END[1], 34)):
        cv2.line(picture, (x, y), (x, y - h), (58, 62, 64), 6, cv2.LINE_AA)
        cv2.circle(picture, (x, y - h), 4, (60, 205, 235), -1, cv2.LINE_AA)


def _gate(picture: _Canvas) -> None:
    """The gate keeper's box, and a bollard on either side of the entrance."""
    foot = CURB_Y + 4
    for x in (240, 768):
        cv2.rectangle(picture, (x - 4, foot - 26), (x + 4, foot), (46, 158, 196), -1)
        for top in (foot - 22, foot - 12):
            cv2.rectangle(picture, (x - 4, top), (x + 4, top + 4), (44, 44, 46), -1)
        cv2.rectangle(picture, (x + 2, foot - 26), (x + 4, foot), (30, 108, 136), -1)
    x = 592
    cv2.rectangle(picture, (x - 9, foot - 30), (x + 9, foot), (60, 150, 190), -1)
    cv2.rectangle(picture, (x - 9, foot - 30), (x - 4, foot), (84, 180, 215), -1)
    cv2.rectangle(picture, (x - 1, foot - 25), (x + 6, foot - 17), (58, 54, 50), -1)


def _plants(picture: _Canvas, rng: np.random.Generator) -> None:
    """Pots along the wall, with leaves."""
    for x, size in ((30, 30), (66, 24), (232, 22), (944, 34)):
        foot = WALL_FOOT_Y + 6
        pot = np.array(
            [
                [x - size // 3, foot - size // 2],
                [x + size // 3, foot - size // 2],
                [x + size // 4, foot],
                [x - size // 4, foot],
            ]
        )
        cv2.ellipse(
            picture, (x + 4, foot), (size // 2, 4), 0, 0, 360, (70, 74, 76), -1, cv2.LINE_AA
        )
        cv2.fillConvexPoly(picture, pot.astype(np.int32), (52, 76, 118), cv2.LINE_AA)
        for _ in range(26):
            angle = float(rng.uniform(200, 340))
            reach = float(rng.uniform(0.35, 0.95)) * size
            tip = (
                round(x + reach * np.cos(np.radians(angle)) * 0.8),
                round(foot - size / 2 + reach * np.sin(np.radians(angle))),
            )
            green = float(rng.uniform(0.7, 1.25))
            colour = (44 * green, 88 * green, 52 * green)
            cv2.line(picture, (x, foot - size // 2), tip, colour, 2, cv2.LINE_AA)
            cv2.ellipse(picture, tip, (5, 2), angle, 0, 360, colour, -1, cv2.LINE_AA)


def _wall_fittings(picture: _Canvas) -> None:
    """Air conditioner, meter box and cable duct."""
    cv2.rectangle(picture, (250, 112), (300, 142), (128, 130, 128), -1)
    cv2.rectangle(picture, (250, 112), (300, 142), (84, 86, 86), 1)
    cv2.circle(picture, (268, 127), 12, (96, 98, 98), -1, cv2.LINE_AA)
    for radius in (4, 8, 12):
        cv2.circle(picture, (268, 127), radius, (70, 72, 72), 1, cv2.LINE_AA)
    for y in range(117, 140, 4):
        cv2.line(picture, (284, y), (296, y), (92, 94, 94), 1)
    cv2.rectangle(picture, (788, 84), (816, 122), (104, 112, 116), -1)
    cv2.rectangle(picture, (788, 84), (816, 122), (70, 76, 80), 1)
    cv2.rectangle(picture, (794, 90), (810, 100), (150, 150, 140), -1)
    cv2.line(picture, (802, 36), (802, 84), (76, 80, 84), 2)
