"""What a vision model would have written about an event, and what of it is then known.

Sentences are drawn from ``wording.json``: the same fact has several wordings, colours belong to one
thing each, and some things are said not to be there. What is known is recorded beside the words,
so that no reader of Chinese is needed to judge a search.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from video_detective.rules import Event

COMMA, STOP = "\uff0c", "\u3002"
VEHICLES = ("car", "truck", "bus", "motorcycle", "bicycle")
COLOURS = {"black": 18, "red": 16, "white": 15, "blue": 15, "grey": 10, "yellow": 8, "green": 7,
           "orange": 5, "purple": 3, "brown": 3}  # fmt: skip
"""How common each is on people, in percent."""
COLOURS_OF_VEHICLES = {"white": 27, "black": 20, "grey": 15, "red": 12, "blue": 12, "yellow": 5,
                       "green": 5, "orange": 4}  # fmt: skip
"""How common each is on vehicles, in percent."""
COLOURS_BELOW = {"black": 35, "blue": 25, "grey": 20, "white": 10, "brown": 10}
"""How common each is on trousers and on animals, in percent."""
PLAIN = ("ambulance", "garbage_truck", "forklift")
"""Vehicles whose colour nobody mentions."""


@cache
def wording() -> dict[str, Any]:
    """Words and patterns by what they mean."""
    text = files("benchmarks.sets").joinpath("wording.json").read_text(encoding="utf-8")
    words: dict[str, Any] = json.loads(text)
    return words


@dataclass(slots=True, kw_only=True)
class Telling:
    """Clauses so far, and what they say.

    Args:
        draw: Where the choices come from.
        clauses: Parts of the text.
        known: Stable keys: ``persons``, ``upper_colours``, ``lower_colours``, ``objects``,
            ``vehicles`` (each thing as ``kind`` and, with a colour, ``kind:colour``),
            ``left`` (things without anybody, likewise), ``behaviours``, ``absent``, ``towards``
            (the camera of the place to which somebody went).
    """

    draw: np.random.Generator
    clauses: list[str] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)

    def text(self) -> str:
        """One or two sentences."""
        return COMMA.join(self.clauses) + STOP if self.clauses else ""

    def chance(self, share: float) -> bool:
        """Whether something of this probability happens."""
        return bool(self.draw.random() < share)

    def one(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        return choices[int(self.draw.integers(len(choices)))]

    def note(self, key: str, *values: str) -> None:
        """Remember what the words say."""
        kept = self.known.setdefault(key, [])
        kept += [value for value in values if value not in kept]

    def say(self, *clauses: str) -> None:
        """Add to the text."""
        self.clauses += clauses

    def colour(self, among: Mapping[str, int] = COLOURS) -> str:
        """Key of a colour, drawn by percentages."""
        shares = np.array(list(among.values())) / sum(among.values())
        return str(self.draw.choice(list(among), p=shares))

    def dyed(self, pattern: str, colour: str) -> str:
        """A pattern with the colour's long and short word; "" takes the colour out."""
        if not colour:
            return pattern.format(c="", s="", long="", short="")
        short, long = wording()["colours"][colour]
        word = self.one(long)
        return pattern.format(c=word, s=short, long=word, short=short)

    def thing(self, section: str, key: str, kind: str, colour: str, note: str = "objects") -> str:
        """Words for a thing, its colour only where the pattern has a place for one."""
        pattern = str(self.one(wording()[section][kind]))
        dyed = colour if "{" in pattern else ""
        self.note(note, key, *([f"{key}:{dyed}"] if dyed else []))
        return self.dyed(pattern, dyed)

    def behaviour(self, usual: Sequence[str] = ()) -> None:
        """Something that somebody does."""
        words = wording()
        if usual and self.chance(0.6):
            key = self.one(usual)
        elif self.chance(0.12):
            key = self.one(words["rare_behaviours"])
        else:
            key = self.one([k for k in words["behaviours"] if k not in words["rare_behaviours"]])
        self.note("behaviours", key)
        self.say(self.one(words["behaviours"][key]))

    def person(self, usual: Sequence[str] = ()) -> None:
        """Somebody, with clothes, things carried, and what they do."""
        words = wording()
        kinds, weights = tuple(words["persons"]), (0.38, 0.2, 0.06, 0.04, 0.06, 0.08, 0.05, 0.13)
        kind = str(self.draw.choice(kinds, p=weights))
        if kind != "unknown":
            self.note("persons", kind)
        who = str(self.one(words["persons"][kind]))
        if self.chance(0.8):
            colour = self.colour()
            self.note("upper_colours", colour)
            short_form = self.chance(0.15) and who.startswith("一名") and kind in ("man", "woman")
            if short_form:
                who = f"一名{words['colours'][colour][0]}衣{who[2:]}"
                self.say(who)
            else:
                self.say(f"{who}{self.dyed(str(self.one(words['upper'])), colour)}")
        else:
            self.say(who)
        if self.chance(0.25):
            colour = self.colour(COLOURS_BELOW)
            self.note("lower_colours", colour)
            self.say(self.dyed(str(self.one(words["lower"])), colour))
        self.things()
        self.behaviour(usual)

    def things(self) -> None:
        """Up to three things worn or carried, and perhaps one that is missing."""
        words = wording()
        common = [kind for kind in words["objects"] if kind not in words["rare_objects"]]
        count = int(self.draw.choice(4, p=(0.25, 0.4, 0.25, 0.1)))
        kinds = [str(kind) for kind in self.draw.permutation(common)[:count]]
        if self.chance(0.12):
            kinds.append(str(self.one(words["rare_objects"])))
        if "hat" in kinds and "helmet" in kinds:
            kinds.remove("helmet")
        for kind in kinds:
            colour = self.colour() if self.chance(0.6) else ""
            self.say(self.thing("objects", kind, kind, colour))
        if self.chance(0.2):
            missing = str(self.one([kind for kind in words["absent"] if kind not in kinds]))
            self.note("absent", missing)
            self.say(str(self.one(words["absent"][missing])))

    def vehicle(self, class_: str, *, beside: bool = False) -> None:
        """A vehicle of a class, with its colour and what it does; ``beside`` somebody."""
        words = wording()
        kind = str(self.one(words["vehicle_kinds"][class_]))
        colour = "yellow" if kind == "taxi" else self.colour(COLOURS_OF_VEHICLES)
        coloured = kind not in PLAIN and self.chance(0.85)
        name = str(self.one(words["vehicles"][kind]))
        if kind == "scooter_electric":
            self.note("vehicles", "motorcycle", *(["motorcycle:" + colour] if coloured else []))
        self.note("vehicles", kind, *([f"{kind}:{colour}"] if coloured else []))
        long = str(self.one(words["colours"][colour][1])) if coloured else ""
        if coloured and kind in ("sedan", "motorcycle") and self.chance(0.15):
            short = words["colours"][colour][0]
            self.note("vehicles", f"{kind}:{colour}")
            name, long = ("車" if kind == "sedan" else "機車"), short
        if beside:
            self.say(f"站在一輛{long}{name}旁")
            return
        pattern = str(self.one(words["vehicle_phrases"]))
        doing = str(self.one(list(words["driving"])))
        self.note("behaviours", doing)
        self.say(pattern.format(c=long, kind=name), str(self.one(words["driving"][doing])))
        if class_ in ("motorcycle", "bicycle"):
            if self.chance(0.35):
                self.note("absent", "helmet")
                self.say("騎士" + str(self.one(words["absent"]["helmet"])))
            elif self.chance(0.5):
                colour = self.colour() if self.chance(0.6) else ""
                self.say("騎士" + self.thing("objects", "helmet", "helmet", colour))


