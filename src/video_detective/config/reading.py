"""Reads a camera document: YAML 1.2's JSON-like subset (or JSON itself).

A complaint names file, line and field, the value and what would be right; all complaints of a
document are collected, not only the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from video_detective.config.base import Document, SceneDocument
from video_detective.config.checks import (
    FieldPath,
    Problem,
    check,
    check_scene,
    timezone_problem,
)
from video_detective.config.tree import (
    MAX_DOCUMENT_BYTES,
    Kind,
    Tree,
    field_name,
    problems_of,
    read_text,
)
from video_detective.errors import FieldError, Flaw

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|–|~|到|至)\s*(\d{1,2}):(\d{2})")
_DOCUMENT = TypeAdapter(Document)
_SCENE = TypeAdapter(SceneDocument)
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
    problems = list(_normalise_cameras(tree.data))
    if not problems:
        try:
            document = _DOCUMENT.validate_json(json.dumps(tree.data), strict=True)
            problems = [p for key, cam in document.cameras.items() for p in check(key, cam)]
        except ValidationError as cause:
            problems = tree.problems_of(cause.errors())
    if problems:
        raise tree.complaint(problems)
    return document


def parse_scene(data: object, *, at: str = "document") -> SceneDocument:
    """Validate a camera's scene by itself: what a file has under a camera, as plain data.

    Args:
        data: Plain JSON; it is not changed.
        at: What complaints call it, as the beginning of every field's name.

    Raises:
        FieldError: with every problem, each with its field such as ``document.rules[2].zone``.
    """
    here: FieldPath = (at,)
    problems: list[Problem] = []
    try:
        text = json.dumps(data, allow_nan=False)
        if len(text) > MAX_DOCUMENT_BYTES:
            mib = MAX_DOCUMENT_BYTES >> 20
            raise ValueError(Flaw(f"is longer than {mib} MiB", reason="scene_too_long", mib=mib))
        plain = json.loads(text)
        if not isinstance(plain, dict):
            said = "must be a mapping with zones, tripwires and rules"
            raise ValueError(Flaw(said, reason="no_scene"))
        problems += _normalise_schedules(here, plain)
        if not problems:
            scene = _SCENE.validate_json(json.dumps(plain), strict=True)
            problems += check_scene(here, scene)
    except ValidationError as cause:
        problems += [((*here, *path), what) for path, what in problems_of(plain, cause.errors())]
    except (ValueError, RecursionError) as cause:
        problems.append((here, _said(cause)))
    if problems:
        raise FieldError((field_name(path), what) for path, what in problems)
    return scene


def written_scene(document: Mapping[str, Any]) -> dict[str, Any]:
    """A stored scene as a person would write it: ``parse_scene`` takes it back.

    Fields that are younger than the stored document have their defaults.
    """
    try:
        plain = SceneDocument.model_validate(document).model_dump(mode="json")
    except ValidationError:
        return dict(document)  # of another version: shown as it is
    for part in (*plain["rules"], *(plain["alerts"] or ())):
        part["schedule"] = [_written(entry) for entry in part["schedule"]]
    return plain


def _written(entry: Mapping[str, Any]) -> dict[str, Any] | str:
    start, end = entry["start_minute"], entry["end_minute"]
    hours = f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    if not entry["days"] and entry["timezone"] is None:
        return hours
    written = {"days": entry["days"], "hours": hours, "timezone": entry["timezone"]}
    return {key: value for key, value in written.items() if value}


def _normalise_cameras(data: dict[str, Any]) -> Iterator[Problem]:
    cameras = data.get("cameras")
    for camera_id, camera in cameras.items() if isinstance(cameras, dict) else ():
        yield from _normalise_schedules(("cameras", camera_id), camera)


def _normalise_schedules(here: FieldPath, scene: object) -> Iterator[Problem]:
    """Turn the written forms of ``schedule`` into lists of ``Schedule`` fields, in place."""
    for part in ("rules", "alerts"):
        rules = scene.get(part) if isinstance(scene, dict) else None
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if not isinstance(rule, dict) or "schedule" not in rule:
                continue
            written = rule["schedule"]
            try:
                rule["schedule"] = [
                    _schedule(entry)
                    for entry in (written if isinstance(written, list) else [written])
                ]
            except ValueError as cause:
                yield (*here, part, index, "schedule"), _said(cause)


def _said(cause: Exception) -> str:
    """What it was raised with, on one line."""
    match cause.args:
        case (Flaw() as flaw,):
            return flaw
    return " ".join(str(cause).split())


def _schedule(entry: object) -> dict[str, Any]:
    """``"22:00-06:00"``, or ``{days: [mon, fri], hours: "08:00-17:00", timezone: …}``."""
    if isinstance(entry, str):
        entry = {"hours": entry}
    if not isinstance(entry, dict):
        raise ValueError(
            Flaw(
                f'{entry!r} is no schedule; write "22:00-06:00" or {{days, hours}}',
                reason="schedule_wrong",
                value=str(entry),
            )
        )
    unknown = set(entry) - {"days", "hours", "timezone"}
    if unknown:
        name = sorted(unknown)[0]
        raise ValueError(
            Flaw(
                f"a schedule has no field {name!r}; use days, hours, timezone",
                reason="schedule_field",
                name=name,
            )
        )
    days = entry.get("days") or []
    days = [days] if isinstance(days, str) else days
    if not isinstance(days, list) or not all(day in DAYS for day in days):
        said = f"days {days!r} must be a list of {', '.join(DAYS)}"
        raise ValueError(Flaw(said, reason="days_wrong", choices=DAYS))
    result: dict[str, Any] = {"days": days}
    if "hours" in entry:
        match = _HOURS.fullmatch(str(entry["hours"]).strip())
        start = end = -1
        if match:
            h1, m1, h2, m2 = (int(g) for g in match.groups())
            start = h1 * 60 + m1 if m1 < 60 else -1
            end = h2 * 60 + m2 if m2 < 60 else -1
        if not (0 <= start < 1440 and 0 <= end <= 1440):
            raise ValueError(
                Flaw(
                    f'hours {entry["hours"]!r} must be like "22:00-06:00"',
                    reason="hours_wrong",
                    value=str(entry["hours"]),
                )
            )
        result |= {"start_minute": start, "end_minute": end}
    if entry.get("timezone") is not None:
        result["timezone"] = entry["timezone"]
        if (problem := timezone_problem(entry["timezone"])) is not None:
            raise ValueError(problem)
    return result
