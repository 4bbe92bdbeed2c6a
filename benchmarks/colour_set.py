"""Rendered persons of known upper-body colour: what ``benchmarks.colours`` judges by.

Everything is drawn in linear light: a scene, a person with an upper garment of known albedo, an
illuminant that the camera's white balance corrects in part, exposure, noise, blur, the camera's
gamma and JPEG. A colour is a region of CIE LCh of the *garment* under daylight, chosen by what
people call it and away from its neighbours' borders. The set knows nothing of how colours are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 400
Array = NDArray[np.float32]

GARMENTS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    # lightness L*, chroma C*, hue in degrees
    "black": ((6, 20), (0, 5), (0, 360)),
    "white": ((86, 97), (0, 6), (0, 360)),
    "gray": ((40, 66), (0, 5), (0, 360)),
    "red": ((28, 50), (48, 80), (15, 38)),
    "purple": ((24, 56), (32, 62), (302, 326)),
    "yellow": ((66, 88), (52, 88), (82, 100)),
    "blue": ((26, 58), (26, 58), (258, 284)),
    "navy": ((14, 24), (16, 30), (268, 290)),
    "green": ((30, 62), (26, 60), (130, 170)),
    "orange": ((54, 70), (58, 85), (54, 66)),
    "brown": ((26, 42), (20, 36), (48, 68)),
    "pink": ((62, 80), (24, 46), (345, 368)),
    "beige": ((64, 80), (14, 26), (72, 90)),
    "cyan": ((50, 72), (24, 40), (195, 225)),
}
SIX = ("black", "white", "red", "purple", "yellow", "gray")

LIGHTS: dict[str, tuple[tuple[float, float, float], tuple[float, float], tuple[float, float]]] = {
    # illuminant's red, green, blue; how much of it white balance leaves; exposure
    "day": ((1.0, 1.0, 1.0), (0.0, 0.3), (0.75, 1.15)),
    "shade": ((0.88, 1.0, 1.2), (0.2, 0.6), (0.6, 1.0)),
    "warm": ((1.45, 1.0, 0.5), (0.15, 0.55), (0.6, 1.05)),
    "cool": ((0.78, 1.0, 1.45), (0.2, 0.6), (0.6, 1.05)),
    "dusk": ((0.9, 1.0, 1.25), (0.2, 0.6), (0.22, 0.42)),
}

SKIN = ((0.80, 0.55, 0.42), (0.66, 0.42, 0.30), (0.48, 0.29, 0.19), (0.28, 0.16, 0.10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture with one person.

    Args:
        picture: (HEIGHT, WIDTH, 3) uint8 BGR.
        box: Of the person, as a detector would give it (not exact).
        colour: Of the upper garment; "" where nobody could say (``why`` tells).
        light, size_px, why: For the report. ``why``: ``plain``, ``occluded``, ``patterned``,
            ``bag``, ``open coat`` are to be told; ``two colours``, ``dark``, ``tiny``, ``smeared``
            are not.
    """

    picture: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    colour: str
    light: str
    size_px: int
    why: str


