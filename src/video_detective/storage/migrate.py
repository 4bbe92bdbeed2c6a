"""Brings a database to the schema of this program, whatever its age, and never backwards."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table

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

HEAD = "0008"
"""The newest revision in ``migrations``; a test holds it to them."""

_SCRIPTS = Path(__file__).parent / "migrations"
_WRITTEN_BY = "written_by"
_NOTE = table("alembic_version", column("version_num"))

# Alembic keeps the running migration in global proxies; two databases opened at the same time in
# one process would otherwise migrate each other.
_ALEMBIC = threading.Lock()


def upgrade(address: Address, lock_timeout_s: float) -> None:
    """Create or upgrade the schema in one transaction; nothing happens when it is current.

    Blocks: call it in a thread from async code.

    Raises:
        StorageError: the database was written by a newer version, or cannot hold Chinese.
    """
    engine = address.migration_engine(lock_timeout_s)
    try:
        with engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        _migrate(engine, address)
    finally:
        engine.dispose()


def _migrate(engine: Engine, address: Address) -> None:
    # Loading Alembic takes a quarter of a second, which a current database need not cost.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        _refuse_newer(connection, known, address.place)
    with engine.connect().execution_options(**{WRITE: True}) as connection, connection.begin():
        lock_schema(connection)
        require_utf8(connection, address.place)
        # Another process may have done it while this one waited for the lock.
        if _revision(connection) == HEAD:
            return
        _refuse_newer(connection, known, address.place)
        with _ALEMBIC:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        written_by = upsert_into(META, address.kind)
        connection.execute(written_by, {"key": _WRITTEN_BY, "value": __version__})


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
