"""Counts over the persons in view; the names of the source's contract."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
