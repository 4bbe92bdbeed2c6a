"""JSON schemas as model servers take them."""

from __future__ import annotations

import json
from typing import cast

from pydantic import BaseModel

from video_detective.llm.wire import Json


def wire_schema(answer: type[BaseModel]) -> Json:
    """The JSON schema of ``answer`` with every reference replaced by what it refers to.

    Several servers' grammars know no ``$ref``. Titles are left out: they only repeat the names.

    Raises:
        ValueError: the model refers to itself, which no such schema can say.
    """
    schema = answer.model_json_schema()
    return cast("Json", _inlined(schema, schema.get("$defs", {}), ()))


def schema_in_words(schema: Json) -> str:
    """The schema for a model that is not bound to it: who is not must at least have read it."""
    words = "Answer with one JSON object and nothing else. It must fit this JSON schema:\n"
    return words + json.dumps(schema, ensure_ascii=False)


def _inlined(node: object, definitions: dict[str, object], within: tuple[str, ...]) -> object:
    if isinstance(node, list):
        return [_inlined(item, definitions, within) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        if name in within:
            raise ValueError(f"{name} refers to itself: its schema has no end")
        beside = {key: value for key, value in node.items() if key != "$ref"}
        target = _inlined(definitions[name], definitions, (*within, name))
        return {**cast("dict[str, object]", target), **beside}
    return {
        key: _properties(value, definitions, within)
        if key == "properties" and isinstance(value, dict)
        else _inlined(value, definitions, within)
        for key, value in node.items()
        if key not in ("$defs", "title")
    }


def _properties(
    fields: dict[str, object], definitions: dict[str, object], within: tuple[str, ...]
) -> dict[str, object]:
    """The fields of an object, of which one may well be called ``title``."""
    return {name: _inlined(field, definitions, within) for name, field in fields.items()}
