"""How often the colour of a rendered upper garment is told: ``python -m benchmarks.colours``.

The set's first half fits the thresholds (``--fit`` prints them), the second is never looked at but
to report. A person's truth is one of the six colours, another one, or that it cannot be told.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.colour_set import SIX, Sample, samples
from video_detective.attributes import colour
from video_detective.attributes.colour import COLOURS, Light, Thresholds, Torso

TUNING_SEED, UNTOUCHED_SEED = 11, 97
COUNT = 2000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """What the judge sees of a sample, and the truth."""

    torso: Torso | None
    light: Light
    truth: str
    sample_light: str
    size_px: int
    why: str


def cases(seed: int, count: int) -> list[Case]:
    """The samples, cut out and measured; the pictures are not kept."""
    return [_case(sample) for sample in samples(seed, count)]


def _case(sample: Sample) -> Case:
    truth = "none" if sample.colour == "" else sample.colour if sample.colour in SIX else "other"
    return Case(
        torso=colour.torso_of(sample.picture, [sample.box], 0),
        light=colour.light_of(sample.picture),
        truth=truth,
        sample_light=sample.light,
        size_px=sample.size_px,
        why=sample.why,
    )


def told(case: Case, thresholds: Thresholds) -> str:
    """What is said: a colour, or ``none``."""
    if case.torso is None:
        return "none"
    return colour.judge(case.torso, case.light, thresholds) or "none"


def worth(found: Sequence[Case], thresholds: Thresholds) -> float:
    """What the fit makes large: balanced over colours; a wrong word costs, silence less."""
    gains: dict[str, list[float]] = defaultdict(list)
    for case in found:
        said = told(case, thresholds)
        right = said == case.truth
        gains[case.truth].append(1.0 if right else 0.25 if said == "none" else -0.5)
    weights = {"none": 0.6, "other": 2.0}
    total = sum(weights.get(name, 1.0) for name in gains)
    return sum(weights.get(name, 1.0) * float(np.mean(g)) for name, g in gains.items()) / total


STEPS: dict[str, float] = {
    "cast": 0.1, "level": 0.1, "neutral": 1.5, "neutral_bright": 1.5, "black": 1.5,
    "black_chroma": 1.5, "white": 2.0, "red_chroma": 2.0, "purple_chroma": 1.5,
    "yellow_chroma": 2.0, "red_bright": 2.0, "yellow_dark": 2.0, "agreed": 0.03, "lead": 0.04,
}  # fmt: skip
SIZES = {"0-40": 40, "40-60": 60, "60-100": 100, "100-180": 180, "180-300": 301}
SPANS = ("red", "purple", "yellow")


def fit(found: Sequence[Case], thresholds: Thresholds, rounds: int = 4) -> Thresholds:
    """Thresholds moved one at a time as long as it helps."""
    best, value = thresholds, worth(found, thresholds)
    for number in range(rounds):
        before = value
        for name in (*STEPS, *SPANS):
            for trial in _moves(best, name):
                if (gain := worth(found, trial)) > value:
                    best, value = trial, gain
        print(f"round {number}: {value:.4f}", flush=True)
        if value - before < 5e-4:
            break
    return best


def _moves(base: Thresholds, name: str) -> list[Thresholds]:
    now = getattr(base, name)
    if name in SPANS:
        start, end = now
        values: list[Any] = [((start + d) % 360, end) for d in (-8, -4, 4, 8)]
        values += [(start, (end + d) % 360) for d in (-8, -4, 4, 8)]
    else:
        values = [round(now + d * STEPS[name], 3) for d in (-2, -1, 1, 2)]
        values = [v for v in values if isinstance(v, float) and v >= 0]
    return [dataclasses.replace(base, **{name: value}) for value in values]


def report(found: Sequence[Case], thresholds: Thresholds) -> None:
    """Accuracy by colour, light, size and circumstance, and who was taken for whom."""
    confusion: dict[str, Counter[str]] = defaultdict(Counter)
    by: dict[str, dict[str, list[int]]] = {key: defaultdict(lambda: [0, 0, 0]) for key in
                                           ("light", "size", "circumstance")}  # fmt: skip
    for case in found:
        said = told(case, thresholds)
        confusion[case.truth][said] += 1
        size = next(name for name, limit in SIZES.items() if case.size_px < limit)
        for key, value in (
            ("light", case.sample_light),
            ("size", size),
            ("circumstance", case.why),
        ):
            cell = by[key][value]
            if case.truth != "none" or key == "circumstance":
                cell[0] += said == case.truth
                cell[1] += said not in (case.truth, "none")
                cell[2] += 1
    columns = (*COLOURS, "none")
    print(f"{'truth':<9}{'right':>7}{'of told':>9}  " + "".join(f"{name:>8}" for name in columns))
    for truth in columns:
        row = confusion[truth]
        answered = row.total() - row["none"]
        of_told = row[truth] / answered if truth != "none" and answered else float("nan")
        cells = "".join(f"{row[name]:>8}" for name in columns)
        print(f"{truth:<9}{row[truth] / max(row.total(), 1):>7.1%}{of_told:>9.1%}  {cells}")
    said_by = {name: sum(row[name] for row in confusion.values()) for name in SIX}
    print("precision", *(f"{n} {confusion[n][n] / max(said_by[n], 1):.1%}" for n in SIX))
    for key, table in by.items():
        print(f"{key}: " + "; ".join(
            f"{name} right {right / n:.1%} wrong {wrong / n:.1%}"
            for name, (right, wrong, n) in table.items() if n))  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="persons of each half")
    parser.add_argument(
        "--fit", action="store_true", help="fit the thresholds again and print them"
    )
    options = parser.parse_args()
    thresholds = colour.FITTED
    if options.fit:
        tuning = cases(TUNING_SEED, options.count)
        thresholds = fit(tuning, thresholds)
        print(thresholds)
        report(tuning, thresholds)
    print(f"untouched half, {options.count} persons and {options.count // 5} that cannot be told")
    report(cases(UNTOUCHED_SEED, options.count), thresholds)


if __name__ == "__main__":
    main()
