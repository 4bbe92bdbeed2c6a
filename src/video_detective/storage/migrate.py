"""Brings a database to the schema of this program, whatever its age, and never backwards."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from video_detective import __version__
from video_detective.errors import StorageError
from video_detective.storage.dialects import (
    WRITE,
    Address,
    lock_schema,
    require_utf8,
    upsert_into,
)
from video_detective.storage.tables import META

_SCRIPTS = Path(__file__).parent / "migrations"
_WRITTEN_BY = "written_by"

# Alembic keeps the running migration in global proxies; two databases opened at the same time in
# one process would otherwise migrate each other.
_ALEMBIC = threading.Lock()


def upgrade(address: Address, lock_timeout_s: float) -> None:
    """Create or upgrade the schema in one transaction; nothing happens when it is current.

    Blocks: call it in a thread from async code.

    Raises:
        StorageError: the database was written by a newer version, or cannot hold Chinese.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    engine = address.migration_engine(lock_timeout_s)
    try:
        with engine.connect() as connection:
            if _revision(connection, scripts, address.place) == scripts.get_current_head():
                return
        with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
            lock_schema(connection)
            require_utf8(connection, address.place)
            # Another process may have done it while this one waited for the lock.
            if _revision(connection, scripts, address.place) == scripts.get_current_head():
                return
            with _ALEMBIC:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            written_by = upsert_into(META, address.kind)
            connection.execute(written_by, {"key": _WRITTEN_BY, "value": __version__})
    finally:
        engine.dispose()


def _revision(connection: Connection, scripts: ScriptDirectory, place: str) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is None or revision in known:
        return revision
    by = None
    if inspect(connection).has_table(META.name):
        by = connection.scalar(select(META.c.value).where(META.c.key == _WRITTEN_BY))
    raise StorageError(
        f"The database {place} was written by a newer version ({by or 'unknown'}) than this one"
        f" ({__version__})",
        remedy="Upgrade video-detective, or choose another data directory or database",
        revision=revision,
    )
