"""YAML 1.2's JSON-like subset (or JSON itself) as data, with complaints that name the line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from video_detective.config.checks import FieldPath, Problem
from video_detective.errors import Flaw, InvalidRulesError, MissingError, UsageError

MAX_DOCUMENT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a document is, in complaints about it.

    Args:
        title: ``Rules file``.
        holds: What its top level must have, in words.
        advice: Where to see every problem; "" for nowhere else.
    """

    title: str
    holds: str
    advice: str = ""


def read_text(path: Path, kind: Kind) -> str:
    """The file's text.

    Raises:
        UsageError: the file cannot be read, is too large, or is not UTF-8.
    """
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise UsageError(
                f"{kind.title} '{path}' is larger than {MAX_DOCUMENT_BYTES >> 20} MiB",
                remedy="Is it the right file?",
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as cause:
        raise MissingError(
            f"There is no {kind.title.lower()} '{path}'", remedy="Check the path."
        ) from cause
    except UnicodeDecodeError as cause:
        raise UsageError(
            f"{kind.title} '{path}' is not UTF-8 text", remedy="Save it as UTF-8 YAML or JSON."
        ) from cause
    except OSError as cause:
        raise UsageError(
            f"{kind.title} '{path}' cannot be read ({cause.strerror})",
            remedy="Name a readable YAML or JSON file.",
        ) from cause


class Tree:
    """A parsed document: its data, and the lines on which its fields stand.

    Args:
        text: The document.
        name: What complaints call it.
        kind: What it is.

    Raises:
        InvalidRulesError: it is not YAML, or no mapping.
    """

    def __init__(self, text: str, name: str, kind: Kind) -> None:
        self._name, self._kind = name, kind
        try:
            root = yaml.compose(text, _Loader)
            data = None if root is None else _plain(root)
        except yaml.MarkedYAMLError as cause:
            mark = cause.problem_mark or cause.context_mark
            line = mark.line + 1 if mark else 1
            raise self._invalid([f"{name}:{line}: {cause.problem or cause.context}"]) from cause
        except (yaml.YAMLError, RecursionError) as cause:
            said = " ".join(str(cause).split())
            raise self._invalid([f"{name}:1: not YAML: {said}"]) from cause
        if root is None or not isinstance(data, dict):
            raise self._invalid([f"{name}:1: the document must be a mapping with {kind.holds}"])
        self._root = root
        self.data: dict[str, Any] = data

    def problems_of(self, errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
        """Pydantic's errors with the places at which a reader finds them."""
        return problems_of(self.data, errors)

    def complaint(self, problems: Iterable[Problem]) -> InvalidRulesError:
        """One error with every problem as ``name:line: field: what is wrong``, in order."""
        located = sorted(
            (_line(self._root, path), field_name(path), what) for path, what in problems
        )
        return self._invalid(
            [f"{self._name}:{line}: {field}: {what}" for line, field, what in located]
        )

    def _invalid(self, problems: Sequence[str]) -> InvalidRulesError:
        more = ""
        if len(problems) > 1:
            more = f" (and {len(problems) - 1} more{self._kind.advice})"
        return InvalidRulesError(
            problems[0] + more,
            remedy=f"Correct the {self._kind.title.lower()}.",
            problems=tuple(problems),
        )


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


def problems_of(data: object, errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Pydantic's errors about plain data, with the places at which a reader finds them."""
    return [(_known(data, error["loc"]), flaw_of(error, _say(error))) for error in errors]


def flaw_of(error: Mapping[str, Any], said: str) -> str:
    """What was said of a pydantic error, with its type as the reason and its limits as values.

    Nothing of what was sent is among the values: it may be a password.
    """
    kind: str = error["type"]
    if kind in {"value_error", "assertion_error"}:
        return said  # the kind tells nothing
    context: Mapping[str, object] = error.get("ctx", {})
    values = {
        # Choices come as one text of English: 'admin', 'viewer' or 'operator'.
        name: [one.strip("'") for one in re.split(", | or ", str(value))]
        if name in {"expected", "expected_tags"}
        else value
        for name, value in context.items()
        if name not in {"tag", "error"} and isinstance(value, str | int | float)
    }
    return Flaw(said, reason=kind, **values)


def _known(data: object, loc: Sequence[str | int]) -> FieldPath:
    """The error's place without pydantic's union tags, which no document has."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        if part == "[key]":  # of a mapping's key that is wrong itself
            continue
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
    name = error["loc"][-1] if error["loc"] else ""
    if name == "api_key_env":
        return "must be the name of an environment variable that holds the key, not the key itself"
    if kind == "string_pattern_mismatch":
        return f"{error['input']!r} may have only letters, digits, '_' and '-'"
    if kind == "union_tag_not_found":
        return "a rule needs a type"
    if kind == "union_tag_invalid":
        return f"there is no rule type {context['tag']!r}; use one of {context['expected_tags']}"
    message = str(error["msg"]).removeprefix("Input ").removeprefix("Value error, ")
    value = error.get("input")
    # An address may hold a password.
    if name != "url" and isinstance(value, str | int | float | bool | None):
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


def field_name(path: FieldPath) -> str:
    """``cameras.cam01.rules[2].zone``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "document"
