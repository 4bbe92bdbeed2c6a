"""What a service works with ends together, also where a part of it fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from video_detective.errors import StorageError
from video_detective.services import background
from video_detective.services.workspace import Workspace, open_workspace


class FailedError(Exception):
    pass


async def test_a_service_waits_for_all_its_work_also_where_some_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, has_ended = asyncio.Event(), False

    async def end_late(workspace: Workspace, stop: asyncio.Event) -> None:
        nonlocal has_ended
        begun.set()
        await stop.wait()
        for _ in range(100):
            await workspace.database.accounts.ready()
        has_ended = True

    async def fail(workspace: Workspace, stop: asyncio.Event) -> None:
        raise FailedError

    monkeypatch.setattr(background, "keep_cameras", end_late)
    monkeypatch.setattr(background, "keep_narrating", fail)
    (tmp_path / "settings.yaml").write_text(
        "schema_version: 1\n"
        "servers: {here: {kind: ollama, url: 'http://127.0.0.1:9'}}\n"
        "narration: {server: here, model: eyes}\n"
    )
    async with open_workspace(tmp_path) as workspace:
        with pytest.raises(FailedError):
            async with background.words_in_background(workspace):
                await begun.wait()
        assert has_ended


async def test_the_database_is_closed_also_where_the_models_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise FailedError

    with pytest.raises(FailedError):
        async with open_workspace(tmp_path) as workspace:
            monkeypatch.setattr(workspace.models, "close", fail)
    with pytest.raises(StorageError, match="was closed"):
        await workspace.database.accounts.ready()
