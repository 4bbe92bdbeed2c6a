"""Schemas for the wire."""

import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from video_detective.llm.schema import schema_in_words, wire_schema


class Actor(BaseModel):
    title: str = Field(description="What it is called")
    kind: Literal["person", "vehicle"]


class Told(BaseModel):
    lead: Actor
    actors: list[Actor]
    by_id: dict[str, Actor]


class Tree(BaseModel):
    branches: "list[Tree]"


def test_no_reference_is_left_in_a_schema() -> None:
    schema = wire_schema(Told)
    assert "$" not in json.dumps(schema)
    actor = {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "What it is called"},
            "kind": {"type": "string", "enum": ["person", "vehicle"]},
        },
        "required": ["title", "kind"],
    }
    assert schema["properties"] == {
        "lead": actor,
        "actors": {"type": "array", "items": actor},
        "by_id": {"type": "object", "additionalProperties": actor},
    }


def test_a_schema_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="Tree refers to itself"):
        wire_schema(Tree)


def test_a_schema_in_words_holds_the_schema() -> None:
    words = schema_in_words(wire_schema(Told))
    assert json.loads(words[words.index("{") :]) == wire_schema(Told)