def samples(seed: int, count: int) -> Iterator[Sample]:
    """``count`` persons that can be told, and a fifth as many that cannot; the same every time."""
    rng = np.random.default_rng(seed)
    names, lights = list(GARMENTS), list(LIGHTS)
    for number in range(count):
        # The six come up twice as often as any other colour.
        pool = SIX if number % 20 < 13 else names[len(SIX) :]
        name = pool[int(rng.integers(len(pool)))]
        why = str(rng.choice(["plain", "occluded", "patterned", "bag", "open coat"],
                             p=[0.5, 0.15, 0.13, 0.12, 0.10]))  # fmt: skip
        yield _sample(rng, name, lights[number % len(lights)], why)
    for number in range(count // 5):
        why = ("two colours", "dark", "tiny", "smeared")[number % 4]
        yield _sample(rng, SIX[int(rng.integers(6))], lights[number % len(lights)], why)


def _sample(rng: np.random.Generator, name: str, light: str, why: str) -> Sample:
    size = int(np.exp(rng.uniform(np.log(40), np.log(300))))
    if why == "tiny":
        size = int(rng.integers(12, 22))
    scene = _background(rng)
    x = float(rng.uniform(0.3 * size + 10, WIDTH - 0.3 * size - 10))
    foot = float(rng.uniform(size + 8, HEIGHT - 4))
    _person(rng, scene, (x, foot), size, name, why)
    exact = (x - 0.21 * size, foot - size, x + 0.21 * size, foot)
    if why == "occluded":
        _occlude(rng, scene, exact)
    scene *= _uneven_light(rng)
    picture = _camera(rng, scene, light, size, why)
    jitter = rng.normal(0, 0.03, 4) * size
    x1, y1, x2, y2 = (float(v) for v in np.array(exact) + jitter)
    untold = why in ("two colours", "dark", "tiny", "smeared")
    return Sample(
        picture=picture,
        box=(x1, y1, x2, y2),
        colour="" if untold else name,
        light=light,
        size_px=size,
        why=why,
    )


def garment(rng: np.random.Generator, name: str) -> Array:
    """A linear RGB albedo that people would call by that name; inside sRGB."""
    while True:
        lightness, chroma, hue = (float(rng.uniform(*span)) for span in GARMENTS[name])
        angle = np.deg2rad(hue)
        lab = np.array([[[lightness, chroma * np.cos(angle), chroma * np.sin(angle)]]], np.float32)
        rgb = np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2LRGB), np.float32)[0, 0]
        back = np.asarray(cv2.cvtColor(rgb[None, None], cv2.COLOR_LRGB2Lab), np.float32)[0, 0]
        if np.abs(back - lab[0, 0]).max() < 1.5:
            return rgb


