"""The database's clock: the one that several machines share."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import BigInteger, ColumnElement, literal_column

CLOCK_MS: dict[Literal["sqlite", "postgresql"], ColumnElement[int]] = {
    "sqlite": literal_column(
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", BigInteger
    ),
    "postgresql": literal_column(
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", BigInteger
    ),
}
"""UTC now in ms, by kind of database."""
