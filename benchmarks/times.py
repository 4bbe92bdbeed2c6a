"""How well times in questions are read: share of exact ranges, and times found where none are.

Both halves of the set were written from docs/questions.md alone. ``--failures`` lists what went
wrong in the half that may be tuned on; of the untouched half nothing but counts is ever printed::

    python -m benchmarks.times [--failures]
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from video_detective.search.times import TimeReading, read_times

SETS = Path(__file__).parent / "sets"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = "2026-03-18T14:20:00+08:00"
"""When the questions without a time are asked."""


def instant_ns(text: str | None) -> int | None:
    """RFC 3339 to nanoseconds UTC."""
    if text is None:
        return None
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) * 1000


def read(entry: dict[str, str | None]) -> TimeReading:
    """Read an entry's question."""
    now_ns = instant_ns(entry.get("now") or NOW)
    zone = ZoneInfo(entry.get("zone") or "Asia/Taipei")
    return read_times(str(entry["q"]), now_ns=now_ns or 0, zone=zone)


def is_exact(entry: dict[str, str | None], reading: TimeReading) -> bool:
    """Whether the range is the one meant, to the nanosecond."""
    meant = (instant_ns(entry["start"]), instant_ns(entry["end"]))
    found = reading.period
    return found is not None and (found.start_ns, found.end_ns) == meant


def load(name: str) -> list[dict[str, str | None]]:
    """One set."""
    return json.loads((SETS / name).read_text(encoding="utf-8"))


def describe(entry: dict[str, str | None], reading: TimeReading) -> str:
    """A failure of the tuning half, for people."""
    zone = ZoneInfo(entry.get("zone") or "Asia/Taipei")

    def local(time_ns: int | None) -> str:
        if time_ns is None:
            return "…"
        moment = EPOCH + timedelta(microseconds=time_ns // 1000)
        return moment.astimezone(zone).isoformat()

    found = reading.period
    got = f"{local(found.start_ns)} – {local(found.end_ns)}" if found else "no time"
    return (
        f"{entry['q']}\n    now {entry.get('now')}\n    meant {entry.get('start')} – "
        f"{entry.get('end')}\n    read  {got} {reading.not_understood}"
    )


def main() -> None:
    """Print every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", action="store_true", help="of the tuning half only")
    failures = parser.parse_args().failures
    for name in ("times_tuning.json", "times_untouched.json"):
        entries = load(name)
        wrong = [
            (entry, reading)
            for entry in entries
            for reading in (read(entry),)
            if not is_exact(entry, reading)
        ]
        right = len(entries) - len(wrong)
        print(f"{name:22} {right} of {len(entries)} exact: {right / len(entries):.1%}")
        if failures and name == "times_tuning.json":
            print("\n".join(describe(*one) for one in wrong))
    none = load("times_none.json")
    false = [one for one in none if (found := read(one)).period or found.not_understood]
    print(f"{'times_none.json':22} {len(false)} of {len(none)} with a time read into them")
    if failures:
        print("\n".join(f"{one['q']} {read(one)}" for one in false))
    questions = load("times_tuning.json") + none
    started = time.process_time()
    for entry in questions:
        read(entry)
    each_ms = (time.process_time() - started) * 1000 / len(questions)
    print(f"{'CPU time a question':22} {each_ms:.3f} ms")


if __name__ == "__main__":
    main()
