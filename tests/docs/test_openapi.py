"""The OpenAPI document is complete and true: types, errors, scopes, examples that hold."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from tests.docs.rewrite_openapi import COPY, current
from tests.routes import OPEN, Operation, document, operations

ALL = operations(endless=True)
OURS = [item for item in ALL if item.path.startswith("/api/v1/")]
BINARY = re.compile(r"/(snapshot|try-source|export|live)$")
"""Addresses that answer a picture, an archive or events."""
NO_SCOPE = frozenset(
    {
        "GET /api/v1/session", "DELETE /api/v1/session", "POST /api/v1/session/password",
        "GET /api/v1/accounts", "GET /api/v1/accounts/{id}",
    }
)  # fmt: skip
"""What everybody who was let in may do: ask who they are, and about their own account."""
SCOPES = {"analytics:read", "analytics:write", "devices:read", "devices:write", "admin"}
ALWAYS = {"400", "429", "500"}


def named(items: list[Operation]) -> list[Any]:
    return [pytest.param(item, id=str(item)) for item in items]


def resolving(schema: Any, told: dict[str, Any]) -> Any:
    """A schema with the components that it may refer to."""
    whole = copy.deepcopy(schema)
    whole["components"] = told["components"]
    return whole


@pytest.mark.parametrize("operation", named(OURS))
def test_every_route_of_version_1_has_a_model_of_its_success(operation: Operation) -> None:
    successes = {s: r for s, r in operation.spec["responses"].items() if s.startswith("2")}
    assert successes
    for status, response in successes.items():
        for media_type, content in response.get("content", {}).items():
            if media_type != "application/json":
                assert BINARY.search(operation.path), media_type
                continue
            schema = operation.resolved(content["schema"])
            assert {"success", "statusCode", "data", "meta"} <= set(schema["properties"]), status
            assert schema["properties"]["data"], status


@pytest.mark.parametrize("operation", named(OURS))
def test_every_route_of_version_1_declares_its_errors(operation: Operation) -> None:
    expected = set(ALWAYS)
    if (operation.method, operation.path) not in OPEN and not operation.is_signed:
        expected |= {"401", "403"}
    if any(name not in {"n"} for name in operation.path_names):
        expected.add("404")
    if operation.body_type is not None:
        expected |= {"413", "415"}
    assert expected <= operation.statuses
    for status, response in operation.spec["responses"].items():
        if not status.startswith("2"):
            schema = response["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Failure"}, status
            assert response["description"], status
    assert "422" not in operation.statuses


@pytest.mark.parametrize("operation", named(ALL))
def test_every_route_asks_for_a_scope_or_is_known_to_be_open(operation: Operation) -> None:
    security = operation.spec.get("security")
    if (operation.method, operation.path) in OPEN or operation.is_signed:
        assert not security
        return
    assert security
    assert {next(iter(entry)) for entry in security} == {"apiKey", "session"}
    assert set(operation.scopes) <= SCOPES
    assert operation.scopes or str(operation) in NO_SCOPE


@pytest.mark.parametrize("operation", named(ALL))
def test_every_route_is_described_and_has_a_tag_that_is(operation: Operation) -> None:
    described = {tag["name"] for tag in document()["tags"]}
    assert set(operation.spec["tags"]) <= described
    assert operation.spec["summary"]
    assert operation.spec["description"]
    for parameter in operation.spec.get("parameters", ()):
        assert parameter["schema"]


def test_no_two_routes_have_the_same_name() -> None:
    names = [item.spec["operationId"] for item in ALL]
    assert sorted(set(names)) == sorted(names)


def test_every_answer_declares_the_headers_it_has() -> None:
    for item in OURS:
        for status, response in item.spec["responses"].items():
            names = set(response["headers"])
            assert "X-Request-Id" in names, (str(item), status)
            assert ("Retry-After" in names) == (status == "429"), (str(item), status)


def examples_of(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for name, schema in told["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            yield name, schema, example


def test_every_example_of_a_model_is_one() -> None:
    told = document()
    found = 0
    for name, schema, example in examples_of(told):
        found += 1
        bare = {key: value for key, value in schema.items() if key != "examples"}
        try:
            jsonschema_rs.validate(resolving(bare, told), example)
        except jsonschema_rs.ValidationError as error:
            raise AssertionError(f"{name}: {error}") from error
    assert found > 20


@pytest.mark.parametrize(
    "operation", named([item for item in OURS if item.body_type == "application/json"])
)
def test_every_json_body_has_an_example(operation: Operation) -> None:
    assert operation.example(), "give its model json_schema_extra with examples"


@pytest.mark.parametrize("operation", named([item for item in OURS if item.method == "get"]))
def test_what_every_route_answers_has_an_example(operation: Operation) -> None:
    content = operation.spec["responses"]["200"].get("content", {}).get("application/json")
    if content is None:
        assert BINARY.search(operation.path)
        return
    data = operation.resolved(content["schema"])["properties"]["data"]
    if "items" in data:
        data = data["items"]
    data = operation.resolved(data)
    given = data.get("examples") or content.get("example") or content.get("examples")
    assert given or data.get("type") in {"string", "integer", "boolean"}


def test_the_committed_copy_is_current() -> None:
    """``make openapi`` writes it anew."""
    assert json.loads(COPY.read_text("utf-8")) == json.loads(current())
    assert COPY.read_text("utf-8") == current()
