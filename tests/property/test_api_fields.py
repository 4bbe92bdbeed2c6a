"""Every field of every route with what nobody means: 2xx or 4xx in the envelope, with its name.

``FUZZ_EXAMPLES`` (``make fuzz``) sends as many made-up values more for each field.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.routes import Operation, operations
from tests.served import Served, serving_tenants

from video_detective.api.failures import Failure

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0")) * 20 or 150
DEEP = "[" * 5000 + "]" * 5000
QUERY = (
    "",
    "%00",
    "%ff%fe",
    "%ED%A0%80",
    "x" * 5000,
    "-1",
    "99999999999999999999",
    "NaN",
    "null",
    "%F0%9F%92%A9",
)
"""Values of query and path parameters, percent-encoded."""
BODY = (
    "null", "true", "-1", "1e999", "99999999999999999999", "NaN", '""', '"\\u0000"', '"\\ud800"',
    '"' + "x" * 5000 + '"', "[]", "{}", "[null]", '{"\\ud800": 1}', '"2026-02-30T25:61:00Z"', DEEP,
)  # fmt: skip
"""JSON values of fields of bodies."""
SAFE = [
    item for item in operations()
    if item.path.startswith(("/api/", "/frames/", "/media/"))
    and (item.method != "delete" or item.path_names)
]  # fmt: skip

DATABASE = {"%00", "%ED%A0%80", "99999999999999999999", '"\\u0000"', "-1"}

Field = tuple[Operation, str, str]


def fields() -> list[Field]:
    """(operation, where, name) of everything that a caller may write."""
    found: list[Field] = []
    for operation in SAFE:
        found += [
            (operation, parameter["in"], parameter["name"])
            for parameter in operation.spec.get("parameters", ())
        ]
        found.append((operation, "query", "nobodyKnows"))
        if operation.body_type == "application/json":
            found += [(operation, "body", name) for name in operation.schema()["properties"]]
            found.append((operation, "body", "nobodyKnows"))
    return found


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    url = None
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()
    with serving_tenants(tmp_path_factory.mktemp("fields"), url) as started:
        yield started


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {served.mine.key}"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=30) as opened:
        yield opened


def send(client: httpx.Client, ids: dict[str, str], field: Field, value: str) -> httpx.Response:
    """The request with one field's value replaced, as raw as HTTP takes it."""
    operation, where, name = field
    path = operation.path
    for part in operation.path_names:
        # Nothing real is changed or removed by a value that turns out to be meant.
        kind = "" if operation.method != "get" else operation_kind(operation, part)
        own = ids.get(kind, "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90")
        path = path.replace(f"{{{part}}}", value if (where, name) == ("path", part) else own)
    query = []
    for parameter in operation.parameters:
        known = parameter["name"]
        if parameter["in"] == "query" and known != name and parameter.get("required"):
            query.append(f"{known}=2026-01-15T14:00:00Z")
    if where == "query":
        query.append(f"{name}={value}")
    url = f"{client.base_url}{path}" + (f"?{'&'.join(query)}" if query else "")
    headers: dict[str, Any] = {}
    content = None
    if operation.body_type == "application/json":
        body = {k: json.dumps(v) for k, v in operation.example().items()}
        if where == "body":
            body[name] = value
        content = "{" + ",".join(f'"{k}": {v}' for k, v in body.items()) + "}"
        headers["Content-Type"] = "application/json"
    elif operation.body_type is not None:
        content = "0123456789"
        headers["Content-Type"] = operation.body_type
    if where == "header":
        headers[name] = value.encode("latin-1", "replace")
    request = client.build_request(operation.method.upper(), url, content=content, headers=headers)
    return client.send(request)


def operation_kind(operation: Operation, name: str) -> str:
    return "" if operation.is_signed else operation.kind_of(name)


