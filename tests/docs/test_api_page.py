"""docs/api.md: every endpoint has a command, and every command runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.property.test_api_schema import NOT_NOW
from tests.routes import ENDLESS, document, operations
from tests.served import serving_tenants
from tests.videos import write_video

from video_detective.config.settings import LimitSettings

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
COMMANDS = dict(
    re.findall(r"^### ([A-Z]+ /api/v1/\S+)\n.*?```sh\n(curl .*?)\n```", PAGE, re.S | re.M)
)
WITHOUT_KEY = {"POST /api/v1/session": 401, "POST /api/v1/session/set-up": 410}
"""What people do with what only they know."""
NEVER = {"DELETE /api/v1/session": 409, "DELETE /api/v1/users/{id}": 409}
"""A key has no session, and the last admin stays."""
ELSEWHERE = NOT_NOW | WITHOUT_KEY | NEVER
LAST = ("DELETE /api/v1/keys/{id}", "PATCH /api/v1/keys/{id}", "DELETE /api/v1/devices/{id}")


def test_every_endpoint_has_a_command() -> None:
    every = operations(endless=True)
    endpoints = {str(item) for item in every if item.path.startswith("/api/v1/")}
    assert set(COMMANDS) == endpoints


@pytest.mark.parametrize("name", ["per_key", "per_user", "searches", "sign_ins"])
def test_the_limits_are_those_of_the_program(name: str) -> None:
    assert f"| `{name}` | {getattr(LimitSettings(), name)} |" in PAGE


def test_every_scope_and_every_error_is_explained() -> None:
    scopes = {scope for item in operations() for scope in item.scopes}
    for scope in scopes:
        assert f"| `{scope}` |" in PAGE
    statuses = {s for item in operations() for s in item.statuses if s.isdigit() and s >= "4"}
    for status in statuses:
        assert f"| {status} | `" in PAGE, status


def test_every_parameter_is_listed() -> None:
    sections = re.split(r"^### ", PAGE, flags=re.M)
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            title = f"{method.upper()} {path}"
            section = next((part for part in sections if part.startswith(f"{title}\n")), "")
            for parameter in operation.get("parameters", ()):
                if path.startswith("/api/v1/") and parameter["in"] == "query":
                    assert f"| `{parameter['name']}` |" in section, (title, parameter["name"])


def test_every_command_runs_as_it_stands(tmp_path: Path) -> None:
    with serving_tenants(tmp_path / "data") as served:
        ids = served.mine.ids
        variables = {
            name.upper() + ("_ID" if name == "key" else ""): value for name, value in ids.items()
        }
        environment = {
            **os.environ, **variables, "VD": served.address, "KEY": served.mine.key,
            "TOKEN": "none", "no_proxy": "127.0.0.1",
        }  # fmt: skip
        write_video(tmp_path / "film.mp4", frames=5)
        answered = {}
        order = sorted(COMMANDS, key=lambda name: (name in LAST, name.startswith("DELETE")))
        for name in order:
            is_endless = name == f"GET {ENDLESS}"
            more = " --max-time 2" if is_endless else ""
            done = subprocess.run(
                ["bash", "-c", COMMANDS[name] + more + " -o answer -w '%{http_code}'"],
                cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert done.returncode == (28 if is_endless else 0), (name, done.stderr)
            answered[name] = int(done.stdout)
    wrong = {
        name: status
        for name, status in answered.items()
        if not 200 <= status < 300 and ELSEWHERE.get(name) != status
    }
    assert wrong == {}
