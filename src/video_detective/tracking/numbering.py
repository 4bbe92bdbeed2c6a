"""Track ids: a letter for the class group and a number that is never given twice."""

from __future__ import annotations

from collections.abc import Mapping

from video_detective.tracking.base import ID_LETTERS


class TrackNumbers:
    """Gives out ids of one camera: ``p01``, ``p02`` … ``p99``, ``p100`` (one count a letter).

    Args:
        next_numbers: First unused number by id letter; a letter that is absent starts with 1.
    """

    def __init__(self, next_numbers: Mapping[str, int]) -> None:
        self._next = {letter: next_numbers.get(letter, 1) for letter in ID_LETTERS.values()}

    def resumed(self, saved: Mapping[str, int]) -> TrackNumbers:
        """A count that goes on from a saved one, and gives no number below this one either.

        Another analysis of the camera may have used numbers since the other was saved.
        """
        return TrackNumbers(
            {letter: max(number, saved.get(letter, 1)) for letter, number in self._next.items()}
        )

    def take(self, group: str) -> str:
        """A new id for an object of the class group."""
        letter = ID_LETTERS[group]
        number = self._next[letter]
        self._next[letter] = number + 1
        return f"{letter}{number:02d}"

    def unused(self) -> dict[str, int]:
        """First unused number by id letter."""
        return dict(self._next)


def id_order(track_id: str) -> tuple[str, int]:
    """Sort key: by letter, then by number (``p99`` before ``p100``)."""
    return track_id[0], int(track_id[1:])
