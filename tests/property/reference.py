"""What the rules must find, computed from complete trajectories without any state.

Slow and plain on purpose: each function looks at the whole film at once, with exact rational
arithmetic where a sign decides, and follows the definition word by word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from video_detective.geometry import NS_PER_S, Point, Polygon
from video_detective.rules import Observation

Way = list[tuple[int, int, Point]]
"""(time_ns, frame, relative foot) of one track, in time."""
Span = tuple[int, int, int]
"""start_ns, established_ns, end_ns."""


def ways(observations: Sequence[Observation]) -> dict[str, Way]:
    """Every track's complete way."""
    found: dict[str, Way] = {}
    for observation in observations:
        width, height = observation.size
        for track in observation.tracks:
            x, y = track.foot
            foot = (x / width, y / height)
            found.setdefault(track.track_id, []).append(
                (observation.time_ns, observation.frame, foot)
            )
    return found


@dataclass(frozen=True)
class Crossing:
    """A pass that counts."""

    track_id: str
    direction: str
    time_ns: int
    frames: tuple[int, int]


def crossings(
    observations: Sequence[Observation],
    line: Sequence[Point],
    *,
    hysteresis: float,
    max_gap_ns: int,
) -> list[Crossing]:
    """Passes over a polyline, for ways in general position (nothing exactly on anything).

    Every point where the way meets the line, in order; those between which the way does not get
    ``hysteresis`` away from the segment met last belong together; of each group the balance counts,
    as its last meeting in that direction. The last group counts once the way got away from it.
    """
    aspect = observations[0].size[0] / observations[0].size[1]
    found = []
    for track_id, way in ways(observations).items():
        group: list[tuple[int, Crossing]] = []
        segment: tuple[Point, Point] | None = None

        def settle(group: list[tuple[int, Crossing]]) -> None:
            balance = sum(sign for sign, _ in group)
            found.extend([one for sign, one in group if sign * balance > 0][-1:])
            group.clear()

        for (t1, f1, a), (t2, f2, b) in pairwise(way):
            met = sorted(_meetings(a, b, line))
            if met and t2 - t1 > max_gap_ns:
                group.clear()
                continue
            for share, index, sign in met:
                here = (a[0] + (b[0] - a[0]) * float(share), a[1] + (b[1] - a[1]) * float(share))
                if segment and _distance(here, segment, aspect) >= hysteresis:
                    settle(group)
                segment = (line[index], line[index + 1])
                direction = "left_to_right" if sign > 0 else "right_to_left"
                time_ns = t1 + round((t2 - t1) * share)
                group.append((sign, Crossing(track_id, direction, time_ns, (f1, f2))))
            if segment and _distance(b, segment, aspect) >= hysteresis:
                settle(group)
    return sorted(found, key=lambda one: (one.track_id, one.time_ns))


def _meetings(a: Point, b: Point, line: Sequence[Point]) -> list[tuple[Fraction, int, int]]:
    found = []
    (ax, ay), (bx, by) = (tuple(map(Fraction, p)) for p in (a, b))
    for index, (p, q) in enumerate(pairwise(line)):
        (px, py), (qx, qy) = (tuple(map(Fraction, c)) for c in (p, q))
        denominator = (bx - ax) * (qy - py) - (by - ay) * (qx - px)
        if denominator == 0:
            continue
        on_way = ((px - ax) * (qy - py) - (py - ay) * (qx - px)) / denominator
        on_line = ((px - ax) * (by - ay) - (py - ay) * (bx - ax)) / denominator
        assert on_way not in (0, 1), "a foot exactly on the line is not for this reference"
        if 0 < on_way < 1 and 0 <= on_line <= 1:
            # Going right over a line that is drawn down the picture (looking down, left is east).
            found.append((on_way, index, -1 if denominator > 0 else 1))
    return found


def _distance(point: Point, segment: tuple[Point, Point], aspect: float) -> float:
    (x1, y1), (x2, y2) = segment
    start, along = complex(x1 * aspect, y1), complex((x2 - x1) * aspect, y2 - y1)
    rest = complex(point[0] * aspect, point[1]) - start
    share = (rest * along.conjugate()).real / abs(along) ** 2
    return abs(rest - along * min(max(share, 0), 1))


INSIDE, OUTSIDE, UNSEEN = "inside", "outside", "unseen"


def statuses(
    observations: Sequence[Observation], polygon: Polygon
) -> dict[str, list[tuple[int, str]]]:
    """For every track and every observation, whether it was seen inside, outside or not at all."""
    feet = {key: {t: foot for t, _, foot in way} for key, way in ways(observations).items()}
    return {
        key: [
            (
                o.time_ns,
                UNSEEN
                if o.time_ns not in seen
                else INSIDE
                if polygon.contains(seen[o.time_ns])
                else OUTSIDE,
            )
            for o in observations
        ]
        for key, seen in feet.items()
    }