def _background(rng: np.random.Generator) -> Array:
    """Wall and floor with texture and things of every colour, linear RGB."""
    wall = np.float32(rng.uniform(0.12, 0.75)) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    floor = np.float32(rng.uniform(0.06, 0.5)) * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    if rng.random() < 0.25:
        floor = np.array([0.07, 0.16, 0.04], np.float32) * np.float32(rng.uniform(0.6, 1.8))
    scene = np.empty((HEIGHT, WIDTH, 3), np.float32)
    horizon = int(rng.uniform(0.2, 0.7) * HEIGHT)
    scene[:horizon], scene[horizon:] = wall, floor
    for _ in range(int(rng.integers(3, 14))):
        x, y = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))
        w, h = (int(v) for v in rng.integers(15, 160, 2))
        dull = rng.random() < 0.7
        paint = rng.uniform(0.02, 0.85) * rng.uniform(0.8 if dull else 0.1, 1.2, 3)
        scene[y : y + h, x : x + w] = np.clip(paint, 0.02, 0.9)
    for cells in (6, 40):
        grain = rng.normal(1, 0.09, (cells, cells, 1)).astype(np.float32)
        scene *= cv2.resize(grain, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[:, :, None]
    return np.clip(scene, 0.01, 0.95)


def _person(
    rng: np.random.Generator,
    scene: Array,
    foot: tuple[float, float],
    size: int,
    name: str,
    why: str,
) -> None:
    """Draw at four times the size, then shrink: the edges are mixed as by a lens."""
    scale = 4 if size < 100 else 2
    h, w = size * scale, int(0.62 * size * scale)
    layer = np.zeros((h, w, 3), np.float32)
    mask = np.zeros((h, w), np.uint8)
    skin = np.array(SKIN[int(rng.integers(len(SKIN)))], np.float32)
    hair = np.array((0.03, 0.025, 0.02), np.float32) * np.float32(rng.uniform(0.6, 6))
    cloth = garment(rng, name)
    trousers = garment(rng, str(rng.choice(["black", "navy", "blue", "gray", "beige", "brown"])))
    view = str(rng.choice(["front", "side", "back"]))
    half = (0.15 if view != "side" else 0.10) * float(rng.uniform(0.85, 1.15))
    long = rng.random() < 0.55
    hem = float(rng.uniform(0.49, 0.58))

    def part(points: list[tuple[float, float]], paint: Array) -> None:
        spots = np.array([(w / 2 + px * h, py * h) for px, py in points]).round().astype(np.int32)
        cv2.fillPoly(layer, [spots], tuple(float(v) for v in paint))
        cv2.fillPoly(mask, [spots], 255)

    def disc(px: float, py: float, rx: float, ry: float, paint: Array) -> None:
        place = (int(w / 2 + px * h), int(py * h)), (max(1, int(rx * h)), max(1, int(ry * h)))
        for canvas, value in ((layer, tuple(float(v) for v in paint)), (mask, 255)):
            cv2.ellipse(canvas, *place, 0, 0, 360, value, -1)

    stride = float(rng.uniform(0, 0.09))
    for side in (-1, 1):
        part([(side * 0.01, hem - 0.03), (side * half * 0.85, hem - 0.03),
              (side * (half * 0.6 + stride), 0.97), (side * (half * 0.6 + stride) - 0.05, 0.97)],
             trousers)  # fmt: skip
        disc(side * (half * 0.6 + stride) - 0.02, 0.98, 0.04, 0.018, np.full(3, 0.03, np.float32))
    swing = float(rng.uniform(-0.04, 0.06))
    for side in (-1, 1):
        elbow = (side * (half + 0.045) + swing, 0.37)
        part([(side * half * 0.9, 0.165), (side * (half + 0.035), 0.2), elbow,
              (elbow[0] - side * 0.05, 0.37)], cloth)  # fmt: skip
        part([elbow, (elbow[0] - side * 0.045, 0.36), (elbow[0] + swing - side * 0.04, 0.52),
              (elbow[0] + swing, 0.52)], cloth if long else skin)  # fmt: skip
    part([(-half, 0.165), (half, 0.165), (half * 0.95, hem), (-half * 0.95, hem)], cloth)
    part([(-half, 0.17), (0, 0.145), (half, 0.17)], cloth)
    if why == "two colours":
        other = str(rng.choice([n for n in SIX if n != name]))
        stripes = int(rng.integers(2, 7))
        for row in range(stripes):
            top = 0.165 + (hem - 0.165) * (row + 0.5) / stripes
            part([(-half, top), (half, top), (half, top + (hem - 0.165) / stripes / 2),
                  (-half, top + (hem - 0.165) / stripes / 2)], garment(rng, other))  # fmt: skip
    elif why == "patterned":
        spots = garment(rng, str(rng.choice([n for n in GARMENTS if n != name])))
        for _ in range(int(rng.integers(1, 4))):
            px, py = float(rng.uniform(-0.5, 0.5)) * half, float(rng.uniform(0.22, 0.45))
            disc(px, py, 0.025, 0.022, spots)
    elif why == "open coat":
        inner = garment(rng, str(rng.choice(["white", "black", "gray", "blue"])))
        part([(-0.018, 0.15), (0.018, 0.15), (0.03, hem), (-0.03, hem)], inner)
    elif why == "bag":
        bag = garment(rng, str(rng.choice(["black", "brown", "navy", "gray", "red"])))
        if view == "back" or rng.random() < 0.3:
            part([(-half * 0.55, 0.2), (half * 0.55, 0.2), (half * 0.55, 0.36),
                  (-half * 0.55, 0.36)], bag)  # fmt: skip
        else:
            part([(-half, 0.17), (-half + 0.03, 0.165), (half, 0.44), (half, 0.48)], bag)
    disc(0, 0.075, 0.052, 0.07, hair)
    if view != "back":
        disc(0.02 if view == "side" else 0, 0.085, 0.042, 0.058, skin)
        part([(-0.025, 0.13), (0.025, 0.13), (0, 0.18)], skin)
    folds = rng.normal(1, 0.16, (12, 8)).astype(np.float32)
    shade = cv2.resize(folds, (w, h), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    lean = float(rng.uniform(-0.35, 0.35))
    shade *= np.linspace(1 - lean, 1 + lean, w, dtype=np.float32)[None, :]
    layer *= np.clip(shade, 0.35, 1.6)[:, :, None]

    small = cv2.resize(layer * (mask[:, :, None] > 0), (w // scale, size), None, 0, 0, 3)
    alpha = cv2.resize(mask.astype(np.float32) / 255, (w // scale, size), None, 0, 0, 3)[:, :, None]
    left, top = round(foot[0] - w / scale / 2), round(foot[1] - size)
    x1, y1 = max(left, 0), max(top, 0)
    target = scene[y1 : top + size, x1 : left + w // scale]
    cut = np.s_[y1 - top : y1 - top + target.shape[0], x1 - left : x1 - left + target.shape[1]]
    target[:] = small[cut] + target * (1 - alpha[cut])


def _occlude(
    rng: np.random.Generator, scene: Array, box: tuple[float, float, float, float]
) -> None:
    """Something in front: legs behind a counter, or one side behind a post."""
    x1, y1, x2, y2 = box
    size = y2 - y1
    paint = rng.uniform(0.05, 0.7) * rng.uniform(0.7, 1.2, 3)
    if rng.random() < 0.6:
        top = int(y1 + size * rng.uniform(0.42, 0.7))
        scene[top : int(y2) + 1, int(max(x1 - 20, 0)) : int(x2 + 20)] = paint
    else:
        left = int(x1 + (x2 - x1) * rng.uniform(-0.1, 0.25))
        scene[:, max(left - int(0.08 * size), 0) : max(left, 1)] = paint


def _uneven_light(rng: np.random.Generator) -> Array:
    """Light and shadow over the scene."""
    field = rng.uniform(0.65, 1.15, (3, 4)).astype(np.float32)
    spread = cv2.resize(field, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return spread.astype(np.float32)[:, :, None]


def _camera(
    rng: np.random.Generator, scene: Array, light: str, size: int, why: str
) -> NDArray[np.uint8]:
    """What a camera with automatic exposure makes of linear light, 8-bit BGR after JPEG."""
    illuminant, left, exposure = LIGHTS[light]
    cast = np.array(illuminant, np.float32) ** np.float32(rng.uniform(*left))
    gain = float(rng.uniform(*exposure))
    if light != "dusk":  # automatic exposure evens out half of what scenes differ in
        gain *= float((0.25 / max(float(scene.mean()), 0.02)) ** 0.5)
    if why == "dark":
        gain = float(rng.uniform(0.008, 0.02))
    linear = scene * cast * np.float32(gain)
    blur = float(rng.uniform(0, 0.012)) * size + float(rng.uniform(0.2, 0.9))
    if why == "smeared":
        kernel = np.full((1, int(size * rng.uniform(0.9, 1.4)) | 1), 1.0, np.float32)
        linear = cv2.filter2D(linear, -1, kernel / kernel.sum()).astype(np.float32)
        blur = 0.16 * size
    linear = cv2.GaussianBlur(linear, (0, 0), blur).astype(np.float32)
    noise = float(rng.uniform(0.5, 3)) * (2.2 if light == "dusk" or why == "dark" else 1.0)
    srgb = np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.clip(linear, 1e-6, 1) ** (1 / 2.4) - 0.055
    )
    grain = rng.normal(0, noise, srgb.shape).astype(np.float32)
    if rng.random() < 0.5:  # noise reduction leaves coarse grain
        grain = cv2.GaussianBlur(grain, (0, 0), 1.0).astype(np.float32) * 2
    picture = np.clip(srgb * 255 + grain, 0, 255).astype(np.uint8)[:, :, ::-1]
    quality = int(rng.integers(35, 92))
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
