"""What a database or disk failure means for the person who meets it."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeGuard

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from video_detective.errors import ConflictError, StorageError, UsageError

if TYPE_CHECKING:
    import psycopg

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}

_FULL = ("the disk is full", "its disk is full")

_SQLITE = {
    "SQLITE_FULL": (_FULL[0], "Free space there, then run the same command again"),
    "SQLITE_READONLY": (
        "it is read-only", "Make the file and its folder writable for this user"
    ),
    "SQLITE_CANTOPEN": (
        "it cannot be opened", "Check that the folder exists and is writable for this user"
    ),
    "SQLITE_PERM": ("access is denied", "Make the file and its folder writable for this user"),
    "SQLITE_NOTADB": (
        "the file is not a database", "Choose another data directory, or move that file away"
    ),
    "SQLITE_CORRUPT": (
        "the file is damaged", "Restore it from a backup, or choose another data directory"
    ),
    "SQLITE_BUSY": (
        "another program holds it locked", "Wait for the other program or end it, then try again"
    ),
    "SQLITE_LOCKED": (
        "another program holds it locked", "Wait for the other program or end it, then try again"
    ),
    "SQLITE_IOERR": (
        "reading or writing failed", "Check free space and health of the disk, then try again"
    ),
}  # fmt: skip
"""By primary result code (https://www.sqlite.org/rescode.html): what is wrong, what to do."""

_POSTGRESQL = {
    "28": ("user name or password were refused", "Check them in the database address"),
    "3D": ("the database does not exist", "Create it, or correct its name in the address"),
    "53100": (_FULL[1], "Free space on the database server, then try again"),
    "53": ("it is out of resources", "Give the server more connections or memory, or try later"),
    "42501": ("permission is denied", "Grant the user CREATE on the database and its schema"),
    "25006": ("it is read-only", "Use the address of the primary server"),
    "55P03": ("another program holds it locked", "Wait for the other program, then try again"),
    "57": ("it was shut down or ended the connection", "Start the server, then try again"),
    "08": ("the connection was lost", "Check that the server runs, then try again"),
}
"""By the longest prefix of SQLSTATE (PostgreSQL documentation, appendix A)."""

_FOREIGN_KEY_VIOLATION = "23503"

_REFUSED_AT_THE_DOOR = (
    ("password authentication failed", "28"), ("no password supplied", "28"),
    ("no pg_hba.conf entry", "28"), ("role", "28"), ("database", "3D"),
)  # fmt: skip
"""libpq gives failures to connect no SQLSTATE; these words stand in its messages (first match)."""


@contextmanager
def explained(place: str) -> Iterator[None]:
    """Turn failures of database, driver and disk inside the block into ours.

    Args:
        place: What is being used, for people.

    Raises:
        StorageError: the database or disk cannot be used.
        UsageError: a value is not of the kind that can be stored (NaN, beyond 64 bits).
        ConflictError: rows are there already that belong to somebody else.
    """
    try:
        yield
    except IntegrityError as error:
        if _is_dangling(error.orig):
            raise  # a row refers to one that was never stored: our own mistake, nobody's data
        raise ConflictError(
            f"The database {place} already has other rows under these ids",
            remedy="Let only one analysis of a camera run at a time, then run this one again",
        ) from error
    except DataError as error:
        raise unstorable(error.orig or error) from error
    except DBAPIError as error:
        raise storage_error(place, error.orig or error) from error
    except (StatementError, OverflowError) as error:
        cause = error.orig if isinstance(error, StatementError) else error
        if isinstance(cause, UsageError):  # of ``dialects``, wrapped by SQLAlchemy
            raise cause from None
        if isinstance(cause, OverflowError):
            raise unstorable(cause) from error
        raise
    except PoolTimeoutError as error:
        raise StorageError(
            f"The database {place} has no free connection",
            remedy="Try again later",
            reason="storage_busy",
        ) from error
    except OSError as error:
        raise disk_error(place, error) from error


def _is_dangling(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY"
    return _is_postgresql(error) and error.sqlstate == _FOREIGN_KEY_VIOLATION


def _is_postgresql(error: BaseException | None) -> TypeGuard[psycopg.Error]:
    """Without loading the driver, which SQLite's users do not need."""
    return error is not None and hasattr(error, "sqlstate")


def unstorable(error: BaseException) -> UsageError:
    """A value came that no database holds."""
    return UsageError(
        f"A value cannot be stored: {error}",
        remedy="Numbers must be finite, whole ones within 64 bits",
    )


def storage_error(place: str, error: BaseException) -> StorageError:
    """What a driver's error means, without anything of the address but its place."""
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "")
        what, remedy = _SQLITE.get(
            "_".join(name.split("_")[:2]), (f"SQLite reports: {error}", "Try again")
        )
        return _unusable(f"The database {place}", what, remedy)
    if _is_postgresql(error):
        return _unusable(f"The database {place}", *_postgresql_cause(error))
    return _unusable(f"The database {place}", str(error), "Try again")


def _unusable(what: str, why: str, remedy: str) -> StorageError:
    message = f"{what} cannot be used: {why}"
    if why in _FULL:
        return StorageError(message, remedy=remedy, reason="storage_full")
    return StorageError(message, remedy=remedy, reason="storage_unusable")


def _postgresql_cause(error: psycopg.Error) -> tuple[str, str]:
    state = error.sqlstate
    message = " ".join(str(error).split())
    if state is None and "FATAL" in message:
        state = next((code for words, code in _REFUSED_AT_THE_DOOR if words in message), None)
    elif state is None:
        return "it cannot be reached", "Check that the server runs and its host, port and TLS"
    for length in (5, 2):
        if state is not None and state[:length] in _POSTGRESQL:
            return _POSTGRESQL[state[:length]]
    return f"PostgreSQL reports {state or 'an error'}: {message}", "Try again"


def disk_error(place: str, error: OSError) -> StorageError:
    """What an operating system's error on a file or folder means."""
    if error.errno in _DISK_FULL:
        what, remedy = _FULL[0], "Free space there, then run the same command again"
    elif error.errno in _READ_ONLY:
        what, remedy = "it is not writable", "Make it writable for this user, or choose another"
    else:
        what = error.strerror or str(error)
        remedy = "Choose a folder that can be written"
    return _unusable(f"'{place}'", what, remedy)
