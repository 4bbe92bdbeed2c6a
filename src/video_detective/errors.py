"""Every error a user may meet: what was wrong, with which value, and what to do.

``code`` is stable and part of the API; ``exit_status`` is what a command ends with. An error's
text is one line: the message, then the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self


class VideoDetectiveError(Exception):
    """Root of the tree.

    Args:
        message: What was wrong, naming the value. No trailing full stop.
        remedy: What the reader can do about it.
        reason: Stable key of what was wrong, such as ``name_taken``, by which a page words it in
            its reader's language; "" where only those who write programs meet it.
        context: Further facts, kept in ``context`` for callers and logs (never secrets). With a
            reason they are what the page words: plain JSON data.
    """

    code: ClassVar[str] = "INTERNAL"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str, reason: str = "", **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.reason = reason
        self.context = context

    def __str__(self) -> str:
        return " ".join(f"{self.message}. {self.remedy}".split())


class UsageError(VideoDetectiveError):
    """An argument or a document the user wrote cannot be meant."""

    code = "VALIDATION_ERROR"
    exit_status = 2


class InvalidRulesError(UsageError):
    """A camera document fails validation; ``problems`` has every complaint with line and field."""

    code = "INVALID_RULES"

    def __init__(self, message: str, *, remedy: str, problems: tuple[str, ...]) -> None:
        super().__init__(message, remedy=remedy, problems=problems)
        self.problems = problems


class Flaw(str):
    """What is wrong with a field, in English: text like any other, and what pages word it from.

    Args:
        text: As in a sentence about the field: ``is not in the future``.
        reason: Stable key, as that of an error.
        values: What the text names, as plain JSON data (never secrets).
    """

    __slots__ = ("reason", "values")
    reason: str
    values: dict[str, object]

    def __new__(cls, text: str, *, reason: str, **values: object) -> Self:
        """The text, with what a page words it from."""
        flaw = super().__new__(cls, text)
        flaw.reason, flaw.values = reason, values
        return flaw


class FieldError(UsageError):
    """Fields of a request cannot be meant.

    Args:
        problems: (field, what is wrong) of each, such as ``("document.rules[2].zone", "…")``; a
            ``Flaw`` where people may meet it on a page.
    """

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        named = "; ".join(f"{field}: {what}" for field, what in self.problems[:3])
        more = len(self.problems) - 3
        super().__init__(
            named + (f" (and {more} more)" if more > 0 else ""),
            remedy="Correct these fields.",
        )


class UnsupportedSourceError(UsageError):
    """The source is of no kind that can be read (scheme, file type, no video in it)."""

    code = "UNSUPPORTED_SOURCE"


class MissingError(UsageError):
    """Something named by the user does not exist (file, event, camera, zone, model)."""

    code = "NOT_FOUND"


def no_such(what: str, its_id: str, *, remedy: str) -> MissingError:
    """The error for an id of nothing, or of nothing in reach.

    Args:
        what: Of which kind, such as ``device``.
        its_id: As it was asked for.
        remedy: As for every error.
    """
    return MissingError(
        f"There is no {what} {its_id!r}", remedy=remedy, reason="not_found", what=what, id=its_id
    )


class GoneError(MissingError):
    """A link that was good for a time or for one use is so no longer."""

    code = "GONE"


class ForbiddenError(VideoDetectiveError):
    """The caller is known and may not do this (scope, role, plan)."""

    code = "FORBIDDEN"


class PlanError(ForbiddenError):
    """The device's plan has no such feature. Its text is the message alone, as agreed outside."""

    def __str__(self) -> str:
        return self.message


class UnauthorizedError(VideoDetectiveError):
    """Nobody is known by this key, session or password."""

    code = "UNAUTHORIZED"


class RateLimitedError(VideoDetectiveError):
    """Too many requests.

    Args:
        message, remedy: As for every error.
        retry_after_s: Seconds until the next one is let through, rounded up.
    """

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, remedy: str, retry_after_s: int) -> None:
        super().__init__(message, remedy=remedy, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class TooLargeError(UsageError):
    """What was sent is larger than is taken."""

    code = "PAYLOAD_TOO_LARGE"


class ConflictError(VideoDetectiveError):
    """The request does not fit the present state (already running, another owner)."""

    code = "CONFLICT"


class DecodeError(VideoDetectiveError):
    """A source was opened but not one frame of it can be decoded."""

    code = "DECODE_FAILED"


class SourceLostError(VideoDetectiveError):
    """A live source cannot be reached any more."""

    code = "SOURCE_LOST"


class UpstreamError(VideoDetectiveError):
    """Another machine that an answer needs, such as a camera, cannot be used at present."""

    code = "UPSTREAM_UNAVAILABLE"


class WeightsError(VideoDetectiveError):
    """Model weights are absent, damaged or not those of the catalogue."""

    code = "WEIGHTS_UNAVAILABLE"


class StorageError(VideoDetectiveError):
    """The data directory or database cannot be used (full, read-only, newer, unreachable)."""

    code = "STORAGE_UNAVAILABLE"


class VectorServerError(VideoDetectiveError):
    """A Qdrant server cannot be used; the database's own search stands in for it."""

    code = "VECTOR_SERVER_UNAVAILABLE"


class ModelError(VideoDetectiveError):
    """A model server gave no usable answer; nothing but words depends on one.

    Args:
        message, remedy: As for every error.
        reason: ``unreachable``, ``timeout``, ``overloaded``, ``server``, ``refused`` (by policy or
            key), ``no_model``, ``no_images`` (it takes no pictures, or not so many), ``truncated``
            (prompt or answer is too long), ``invalid``, ``empty``, ``language``, ``cancelled``.
        transient: The same request may succeed later.
        raw: What the model said, where it said something; kept for the record.
    """

    code = "MODEL_UNAVAILABLE"

    def __init__(
        self, message: str, *, remedy: str, reason: str, transient: bool, raw: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy, reason=reason, transient=transient)
        self.reason = reason
        self.transient = transient
        self.raw = raw


class ReceiverError(VideoDetectiveError):
    """A receiver of notifications was not reached, or did not take one.

    Args:
        message, remedy: As for every error; never with a secret or a whole address.
        transient: The same notification may be taken later.
    """

    code = "UPSTREAM_UNAVAILABLE"

    def __init__(self, message: str, *, remedy: str, transient: bool) -> None:
        super().__init__(message, remedy=remedy, transient=transient)
        self.transient = transient
