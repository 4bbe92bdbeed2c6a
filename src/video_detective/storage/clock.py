"""The database's clock: the one that several machines share."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import BigInteger, ColumnElement, case, literal_column

CLOCK_MS: dict[Literal["sqlite", "postgresql"], ColumnElement[int]] = {
    "sqlite": literal_column(
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", BigInteger
    ),
    "postgresql": literal_column(
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", BigInteger
    ),
}
"""UTC now in ms, by kind of database."""


def next_beat(
    beats: ColumnElement[int | None], kind: Literal["sqlite", "postgresql"]
) -> ColumnElement[int]:
    """The time of a sign of life; larger than the one before also when the clock was set back."""
    now = CLOCK_MS[kind]
    return case((beats >= now, beats + 1), else_=now)
