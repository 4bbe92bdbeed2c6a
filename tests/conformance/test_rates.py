"""Requests are counted alike in memory and in a PostgreSQL that processes share."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.strategies import FixedWindowRateLimiter

from video_detective.storage.database import Database
from video_detective.storage.notices import rates


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with await Database.open(Path(), url) as opened:
        yield opened


def limiter_of(database: Database) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(database.windows(time.time))


async def test_as_many_as_are_allowed_get_through_and_others_are_not_charged(
    database: Database,
) -> None:
    limiter, item = limiter_of(database), RateLimitItemPerMinute(3)
    assert [await limiter.hit(item, "a") for _ in range(5)] == [True, True, True, False, False]
    assert await limiter.hit(item, "b")
    assert (await limiter.get_window_stats(item, "b")).remaining == 2
    assert (await limiter.get_window_stats(item, "a")).remaining == 0


async def test_the_window_ends_a_minute_after_its_first_request(database: Database) -> None:
    limiter, item = limiter_of(database), RateLimitItemPerMinute(3)
    began = time.time()
    await limiter.hit(item, "a")
    first = (await limiter.get_window_stats(item, "a")).reset_time
    between = time.time()
    await limiter.hit(item, "a")
    second = (await limiter.get_window_stats(item, "a")).reset_time
    took_s = time.time() - began
    assert began + 59 < first < between + 61
    assert abs(second - first) < 0.5 + took_s


async def test_a_new_window_begins_when_one_has_ended(database: Database) -> None:
    limiter, item = limiter_of(database), RateLimitItemPerSecond(1)
    began = time.monotonic()
    assert await limiter.hit(item, "a")
    is_refused = not await limiter.hit(item, "a")
    assert is_refused or time.monotonic() - began > 1
    async with asyncio.timeout(60):
        while not await limiter.hit(item, "a"):
            await asyncio.sleep(0.05)


async def test_none_is_counted_twice_or_lost_when_many_come_at_once(database: Database) -> None:
    limiter, item = limiter_of(database), RateLimitItemPerMinute(20)
    results = await asyncio.gather(*(limiter.hit(item, "a") for _ in range(50)))
    assert sum(results) == 20


async def test_a_limit_is_forgotten_when_it_is_cleared(database: Database) -> None:
    limiter, item = limiter_of(database), RateLimitItemPerMinute(1)
    await limiter.hit(item, "a")
    await limiter.clear(item, "a")
    assert await limiter.hit(item, "a")
    await database.windows(time.time).reset()


async def test_windows_that_ended_are_swept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "SWEEP_EVERY", 10)
    windows = database.windows(time.time)
    for number in range(9):
        await windows.incr(f"old {number}", 0)
    await windows.incr("new", 60)
    assert await windows.get("new") == 1
    assert await windows.reset() == 1


async def test_processes_on_one_postgresql_count_together(
    new_postgres_database: Callable[[], str],
) -> None:
    url = new_postgres_database()
    item = RateLimitItemPerMinute(4)
    async with (
        await Database.open(Path(), url) as first,
        await Database.open(Path(), url) as second,
    ):
        one, other = limiter_of(first), limiter_of(second)
        allowed = [await limiter.hit(item, "a") for limiter in (one, other, one, other, one, other)]
        assert allowed == [True] * 4 + [False] * 2
        assert (await other.get_window_stats(item, "a")).remaining == 0
