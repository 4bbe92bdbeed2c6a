"""Speed of lists of insights through a real server: requests a second, and how long each takes.

Run: python -m benchmarks.insight_lists [--rows 200000] [--clients 16] [--seconds 8] [--folder DIR]

A server process (uvicorn, SQLite) and a process of clients, each of which sends its next request
when it has its answer. Beside the lists an authenticated route that answers without the database
is measured the same way: its ratio to the lists tells more than either figure on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request

from benchmarks.insight_rows import make
from benchmarks.server import served
from video_detective.api.envelope import answer, caller_of
from video_detective.services.access import SCOPES
from video_detective.services.accounts import local_caller
from video_detective.services.keys import create_key
from video_detective.services.workspace import Workspace

LIST = "/api/v1/analysis/insights"


async def prepare(app: FastAPI, workspace: Workspace) -> str:
    """A route that answers nothing, and a key."""

    @app.get("/api/v1/empty", dependencies=[Depends(caller_of)])
    async def empty(request: Request) -> Any:
        return answer(request, [])

    _, key = await create_key(
        workspace, await local_caller(workspace), name="benchmark", scopes=SCOPES,
        devices=None, expires_ns=None, now_ns=time.time_ns(),
    )  # fmt: skip
    return key


async def _client(port: int, key: str, paths: list[str], ends_s: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.perf_counter() < ends_s:
        path = paths[number % len(paths)]
        number += 1
        began_s = time.perf_counter()
        lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}", "", "")
        writer.write("\r\n".join(lines).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode() + (await reader.read(2000)).decode())
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        took.append(time.perf_counter() - began_s)
    writer.close()


def load(port: int, key: str, paths: list[str], clients: int, seconds: float) -> dict[str, float]:
    """Ask for so long with so many clients."""

    async def run() -> list[float]:
        took: list[float] = []
        ends_s = time.perf_counter() + seconds
        await asyncio.gather(*(_client(port, key, paths, ends_s, took) for _ in range(clients)))
        return took

    took = sorted(asyncio.run(run()))
    return {
        "per_s": len(took) / seconds,
        "p50_ms": statistics.median(took) * 1e3,
        "p99_ms": took[int(len(took) * 0.99)] * 1e3,
    }


def measure(folder: Path, clients: int, seconds: float) -> dict[str, dict[str, float]]:
    """The figures of every kind of list over a filled data directory."""
    with served(folder, prepare) as (port, key):
        deep = [f"{LIST}?limit=20&page={page}" for page in range(4990, 5000)]
        kinds = {
            "empty": ["/api/v1/empty"],
            "page 1": [f"{LIST}?limit=20"],
            "page 5000": [f"{LIST}?limit=20&page=5000"],
            "pages 4990 to 4999": deep,
            "critical with a summary": [f"{LIST}?severity=critical&hasVlmSummary=true"],
            "summaries": [f"{LIST}/vlm-summaries"],
            "words": [f"{LIST}?q={quote('後門徘徊')}"],
        }
        return {
            name: _load(port, key, paths, clients if name != "words" else 2, seconds)
            for name, paths in kinds.items()
        }


def _load(port: int, key: str, paths: list[str], clients: int, seconds: float) -> dict[str, float]:
    """In a process of its own: the server has its core to itself."""
    asked = json.dumps([port, key, paths, clients, seconds])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.insight_lists", "--load", asked],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--folder", type=Path, help="keep the rows here, and use those that are")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.load:
        print(json.dumps(load(*json.loads(asked.load))))
        return
    with tempfile.TemporaryDirectory(prefix="insights-") as name:
        folder = asked.folder or Path(name)
        if not (folder / "video-detective.db").exists():
            asyncio.run(make(folder, asked.rows, 12))
        figures = measure(folder, asked.clients, asked.seconds)
    base = figures["empty"]["per_s"]
    print(f"{'':26}{'req/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'of empty':>10}")
    for kind, found in figures.items():
        print(
            f"{kind:26}{found['per_s']:8.0f}{found['p50_ms']:8.1f}{found['p99_ms']:8.1f}"
            f"{found['per_s'] / base:10.2f}"
        )


if __name__ == "__main__":
    main()
