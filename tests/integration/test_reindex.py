"""``reindex`` as an administrator uses it."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.commands import video_detective
from tests.servers.llm import LlmServer
from tests.servers.llm_protocol import Model
from tests.service import fill

from video_detective.services.workspace import open_workspace


def filled(folder: Path) -> Path:
    async def make() -> None:
        async with open_workspace(folder) as workspace:
            await fill(workspace, folder, extra=5)

    asyncio.run(make())
    return folder


def test_the_index_is_written_anew_and_finds_the_same(tmp_path: Path) -> None:
    data = filled(tmp_path)
    before = video_detective("search", "後門", "--data-dir", data, "--json").document
    done = video_detective("reindex", "--everything", "--data-dir", data, "--json").document
    assert done == {"documents": 8, "vectors": 0, "vectors_waiting": 0, "failed": None}
    after = video_detective("search", "後門", "--data-dir", data, "--json").document
    assert after["timeline"] == before["timeline"] != []


def test_vectors_are_made_where_a_model_is_set(tmp_path: Path) -> None:
    data = filled(tmp_path)
    with LlmServer(models=[Model(name="bge-m3", embedding=8)]) as server:
        (data / "settings.yaml").write_text(
            f"servers: {{local: {{kind: ollama, url: '{server.url}'}}}}\n"
            "embeddings: {server: local, model: bge-m3}\n"
        )
        done = video_detective("reindex", "--data-dir", data, "--json").document
        assert (done["vectors"], done["vectors_waiting"]) == (8, 0)
        again = video_detective("reindex", "--data-dir", data, "--json").document
        assert again["vectors"] == 0
        found = video_detective("search", "有人徘徊", "--data-dir", data, "--json").document
    matches = [entry["match"] for entry in found["timeline"]]
    assert matches == sorted(matches)  # full before partial, vectors or not
    assert matches[0] == "full"


def test_a_server_that_is_down_is_told_with_what_to_do(tmp_path: Path) -> None:
    data = filled(tmp_path)
    (data / "settings.yaml").write_text(
        "servers: {local: {kind: ollama, url: 'http://127.0.0.1:9'}}\n"
        "embeddings: {server: local, model: bge-m3}\n"
    )
    outcome = video_detective("reindex", "--data-dir", data)
    assert outcome.code == 1
    assert "Run the same command" in outcome.err
    found = video_detective("search", "徘徊", "--data-dir", data, "--json").document
    assert found["timeline"]


def test_a_script_without_a_guard_may_reindex(tmp_path: Path) -> None:
    # So many events that a second process makes the documents.
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from video_detective.rules import Event\n"
        "from video_detective.search.base import IndexQuery\n"
        "from video_detective.storage import StoredEvent\n"
        "from video_detective.storage.database import Database\n"
        "async def main():\n"
        "    async with await Database.open(Path(sys.argv[1])) as db:\n"
        "        await db.import_events([StoredEvent(event=Event(event_id=f'e{n}',\n"
        "            camera_id='cam01', type='loitering', risk_level='low', rule_id='r',\n"
        "            start_ns=n, established_ns=n, end_ns=n, frames=(0, 0)), summary_zh='',\n"
        "            summary_en='', keywords_zh=()) for n in range(5001)])\n"
        "        await db.reindex(everything=True)\n"
        "        print((await db.search(IndexQuery())).complete)\n"
        "asyncio.run(main())\n"
    )
    run = subprocess.run(
        [sys.executable, script, tmp_path / "data"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "5001\n", "")
