"""New files of SQLite that several processes may open at once."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing, suppress
from pathlib import Path


def make_sqlite(path: Path) -> None:
    """Let there be a file, empty and in WAL mode from its first moment, where there is none.

    Of those who open a new file at once and each turn its mode over, some are refused as "locked",
    without any patience, or even read a "malformed" file; the mode stays with the file.

    What fails here (read-only, full, a file system without links) is left to the first connection,
    whose failure is explained.
    """
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with suppress(sqlite3.Error, OSError):
        try:
            with closing(sqlite3.connect(draft)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