def tell(event: Event, draw: np.random.Generator, usual: Sequence[str]) -> Telling:
    """Words about an event.

    Args:
        event: The fact.
        draw: Source of the choices.
        usual: Behaviours that are common at its place.
    """
    telling, words = Telling(draw=draw), wording()
    subject = next((a.type for a in event.actors if a.role != "owner"), "")
    if event.type == "camera_tampered":
        kind = telling.one(list(words["views"]))
        telling.note("behaviours", f"view_{kind}")
        telling.say(telling.one(words["views"][kind]))
    elif event.type == "post_left":
        kinds = [k for k in words["posts"] if k != "fire_on" or event.camera_id == "cam13"]
        kind = telling.one(kinds)
        telling.note("behaviours", f"post_{kind}")
        telling.say(telling.one(words["posts"][kind]))
    elif event.type in ("crowding", "metric") and subject != "car":
        kind = telling.one(list(words["crowds"]))
        telling.note("behaviours", kind)
        telling.say(telling.one(words["crowds"][kind]))
        if telling.chance(0.4):
            telling.say("其中" + _also(telling, usual))
    elif event.type == "abandoned_object":
        kind = telling.one(words["left_by_class"][subject])
        colour = telling.colour() if telling.chance(0.7) else ""
        telling.say(telling.thing("left_things", kind, kind, colour, note="left"))
        telling.say(telling.one(words["left_where"]))
        if telling.chance(0.25):
            telling.say("先前" + _also(telling, ()))
    elif subject in VEHICLES:
        telling.vehicle(subject)
    elif subject in ("dog", "cat"):
        colour = telling.colour(COLOURS_BELOW)
        telling.say(telling.thing("animals", subject, subject, colour), "在現場走動")
    else:
        telling.person(usual)
        if telling.chance(0.07):
            telling.vehicle(telling.one(("car", "motorcycle", "truck")), beside=True)
        if telling.chance(0.12):
            telling.say("另有" + _also(telling, ()))
    if telling.chance(0.06) and subject == "person":
        towards = telling.one([c for c in words["towards"] if c != event.camera_id])
        telling.note("towards", towards)
        telling.say(f"隨後往{words['towards'][towards]}方向離開")
    if telling.chance(0.3):
        telling.say(telling.one(words["remarks"]))
    return telling


def _also(telling: Telling, usual: Sequence[str]) -> str:
    """A further person as one clause."""
    further = Telling(draw=telling.draw)
    further.person(usual)
    for key, values in further.known.items():
        telling.note(key, *values)
    return COMMA.join(further.clauses)
