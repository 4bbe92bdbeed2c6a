"""Everything in which SQLite and PostgreSQL differ: addresses, engines, column types, upserts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    Integer,
    Table,
    Text,
    create_engine,
    event,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.types import TypeDecorator

from video_detective.errors import StorageError, UsageError
from video_detective.storage.failures import unstorable
from video_detective.storage.sqlite_connections import SqliteConnections

FILE_NAME = "video-detective.db"
WRITE = "video_detective_write"
"""Execution option of a connection whose transaction is going to write."""

_CONNECT_TIMEOUT_S = 10
_MIGRATION_LOCK = 0x7664_6D69_6772  # "vdmigr": any number that nobody else uses in this database
_LOCK_WAIT_MS = 500
"""How long tables are waited for at a time: less than PostgreSQL's ``deadlock_timeout`` (1 s), so
that whoever waits for us meanwhile goes on before the server looks for somebody to end."""
_IN_USE = {"57014", "55P03", "40P01"}
"""SQLSTATE of a wait that ended: by its time-outs, by a deadlock."""
_DRIVERS = {
    "sqlite": "sqlite", "sqlite+aiosqlite": "sqlite",
    "postgresql": "postgresql", "postgresql+psycopg": "postgresql",
}  # fmt: skip


class SafeText(TypeDecorator[str]):
    """Text that either database takes: NUL and lone surrogates become U+FFFD.

    PostgreSQL refuses NUL in text, and neither driver can encode half a surrogate pair; both reach
    us from file names and other programs' documents.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as it is stored."""
        return None if value is None else storable_text(value)


def storable_text(value: str) -> str:
    """The text as either database holds it; see ``SafeText``."""
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value.replace("\0", "\ufffd") if "\0" in value else value


KEY_TEXT = SafeText().with_variant(Text(collation="C"), "postgresql")
"""Text to sort and compare by code point, as SQLite does, so that pages are the same on both."""

