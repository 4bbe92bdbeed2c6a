"""What the search index promises, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from video_detective.storage import EventQuery, migrate
from video_detective.storage.database import Database

FIRST_SCHEMA = """
INSERT INTO runs (run_id, camera_id, fingerprint, settings_hash, epoch, done, start_ns, info,
    progress, superseded_by) VALUES
    (1, 'cam01', 'film', 'new', 1, TRUE, 0, '{}', '{}', NULL),
    (2, 'cam01', 'film', 'old', 1, TRUE, 0, '{}', '{}', 1);
INSERT INTO events (event_id, camera_id, run_id, type, risk_level, rule_id, start_ns,
    established_ns, end_ns, first_frame, last_frame, actors, moments, facts, parameters,
    summary_zh, summary_en, keywords_zh, search_text) VALUES
    ('evt_1', 'cam01', 1, 'loitering', 'high', 'yard', 5, 5, 9, 0, 0,
     '[{"track_id": "p01", "type": "person", "role": "subject"}]', '[]', '{}', '{}',
     '有人在後門徘徊', 'A person loitered', '["後門"]', '後門'),
    ('evt_2', 'cam01', 2, 'loitering', 'high', 'yard', 6, 6, 9, 0, 0, '[]', '[]', '{}', '{}',
     '有人在後門徘徊', '', '[]', '後門'),
    ('evt_3', 'cam01', NULL, 'intrusion', 'high', 'yard', 7, 7, NULL, 0, 0, '[]', '[]', '{}', '{}',
     '後門闖入', '', '[]', '後門');
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


def at_first_schema(url: str) -> None:
    """A database of the first version, with a current, a superseded and an imported event."""
    driver = "sqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    engine = create_engine(make_url(url).set(drivername=driver), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in FIRST_SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(text(statement.replace(": ", "\\: ")))


async def test_events_of_the_first_version_can_be_found_after_an_upgrade(
    url: str, tmp_path: Path
) -> None:
    at_first_schema(url)

    async with await Database.open(tmp_path, url) as db:
        found = (await db.events(EventQuery(text=("后门",), order="oldest"))).events

    assert [stored.event.event_id for stored in found] == ["evt_1", "evt_3"]
