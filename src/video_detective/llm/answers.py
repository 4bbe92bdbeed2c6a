"""From what a model said to what it was asked for: nothing is guessed, everything is checked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from pydantic import BaseModel, ValidationError

from video_detective.llm.wire import Reply

_MOST_PROBLEMS = 12
_MOST_TEXT = 400_000
"""Characters; no model's answer is that long, and reading on would only take time."""

_MOST_OBJECTS = 64
"""Places where an answer's JSON object may begin that are tried before giving up."""

_LONGEST_LITERAL = 10
"""Characters of JSON that break off within a number, ``false`` or an escape, at most."""

_OPEN = "Unterminated string"

_THOUGHT_TAG = re.compile(r"<(/?)(?:think|thinking|thought)>", re.IGNORECASE)
_FENCE = re.compile(r"\A```[\w-]*[ \t]*\n(.*?)\n?```\Z", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What steers a terminal, or turns the direction in which the words around it are read."""
_DECLINES = re.compile(
    r"\A\W*(?:i(?:['\u2019]m| am) (?:sorry|unable|not able)|sorry\b|i can(?:['\u2019]t|not)\b"
    r"|i won(?:['\u2019]t)\b|as an ai\b"
    r"|(?:\u5f88|\u975e\u5e38)?\u62b1\u6b49|\u5c0d\u4e0d\u8d77|\u5bf9\u4e0d\u8d77"
    r"|\u6211(?:\u7121\u6cd5|\u65e0\u6cd5|\u4e0d\u80fd))",
    re.IGNORECASE,
)
"""How models decline in English and Chinese. Only asked where there is no JSON in the answer."""


class UnusableError(Exception):
    """An answer that is not what was asked for.

    Args:
        reason: As in ``ModelError``.
        problems: What is wrong, each as ``field: why``, without the model's own words.
    """

    def __init__(
        self, reason: Literal["invalid", "truncated", "empty", "refused"], *problems: str
    ) -> None:
        super().__init__("; ".join(problems))
        self.reason = reason
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Found:
    """A JSON object within a text, and how long it is."""

    value: dict[str, object]
    length: int


def bare_text(text: str) -> str:
    r"""A model's words without think-text, code fence, control characters and half characters.

    Think-text whose end is missing goes to the end of the text: what was thought is no answer.

    Examples:
        >>> bare_text("<think>hm</think>```json\n{}\n```")
        '{}'
        >>> bare_text("<think>hm {}")
        ''
    """
    text = _without_thought(_clean(text)).strip()
    fenced = _FENCE.match(text)
    return fenced[1].strip() if fenced and "```" not in fenced[1] else text


def _without_thought(text: str) -> str:
    """The rest of a text; a chat template may have opened what the text only closes."""
    kept: list[str] = []
    place, is_thought = 0, False
    for tag in _THOUGHT_TAG.finditer(text):
        if tag[1] and not is_thought:
            kept.clear()
        elif not tag[1] and not is_thought:
            kept.append(text[place : tag.start()])
        is_thought, place = not tag[1], tag.end()
    return "".join(kept if is_thought else [*kept, text[place:]])


def usable_answer(reply: Reply, answer: type[BaseModel] | None) -> tuple[str, BaseModel | None]:
    """The bare text of a reply, and the object that was asked for.

    Text around the object is passed over; of several objects the first that fits counts.

    Raises:
        UnusableError: it is empty, cut off, no such object, or the model declined.
    """
    if len(reply.text) > _MOST_TEXT:
        raise UnusableError("invalid", f"the answer has {len(reply.text)} characters")
    text = bare_text(reply.text)
    if reply.refusal is not None:
        raise UnusableError("refused", f"declined: {reply.refusal[:200]}")
    if not text:
        if reply.is_cut:
            raise UnusableError("truncated", "the answer was used up before its first word")
        raise UnusableError("empty", "there is no answer")
    if answer is None:
        if reply.is_cut:
            raise UnusableError("truncated", "the answer is cut off")
        return text, None
    found, is_open = _objects(text)
    mismatches: list[tuple[int, ValidationError]] = []
    for candidate in found:
        try:
            return text, answer.model_validate(candidate.value)
        except ValidationError as error:
            mismatches.append((candidate.length, error))
    if mismatches:
        _, nearest = max(mismatches, key=lambda pair: pair[0])
        raise UnusableError("invalid", *_problems(nearest)) from nearest
    if is_open or reply.is_cut:
        raise UnusableError("truncated", "the JSON object is cut off")
    if "{" not in text and _DECLINES.match(text):
        raise UnusableError("refused", "the model declined")
    raise UnusableError("invalid", "there is no valid JSON object in the answer")


def _objects(text: str) -> tuple[list[_Found], bool]:
    """JSON objects in a text, in order; and whether one begins that never ends."""
    decoder = json.JSONDecoder(strict=False, parse_constant=_no_constant)
    found: list[_Found] = []
    place, is_open = text.find("{"), False
    for _ in range(_MOST_OBJECTS):
        if place < 0:
            break
        try:
            value, end = decoder.raw_decode(text, place)
            found.append(_Found(_clean_values(value), end - place))
        except json.JSONDecodeError as error:
            rest = text[error.pos :]
            if ("}" not in rest and len(rest) <= _LONGEST_LITERAL) or error.msg.startswith(_OPEN):
                is_open = True
                break
            end = place + 1
        except (ValueError, RecursionError):
            end = place + 1
        place = text.find("{", end)
    return found, is_open


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _clean(text: str) -> str:
    """Without control characters (PostgreSQL refuses NUL) and lone surrogates (UTF-8 does)."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode()


def _clean_values(value: dict[str, object]) -> dict[str, object]:
    def clean(node: object) -> object:
        if isinstance(node, str):
            return _clean(node)
        if isinstance(node, list):
            return [clean(item) for item in node]
        if isinstance(node, dict):
            return {_clean(key): clean(item) for key, item in node.items()}
        return node

    return {_clean(key): clean(item) for key, item in value.items()}


def _problems(mismatch: ValidationError) -> list[str]:
    """Each complaint as ``field: why``; without the values, which may be long."""
    problems = []
    for error in mismatch.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(map(str, error["loc"])) or "the object"
        problems.append(f"{field}: {error['msg']}")
    rest = len(problems) - _MOST_PROBLEMS
    return problems[:_MOST_PROBLEMS] + ([f"and {rest} more"] if rest > 0 else [])