def _goes_on(between: Sequence[tuple[int, str]], since_ns: int, exit_ns: int) -> bool:
    """Whether a stay survives what lies between two observations inside."""
    outside = [t for t, status in between if status == OUTSIDE]
    if not outside:
        return all(t - since_ns < exit_ns for t, _ in between)
    before = [t for t, _ in between if t < outside[0]]
    after = [t for t, _ in between if t >= outside[0]]
    return all(t - since_ns < exit_ns for t in before) and all(
        t - outside[0] < exit_ns for t in after
    )


def stays(line: Sequence[tuple[int, str]], exit_ns: int) -> list[list[int]]:
    """Indices of the observations inside, one list for each stay."""
    inside = [i for i, (_, status) in enumerate(line) if status == INSIDE]
    found: list[list[int]] = []
    for i in inside:
        if found and _goes_on(line[found[-1][-1] + 1 : i], line[found[-1][-1]][0], exit_ns):
            found[-1].append(i)
        else:
            found.append([i])
    return found


def intrusions(
    observations: Sequence[Observation], polygon: Polygon, *, enter_ns: int, exit_ns: int
) -> dict[str, list[Span]]:
    """Spans of every track's intrusions."""
    found: dict[str, list[Span]] = {}
    for key, line in statuses(observations, polygon).items():
        for stay in stays(line, exit_ns):
            start = 0
            for n, i in enumerate(stay):
                broken = n > 0 and any(s == OUTSIDE for _, s in line[stay[n - 1] : i])
                start = n if broken else start
                if line[i][0] - line[stay[start]][0] >= enter_ns:
                    span = line[stay[start]][0], line[i][0], line[stay[-1]][0]
                    found.setdefault(key, []).append(span)
                    break
    return found


def loiterings(
    observations: Sequence[Observation],
    polygon: Polygon,
    *,
    min_ns: int,
    limit: float,
    exit_ns: int,
) -> dict[str, list[Span]]:
    """Spans of every track's loiterings; ``limit`` in frame heights per second."""
    found: dict[str, list[Span]] = {}
    all_ways = ways(observations)
    aspect = observations[0].size[0] / observations[0].size[1]
    count = max(1, min_ns // NS_PER_S)
    for key, line in statuses(observations, polygon).items():
        way = all_ways[key]
        for stay in stays(line, exit_ns):
            start_ns, end_ns = line[stay[0]][0], line[stay[-1]][0]
            previous_ns = start_ns
            for i in stay:
                now_ns = line[i][0]
                seen_ns = max(t for t, _, _ in way if t < now_ns) if now_ns > start_ns else now_ns
                previous_ns = max(seen_ns, start_ns)
                k = count
                slow = False
                while start_ns + min_ns * k // count <= now_ns:
                    if start_ns + min_ns * k // count > previous_ns:
                        grid = [start_ns + min_ns * g // count for g in range(k - count, k + 1)]
                        places = [_place(way, t, aspect) for t in grid]
                        length = sum(abs(q - p) for p, q in pairwise(places))
                        slow = slow or length * NS_PER_S / min_ns <= limit
                    k += 1
                if slow:
                    found.setdefault(key, []).append((start_ns, now_ns, end_ns))
                    break
    return found


def _place(way: Way, time_ns: int, aspect: float) -> complex:
    for (t1, _, a), (t2, _, b) in pairwise(way):
        if t1 <= time_ns <= t2:
            share = (time_ns - t1) / (t2 - t1)
            return complex((a[0] + (b[0] - a[0]) * share) * aspect, a[1] + (b[1] - a[1]) * share)
    return complex(way[0][2][0] * aspect, way[0][2][1])


def counts(observations: Sequence[Observation], polygon: Polygon) -> list[int]:
    """How many tracks are inside, for each observation."""
    lines = statuses(observations, polygon).values()
    return [sum(line[i][1] == INSIDE for line in lines) for i in range(len(observations))]


def crowds(
    observations: Sequence[Observation],
    polygon: Polygon,
    *,
    least: int,
    min_ns: int,
    exit_ns: int,
) -> list[tuple[Span, int]]:
    """Spans of crowds with their peak counts."""
    present = counts(observations, polygon)
    times = [o.time_ns for o in observations]
    enough = [i for i, n in enumerate(present) if n >= least]
    found: list[tuple[Span, int]] = []
    while enough:
        run, established = [enough[0]], None
        for i in enough:
            dip_ns = [times[k] - times[run[-1] + 1] for k in range(run[-1] + 1, i)]
            forgiven_ns = exit_ns if established is not None else min(exit_ns, min_ns // 4)
            if any(dip >= forgiven_ns for dip in dip_ns):
                break
            run.append(i)
            if established is None and times[i] - times[run[0]] >= min_ns:
                established = times[i]
        if established is not None:
            span = times[run[0]], established, times[run[-1]]
            found.append((span, max(present[i] for i in run)))
        enough = [i for i in enough if i > run[-1]]
    return found
