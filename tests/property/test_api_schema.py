"""What the OpenAPI document says holds for made-up requests: schemathesis, every check.

``FUZZ_EXAMPLES`` sets how many requests are made up for each route (``make fuzz`` looks long).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from tests.routes import ENDLESS, Operation, document, operations
from tests.served import Served, serving_tenants

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
CONFIG = schemathesis.Config.from_dict(
    {
        "phases": {
            "examples": {"enabled": True},
            "coverage": {"enabled": EXAMPLES > 4},
            "fuzzing": {"enabled": True},
        },
        # A schema cannot say all: see ``refused_for_what_no_schema_says``, which is stricter.
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "400", "401", "403", "404", "409", "410", "503"]
            }
        },
    }
)
MEANT = re.compile(
    r"(startDate|endDate|from|to|cursor|camera|timezone|source|document|deviceIds?|scopes|expiresAt|"
    r"currentPassword|password|name|settings|url|recipients|filters|startTime|fileName|upload-offset|"
    r"query|q|account|webhook|email|kind|secret|aliases|tags|baseVersion|reason)\b.*"
)
"""Fields of which a schema does not say everything: times, places, cursors, what fits together."""
SCHEMA = schemathesis.openapi.from_dict(document(), config=CONFIG).exclude(path=ENDLESS)
LIMITED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_tenants(tmp_path_factory.mktemp("fuzzed")) as served:
        yield served


@pytest.fixture(scope="module")
def on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, new_postgres_database: Callable[[], str]
) -> Iterator[Served]:
    with serving_tenants(tmp_path_factory.mktemp("fuzzed"), new_postgres_database()) as served:
        yield served


@schemathesis.serializer("application/offset+octet-stream")
def as_bytes(context: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def refused_for_what_no_schema_says(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A request that fits its schema is refused (400) only for the meaning of a known field."""
    is_positive = case.meta is not None and case.meta.generation.mode.is_positive
    if response.status_code != 400 or not is_positive:
        return
    error = response.json()["error"]
    unknown = [item for item in error.get("details", ()) if not MEANT.fullmatch(item["field"])]
    assert not unknown, f"{unknown}: say more in the schema"


def assert_as_documented(case: schemathesis.Case, served: Served) -> None:
    case.call_and_validate(
        base_url=served.address,
        headers={"Authorization": f"Bearer {served.mine.key}"},
        additional_checks=[refused_for_what_no_schema_says],
    )


@pytest.mark.xdist_group("fuzz")
@SCHEMA.parametrize()
@LIMITED
def test_made_up_requests_are_answered_as_documented(
    case: schemathesis.Case, on_sqlite: Served
) -> None:
    assert_as_documented(case, on_sqlite)


@pytest.mark.xdist_group("fuzz-postgresql")
@SCHEMA.parametrize()
@settings(LIMITED, max_examples=max(1, EXAMPLES // 4))
def test_made_up_requests_are_answered_as_documented_on_postgresql(
    case: schemathesis.Case, on_postgresql: Served
) -> None:
    assert_as_documented(case, on_postgresql)


def in_order() -> list[Operation]:
    """Whatever reads first; then what makes and changes; nothing that takes away."""
    kept = [op for op in operations() if op.method != "delete" and op.spec.get("security")]
    return sorted(kept, key=lambda op: op.method != "get")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_example_is_taken_and_answered_as_documented(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The examples of the document, about things that are there."""
    url = None
    if kind == "postgresql":
        url = request.getfixturevalue("new_postgres_database")()
    with serving_tenants(tmp_path / "data", url) as served:
        refused = refused_examples(served)
    assert refused == {name: status for name, status in NOT_NOW.items() if name in refused}


def refused_examples(served: Served) -> dict[str, int]:
    refused: dict[str, int] = {}
    headers = {"Authorization": f"Bearer {served.mine.key}"}
    with httpx.Client(base_url=served.address, headers=headers, timeout=30) as client:
        for operation in in_order():
            asked = operation.request(served.mine.ids)
            answer = client.request(
                asked.method,
                str(asked.url).replace("http://localhost", served.address),
                content=asked.content or None,
                headers=[(k, v) for k, v in asked.headers.items() if k != "host"],
            )
            SCHEMA[operation.path][operation.method.upper()].validate_response(answer)
            if not answer.is_success:
                print(operation, answer.text)
                refused[str(operation)] = answer.status_code
    return refused


NOT_NOW = {
    "POST /api/v1/session/password": 409,  # a key has none
    "POST /api/v1/accounts": 403,  # only of the default account
    "PATCH /api/v1/users/{id}": 409,  # the last admin
    "POST /api/v1/deliveries/{id}/replay": 409,  # not sent yet
    "POST /api/v1/devices/try-source": 503,  # no camera is there
    "POST /api/v1/scenes": 409,  # the device has one
    "PATCH /api/v1/scenes/{id}": 409,  # at another version
    "PATCH /api/v1/analysis/files/{id}": 409,  # all of it is here
    "POST /api/v1/analysis/jobs/{id}/cancel": 409,  # it is done
}
"""Examples that cannot be taken in the state in which the test's data is, and their answer."""
