"""遺留物 Abandoned object: a bag-like thing that stays put while no person is near."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from video_detective.rules.base import Actor, Zone
from video_detective.rules.parameters import AbandonedObject
from video_detective.rules.schedule import rfc3339
from video_detective.rules.sight import Area, Finding, Mark, Sight, Spot, distance, ns, seconds
from video_detective.rules.snapshot import plain, rebuild

_PERSON = "person"
_MEMORY_NS = 30_000_000_000
"""How long people's ways are remembered: a still blob is noticed well after it was put down."""
_MAX_IDS = 8
"""Track ids remembered of one thing: the latest."""
_MEMORY_STEP_NS = 500_000_000
"""Spacing of that memory."""


@dataclass(slots=True, kw_only=True)
class Item:
    """One still thing.

    Args:
        type: Class name.
        track_ids: Ids it has had, in order.
        placed: The first observation of it on this spot.
        last: The last observation.
        alone: Since when no person has been near.
        owner: The person who was there when it appeared.
        owner_near: When the owner was last near.
        owner_left: The first observation after that.
        established: When the rule was satisfied.
        returned: When the owner was near again after that.
    """

    type: str
    track_ids: list[str]
    placed: Mark
    last: Mark
    alone: Mark | None = None
    owner: str | None = None
    owner_near: Mark | None = None
    owner_left: Mark | None = None
    established: Mark | None = None
    returned: Mark | None = None


@dataclass(slots=True, kw_only=True)
class AbandonedState:
    """Things, and where people have been lately."""

    items: list[Item] = field(default_factory=list)
    people: dict[str, list[Mark]] = field(default_factory=dict)


