"""How fast questions are answered by template, and whether a lying model is ever believed.

Run: python -m benchmarks.answers [--events 100000] [--answers 300]

Speed: the tuning half of the questions over that many events, one process, one after the other:
median and 99th percentile of a whole answer, and answers a second; then by two processes at once,
as two services over one data directory. Citations: a model server that
invents ids, times, days, cameras and numbers, beside sentences that hold; every sentence that is
kept must be one of those that hold, with the events it was written from.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tests.servers.llm import Ask, LlmServer

from benchmarks.retrieval_metrics import read_questions
from benchmarks.sets.corpus import corpus
from video_detective.services.search import search
from video_detective.services.workspace import Workspace, open_workspace
from video_detective.storage import StoredEvent

SETS = Path(__file__).parent / "sets"
BATCH = 2000


@asynccontextmanager
async def filled(folder: Path, size: int, settings: str = "") -> AsyncIterator[Workspace]:
    """A workspace with the corpus in it."""
    if settings:
        (folder / "settings.yaml").write_text(settings)
    cameras, items = corpus(size=size)
    async with open_workspace(folder) as workspace:
        for camera in cameras:
            await workspace.database.save_camera(camera)
        for start in range(0, len(items), BATCH):
            await workspace.database.import_events(
                [
                    StoredEvent(
                        event=item.event,
                        summary_zh=item.stored.summary_zh,
                        summary_en=item.stored.summary_en,
                        keywords_zh=item.stored.keywords_zh,
                    )
                    for item in items[start : start + BATCH]
                ]
            )
        yield workspace


async def speed(size: int) -> dict[str, float]:
    """Milliseconds of an answer and answers a second."""
    with tempfile.TemporaryDirectory() as folder:
        async with filled(Path(folder), size):
            pass
        alone = await asked(Path(folder))
        command = [sys.executable, "-m", "benchmarks.answers", "--ask", folder]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        rates = [json.loads(process.communicate()[0])["per_s"] for process in both]
    return alone | {"per_s_by_two": sum(rates)}


async def asked(folder: Path) -> dict[str, float]:
    """The tuning half of the questions, asked twice over; the second time counts."""
    questions = read_questions(SETS / "retrieval_tuning.json")
    spent: list[float] = []
    async with open_workspace(folder) as workspace:
        for question in (*questions, *questions):
            begun = time.perf_counter()
            await search(workspace, question.q, now_ns=question.now_ns, limit=20, use_model=False)
            spent.append(1000 * (time.perf_counter() - begun))
    counted = spent[len(questions) :]
    return {
        "p50_ms": float(np.median(counted)),
        "p99_ms": float(np.percentile(counted, 99)),
        "per_s": 1000 * len(counted) / sum(counted),
    }


@dataclass
class Liar:
    """A model that mixes sentences that hold with inventions."""

    chance: np.random.Generator
    honest: dict[str, str] = field(default_factory=dict)
    """Sentences that hold, and the time range of the event each was written from."""
    inventions: int = 0

    def __call__(self, ask: Ask) -> dict[str, Any]:
        """An answer in the form that is asked for."""
        material = json.loads(ask.text)
        candidates = material["candidates"]
        sentences: list[dict[str, Any]] = []
        for _ in range(int(self.chance.integers(1, 7))):
            candidate = candidates[int(self.chance.integers(len(candidates)))]
            if self.chance.random() < 0.3:
                text = self._truth(candidate)
                self.honest[text] = candidate["time"]
                sentences.append({"text": text, "cites": [candidate["id"]]})
            else:
                self.inventions += 1
                sentences.append(self._lie(candidate, candidates))
        return {"sentences": sentences}

    @staticmethod
    def _truth(candidate: dict[str, Any]) -> str:
        day, clock = candidate["time"][:10], candidate["time"][11:16]
        name = candidate["camera"].partition(" (")[0]
        return f"{day} {clock} 在{name}發生{candidate['event_type']}事件。"

    def _lie(self, candidate: dict[str, Any], candidates: list[dict[str, Any]]) -> dict[str, Any]:
        clock = candidate["time"][11:16]
        hour, minute = int(clock[:2]), int(clock[3:])
        kind = candidate["event_type"]
        wrong_hour = f"{(hour + 5) % 24:02}:{minute:02}"
        number = int(self.chance.integers(10))
        cites = [candidate["id"]]
        text = [
            f"{clock} 發生{kind}事件\uff0c畫面清楚。",
            f"{wrong_hour} 發生{kind}事件。",
            f"凌晨 {(hour + 7) % 12 + 1} 點 {(minute + 30) % 60} 分發生{kind}事件。",
            f"2019-03-0{number % 9 + 1} 發生{kind}事件。",
            f"地下七樓攝影機拍到{kind}事件。",
            f"cam9{number} 拍到{kind}事件。",
            f"人物 p98{number} 造成{kind}事件。",
            f"共有 {7000 + number} 人參與{kind}事件。",
            # A lie on every day: the questions are asked on 17 December.
            f"{'前天' if candidate['time'].startswith('2025-12-14') else '大前天'}發生{kind}事件。",
            f"整晚都很平靜\uff0c第 {number} 種說法。",
        ][number]
        if number == 0:
            cites = [f"E{500 + len(candidates)}"]
        if number == 8 and self.chance.random() < 0.5:
            text = f"發生{'超速' if kind != '超速' else '離崗'}事件。"
        if number == 9:
            cites = [] if self.chance.random() < 0.5 else ["evt_20200101_cam01_0001"]
        return {"text": text, "cites": cites}


async def citations(count: int) -> dict[str, int]:
    """Answers, sentences kept, inventions offered, and sentences kept that should not be."""
    liar = Liar(np.random.default_rng(20261122))
    questions = [
        question
        for half in ("tuning", "untouched")
        for question in read_questions(SETS / f"retrieval_{half}.json")
    ]
    kept = wrong = asked = 0
    with LlmServer(answer=liar) as server, tempfile.TemporaryDirectory() as folder:
        settings = (
            "schema_version: 1\n"
            f"servers: {{local: {{kind: ollama, url: '{server.url}'}}}}\n"
            "answers: {server: local, model: liar}\n"
        )
        async with filled(Path(folder), 3000, settings) as workspace:
            while asked < count:
                for question in questions:
                    answer = await search(workspace, question.q, now_ns=question.now_ns, limit=20)
                    if answer["answer_note"] in {"no_candidates", "not_asked"}:
                        continue
                    asked += 1
                    if answer["answer_by"] == "model":
                        times = {e["event_id"]: e["time_range"] for e in answer["timeline"]}
                        for sentence in answer["sentences"]:
                            kept += 1
                            cited = [times.get(event) for event in sentence["event_ids"]]
                            wrong += liar.honest.get(sentence["text"]) not in cited
                    if asked == count:
                        break
    return {"answers": asked, "kept": kept, "inventions": liar.inventions, "wrong": wrong}


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        print(json.dumps(asyncio.run(asked(options.ask))))
        return
    if options.answers:
        print("citations", json.dumps(asyncio.run(citations(options.answers))))
    if options.events:
        print("speed", json.dumps(asyncio.run(speed(options.events))))


if __name__ == "__main__":
    main()
