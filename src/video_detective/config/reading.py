"""Reads a camera document: YAML 1.2's JSON-like subset (or JSON itself).

A complaint names file, line and field, the value and what would be right; all complaints of a
document are collected, not only the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from video_detective.config.base import Document
from video_detective.config.checks import FieldPath, Problem, check, timezone_problem
from video_detective.errors import InvalidRulesError, MissingError, UsageError

MAX_DOCUMENT_BYTES = 1 << 20
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*(?:-|–|~|到|至)\s*(\d{1,2}):(\d{2})")
_DOCUMENT = TypeAdapter(Document)


def load(path: Path) -> Document:
    """Read and validate a document.

    Raises:
        UsageError: the file cannot be read.
        InvalidRulesError: the document is wrong, with every problem.
    """
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise UsageError(
                f"Rules file '{path}' is larger than {MAX_DOCUMENT_BYTES >> 20} MiB",
                remedy="Is it the right file?",
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as cause:
        raise MissingError(f"There is no rules file '{path}'", remedy="Check the path.") from cause
    except UnicodeDecodeError as cause:
        raise UsageError(
            f"Rules file '{path}' is not UTF-8 text", remedy="Save it as UTF-8 YAML or JSON."
        ) from cause
    except OSError as cause:
        raise UsageError(
            f"Rules file '{path}' cannot be read ({cause.strerror})",
            remedy="Name a readable YAML or JSON file.",
        ) from cause
    return parse(text, name=str(path))


def parse(text: str, *, name: str = "rules") -> Document:
    """Validate the text of a document; ``name`` is what complaints call it.

    Raises:
        InvalidRulesError: with every problem, each as ``name:line: field: what is wrong``.
    """
    try:
        root = yaml.compose(text, _Loader)
        data = None if root is None else _plain(root)
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        line = mark.line + 1 if mark else 1
        raise _invalid([f"{name}:{line}: {cause.problem or cause.context}"]) from cause
    except (yaml.YAMLError, RecursionError) as cause:
        raise _invalid([f"{name}:1: not YAML: {' '.join(str(cause).split())}"]) from cause
    if root is None or not isinstance(data, dict):
        raise _invalid(
            [f"{name}:1: the document must be a mapping with schema_version and cameras"]
        )

    problems = list(_normalise_schedules(data))
    if not problems:
        try:
            document = _DOCUMENT.validate_json(json.dumps(data), strict=True)
            problems = [p for key, cam in document.cameras.items() for p in check(key, cam)]
        except ValidationError as cause:
            problems = [(_known(data, e["loc"]), _say(e)) for e in cause.errors()]
    if problems:
        located = sorted((_line(root, path), _field(path), what) for path, what in problems)
        raise _invalid([f"{name}:{line}: {field}: {what}" for line, field, what in located])
    return document


class _Loader(yaml.SafeLoader):
    """JSON's scalars only: no dates, no base-60 numbers (22:00), no yes/no booleans."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses aliases: a few lines of them can stand for gigabytes."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not allowed",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def _plain(node: yaml.Node, depth: int = 0) -> Any:
    """The node as dicts, lists and scalars; anchors, tags and repeated keys are refused."""
    if depth > 20:
        raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be text", problem_mark=key_node.start_mark
                )
            key = key_node.value
            if key in mapping:
                raise yaml.MarkedYAMLError(
                    problem=f"{key!r} stands here a second time", problem_mark=key_node.start_mark
                )
            mapping[key] = _plain(value_node, depth + 1)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, depth + 1) for child in node.value]
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "str":
        return text
    raise yaml.MarkedYAMLError(
        problem=f"the tag {node.tag!r} is not allowed", problem_mark=node.start_mark
    )


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


def _known(data: object, loc: Sequence[str | int]) -> FieldPath:
    """The error's place without pydantic's union tags, which no document has."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        if isinstance(data, dict) and isinstance(part, str):
            if part not in data and position + 1 < len(loc):
                continue
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        path.append(part)
    return tuple(path)


def _say(error: Mapping[str, Any]) -> str:
    """Pydantic's complaint in a user's words, with the value where there is one."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in {"missing", "missing_argument", "missing_keyword_only_argument"}:
        return "is missing"
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return "there is no such field"
    if kind == "string_pattern_mismatch":
        return f"{error['input']!r} may have only letters, digits, '_' and '-'"
    if kind == "union_tag_not_found":
        return "a rule needs a type"
    if kind == "union_tag_invalid":
        return f"there is no rule type {context['tag']!r}; use one of {context['expected_tags']}"
    message = str(error["msg"]).removeprefix("Input ").removeprefix("Value error, ")
    value = error.get("input")
    if isinstance(value, str | int | float | bool | None):
        return f"{json.dumps(value, ensure_ascii=False)} {message}"
    return message


def _line(root: yaml.Node, path: FieldPath) -> int:
    """The line (1-based) of a field, or of the nearest thing around it that exists."""
    node, line = root, root.start_mark.line
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == part), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return line + 1


def _field(path: FieldPath) -> str:
    """``cameras.cam01.rules[2].zone``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "document"


def _invalid(problems: Sequence[str]) -> InvalidRulesError:
    more = f" (and {len(problems) - 1} more: video-detective rules check FILE)" * (
        len(problems) > 1
    )
    return InvalidRulesError(
        problems[0] + more, remedy="Correct the rules file.", problems=tuple(problems)
    )
