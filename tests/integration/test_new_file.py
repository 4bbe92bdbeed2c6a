"""A new file of SQLite that several open at once."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from video_detective.storage.new_file import make_sqlite

AT_ONCE = 5


def open_together(path: Path) -> list[str]:
    """Let several threads open a file that is not there; why some could not."""
    begin = threading.Barrier(AT_ONCE)
    failures: list[str] = []

    def work() -> None:
        begin.wait()
        make_sqlite(path)
        try:
            with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("CREATE TABLE IF NOT EXISTS seen (who INTEGER)")
                connection.execute("INSERT INTO seen VALUES (1)")
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_many_open_a_new_file_at_once_and_none_is_refused(tmp_path: Path) -> None:
    for number in range(100):
        path = tmp_path / f"{number}.db"
        assert open_together(path) == []
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM seen").fetchone() == (AT_ONCE,)
    assert {found.suffix for found in tmp_path.iterdir()} == {".db"}, "drafts were left"


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    path.write_bytes(b"something")

    make_sqlite(path)

    assert path.read_bytes() == b"something"


@pytest.mark.parametrize("folder", ["absent", "file"])
def test_where_no_file_can_be_the_first_connection_says_so(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_bytes(b"")

    make_sqlite(tmp_path / folder / "mine.db")

    assert [found.name for found in tmp_path.iterdir()] == ["file"]
