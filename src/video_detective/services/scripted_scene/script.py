"""The script: who is where when, in a yard behind a building, for 96 seconds.

Everything else follows from this module: the pictures (``render``), the boxes a perfect detector
would give (``truth``) and the events that must be found (``expected``). Positions are pixels of
the 960x540 picture and always those of the foot point (the middle of the lower edge); times are
seconds since the first frame.

What happens, each in a part of the picture or at a time of its own:

* people go through the fence in both directions; one walks up to the line and turns back on it;
* someone enters the restricted area at the back door, stays some six seconds and leaves;
* someone stands about under the lamp for 36 seconds;
* someone walks to and fro in the lane;
* someone puts a bag down and leaves; later another person fetches it;
* thirteen people queue up; five people gather;
* cars drive through the gate, one of them the wrong way;
* the lens is covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from video_detective.geometry import NS_PER_S, Point
from video_detective.services.scripted_scene.actors import BLACK, NAVY, Actor, Colour, Look, way

WIDTH, HEIGHT = 960, 540
"""Pixels."""
FPS = 10
DURATION_S = 96.0
FRAME_COUNT = int(DURATION_S * FPS)
START_NS = 1_768_485_840 * NS_PER_S
"""2026-01-15T22:04:00+08:00, UTC ns."""
TIMEZONE_OFFSET_S = 8 * 3600
"""Of the burnt-in clock: Asia/Taipei, which has no summer time."""

WHITE: Colour = (228, 232, 235)
RED: Colour = (38, 30, 176)
DARK_RED: Colour = (34, 26, 112)
YELLOW: Colour = (52, 200, 236)
ORANGE: Colour = (40, 128, 240)
BLUE: Colour = (176, 86, 26)
SKY: Colour = (232, 200, 150)
GREEN: Colour = (50, 78, 26)
BROWN: Colour = (30, 48, 74)
PINK: Colour = (196, 176, 244)
GREY: Colour = (62, 58, 56)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The whole play.

    Args:
        actors: In no particular order; the renderer draws the far ones first.
        covered: (start, end) in s between which nothing is seen past the cloth over the lens.
        bag_owner: Name of the person whose bag ``bag`` is.
    """

    actors: tuple[Actor, ...]
    covered: tuple[float, float]
    bag_owner: str

    def actor(self, name: str) -> Actor:
        """The actor of that name (KeyError when there is none)."""
        for actor in self.actors:
            if actor.name == name:
                return actor
        raise KeyError(name)


FAR_Y, NEAR_Y = 284.0, 404.0
"""Of the two paths across the yard; so far apart that nobody hides anybody, nor a car anybody."""
LEFT_EDGE, RIGHT_EDGE = -40.0, 1000.0
"""x at which a person is wholly out of the picture."""


def _passers_by() -> tuple[Actor, ...]:
    """Through the fence to the right, to the left, and one who turns back on the line."""
    return (
        Actor(
            name="to-the-right",
            kind="person",
            look=Look(coat=WHITE, trousers=NAVY),
            way=way(4.0, (LEFT_EDGE, FAR_Y), ((RIGHT_EDGE, FAR_Y), 74)),
        ),
        Actor(
            name="to-the-left",
            kind="person",
            look=Look(coat=DARK_RED, trousers=BLACK, hat=RED),
            way=way(8.0, (RIGHT_EDGE, NEAR_Y), ((LEFT_EDGE, NEAR_Y), 74)),
        ),
        Actor(
            name="turns-back",
            kind="person",
            look=Look(coat=YELLOW, trousers=BLACK),
            way=way(27.0, (RIGHT_EDGE, 350), ((534, 350), 70), 2.0, ((RIGHT_EDGE, 350), 70)),
            rest_facing=-1,
        ),
    )


def _intruder() -> Actor:
    return Actor(
        name="intruder",
        kind="person",
        look=Look(coat=BLACK, trousers=GREY),
        rest_facing=1,
        way=way(23.0, (LEFT_EDGE, 232), ((160, 228), 62), 3.6, ((LEFT_EDGE, 232), 62)),
    )


def _loiterer() -> Actor:
    """Shuffles a few pixels now and then under the lamp."""
    shuffles: list[tuple[Point, float] | float] = []
    for x, y in ((397, 226), (388, 230), (394, 224), (386, 227), (395, 229), (390, 226)):
        shuffles += [4.25, ((x, y), 8)]
    return Actor(
        name="loiterer",
        kind="person",
        look=Look(coat=GREEN, trousers=BLACK, hat=ORANGE),
        way=way(
            12.0,
            (LEFT_EDGE, FAR_Y),
            ((345, FAR_Y), 66),
            ((390, 228), 66),
            *shuffles,
            3.0,
            ((345, FAR_Y), 66),
            ((LEFT_EDGE, FAR_Y), 66),
        ),
    )


def _pacer() -> Actor:
    turns: list[tuple[Point, float] | float] = []
    for _ in range(3):
        turns += [((215, NEAR_Y), 58), 0.3, ((75, NEAR_Y), 58), 0.3]
    return Actor(
        name="pacer",
        kind="person",
        look=Look(coat=SKY, trousers=BROWN),
        way=way(36.0, (LEFT_EDGE, NEAR_Y), *turns, ((LEFT_EDGE, NEAR_Y), 58)),
    )


