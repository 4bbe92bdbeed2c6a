"""Cursors of lists in order of an id."""

from __future__ import annotations

from uuid import UUID

from video_detective.errors import FieldError, Flaw


def id_cursor(text: str | None) -> str | None:
    """The id behind which a page begins.

    Raises:
        FieldError: the text is no cursor of such a list.
    """
    if text is None:
        return None
    try:
        return str(UUID(text))
    except ValueError as cause:
        flaw = Flaw("it is of no page; take nextCursor of the page before", reason="cursor_unknown")
        raise FieldError([("cursor", flaw)]) from cause