class AbandonedObjectMachine:
    """Established when a thing in the zone was still and alone for ``min_seconds`` together.

    A thing is still while it stays within ``max_shift`` of where it was first seen; further away it
    is a new thing (a box that jumps and comes back within ``exit_s`` is still the old one). On its
    spot it may change its track id. Time alone begins anew whenever a person
    comes within ``owner_distance``. Its owner is the nearest person within that distance when it
    appeared, or else who was last that near in the half minute before. The event starts when the
    thing was alone, goes on whoever comes near later (``returned`` when it is the owner) and ends
    when the thing was not seen on its spot for ``exit_s``.
    """

    def __init__(self, rule: AbandonedObject, zone: Zone) -> None:
        self._rule = rule
        self._area = Area(zone)
        self._state = AbandonedState()

    def update(self, sight: Sight) -> list[Finding]:
        """See ``Machine``."""
        people = sight.watched((_PERSON,))
        things = {
            key: spot
            for key, spot in sight.watched(self._rule.classes).items()
            if self._area.contains(spot) and spot.type != _PERSON
        }
        found = []
        seen = self._match(things, people)
        for item in list(self._state.items):
            if id(item) in seen:
                if self._attend(item, people, sight):
                    found.append(self._finding(item, None))
            elif sight.time_ns - item.last.time_ns >= ns(self._rule.exit_s):
                self._state.items.remove(item)
                if item.established is not None:
                    found.append(self._finding(item, "removed"))
        self._remember(people, sight)
        return found

    def stop(self, ended: str) -> list[Finding]:
        """See ``Machine``."""
        found = [
            self._finding(item, ended) for item in self._state.items if item.established is not None
        ]
        self._state = AbandonedState()
        return found

    def state(self) -> Any:
        """See ``Machine``."""
        return plain(self._state)

    def restore(self, state: Any) -> None:
        """See ``Machine``."""
        self._state = rebuild(AbandonedState, state)

    def _match(self, things: dict[str, Spot], people: dict[str, Spot]) -> set[int]:
        """Give each thing in view its item, its own rather than another's; who was seen."""
        seen: set[int] = set()
        for track_id, spot in things.items():
            near = [
                item
                for item in self._state.items
                if distance(item.placed.at, spot.mark.at) <= self._rule.max_shift
            ]
            own = [item for item in near if track_id == item.track_ids[-1]]
            if own or near:
                item = (own or near)[0]
                if track_id not in item.track_ids:
                    item.track_ids = [*item.track_ids, track_id][-_MAX_IDS:]
            else:
                item = self._begin(spot, people)
                self._state.items.append(item)
            item.last = spot.mark
            seen.add(id(item))
        return seen

    def _begin(self, spot: Spot, people: dict[str, Spot]) -> Item:
        item = Item(type=spot.type, track_ids=[spot.track_id], placed=spot.mark, last=spot.mark)
        near = self._near(item, people)
        if near:
            item.owner = min(near, key=lambda key: (near[key], list(near).index(key)))
            return item
        passed = [
            (mark.time_ns, -distance(mark.at, spot.mark.at), person, mark, after)
            for person, marks in self._state.people.items()
            for mark, after in zip(marks, [*marks[1:], None], strict=True)
            if distance(mark.at, spot.mark.at) <= self._rule.owner_distance
        ]
        if passed:
            _, _, item.owner, item.owner_near, after_near = max(passed, key=lambda p: p[:3])
            item.owner_left = after_near or item.owner_near
        return item

    def _near(self, item: Item, people: dict[str, Spot]) -> dict[str, float]:
        distances = {
            key: distance(person.mark.at, item.placed.at) for key, person in people.items()
        }
        return {key: d for key, d in distances.items() if d <= self._rule.owner_distance}

    def _attend(self, item: Item, people: dict[str, Spot], sight: Sight) -> bool:
        """Follow who is near a thing in view; True when this establishes that it is abandoned."""
        near = self._near(item, people)
        if item.owner is not None and item.owner in near:
            if item.established is None:
                item.owner_near, item.owner_left = people[item.owner].mark, None
            elif item.returned is None:
                item.returned = people[item.owner].mark
        elif item.owner_near is not None and item.owner_left is None:
            item.owner_left = people[item.owner].mark if item.owner in people else item.last
        if item.established is not None:
            return False
        if near:
            item.alone = None
            return False
        item.alone = item.alone or item.last
        if sight.time_ns - item.alone.time_ns >= ns(self._rule.min_seconds):
            item.established = item.last
            return True
        return False

    def _remember(self, people: dict[str, Spot], sight: Sight) -> None:
        for key, person in people.items():
            marks = self._state.people.setdefault(key, [])
            if not marks or sight.time_ns - marks[-1].time_ns >= _MEMORY_STEP_NS:
                marks.append(person.mark)
        for key, marks in list(self._state.people.items()):
            while marks and sight.time_ns - marks[0].time_ns > _MEMORY_NS:
                del marks[0]
            if not marks:
                del self._state.people[key]

    def _finding(self, item: Item, ended: str | None) -> Finding:
        established = item.established or item.last
        alone = item.alone or item.placed
        thing, owner = item.track_ids[0], item.owner
        actors = [Actor(track_id=key, type=item.type) for key in item.track_ids]
        moments = [item.placed.moment("placed", thing)]
        if owner is not None:
            actors.append(Actor(track_id=owner, type=_PERSON, role="owner"))
            if item.owner_left is not None:
                moments.append(item.owner_left.moment("owner_left", owner, thing))
            if item.returned is not None:
                moments.append(item.returned.moment("returned", owner, thing))
        moments.append(established.moment("established", thing))
        facts: dict[str, Any] = {
            "object_type": item.type,
            "alone_s": seconds(item.last.time_ns - alone.time_ns),
            "still_s": seconds(item.last.time_ns - item.placed.time_ns),
            "placed_at": rfc3339(item.placed.time_ns),
            "owner_track_id": owner,
            "owner_left_at": item.owner_left and rfc3339(item.owner_left.time_ns),
        }
        if item.returned is not None:
            facts["owner_returned_at"] = rfc3339(item.returned.time_ns)
        if ended is not None:
            moments.append(item.last.moment("last_seen", item.track_ids[-1]))
            facts["ended"] = ended
        return Finding(
            key=f"{thing}@{alone.time_ns}",
            subject=thing,
            start_ns=alone.time_ns,
            established_ns=established.time_ns,
            end_ns=None if ended is None else item.last.time_ns,
            frames=(alone.frame, item.last.frame),
            zone=self._area.id,
            actors=tuple(actors),
            moments=tuple(sorted(moments, key=lambda moment: moment.time_ns)),
            facts=facts,
        )
