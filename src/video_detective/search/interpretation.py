"""What a question was understood as."""

from __future__ import annotations

from dataclasses import dataclass

from video_detective.search.base import Group, IndexQuery
from video_detective.search.groups import WEAK
from video_detective.search.times import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A piece of the question that was understood, for a page to show and to remove.

    Args:
        start: First character in the question.
        end: After the last character.
        kind: ``time``, ``camera``, ``place``, ``type``, ``class``, ``who``, ``wear``, ``colour``,
            ``act``, ``risk``, ``word``.
        value: What it was understood as: a key, an id, or the word.
        text: The characters themselves.
        negated: It must not be there.
    """

    start: int
    end: int
    kind: str
    value: str
    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """What a question was understood as.

    Args:
        question: As it was asked.
        period: The range of time; None: any.
        cameras: Ids to which the search is confined; empty: all.
        zones: Ids of zones that were named, as ``zone@camera``.
        event_types: Keys of ``EVENT_TYPES``.
        classes: Keys of classes of things and people.
        colours: Keys of colours.
        risk_level: The one asked for; None: any.
        activity_keywords: What people do, wear and are, and free words, as they were said.
        not_understood: Words of content that narrow nothing.
        groups: What is looked for.
        without: What must not be there.
        chips: The pieces of the question, in order.
    """

    question: str
    period: Period | None
    cameras: tuple[str, ...]
    zones: tuple[str, ...]
    event_types: tuple[str, ...]
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    risk_level: str | None
    activity_keywords: tuple[str, ...]
    not_understood: tuple[str, ...]
    groups: tuple[Group, ...]
    without: tuple[Group, ...]
    chips: tuple[Chip, ...]

    def query(self, *, limit: int = 50, offset: int = 0) -> IndexQuery:
        """The search of the index that answers the question."""
        # That somebody was there is no half of an answer to who rode a horse.
        is_bare = len(self.groups) == 2 and any(group.weight == WEAK for group in self.groups)
        return IndexQuery(
            least=2 if is_bare else None,
            groups=self.groups,
            without=self.without,
            cameras=self.cameras,
            since_ns=self.period.start_ns if self.period else None,
            until_ns=self.period.end_ns if self.period else None,
            limit=limit,
            offset=offset,
        )
