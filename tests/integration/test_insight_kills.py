"""Whatever dies: every alert has one insight, and every insight one end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.insights import under_kills


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_random_kills_lose_no_alert_and_double_no_insight(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/video-detective.db"
    if kind == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
        url = create()

    found = await under_kills(
        url, alerts=80, writers=1, workers=2, kills=2, seed=3, pause_s=(0.2, 1.0)
    )

    assert found.kills >= 1
    assert (found.alerts, found.insights, found.alerts_with_one) == (80, 80, 80)
    assert (found.outcomes, found.doubled, found.unended) == (80, 0, 0)