def assert_sane(answer: httpx.Response, field: Field, value: str) -> None:
    operation, where, name = field
    about = (
        f"{operation}: {where} {name} = {value[:60]!r} -> {answer.status_code} {answer.text[:300]}"
    )
    # 503 is what a camera or receiver that is not there gives.
    assert answer.status_code < 500 or answer.status_code == 503, about
    if answer.is_success:
        return
    body = Failure.model_validate(answer.json())
    assert body.statusCode == answer.status_code, about
    assert body.meta.requestId == answer.headers["X-Request-Id"], about
    if name == "nobodyKnows" and operation.path.startswith("/api/v1/"):
        assert answer.status_code in {400, 404}, about
    if answer.status_code == 400 and operation.path.startswith("/api/v1/"):
        named = {
            item.field.partition(".")[0].partition("[")[0] for item in body.error.details or ()
        }
        assert named, about
        assert named & {name, "body"} or named <= {p["name"] for p in operation.parameters}, about


def test_every_field_refuses_what_cannot_be_meant(client: httpx.Client, served: Served) -> None:
    values = {"query": QUERY, "path": QUERY[1:], "body": BODY, "header": ("x" * 999, "-1", "")}
    # What a database may choke on goes to both of them; of the rest, which is the same code, each
    # field gets every third value, the next one the others. Long fuzzing sends everything.
    is_whole = "FUZZ_EXAMPLES" in os.environ
    is_postgresql = served.database == "postgresql"
    sent = 0
    for number, field in enumerate(fields()):
        for at, value in enumerate(values.get(field[1], ())):
            has_turn = not is_postgresql and (number + at) % 3 == 0
            if not (is_whole or has_turn or value in DATABASE):
                continue
            assert_sane(send(client, served.mine.ids, field, value), field, value)
            sent += 1
    assert sent > 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(field=st.sampled_from(fields()), value=JSON)
def test_made_up_values_of_any_field_are_answered_sanely(
    client: httpx.Client, served: Served, field: Field, value: Any
) -> None:
    written = json.dumps(value)
    if field[1] != "body":
        written = httpx.QueryParams({"x": written.encode("utf-8", "replace").decode()}).__str__()[
            2:
        ]
    assert_sane(send(client, served.mine.ids, field, written), field, written)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b'{"a":' + b"[" * 100_000, b"[1]", b'"x"', b"null", b"\xef\xbb\xbf{}"],
)
def test_a_body_that_is_none_is_refused_in_the_envelope(
    client: httpx.Client, content: bytes
) -> None:
    for operation in SAFE:
        if operation.body_type == "application/json":
            path = operation.path.replace("{id}", "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90")
            answer = client.request(
                operation.method.upper(), path, content=content,
                headers={"Content-Type": "application/json"},
            )  # fmt: skip
            if answer.is_success and content.endswith(b"{}"):
                assert not operation.schema().get("required"), str(operation)  # nothing to change
                continue
            assert 400 <= answer.status_code < 500, (str(operation), content[:20], answer.text)
            Failure.model_validate(answer.json())


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: httpx.Client) -> None:
    answer = client.post("/api/v1/devices", content=b" " * (2 << 20))
    assert answer.status_code == 413
    assert Failure.model_validate(answer.json()).error.code == "PAYLOAD_TOO_LARGE"

    def forever() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * (1 << 16)

    try:
        answer = client.post("/api/v1/devices", content=forever())
    except httpx.HTTPError:
        return  # the service hung up on whoever does not stop
    assert answer.status_code == 413


def test_unknown_addresses_and_methods_are_answered_in_the_envelope(client: httpx.Client) -> None:
    missing = client.get("/api/v1/nothing")
    assert Failure.model_validate(missing.json()).error.code == "NOT_FOUND"
    wrong = client.put("/api/v1/devices")
    assert wrong.status_code == 405
    assert Failure.model_validate(wrong.json()).error.code == "METHOD_NOT_ALLOWED"
    assert "GET" in wrong.headers["Allow"]
    named = client.get("/api/v1/analysis/insights/search")  # and not the insight "search"
    assert (named.status_code, named.headers["Allow"]) == (405, "POST")
    twice = client.get("/api/v1/devices?page=1&page=2")
    assert [item.field for item in Failure.model_validate(twice.json()).error.details or ()] == [
        "page"
    ]
