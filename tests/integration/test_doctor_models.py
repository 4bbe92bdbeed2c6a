"""``doctor`` says what the configured model servers really do, and what to do about it."""

import json
from pathlib import Path

import pytest
from tests.servers.llm import LlmServer, Model

from video_detective.services.doctor import Check, examine
from video_detective.services.models import PROBES, Models


def settings(folder: Path, url: str, *, model: str = "eye", more: str = "") -> None:
    (folder / "settings.yaml").write_text(
        "schema_version: 1\n"
        f"servers: {{local: {{kind: ollama, url: '{url}', timeout_s: 3}}}}\n"
        f"narration: {{server: local, model: {model}}}\n{more}"
    )


async def checks_of(folder: Path) -> dict[str, list[Check]]:
    named: dict[str, list[Check]] = {}
    for check in await examine(folder, None):
        named.setdefault(check.name, []).append(check)
    return named


async def test_without_a_model_server_nothing_is_missing(tmp_path: Path) -> None:
    (check,) = (await checks_of(tmp_path))["models"]
    assert (check.state, check.remedy) == ("ok", "")


async def test_a_model_that_is_not_there_is_told_with_the_command_that_gets_it(
    tmp_path: Path,
) -> None:
    with LlmServer(models=[Model(name="other")]) as server:
        settings(tmp_path, server.url)
        (check,) = (await checks_of(tmp_path))["narration eye"]
    assert check.state == "warning"
    assert "ollama pull eye" in check.remedy


async def test_a_model_partly_in_main_memory_is_told(tmp_path: Path) -> None:
    with LlmServer(models=[Model(name="eye", on_gpu=0.4)]) as server:
        settings(tmp_path, server.url)
        found = (await checks_of(tmp_path))["narration eye"]
    assert found[0].state == "ok"
    assert any("GPU" in check.found + check.remedy for check in found[1:])


async def test_what_the_probe_showed_is_kept_for_those_who_plan(tmp_path: Path) -> None:
    with LlmServer(models=[Model(name="eye", context=16384)]) as server:
        settings(tmp_path, server.url)
        await examine(tmp_path, None)
        from video_detective.config.settings import load_settings

        models = Models(load_settings(tmp_path), tmp_path)
        abilities = models.abilities("local", "eye")
        assert models.abilities("local", "another") is None
    assert abilities is not None
    assert abilities.context_tokens == 16384
    assert list(json.loads((tmp_path / PROBES).read_text())) == [f"{server.url} eye"]


async def test_a_server_that_is_not_up_is_told_and_nothing_fails(tmp_path: Path) -> None:
    settings(tmp_path, "http://127.0.0.1:9", more="answers: {server: local, model: eye}\n")
    named = await checks_of(tmp_path)
    assert named["narration eye"][0].state == "warning"
    assert named["answers eye"][0].remedy


@pytest.mark.parametrize("text", ["schema_version: 2", "servers: [", "narration: {server: x}"])
async def test_a_wrong_settings_file_is_a_problem_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    named = await checks_of(tmp_path)
    assert named["settings"][0].state == "problem"
    assert "settings.yaml:1" in named["settings"][0].found


async def test_the_narration_queue_is_told_where_there_is_one(tmp_path: Path) -> None:
    from tests.service import INTRUSION, fill

    from video_detective.services.workspace import open_workspace
    from video_detective.storage.narration_rows import NarrationRequest

    async with open_workspace(tmp_path) as workspace:
        await fill(workspace, tmp_path)
        assert "narration queue" not in await checks_of(tmp_path)
        asked = NarrationRequest(language="zh-TW", requested_ns=1)
        await workspace.database.narrations.request(asked, None)
        assert await workspace.database.event(INTRUSION) is not None
    (check,) = (await checks_of(tmp_path))["narration queue"]
    assert check.found == "3 wait, 0 in work, 0 told"