AUTO_KEY = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column of type INTEGER."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is.

    Args:
        kind: Which of the two it is.
        url: With driver and, where there is one, password: never show it.
        place: For people: the file, or host and database without user and password.
    """

    kind: Literal["sqlite", "postgresql"]
    url: URL
    place: str

    @classmethod
    def parse(cls, data_dir: Path, url: str | None) -> Address:
        """The address meant by a data directory and an optional URL.

        Raises:
            UsageError: the URL is none, or of no scheme in ``sqlite``, ``postgresql``.
        """
        if url is None:
            return cls._file(str(data_dir / FILE_NAME))
        scheme = url.partition(":")[0]
        kind = _DRIVERS.get(scheme)
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            kind = None
        if kind is None:
            shown = scheme if scheme.replace("+", "").isalnum() and ":" in url else "(unreadable)"
            raise UsageError(
                f"The database address of scheme '{shown}' cannot be used",
                remedy="Use sqlite:////path/to/file.db or postgresql://user:password@host/database",
            )
        if kind == "sqlite":
            if not parsed.database or parsed.database.startswith((":memory:", "file:")):
                raise UsageError(
                    "The SQLite address names no file, and data in memory would be lost",
                    remedy="Use sqlite:////path/to/file.db",
                )
            return cls._file(parsed.database)
        host = parsed.host or parsed.query.get("host") or "localhost"
        place = f"{host}{f':{parsed.port}' if parsed.port else ''}/{parsed.database or ''}"
        return cls("postgresql", parsed.set(drivername="postgresql+psycopg"), place)

    @classmethod
    def _file(cls, path: str) -> Address:
        return cls("sqlite", URL.create("sqlite+aiosqlite", database=path), path)

    def async_engine(self, lock_timeout_s: float, connections: SqliteConnections) -> AsyncEngine:
        """A pooled engine for the running event loop; its ``connections``, where it is SQLite."""
        if self.kind == "sqlite":
            engine = create_async_engine(
                self.url,
                json_serializer=_dump_json,
                connect_args={"timeout": lock_timeout_s, "async_creator_fn": connections},
            )
            _prepare_sqlite(engine.sync_engine)
            return engine
        return create_async_engine(
            self.url,
            json_serializer=_dump_json,
            # A server that restarted must not fail the first query after it.
            pool_pre_ping=True,
            connect_args=_postgresql_arguments(self.url),
        )

    def migration_engine(self, lock_timeout_s: float) -> Engine:
        """An engine for one synchronous connection: Alembic is not asynchronous."""
        if self.kind == "sqlite":
            engine = create_engine(
                self.url.set(drivername="sqlite+pysqlite"),
                poolclass=NullPool,
                connect_args={"timeout": lock_timeout_s},
            )
            _prepare_sqlite(engine)
            return engine
        return create_engine(
            self.url, poolclass=NullPool, connect_args=_postgresql_arguments(self.url)
        )


def _postgresql_arguments(url: URL) -> dict[str, Any]:
    return {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT_S}


def _dump_json(value: object) -> str:
    r"""Compact JSON that keeps Chinese readable.

    The escape of NUL (the only text JSON writes as \u0000) passes PostgreSQL's ``json`` type.

    Raises:
        UsageError: a number is not finite.
    """
    try:
        dumped = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise unstorable(error) from error
    return storable_text(dumped)


def _prepare_sqlite(engine: Engine) -> None:
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)


def _on_sqlite_connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Set what SQLite keeps per connection.

    ``synchronous=FULL``: with NORMAL a power cut may take back the last commits of a WAL database.
    A file would only be analysed again from the earlier checkpoint, but a live stream cannot, and
    event numbers already shown would be given out twice. One fsync a step is the price.
    """
    # The driver's own transaction handling would begin deferred transactions behind our back.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    """Take the write lock at once: a read transaction that turns into a write fails when another
    writer was faster, whatever the time-out.
    """  # noqa: D205 - one sentence
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def lock_schema(connection: Connection) -> None:
    """Let only this transaction change the schema (SQLite: BEGIN IMMEDIATE already sees to it)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def lock_tables(connection: Connection, names: Collection[str]) -> bool:
    """Keep everybody else out of tables until the transaction ends (SQLite: nobody is in).

    All of them at once, before anything is changed: taken one by one as they are changed, they meet
    others who hold what comes later and want what came before.

    Returns:
        Whether that is so. If not, somebody is in one of them, and the transaction must be rolled
        back.
    """
    if connection.dialect.name != "postgresql" or not names:
        return True
    quote = connection.dialect.identifier_preparer.quote
    listed = ", ".join(quote(name) for name in sorted(names))
    connection.execute(text(f"SET LOCAL statement_timeout = {_LOCK_WAIT_MS}"))
    try:
        connection.execute(text(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _IN_USE:
            return False
        raise
    # What follows takes as long as it takes.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    return True


def require_utf8(connection: Connection, place: str) -> None:
    """Refuse a PostgreSQL database that cannot hold Chinese.

    Raises:
        StorageError: its encoding is not UTF8.
    """
    if connection.dialect.name == "postgresql":
        encoding = connection.scalar(text("SHOW server_encoding"))
        if encoding != "UTF8":
            raise StorageError(
                f"The database {place} has encoding {encoding}",
                remedy="Create one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            )


Insert = postgresql.Insert | sqlite.Insert


def insert_into(table: Table, kind: Literal["sqlite", "postgresql"]) -> Insert:
    """INSERT that knows ON CONFLICT, in the words of the database."""
    return postgresql.insert(table) if kind == "postgresql" else sqlite.insert(table)


@cache
def upsert_into(
    table: Table, kind: Literal["sqlite", "postgresql"], *, only_same: str | None = None
) -> Insert:
    """INSERT that replaces the row of the same primary key.

    Args:
        table: Where to.
        kind: Which database.
        only_same: Column in which an existing row must agree, or it stays as it is.
    """
    statement = insert_into(table, kind)
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        },
        where=None
        if only_same is None
        else table.c[only_same].is_not_distinct_from(statement.excluded[only_same]),
    )
