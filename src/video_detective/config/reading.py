"""Reads a camera document: YAML 1.2's JSON-like subset (or JSON itself).

A complaint names file, line and field, the value and what would be right; all complaints of a
document are collected, not only the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from video_detective.config.base import Document
from video_detective.config.checks import Problem, check, timezone_problem
from video_detective.config.tree import Kind, Tree, read_text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|–|~|到|至)\s*(\d{1,2}):(\d{2})")
_DOCUMENT = TypeAdapter(Document)
_KIND = Kind(
    title="Rules file",
    holds="schema_version and cameras",
    advice=": video-detective rules check FILE",
)


def load(path: Path) -> Document:
    """Read and validate a document.

    Raises:
        UsageError: the file cannot be read.
        InvalidRulesError: the document is wrong, with every problem.
    """
    return parse(read_text(path, _KIND), name=str(path))


def parse(text: str, *, name: str = "rules") -> Document:
    """Validate the text of a document; ``name`` is what complaints call it.

    Raises:
        InvalidRulesError: with every problem, each as ``name:line: field: what is wrong``.
    """
    tree = Tree(text, name, _KIND)
    problems = list(_normalise_schedules(tree.data))
    if not problems:
        try:
            document = _DOCUMENT.validate_json(json.dumps(tree.data), strict=True)
            problems = [p for key, cam in document.cameras.items() for p in check(key, cam)]
        except ValidationError as cause:
            problems = tree.problems_of(cause.errors())
    if problems:
        raise tree.complaint(problems)
    return document


def _normalise_schedules(data: dict[str, Any]) -> Iterator[Problem]:
    """Turn the written forms of ``schedule`` into lists of ``Schedule`` fields, in place."""
    cameras = data.get("cameras")
    for camera_id, camera in cameras.items() if isinstance(cameras, dict) else ():
        rules = camera.get("rules") if isinstance(camera, dict) else None
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if not isinstance(rule, dict) or "schedule" not in rule:
                continue
            path = ("cameras", camera_id, "rules", index, "schedule")
            written = rule["schedule"]
            try:
                rule["schedule"] = [
                    _schedule(entry)
                    for entry in (written if isinstance(written, list) else [written])
                ]
            except ValueError as cause:
                yield path, str(cause)


def _schedule(entry: object) -> dict[str, Any]:
    """``"22:00-06:00"``, or ``{days: [mon, fri], hours: "08:00-17:00", timezone: …}``."""
    if isinstance(entry, str):
        entry = {"hours": entry}
    if not isinstance(entry, dict):
        raise ValueError(f'{entry!r} is no schedule; write "22:00-06:00" or {{days, hours}}')
    unknown = set(entry) - {"days", "hours", "timezone"}
    if unknown:
        raise ValueError(
            f"a schedule has no field {sorted(unknown)[0]!r}; use days, hours, timezone"
        )
    days = entry.get("days") or []
    days = [days] if isinstance(days, str) else days
    if not isinstance(days, list) or not all(day in DAYS for day in days):
        raise ValueError(f"days {days!r} must be a list of {', '.join(DAYS)}")
    result: dict[str, Any] = {"days": days}
    if "hours" in entry:
        match = _HOURS.fullmatch(str(entry["hours"]).strip())
        start = end = -1
        if match:
            h1, m1, h2, m2 = (int(g) for g in match.groups())
            start = h1 * 60 + m1 if m1 < 60 else -1
            end = h2 * 60 + m2 if m2 < 60 else -1
        if not (0 <= start < 1440 and 0 <= end <= 1440):
            raise ValueError(f'hours {entry["hours"]!r} must be like "22:00-06:00"')
        result |= {"start_minute": start, "end_minute": end}
    if entry.get("timezone") is not None:
        result["timezone"] = entry["timezone"]
        if (problem := timezone_problem(entry["timezone"])) is not None:
            raise ValueError(problem)
    return result