def _bag_story() -> tuple[Actor, ...]:
    """The owner puts the bag down behind himself and goes on; another fetches it from the right."""
    owner = Actor(
        name="bag-owner",
        kind="person",
        look=Look(coat=BLUE, trousers=BLACK),
        way=way(19.0, (RIGHT_EDGE, NEAR_Y), ((420, NEAR_Y), 70), 1.6, ((LEFT_EDGE, NEAR_Y), 70)),
        rest_facing=1,
        stoops=((27.4, 28.8),),
        carrying=(19.0, 28.1),
    )
    fetcher = Actor(
        name="bag-fetcher",
        kind="person",
        look=Look(coat=WHITE, trousers=GREY, hat=BLUE),
        way=way(43.0, (RIGHT_EDGE, NEAR_Y), ((482, NEAR_Y), 70), 1.6, ((LEFT_EDGE, NEAR_Y), 70)),
        rest_facing=-1,
        stoops=((50.5, 51.9),),
        carrying=(51.2, 80.0),
    )
    bag = Actor(
        name="bag",
        kind="bag",
        look=Look(coat=BLACK),
        way=((28.1, 451.0, NEAR_Y), (51.2, 451.0, NEAR_Y)),
    )
    return owner, fetcher, bag


QUEUE_LOOKS: Sequence[Look] = (
    Look(coat=WHITE, trousers=NAVY),
    Look(coat=NAVY, trousers=BLACK, height=1.04),
    Look(coat=PINK, height=0.94),
    Look(coat=DARK_RED, trousers=BLACK),
    Look(coat=BLACK, trousers=GREY, hat=YELLOW),
    Look(coat=SKY, trousers=NAVY, height=1.03),
    Look(coat=BROWN, trousers=BLACK),
    Look(coat=YELLOW, height=0.95),
    Look(coat=GREEN, trousers=NAVY),
    Look(coat=WHITE, trousers=BLACK, hat=RED),
    Look(coat=BLUE, trousers=BLACK, height=1.03),
    Look(coat=GREY, trousers=BLACK),
    Look(coat=PINK, hat=WHITE, height=0.93),
)


def _queue() -> tuple[Actor, ...]:
    """Three staggered rows come in from the right in formation and leave as they came."""
    speed_px_s, sets_out_s, leaves_s = 64.0, 44.0, 58.0
    places = [
        (first_x + spacing * i, y)
        for first_x, y, spacing, length in (
            (600.0, 178.0, 56.0, 5),
            (628.0, 278.0, 58.0, 4),
            (600.0, 392.0, 64.0, 4),
        )
        for i in range(length)
    ]
    arrives_s = sets_out_s + (RIGHT_EDGE - 600.0) / speed_px_s
    return tuple(
        Actor(
            name=f"queue-{number}",
            kind="person",
            look=look,
            rest_facing=0 if number in (3, 8, 12) else -1,
            way=way(
                arrives_s - (RIGHT_EDGE - x) / speed_px_s,
                (RIGHT_EDGE, y),
                ((x, y), speed_px_s),
                leaves_s - arrives_s,
                ((RIGHT_EDGE, y), speed_px_s),
            ),
        )
        for number, ((x, y), look) in enumerate(zip(places, QUEUE_LOOKS, strict=True), start=1)
    )


def _crowd() -> tuple[Actor, ...]:
    """Five gather in the courtyard; four go back, the last one on through the fence."""
    looks = (
        Look(coat=ORANGE, trousers=NAVY),
        Look(coat=BLACK),
        Look(coat=WHITE, trousers=BLACK),
        Look(coat=DARK_RED, trousers=NAVY),
        Look(coat=SKY, trousers=BLACK, hat=BLACK),
    )
    # Place, when it sets out, where it looks, where it leaves to.
    plan = (
        ((410.0, FAR_Y), 61.0, -1, LEFT_EDGE),
        ((350.0, FAR_Y - 4), 61.9, 0, LEFT_EDGE),
        ((290.0, FAR_Y), 62.8, 1, LEFT_EDGE),
        ((385.0, NEAR_Y), 61.5, -1, RIGHT_EDGE),
        ((315.0, NEAR_Y), 62.6, 1, LEFT_EDGE),
    )
    crowd: list[Actor] = []
    for number, ((x, y), start_s, facing, leaves_to) in enumerate(plan):
        arrival = start_s + (x - LEFT_EDGE) / 66
        crowd.append(
            Actor(
                name=f"crowd-{number + 1}",
                kind="person",
                look=looks[number],
                rest_facing=facing,
                way=way(
                    start_s, (LEFT_EDGE, y), ((x, y), 66), 76.0 - arrival, ((leaves_to, y), 66)
                ),
            )
        )
    return tuple(crowd)


def _cars() -> tuple[Actor, ...]:
    """Two drive through the gate to the right, as they should; the red one comes against it."""

    def car(name: str, start_s: float, colour: Colour, begin: float, end: float) -> Actor:
        return Actor(
            name=name,
            kind="car",
            look=Look(coat=colour),
            rest_facing=1,
            way=way(start_s, (begin, 526.0), ((end, 526.0), 190)),
        )

    return (
        car("white-car", 5.0, WHITE, -130, 1090),
        car("blue-car", 37.0, BLUE, -130, 1090),
        car("wrong-way-car", 69.0, RED, 1090, -130),
    )


SCRIPT = Script(
    actors=(
        *_passers_by(),
        _intruder(),
        _loiterer(),
        _pacer(),
        *_bag_story(),
        *_queue(),
        *_crowd(),
        *_cars(),
    ),
    covered=(87.0, 92.0),
    bag_owner="bag-owner",
)
