"""Statements that are built once, and for SQLite also written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement, and for SQLite its text.

    Args:
        statement: As it was built.
        sql: For SQLite's driver; "" otherwise.
        names: Of its parameters, in order.
        fixed: Those that are part of the statement.
        is_list: SQLite's text gives one row with JSON of all of them. Its driver takes the
            interpreter's lock for every row, and waits for it each time while requests are served.
    """

    statement: Select[Any]
    sql: str = ""
    names: Sequence[str] = ()
    fixed: Mapping[str, Any] | None = None
    is_list: bool = False

    @classmethod
    def of(cls, kind: Kind, statement: Select[Any], *, is_list: bool = False) -> Prepared:
        """Prepare a statement; ``is_list`` only without floats, which JSON would round."""
        if kind == "postgresql":
            return cls(statement)
        compiled = statement.compile(
            dialect=sqlite.dialect(paramstyle="qmark"),
            compile_kwargs={"render_postcompile": True},
        )
        names = compiled.positiontup or []
        sql = str(compiled)
        if is_list:
            columns = ", ".join(column.key for column in statement.selected_columns if column.key)
            sql = f"SELECT json_group_array(json_array({columns})) FROM ({sql})"  # noqa: S608 - ours
        return cls(statement, sql, tuple(names), compiled.params, is_list)

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in order, for SQLite's driver."""
        fixed = self.fixed or {}
        return [given[name] if name in given else fixed[name] for name in self.names]
