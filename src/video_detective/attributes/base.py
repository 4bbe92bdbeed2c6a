"""Counts over the persons in view; the names of the source's contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """How many of the persons in view have each attribute; None where nothing could determine it.

    Each count is 0 up to the number of persons in view. In JSON the names are those of ``WIRE``
    (the source lists 27 and calls them 26: PA-100K has no *male*, the source counts it).
    """

    female: int | None = None
    male: int | None = None
    age_less18: int | None = None
    age18_to60: int | None = None
    age_over60: int | None = None
    front: int | None = None
    side: int | None = None
    back: int | None = None
    hat: int | None = None
    glasses: int | None = None
    hand_bag: int | None = None
    shoulder_bag: int | None = None
    backpack: int | None = None
    hold_objects_in_front: int | None = None
    short_sleeve: int | None = None
    long_sleeve: int | None = None
    long_coat: int | None = None
    trousers: int | None = None
    shorts: int | None = None
    skirt_dress: int | None = None
    boots: int | None = None
    upper_black: int | None = None
    upper_white: int | None = None
    upper_red: int | None = None
    upper_purple: int | None = None
    upper_yellow: int | None = None
    upper_gray: int | None = None


FIELDS = tuple(field.name for field in fields(Attributes))
"""In the order of the source."""


def _wire(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


WIRE = {name: _wire(name) for name in FIELDS}
"""Name of each field in JSON: ``age_less18`` is ``ageLess18``."""

GROUPS = (("female", "male"), ("age_less18", "age18_to60", "age_over60"), ("front", "side", "back"))
"""Fields of which a person has exactly one: together they are never more than the persons."""

Knower = Literal["colour", "onnx", "vlm"]
"""What determined more than colours: ``colour`` (nothing did), ``onnx``, ``vlm``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRecord:
    """What the persons in view looked like at one moment.

    Args:
        captured_ns: When, UTC.
        total_persons: How many were in view.
        attributes: Counts over them.
        source: What determined them.
    """

    captured_ns: int
    total_persons: int
    attributes: Attributes
    source: Knower = "colour"


def bounded(attributes: Attributes, persons: int) -> Attributes:
    """The attributes without counts that cannot be: those above ``persons`` or below 0, and whole
    groups of which each person has only one but that count more than there are.

    >>> bounded(Attributes(female=2, male=2, hat=9, boots=1), 3)
    ... # doctest: +ELLIPSIS
    Attributes(female=None, male=None, ...
    """  # noqa: D205 - one sentence
    counts = {name: getattr(attributes, name) for name in FIELDS}
    wrong = {n for n, count in counts.items() if count is not None and not 0 <= count <= persons}
    for group in (*GROUPS, COLOUR_FIELDS):
        if sum(max(counts[name] or 0, 0) for name in group) > persons:
            wrong.update(group)
    return replace(attributes, **dict.fromkeys(wrong))


def merged(first: Attributes, second: Attributes) -> Attributes:
    """The first's counts; where it has none, the second's, colours and groups as a whole."""
    chosen: dict[str, int | None] = {}
    for group in (*GROUPS, COLOUR_FIELDS, *((name,) for name in FIELDS if name not in _GROUPED)):
        known = any(getattr(first, name) is not None for name in group)
        chosen |= {name: getattr(first if known else second, name) for name in group}
    return Attributes(**chosen)


def as_wire(attributes: Attributes) -> Mapping[str, int | None]:
    """By their names in JSON, in the order of the source."""
    return {wire: getattr(attributes, name) for name, wire in WIRE.items()}


COLOUR_FIELDS = tuple(name for name in FIELDS if name.startswith("upper_"))
_GROUPED = frozenset(name for group in (*GROUPS, COLOUR_FIELDS) for name in group)
