"""What a question is taken to ask: its own words, and what was chosen by hand beside them."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from video_detective.errors import UsageError
from video_detective.search.groups import cameras_of
from video_detective.search.names import CameraNames, PlaceName
from video_detective.search.question import Interpretation, interpret
from video_detective.services.times import parse_time
from video_detective.services.workspace import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it is going to be looked for.

    Args:
        interpretation: How it was read.
        cameras: That it names, or were chosen by hand; empty: none.
        since_ns, until_ns: The period.
        zone: In which its times are read.
        searched: Where it names none: of these cameras only; empty: of every one.
    """

    interpretation: Interpretation
    cameras: tuple[str, ...]
    since_ns: int | None
    until_ns: int | None
    zone: ZoneInfo
    searched: tuple[str, ...] = ()

    def watched(self, places: Places) -> tuple[str, ...]:
        """The cameras on whose recording the answer rests: all where the question names none."""
        seeing = cameras_of_places(self.interpretation, places)
        return self.cameras or seeing or tuple(places.scenes)


def understand(
    question: str,
    places: Places,
    now_ns: int,
    camera: str,
    since: str,
    until: str,
) -> Asked:
    """Read a question beside what was chosen by hand.

    Args:
        question: As it was asked.
        places: Names and zones of cameras.
        now_ns: When it was asked.
        camera: Camera id; empty: those the question names.
        since: RFC 3339 or empty; wins over the question's time.
        until: Likewise.

    Raises:
        UsageError: a time cannot be read, or the period between them is empty.
    """
    names = [
        CameraNames(
            camera_id=key,
            name=places.name(key),
            aliases=places.aliases.get(key, ()),
            zones=tuple(PlaceName(id=zone.id, name=zone.name) for zone in scene.zones),
            tripwires=tuple(
                PlaceName(id=wire.id, name=wire.name, ways=(wire.left_to_right, wire.right_to_left))
                for wire in scene.tripwires
            ),
        )
        for key, scene in places.scenes.items()
    ]
    zone = places.zone(camera)
    read = interpret(question, now_ns=now_ns, cameras=names, zone=zone)
    meant = () if camera else read.cameras or cameras_of_places(read, places)
    if meant and places.zone(meant[0]) != zone:
        zone = places.zone(meant[0])
        read = interpret(question, now_ns=now_ns, cameras=names, zone=zone)
    period = read.period
    since_ns = parse_time(since, zone, what="from") if since else None
    until_ns = parse_time(until, zone, what="to") if until else None
    if since_ns is not None and until_ns is not None and since_ns >= until_ns:
        raise UsageError(
            f"The period from {since!r} to {until!r} is empty",
            remedy="Let it end after it begins.",
            reason="period_empty",
            since=since,
            until=until,
        )
    # What is set by hand stands; the question's time fills an end that was left open, if it fits.
    if period is not None:
        given_since, given_until = since_ns, until_ns
        if given_since is None and (given_until is None or _before(period.start_ns, given_until)):
            since_ns = period.start_ns
        if given_until is None and (given_since is None or _before(given_since, period.end_ns)):
            until_ns = period.end_ns
    return Asked(
        interpretation=read,
        cameras=(camera,) if camera else read.cameras,
        since_ns=since_ns,
        until_ns=until_ns,
        zone=zone,
    )


def places_known(read: Interpretation) -> dict[str, set[str]]:
    """Cameras (lower case) that are called by a place asked for, or see it; by the chip's value."""
    known: dict[str, set[str]] = {}
    for group in read.groups:
        for key in group.key.split("|"):
            kind, _, value = key.partition(":")
            if kind in {"place", "near", "text"}:
                known.setdefault(value, set()).update(cameras_of(group))
    return known


def cameras_of_places(read: Interpretation, places: Places) -> tuple[str, ...]:
    """The cameras that see the places asked for; none where no camera is known by those."""
    named = set().union(*places_known(read).values())
    return tuple(key for key in places.scenes if key.lower() in named)


def _before(a_ns: int | None, b_ns: int | None) -> bool:
    return a_ns is None or b_ns is None or a_ns < b_ns
