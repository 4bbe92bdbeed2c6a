"""How good a search is: nDCG and recall over questions whose relevant events are known.

A question says what it wants as conditions on ``Item.truth`` of ``benchmarks.sets.corpus``::

    {"id": "t001", "q": "紅衣人在後門", "lang": "zh-TW", "kinds": ["colour", "place"],
     "now": "2025-12-17T15:30:00+08:00",
     "want": {"3": {"places": "cam01", "upper_colours": "red"}, "1": {"places": "cam01"}}}

``want`` maps a grade to a condition; an event has the highest grade whose condition holds, else 0.
The top grade of a question is the highest it names; ``{}`` wants what does not exist.

A condition is an object; all its entries must hold:

- ``key: value`` (or ``key: [values]``): the truth under ``key`` is, or has among it, one of them;
- ``"all": {key: [values]}``: the truth under each key has every one of the values;
- ``"min": {key: number}``, ``"max": {key: number}``: the truth is at least, at most that;
- ``"time": [from, to]``: the event overlaps the half-open range of RFC 3339 times (an instant
  event lies in it); null leaves an end open;
- ``"any": [conditions]``: one of them holds; ``"not": condition``: it does not.

nDCG as in Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, with
the gain 2^grade - 1 of Burges et al., 2005, the discount log2(rank + 1), and the ideal order over
all events.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from benchmarks.sets.corpus import Item
from video_detective.geometry import NS_PER_S

Truth = Mapping[str, Any]
KEYS = frozenset(
    {"type", "types", "camera", "places", "classes", "risk", "start_ns", "end_ns", "duration_s",
     "night", "people", "direction", "kinds", "persons", "upper_colours", "lower_colours",
     "objects", "left", "vehicles", "behaviours", "absent", "towards"}
)  # fmt: skip
"""Keys of ``Item.truth``."""


@dataclass(frozen=True)
class Question:
    """One question and what it wants.

    Args:
        id: Unique.
        q: Its words.
        lang: ``zh-TW``, ``zh-CN`` or ``en``.
        kinds: What it tests.
        now: The moment of asking, RFC 3339.
        want: Conditions by grade; empty when nothing should be found.
    """

    id: str
    q: str
    lang: str
    kinds: tuple[str, ...]
    now: str
    want: Mapping[int, Mapping[str, Any]]

    @cached_property
    def now_ns(self) -> int:
        """The moment of asking in UTC ns."""
        return _ns(self.now)

    @cached_property
    def _falling(self) -> list[tuple[int, Mapping[str, Any]]]:
        return sorted(self.want.items(), key=lambda pair: -pair[0])

    def grade(self, truth: Truth) -> int:
        """How relevant an event of this truth is, 0..3."""
        return next((grade for grade, want in self._falling if holds(want, truth)), 0)

    def grades(self, items: Iterable[Item]) -> dict[str, int]:
        """Event id to grade, of the events that have one."""
        graded = ((item.event.event_id, self.grade(item.truth)) for item in items)
        return {event_id: grade for event_id, grade in graded if grade > 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Results over a set of questions.

    Args:
        ndcg: Mean nDCG@10 over the questions that want something.
        by_kind: The same by kind; a question counts for each of its kinds.
        by_lang: The same by language.
        by_question: nDCG@10 by question id.
        recall: Mean share of the top-graded events among all that the search returned.
        false_hits: Ids of the questions about nothing for which something came back.
    """

    ndcg: float
    by_kind: Mapping[str, float]
    by_lang: Mapping[str, float]
    by_question: Mapping[str, float]
    recall: float
    false_hits: tuple[str, ...]


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSON file, every condition checked.

    Raises:
        ValueError: a key is unknown, a time or grade is none, or an id or a question is there
            twice.
    """
    questions = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        want = {int(grade): condition for grade, condition in entry["want"].items()}
        if not set(want) <= {1, 2, 3}:
            raise ValueError(f"{entry['id']}: grades are 1, 2 and 3, not {sorted(want)}")
        for condition in want.values():
            check(condition)
        questions.append(Question(**{**entry, "kinds": tuple(entry["kinds"]), "want": want}))
        _ns(entry["now"])
    for names in ([q.id for q in questions], [q.q for q in questions]):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"{path.name}: twice: {sorted(twice)}")
    return questions


def check(condition: Mapping[str, Any]) -> None:
    """See that a condition can be understood.

    Raises:
        ValueError: naming the entry that cannot.
    """
    for key, value in condition.items():
        if key == "any":
            for one in value:
                check(one)
        elif key == "not":
            check(value)
        elif key == "time":
            since, until = (end and _ns(end) for end in value)
            if since and until and since >= until:
                raise ValueError(f"time: {value[0]} is not before {value[1]}")
        elif key in ("all", "min", "max"):
            unknown = set(value) - KEYS
            if unknown:
                raise ValueError(f"{key}: {sorted(unknown)} are no keys of the truth")
        elif key not in KEYS:
            raise ValueError(f"{key!r} is no key of the truth and no condition")


def holds(condition: Mapping[str, Any], truth: Truth) -> bool:
    """Whether all entries of a condition hold for a truth."""
    for key, value in condition.items():  # noqa: SIM110 - asked a million times, half the time
        if not _holds(key, value, truth):
            return False
    return True


def _holds(key: str, value: Any, truth: Truth) -> bool:
    match key:
        case "any":
            return any(holds(one, truth) for one in value)
        case "not":
            return not holds(value, truth)
        case "all":
            return all(set(wanted) <= set(truth[name]) for name, wanted in value.items())
        case "min":
            return all(truth[name] >= least for name, least in value.items())
        case "max":
            return all(truth[name] <= most for name, most in value.items())
        case "time":
            since, until = (end and _ns(end) for end in value)
            started = until is None or truth["start_ns"] < until
            lasts = since is None or truth["end_ns"] > since or truth["start_ns"] >= since
            return started and lasts
        case _:
            known = truth[key]
            if not isinstance(known, list):
                return known in value if isinstance(value, list) else known == value
            if not isinstance(value, list):
                return value in known
            return not set(value).isdisjoint(known)


def ndcg(grades: Mapping[str, int], found: Sequence[str], *, at: int = 10) -> float:
    """nDCG of a ranking; an id that comes twice counts once, where it is first.

    Args:
        grades: Grade by event id of every relevant event; at least one.
        found: Event ids, best first.
        at: How many ranks count.
    """
    ranked = [grades.get(event_id, 0) for event_id in dict.fromkeys(found)]
    return _gain(ranked[:at]) / _gain(sorted(grades.values(), reverse=True)[:at])


def _gain(grades: Iterable[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def recall(wanted: Iterable[str], found: Iterable[str]) -> float:
    """Share of the wanted that were found; 1 when nothing is wanted."""
    names = set(wanted)
    return len(names & set(found)) / len(names) if names else 1.0


def evaluate(
    search: Callable[[Question], Sequence[str]],
    questions: Sequence[Question],
    items: Sequence[Item],
) -> Scores:
    """Ask every question and score what comes back.

    Args:
        search: Event ids for a question, best first; nDCG looks at ten, recall at all.
        questions: See ``read_questions()``.
        items: The whole corpus.
    """
    by_question: dict[str, float] = {}
    recalls: list[float] = []
    false_hits = []
    for question in questions:
        found = list(search(question))
        grades = question.grades(items)
        if not question.want:
            false_hits += [question.id] if found else []
            continue
        if not grades:
            raise ValueError(f"{question.id}: no event of this corpus is relevant to {question.q}")
        by_question[question.id] = ndcg(grades, found)
        top = max(question.want)
        recalls.append(recall((key for key, grade in grades.items() if grade == top), found))
    asked = [question for question in questions if question.want]
    kinds = dict.fromkeys(kind for question in asked for kind in question.kinds)
    return Scores(
        ndcg=_mean(by_question.values()),
        by_kind={k: _mean(by_question[q.id] for q in asked if k in q.kinds) for k in kinds},
        by_lang={
            lang: _mean(by_question[q.id] for q in asked if q.lang == lang)
            for lang in dict.fromkeys(q.lang for q in asked)
        },
        by_question=by_question,
        recall=_mean(recalls),
        false_hits=tuple(false_hits),
    )


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0


@cache
def _ns(text: str) -> int:
    """RFC 3339 with an offset, in UTC ns.

    Raises:
        ValueError: it is no such time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return round(moment.timestamp() * 1000) * (NS_PER_S // 1000)
