"""Brings a database to the schema of this program, whatever its age, and never backwards."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table

from video_detective import __version__
from video_detective.errors import StorageError
from video_detective.storage.dialects import (
    WRITE,
    Address,
    lock_schema,
    lock_tables,
    require_utf8,
    upsert_into,
)
from video_detective.storage.new_file import make_sqlite
from video_detective.storage.tables import META, METADATA

HEAD = "0009"
"""The newest revision in ``migrations``; a test holds it to them."""

PAUSE_S = 0.5
"""Between two attempts to have the tables for a migration: others go on with their work."""

_SCRIPTS = Path(__file__).parent / "migrations"
_WRITTEN_BY = "written_by"
_NOTE = table("alembic_version", column("version_num"))

# Alembic keeps the running migration in global proxies; two databases opened at the same time in
# one process would otherwise migrate each other.
_ALEMBIC = threading.Lock()


def upgrade(address: Address, lock_timeout_s: float) -> None:
    """Create or upgrade the schema in one transaction; nothing happens when it is current.

    Blocks: call it in a thread from async code.

    Args:
        address: Which database.
        lock_timeout_s: How long to wait for others who use it.

    Raises:
        StorageError: the database was written by a newer version, or cannot hold Chinese; or
            others used it all the time. Then nothing was changed.
    """
    if address.kind == "sqlite":
        make_sqlite(Path(address.place))
    engine = address.migration_engine(lock_timeout_s)
    try:
        with engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        _migrate(engine, address, lock_timeout_s)
    finally:
        engine.dispose()


def _migrate(engine: Engine, address: Address, lock_timeout_s: float) -> None:
    # Loading Alembic takes a quarter of a second, which a current database need not cost.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        _refuse_newer(connection, known, address.place)

    def attempt() -> bool:
        writing = engine.connect().execution_options(**{WRITE: True})
        with writing as connection, connection.begin() as transaction:
            lock_schema(connection)
            require_utf8(connection, address.place)
            # Another process may have done it while this one waited for the lock.
            if _revision(connection) == HEAD:
                return True
            _refuse_newer(connection, known, address.place)
            there = METADATA.tables.keys() & set(inspect(connection).get_table_names())
            if not lock_tables(connection, there):
                transaction.rollback()
                return False
            with _ALEMBIC:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            written_by = upsert_into(META, address.kind)
            connection.execute(written_by, {"key": _WRITTEN_BY, "value": __version__})
            return True

    for number in range(max(1, round(lock_timeout_s / (2 * PAUSE_S)))):
        if number:
            time.sleep(PAUSE_S)
        if attempt():
            return
    raise StorageError(
        f"The database {address.place} must be brought to the schema of version {__version__}, but"
        f" others used its tables for {lock_timeout_s:g} s; nothing was changed",
        remedy="End every other process of video-detective that uses it, and sessions that left a"
        " transaction open; then start this one again",
    )


def _revision(connection: Connection) -> str | None:
    """What Alembic noted last; None in a database that it never wrote to."""
    if not inspect(connection).has_table(_NOTE.name):
        return None
    revision: str | None = connection.scalar(select(_NOTE.c.version_num))
    return revision


def _refuse_newer(connection: Connection, known: set[str], place: str) -> None:
    revision = _revision(connection)
    if revision is None or revision in known:
        return
    by = None
    if inspect(connection).has_table(META.name):
        by = connection.scalar(select(META.c.value).where(META.c.key == _WRITTEN_BY))
    raise StorageError(
        f"The database {place} was written by a newer version ({by or 'unknown'}) than this one"
        f" ({__version__})",
        remedy="Upgrade video-detective, or choose another data directory or database",
        revision=revision,
    )
