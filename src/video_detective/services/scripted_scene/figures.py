"""Draws people, cars and a bag.

Each goes into a small picture of its own at several times the size, which is then shrunk
(anti-aliasing and sub-pixel places for the price of a few polygons) and laid over the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from video_detective.geometry import Image, Point
from video_detective.services.scripted_scene.actors import BLACK, Colour, Look, Pose, person_height

SUPERSAMPLING = 3
SKIN: Colour = (132, 164, 206)
GLASS: Colour = (96, 74, 52)
TYRE: Colour = (22, 22, 24)
STRIDE = 0.80
"""Two steps of a walking adult, in body heights (about 1.35 m of 1.70 m)."""
CAR_LENGTH, CAR_HEIGHT = 206.0, 72.0
"""Pixels, at the driveway."""
BAG_WIDTH, BAG_HEIGHT = 38.0, 27.0

_Body = Callable[[float, float], Point]
"""From a point of the upright body to the same point of the leaning one, body units."""
_Layer = NDArray[np.uint8]
"""(H, W, 4) BGRA at ``SUPERSAMPLING`` times the size."""


def _shade(colour: Colour, factor: float) -> tuple[float, float, float, float]:
    """The colour made darker or lighter, opaque."""
    b, g, r = (min(255.0, c * factor) for c in colour)
    return b, g, r, 255.0


class _Canvas:
    """A layer addressed in body units: x right, y up, origin at the foot point."""

    def __init__(self, foot: Point, unit_px: float, width: float, height: float) -> None:
        """Reserve ``width`` x ``height`` units around and above (and a little below) ``foot``."""
        self._k = unit_px * SUPERSAMPLING
        self.left = math.floor(foot[0] - width / 2 * unit_px)
        self.top = math.floor(foot[1] - height * unit_px)
        columns = math.ceil(width * unit_px) + 2
        rows = math.ceil((height + 0.06) * unit_px) + 2
        self.layer: _Layer = np.zeros((rows * SUPERSAMPLING, columns * SUPERSAMPLING, 4), np.uint8)
        self._x0 = (foot[0] - self.left) * SUPERSAMPLING
        self._y0 = (foot[1] - self.top) * SUPERSAMPLING

    def _at(self, point: Point) -> tuple[int, int]:
        return round(self._x0 + point[0] * self._k), round(self._y0 - point[1] * self._k)

    def limb(
        self, points: Sequence[Point], thickness: float, colour: Colour, factor: float
    ) -> None:
        """A bent tube with round ends."""
        places = np.array([self._at(p) for p in points], np.int32)
        cv2.polylines(
            self.layer, [places], False, _shade(colour, factor), max(1, round(thickness * self._k))
        )

    def area(self, points: Sequence[Point], colour: Colour, factor: float = 1.0) -> None:
        """A filled polygon."""
        places = np.array([self._at(p) for p in points], np.int32)
        cv2.fillPoly(self.layer, [places], _shade(colour, factor))

    def disc(
        self,
        centre: Point,
        axes: tuple[float, float],
        colour: Colour,
        factor: float = 1.0,
        arc: tuple[float, float] = (0.0, 360.0),
        turn_deg: float = 0.0,
    ) -> None:
        """A filled ellipse, or the part of it between two angles (clockwise from the right)."""
        cv2.ellipse(
            self.layer,
            self._at(centre),
            (max(1, round(axes[0] * self._k)), max(1, round(axes[1] * self._k))),
            turn_deg,
            arc[0],
            arc[1],
            _shade(colour, factor),
            cv2.FILLED,
        )

    def lay_over(self, frame: Image, light: float) -> None:
        """Shrink, shade from left to right, and blend into ``frame`` where it reaches into it."""
        h, w = self.layer.shape[0] // SUPERSAMPLING, self.layer.shape[1] // SUPERSAMPLING
        small = cv2.resize(self.layer, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)
        shading = np.linspace(1.1, 0.86, w, dtype=np.float32) * np.float32(light)
        small[..., :3] *= shading[None, :, None]
        x1, y1 = max(0, self.left), max(0, self.top)
        x2 = min(frame.shape[1], self.left + w)
        y2 = min(frame.shape[0], self.top + h)
        if x1 >= x2 or y1 >= y2:
            return
        part = small[y1 - self.top : y2 - self.top, x1 - self.left : x2 - self.left]
        under = frame[y1:y2, x1:x2].astype(np.float32)
        mixed = under * (1.0 - part[..., 3:] / 255.0) + part[..., :3]
        frame[y1:y2, x1:x2] = np.clip(mixed, 0, 255).astype(np.uint8)


def draw_shadow(frame: Image, foot: Point, half_width: float, half_depth: float) -> None:
    """A faint soft ellipse on the ground, a little to the right: the lamps are many and high."""
    cx, cy = foot[0] + half_width * 0.25, foot[1]
    x1, x2 = max(0, int(cx - half_width)), min(frame.shape[1], int(cx + half_width) + 1)
    y1, y2 = max(0, int(cy - half_depth)), min(frame.shape[0], int(cy + half_depth) + 1)
    if x1 >= x2 or y1 >= y2:
        return
    u = (np.arange(x1, x2, dtype=np.float32) - np.float32(cx)) / np.float32(half_width)
    v = (np.arange(y1, y2, dtype=np.float32) - np.float32(cy)) / np.float32(half_depth)
    depth = np.clip(1.0 - (u[None, :] ** 2 + v[:, None] ** 2), 0, 1) * np.float32(0.22)
    under = frame[y1:y2, x1:x2].astype(np.float32)
    frame[y1:y2, x1:x2] = (under * (1.0 - depth[..., None])).astype(np.uint8)


def draw_person(frame: Image, pose: Pose, look: Look, t: float, light: float) -> None:
    """A person on its foot point: walking, standing with a slight sway, or bending down."""
    unit_px = person_height(pose.y) * look.height
    draw_shadow(frame, (pose.x, pose.y - 0.03 * unit_px), 0.24 * unit_px, 0.06 * unit_px)
    canvas = _Canvas((pose.x, pose.y), unit_px, 1.3, 1.06)
    side = pose.facing
    phase = 2 * math.pi * pose.walked_px / (STRIDE * unit_px)
    swing = 1.0 if pose.moving else 0.0
    # Standing people shift their weight; each at a pace of its own.
    sway = 0.0 if pose.moving else 0.012 * math.sin(1.3 * t + pose.x)
    hip, knees, ankles = _legs(side, phase, swing)
    lean = side * 1.05 * pose.bend
    pelvis = (sway * 0.5, hip - 0.10 * pose.bend)

    def body(x: float, y: float) -> Point:
        """A point of the upper body, given upright, after leaning about the hips."""
        dx, dy = x - 0.0, y - 0.5
        return (
            pelvis[0] + dx * math.cos(lean) + dy * math.sin(lean) + sway * max(0.0, dy),
            pelvis[1] - dx * math.sin(lean) + dy * math.cos(lean),
        )

    _leg(canvas, pelvis, knees[1], ankles[1], side, look, 0.72)
    _arm(canvas, body, side, phase + math.pi, swing, pose, look, 0.7, far=True)
    _leg(canvas, pelvis, knees[0], ankles[0], side, look, 1.0)
    _torso(canvas, body, side, look)
    _head(canvas, body, side, look)
    _arm(canvas, body, side, phase, swing, pose, look, 0.9, far=False)
    canvas.lay_over(frame, light)


def _legs(side: int, phase: float, swing: float) -> tuple[float, list[Point], list[Point]]:
    """Height of the hips, knees and ankles (near leg first) with the lower foot on the ground."""
    thigh, shin = 0.245, 0.225
    knees: list[Point] = []
    ankles: list[Point] = []
    for leg, offset in ((0, 0.0), (1, math.pi)):
        forward = 0.41 * swing * math.sin(phase + offset)
        bend = swing * (0.12 + 0.75 * max(0.0, math.cos(phase + offset)))
        if side == 0:  # towards or away from the camera: the legs side by side, steps shorten them
            spread = 0.045 if leg == 0 else -0.045
            lift = 0.05 * swing * max(0.0, math.cos(phase + offset))
            knees.append((spread * 1.1, -thigh + lift))
            ankles.append((spread * 1.2, -thigh - shin + 1.6 * lift))
            continue
        stand = 0.03 * (1 if leg == 0 else -1) * (1 - swing)
        knee = (side * thigh * math.sin(forward) + stand, -thigh * math.cos(forward))
        lower = forward - bend
        knees.append(knee)
        ankles.append((knee[0] + side * shin * math.sin(lower), knee[1] - shin * math.cos(lower)))
    hip = 0.042 - min(y for _, y in ankles)  # the sole is half a shoe below the ankle
    return hip, knees, ankles


def _leg(
    canvas: _Canvas, pelvis: Point, knee: Point, ankle: Point, side: int, look: Look, factor: float
) -> None:
    hip = (pelvis[0] + knee[0] * (0.5 if side == 0 else 0.0), pelvis[1])
    knee = (pelvis[0] + knee[0], pelvis[1] + knee[1])
    ankle = (pelvis[0] + ankle[0], pelvis[1] + ankle[1])
    canvas.limb([hip, knee], 0.122, look.trousers, factor)
    canvas.limb([knee, ankle], 0.090, look.trousers, factor * 0.95)
    toe = (ankle[0] + side * 0.065, ankle[1] - 0.008)
    canvas.limb([ankle, toe], 0.052, BLACK, 0.8)


def _torso(canvas: _Canvas, body: _Body, side: int, look: Look) -> None:
    half = (0.135, 0.112, 0.116) if side == 0 else (0.108, 0.100, 0.104)
    shoulders, waist, hem = half
    outline = [
        (-shoulders * 0.55, 0.845),
        (shoulders * 0.55, 0.845),
        (shoulders, 0.80),
        (waist, 0.64),
        (hem, 0.455),
        (-hem, 0.455),
        (-waist, 0.64),
        (-shoulders, 0.80),
    ]
    canvas.area([body(*p) for p in outline], look.coat)
    canvas.area(
        [body(*p) for p in ((-hem, 0.485), (hem, 0.485), (hem, 0.455), (-hem, 0.455))],
        look.coat,
        0.72,
    )
    if side == 0:
        canvas.limb([body(0, 0.83), body(0, 0.47)], 0.012, look.coat, 0.7)


def _head(canvas: _Canvas, body: _Body, side: int, look: Look) -> None:
    canvas.limb([body(side * 0.005, 0.83), body(side * 0.012, 0.88)], 0.07, SKIN, 0.85)
    centre = body(side * 0.018, 0.922)
    canvas.disc(centre, (0.060, 0.072), SKIN)
    hair = look.hair if look.hat is None else look.hat
    top = (centre[0] - side * 0.010, centre[1] + 0.014)
    canvas.disc(top, (0.060, 0.062), hair, 1.0, arc=(180.0, 360.0))
    if side:
        canvas.disc((centre[0] - side * 0.028, centre[1] + 0.004), (0.034, 0.052), look.hair, 1.0)
    if look.hat is not None:
        canvas.disc((top[0] + side * 0.045, top[1]), (0.055, 0.014), look.hat, 0.8)


def _arm(
    canvas: _Canvas,
    body: _Body,
    side: int,
    phase: float,
    swing: float,
    pose: Pose,
    look: Look,
    factor: float,
    *,
    far: bool,
) -> None:
    reach = -0.42 * swing * math.sin(phase) + 0.9 * pose.bend
    elbow_bend = 0.15 + 0.3 * swing
    if side == 0:
        out = -1 if far else 1
        shoulder, elbow = (0.125 * out, 0.79), (0.15 * out, 0.64)
        hand = (0.145 * out, 0.50 + 0.02 * swing * math.sin(phase))
    else:
        shoulder = (-0.01 * side, 0.79)
        elbow = (
            shoulder[0] + side * 0.155 * math.sin(reach),
            shoulder[1] - 0.155 * math.cos(reach),
        )
        lower = reach + elbow_bend
        hand = (elbow[0] + side * 0.145 * math.sin(lower), elbow[1] - 0.145 * math.cos(lower))
    wrist = body(*hand)
    canvas.limb([body(*shoulder), body(*elbow)], 0.080, look.coat, factor)
    canvas.limb([body(*elbow), wrist], 0.064, look.coat, factor * 0.96)
    canvas.disc(wrist, (0.026, 0.028), SKIN, factor)
    if pose.carries and not far:
        _bag_shape(canvas, (wrist[0], wrist[1] - 0.34), 1.0 / (person_height(pose.y) * look.height))


def _bag_shape(canvas: _Canvas, foot: Point, px: float) -> None:
    """A holdall with handles; ``px`` is a pixel in the canvas's units."""
    x, y = foot
    w, h = BAG_WIDTH / 2 * px, BAG_HEIGHT * px
    handle = [
        (x - w * 0.4, y + h * 0.7),
        (x - w * 0.25, y + h),
        (x + w * 0.25, y + h),
        (x + w * 0.4, y + h * 0.7),
    ]
    canvas.limb(handle, 2.6 * px, BLACK, 0.9)
    canvas.area(
        [
            (x - w, y),
            (x + w, y),
            (x + w, y + h * 0.55),
            (x + w * 0.8, y + h * 0.74),
            (x - w * 0.8, y + h * 0.74),
            (x - w, y + h * 0.55),
        ],
        (38, 30, 28),
    )
    canvas.area(
        [
            (x - w * 0.9, y + h * 0.50),
            (x + w * 0.9, y + h * 0.50),
            (x + w * 0.8, y + h * 0.60),
            (x - w * 0.8, y + h * 0.60),
        ],
        (84, 76, 70),
    )


