"""Which frames of an event a model is shown.

In three steps, so that only frames worth it are decoded: ``nominate`` names frames from the
tracks alone, ``pictures.candidates`` measures them, ``choose`` takes the few to show. Everything
is in order of time, always, and the same input gives the same frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from video_detective.geometry import NS_PER_S
from video_detective.rules import Event, Moment
from video_detective.tracking.base import Track

MOST_NOMINATED = 36
"""Three for each of the twelve frames that a model is shown at most."""
AROUND_NS = 2 * NS_PER_S
"""An event is looked at from this long before it to this long after it."""
NEAR_NS = NS_PER_S // 2
"""A frame this near a moment shows it, if it is sharper than the moment's own."""
SPACING_NS = 2 * NS_PER_S
"""A track is shown once within this time, but for the rule's moments."""

_WEIGHTS = {"crossed": 1.0, "entered": 1.0, "established": 1.0, "peak": 1.0}
_OTHER_MOMENT = 0.5
_BESIDE = 0.1
_MOMENT_VALUE = 2.0
"""A moment outweighs everything else about a frame (spread 1, sharpness and size ½ each)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sampled frame with the tracks that were seen in it.

    Args:
        time_ns: UTC ns.
        frame: Source frame index (0-based).
        tracks: Their boxes are pixels of the source picture.
    """

    time_ns: int
    frame: int
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A frame that may be shown.

    Args:
        time_ns, frame: Which.
        sharpness: Variance of the Laplacian where the event's tracks are (``pictures.sharpness``).
        sizes: Box area of each of the event's tracks in it, as share of the picture, by track id.
        moments: The rule's moments nearest to it, if at most ``NEAR_NS`` away: what it shows.
    """

    time_ns: int
    frame: int
    sharpness: float
    sizes: Mapping[str, float] = field(default_factory=dict)
    moments: tuple[Moment, ...] = ()


def nominate(
    event: Event, samples: Sequence[Sample], *, most: int = MOST_NOMINATED
) -> tuple[Sample, ...]:
    """Frames that are worth decoding: the rule's moments, those beside them, the rest evenly.

    Args:
        event: The event.
        samples: Sampled frames around it, in any order; those further than ``AROUND_NS`` from it
            are passed over. Moments without a sample (no track was there) stand for themselves.
        most: How many at most.

    Returns:
        In strict order of time, without doubles.
    """
    last_ns = event.start_ns if event.end_ns is None else event.end_ns
    last_ns = max([last_ns, *(moment.time_ns for moment in event.moments)])
    known = {
        sample.time_ns: sample
        for sample in samples
        if event.start_ns - AROUND_NS <= sample.time_ns <= last_ns + AROUND_NS
    }
    for moment in event.moments:
        alone = Sample(time_ns=moment.time_ns, frame=moment.frame)
        known.setdefault(moment.time_ns, alone)
    times = sorted(known)
    moments = _evenly(sorted({moment.time_ns for moment in event.moments}), most)
    beside = sorted(
        t for t in times if t not in moments and any(abs(t - m) <= NEAR_NS for m in moments)
    )
    chosen = [*moments, *_evenly(beside, (most - len(moments)) // 2)]
    rest = [t for t in times if t not in chosen]
    chosen += _evenly(rest, most - len(chosen))
    return tuple(known[t] for t in sorted(chosen))


def choose(
    candidates: Iterable[Candidate], *, most: int, least: int = 1, spacing_ns: int = SPACING_NS
) -> tuple[Candidate, ...]:
    """The frames to show: the rule's moments first, then sharp, large and spread over the event.

    A frame that shows no moment of its own is taken only if none of its tracks was taken less
    than ``spacing_ns`` from it. Where that leaves fewer than ``least`` frames, the spacing is
    halved, then halved again, then dropped.

    Args:
        candidates: In any order; of several at one time the sharpest counts.
        most: How many at most: 3 for single frames, 12 for an event over time.
        least: How many are wanted at least: 1 or 5.
        spacing_ns: See above.

    Returns:
        In strict order of time; fewer than ``least`` only when there are no more candidates.
    """
    by_time: dict[int, Candidate] = {}
    for one in sorted(candidates, key=lambda c: (c.time_ns, -c.sharpness, c.frame)):
        by_time.setdefault(one.time_ns, one)
    pool = list(by_time.values())
    chosen: list[Candidate] = []
    for spacing in (spacing_ns, spacing_ns // 2, spacing_ns // 4, 0):
        _fill(chosen, pool, most, spacing)
        if len(chosen) >= min(least, most):
            break
    return tuple(sorted(chosen, key=lambda c: c.time_ns))


def _fill(chosen: list[Candidate], pool: Sequence[Candidate], most: int, spacing_ns: int) -> None:
    """Add the most valuable frames one by one, as long as any may be taken."""
    if not pool:
        return
    quality = _quality(pool)
    span = max(pool[-1].time_ns - pool[0].time_ns, 1)
    while len(chosen) < most:
        shown = {moment for one in chosen for moment in one.moments}
        best: tuple[float, Candidate] | None = None
        for one in pool:
            fresh = [moment for moment in one.moments if moment not in shown]
            if one in chosen or (not fresh and _is_crowded(one, chosen, spacing_ns)):
                continue
            apart = min((abs(one.time_ns - other.time_ns) for other in chosen), default=span)
            value = quality(one) + min(apart / span * most, 1.0)
            value += _MOMENT_VALUE * _weight(fresh, one.time_ns)
            if best is None or value > best[0]:  # of equals the earliest
                best = value, one
        if best is None:
            return
        chosen.append(best[1])


def _weight(moments: Sequence[Moment], time_ns: int) -> float:
    """Of the gravest moment; a frame beside it must be clearly sharper than the moment's own."""
    return max(
        (
            _WEIGHTS.get(moment.what, _OTHER_MOMENT)
            * (1 - _BESIDE * abs(moment.time_ns - time_ns) / NEAR_NS)
            for moment in moments
        ),
        default=0.0,
    )


def _is_crowded(one: Candidate, chosen: Sequence[Candidate], spacing_ns: int) -> bool:
    """Whether a frame too near shows one of its tracks; without tracks nearness is enough."""
    return any(
        abs(one.time_ns - other.time_ns) < spacing_ns
        and not (one.sizes and other.sizes and one.sizes.keys().isdisjoint(other.sizes))
        for other in chosen
    )


def _quality(pool: Sequence[Candidate]) -> Callable[[Candidate], float]:
    """How well a frame shows its tracks, 0..1, against the other candidates of the event."""
    middle = sorted(one.sharpness for one in pool)[len(pool) // 2]
    largest = max(max(one.sizes.values(), default=0.0) for one in pool)

    def value(one: Candidate) -> float:
        sharp = one.sharpness / (one.sharpness + middle) if one.sharpness > 0 else 0.0
        large = max(one.sizes.values(), default=0.0) / largest if largest > 0 else 0.0
        return (sharp + large) / 2

    return value


def _evenly(times: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of the times: the first, the last and evenly between, in their order."""
    if most <= 0:
        return []
    if len(times) <= most:
        return list(times)
    if most == 1:
        return [times[len(times) // 2]]
    last = len(times) - 1
    indices = [round(i * last / (most - 1)) for i in range(most)]
    return [times[i] for i in indices]