def draw_bag(frame: Image, pose: Pose, light: float) -> None:
    """The bag on the ground."""
    draw_shadow(frame, (pose.x, pose.y), BAG_WIDTH * 0.6, BAG_HEIGHT * 0.2)
    canvas = _Canvas((pose.x, pose.y), BAG_WIDTH, 1.4, 1.2)
    _bag_shape(canvas, (0.0, 0.0), 1.0 / BAG_WIDTH)
    canvas.lay_over(frame, light)


def draw_car(frame: Image, pose: Pose, look: Look, light: float) -> None:
    """A saloon seen from the side, driving left or right."""
    foot = (pose.x, pose.y)
    draw_shadow(frame, (pose.x, pose.y - 2), CAR_LENGTH * 0.5, 9)
    canvas = _Canvas(foot, CAR_LENGTH, 1.06, 0.38)
    d, paint = pose.facing, look.coat

    def along(points: Sequence[Point]) -> list[Point]:
        """The points of a car that looks right, turned to where it drives."""
        return [(d * x, y) for x, y in points]

    canvas.area(
        along(
            [
                (-0.495, 0.085),
                (-0.49, 0.19),
                (-0.46, 0.215),
                (-0.36, 0.222),
                (0.20, 0.222),
                (0.40, 0.20),
                (0.485, 0.165),
                (0.495, 0.085),
                (0.46, 0.05),
                (-0.46, 0.05),
            ]
        ),
        paint,
    )
    canvas.area(
        along(
            [
                (-0.40, 0.215),
                (-0.29, 0.335),
                (-0.22, 0.348),
                (0.04, 0.348),
                (0.10, 0.335),
                (0.24, 0.215),
            ]
        ),
        paint,
        0.94,
    )
    canvas.area(along([(-0.355, 0.225), (-0.275, 0.318), (-0.115, 0.325), (-0.115, 0.225)]), GLASS)
    canvas.area(along([(-0.09, 0.225), (-0.09, 0.325), (0.055, 0.322), (0.185, 0.225)]), GLASS)
    canvas.area(along([(-0.05, 0.225), (0.00, 0.324), (0.03, 0.324), (-0.01, 0.225)]), GLASS, 1.6)
    canvas.limb(along([(-0.47, 0.165), (0.46, 0.150)]), 0.006, paint, 0.7)
    canvas.limb(along([(-0.105, 0.225), (-0.11, 0.07)]), 0.006, paint, 0.6)
    canvas.limb(along([(-0.16, 0.185), (-0.13, 0.185)]), 0.010, paint, 0.55)
    canvas.area(along([(-0.47, 0.05), (0.47, 0.05), (0.48, 0.085), (-0.48, 0.085)]), BLACK, 1.1)
    canvas.disc((d * 0.455, 0.155), (0.030, 0.020), (200, 245, 255))
    canvas.disc((d * -0.478, 0.175), (0.014, 0.024), (40, 30, 220))
    spin = math.degrees(pose.walked_px / (0.068 * CAR_LENGTH))
    for wheel_x in (-0.30, 0.30):
        canvas.disc((d * wheel_x, 0.070), (0.078, 0.078), TYRE, 0.6)
        canvas.disc((d * wheel_x, 0.068), (0.068, 0.068), TYRE)
        canvas.disc((d * wheel_x, 0.068), (0.042, 0.042), (150, 148, 146))
        for spoke in range(3):
            canvas.disc(
                (d * wheel_x, 0.068),
                (0.040, 0.008),
                (80, 78, 76),
                turn_deg=d * spin + 60.0 * spoke,
            )
    canvas.lay_over(frame, light)
