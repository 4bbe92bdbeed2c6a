"""What a question asks for, read by rules: the same question is always read the same way.

What a question says is cut into pieces, the longest known word at each place: times (``times``),
names of cameras, zones and tripwires (``names``), words of the lexicon (``concepts``), counts, and
words of questions that ask for nothing (有沒有, show me). What remains is looked for as it is.

A camera filters only when a question speaks of the device: its id, a name with 攝影機 or camera in
it or after it, or its number (2 號攝影機). Every other name is a place, as a zone of another camera
may have it too: documents of that place come first, and others may follow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from video_detective.search.base import Group, Term
from video_detective.search.concepts import Mention, tied_mentions
from video_detective.search.groups import (
    apart,
    either,
    lacking,
    nobody,
    of_colour,
    of_mention,
    of_place,
    of_word,
    other_colours,
    telling,
    unwanted,
    with_text,
)
from video_detective.search.interpretation import Chip, Interpretation
from video_detective.search.lexicon import lexicon, stop_words
from video_detective.search.names import CameraNames, Gazetteer, Place, gazetteer
from video_detective.search.negation import (
    Piece,
    colour_is_negated,
    is_alternative,
    is_excluded,
    is_handling,
    negated,
)
from video_detective.search.times import Period, read_times
from video_detective.search.tokens import fold

__all__ = ["Chip", "Interpretation", "interpret"]


def interpret(
    question: str, *, now_ns: int, cameras: Sequence[CameraNames], zone: ZoneInfo
) -> Interpretation:
    """What a question asks for.

    Args:
        question: In Chinese of either script, English, or both; "" asks for everything.
        now_ns: The moment of asking, UTC ns.
        cameras: What cameras, zones and tripwires are called.
        zone: Time zone of the question's times.
    """
    times = read_times(question, now_ns=now_ns, zone=zone)
    folded, origin = _aligned(times.rest)
    reading = _Reading(question, folded, origin, gazetteer(tuple(cameras)))
    for begin, end in times.spans:
        reading.chip(begin, end, "time", question[begin:end].strip(), aligned=False)
    reading.devices()
    reading.counts()
    reading.pieces()
    reading.rest()
    return reading.interpretation(
        times.period, (word for word in times.not_understood if word.strip())
    )


_COUNT = re.compile(
    r"(?:超过|多于|至少|不到|少于|大于)?(?:[两二三四五六七八九十]+|\d+)(?:个|名|位|台|辆|只|件|支)(?:以上|以下)?"
    r"(?=[^号楼])|(?:(?:超过|多于|至少|不到|少于|大于|持续) ?)?(?:\d+(?:\.\d+)? ?"
    r"(?:秒钟?|分钟|个?小时|公尺|公里|米|人次|次)"
    r"|[一两二三四五六七八九十百半]+(?:秒钟?|分钟|个?小时|公尺|公里))(?:以上|以下)?|"
    r"(?<![a-z0-9_.-])(?:(?:more|less|fewer) than |at least |at most |over )?"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|\d+)(?: or more)?"
    r"(?: (?:seconds?|minutes?|hours?|times|met(?:er|re)s?))?"
    r"(?= (?:people|persons?|men|women|cars?|vehicles?|seconds|minutes|dogs|bikes|trucks|$)|$)"
)
"""How many, how long: the index cannot tell."""
_RUN = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+|"
    r"[^\W_\u3400-\u9fff]+(?:[-_.][^\W_\u3400-\u9fff]+)*"
)
_EVENT_ID = re.compile(r"(?<![a-z0-9_])evt_[a-z0-9_-]+")
"""It has a camera's id in it, and is not about that camera."""
_DONE = "\n"
"""Stands where a piece of the question was understood."""


class _Reading:
    """One question while it is read: what is understood is taken out of ``left``."""

    def __init__(self, question: str, folded: str, origin: Sequence[int], names: Gazetteer) -> None:
        self._question = question
        self._folded = folded
        self._origin = origin
        self._names = names
        self._left = folded
        self._chips: list[Chip] = []
        self._groups: list[Group] = []
        self._without: list[Group] = []
        self._cameras: list[str] = []
        self._zones: list[str] = []
        self._found: dict[str, list[str]] = {}
        self._lost: list[str] = []
        self._last: list[Group] = []
        self._last_place: list[Group] = []
        self._is_joined = False

    def chip(
        self,
        begin: int,
        end: int,
        kind: str,
        value: str,
        *,
        aligned: bool = True,
        negated: bool = False,
    ) -> None:
        """Note a piece; ``aligned``: its place is that in the folded text."""
        if aligned:
            begin, end = self._place(begin, end)
        if begin < end:
            text = self._question[begin:end]
            self._chips.append(
                Chip(start=begin, end=end, kind=kind, value=value, text=text, negated=negated)
            )

    def counts(self) -> None:
        """Take out how many and how long."""
        for match in _COUNT.finditer(self._left):
            self._lose(*match.span())
            self._take(*match.span())

    def devices(self) -> None:
        """Cameras that the question speaks of as devices confine the search to them."""
        for match in _EVENT_ID.finditer(self._left):
            self._word(*match.span(), match.group())
            self._take(*match.span())
        for begin, end, ids in self._names.found_devices(self._left):
            if self._left[begin:end].count(_DONE):
                continue
            unwanted_here = is_excluded(self._folded, begin, end)
            if not ids:
                self._lose(begin, end)
            elif unwanted_here:
                terms = tuple(Term(tokens=(f"camera:{key}".lower(),)) for key in ids)
                self._without.append(Group(key=f"camera:{'|'.join(ids)}", terms=terms))
            else:
                self._cameras += ids
            self.chip(begin, end, "camera", ",".join(ids), negated=unwanted_here)
            self._take(begin, end)

    def pieces(self) -> None:
        """Names and words of the lexicon, each wanted or unwanted."""
        named = [
            Piece(start=begin, end=end, phrase=phrase)
            for begin, end, phrase in self._names.found(self._left)
        ]
        blanked = self._left
        for piece in named:
            blanked = _blank(blanked, piece.start, piece.end)
        words = [
            Piece(start=mention.start, end=mention.end, phrase=mention.word, mention=mention)
            for mention in tied_mentions(blanked)
        ]
        pieces = sorted([*named, *words], key=lambda piece: piece.start)
        pieces = [piece for at, piece in enumerate(pieces) if not is_handling(pieces, at)]
        marked = negated(self._folded, pieces)
        for index, (piece, is_unwanted) in enumerate(zip(pieces, marked, strict=True)):
            self._is_joined = is_alternative(self._folded, pieces, index)
            if piece.mention is None:
                self._name(piece, is_unwanted=is_unwanted)
            elif not is_unwanted:
                self._wanted(piece.mention)
            else:
                of_colour = colour_is_negated(self._folded, pieces, index)
                self._unwanted(piece.mention, of_colour=of_colour)
            self._take(piece.start, piece.end)
        self._is_joined = False
        if len(pieces) == 1 and not self._content().strip():
            self._alone(pieces[0])

    def rest(self) -> None:
        """Words that are left: parts of names, or words to look for."""
        content = self._content()
        runs = [(match.start(), match.group()) for match in _RUN.finditer(content)]
        alone = len(runs) == 1 and not self._chips
        for start, run in runs:
            end = start + len(run)
            if len(run) == 1 and not alone:
                continue
            if run.isdigit():
                self._lose(start, end)
                continue
            part = self._names.telling_part(run)
            if part is None:
                self._word(start, end, run)
                continue
            begin, telling = part
            self._place_groups(start + begin, telling, keys=(), exact=self._names.telling(telling))
            for at, other in (
                (0, run[:begin]),
                (begin + len(telling), run[begin + len(telling) :]),
            ):
                if len(other) > 1:
                    self._word(start + at, start + at + len(other), other)

    def interpretation(self, period: Period | None, lost: Iterable[str]) -> Interpretation:
        """What came of it."""
        types = self._values("type")
        groups = telling(self._groups, types)
        return Interpretation(
            question=self._question,
            period=period,
            cameras=tuple(dict.fromkeys(self._cameras)),
            zones=tuple(dict.fromkeys(self._zones)),
            event_types=types,
            classes=self._values("class"),
            colours=self._values("colour"),
            risk_level=next(iter(self._values("risk")), None),
            activity_keywords=self._values("keyword"),
            not_understood=tuple(dict.fromkeys([*lost, *self._lost])),
            groups=_distinct(groups),
            without=_distinct(self._without),
            chips=tuple(sorted(self._chips, key=lambda chip: (chip.start, chip.end))),
        )

    def _name(self, piece: Piece, *, is_unwanted: bool) -> None:
        if piece.phrase in self._names.ways:
            self._word(piece.start, piece.end, piece.phrase)
            return
        keys = [
            concept.key
            for mention in tied_mentions(piece.phrase)
            if mention.word == piece.phrase
            for concept in mention.concepts
            if concept.kind == "place"
        ]
        self._place_groups(piece.start, piece.phrase, keys=keys, is_unwanted=is_unwanted)

    def _wanted(self, mention: Mention) -> None:
        if self._at_place(mention, is_unwanted=False):
            return
        for concept in mention.concepts:
            self._note(concept.kind, concept.key)
            if concept.kind == "who":
                self._note("class", "person")
            for token in (token for way in concept.also for token in way):
                if token.startswith("type:"):
                    self._note("type", token.removeprefix("type:"))
        if not mention.kinds <= {"type", "class", "colour", "risk"}:
            self._note("keyword", self._said(mention.start, mention.end))
        if mention.is_colour and mention.item is not None:
            return
        groups = [of_colour(mention)] if mention.is_colour else list(of_mention(mention))
        if self._is_joined and self._last:
            kept = [group for group in self._groups if group not in self._last]
            groups = either(self._last, groups)
            self._groups = kept
        self._groups += groups
        self._last = groups
        if "type" in mention.kinds:
            # The bag of "unattended bag".
            for inner in tied_mentions(mention.word[1:]):
                if inner.kinds == {"class"} and inner.start + 1 < len(mention.word):
                    self._groups += of_mention(inner)
                    self._note("class", inner.concepts[0].key)

    def _unwanted(self, mention: Mention, *, of_colour: bool) -> None:
        if self._at_place(mention, is_unwanted=True) or mention.item is not None:
            return
        if mention.is_colour or mention.colours:
            self._without.append(unwanted(mention))
            if mention.colours and of_colour:
                # 不是白色的轎車: a car all the same, and best one whose colour is known.
                self._groups += of_mention(replace(mention, colours=()))
                self._groups.append(other_colours(mention))
            return
        carried = any("object" in concept.keys for concept in mention.concepts)
        if carried or "wear" in mention.kinds:
            self._groups.append(lacking(mention))
        if "wear" not in mention.kinds:
            self._without.append(unwanted(mention))
        if all(concept.tokens == ("class:person",) for concept in mention.concepts):
            self._groups.append(nobody())

    def _at_place(self, mention: Mention, *, is_unwanted: bool) -> bool:
        """Note a mention's chip and, if it is a place, all there is to it."""
        keys = [concept.key for concept in mention.concepts if concept.kind == "place"]
        if keys:
            self._place_groups(mention.start, mention.word, keys=keys, is_unwanted=is_unwanted)
            return True
        kind = "colour" if mention.is_colour else mention.concepts[0].kind
        value = ",".join(concept.key for concept in mention.concepts)
        self.chip(mention.start, mention.end, kind, value, negated=is_unwanted)
        return False

    def _alone(self, piece: Piece) -> None:
        """A single word is also looked for as it is written."""
        has_more = any(group.key.startswith("class:") for group in self._groups[1:])
        if len(piece.phrase) > 1 and self._groups and not (has_more or self._without):
            self._groups = with_text(self._groups, piece.phrase)

    def _place_groups(
        self,
        start: int,
        phrase: str,
        *,
        keys: Sequence[str],
        exact: Sequence[Place] = (),
        is_unwanted: bool = False,
    ) -> None:
        groups = of_place(phrase, keys, self._names, exact=exact)
        self.chip(start, start + len(phrase), "place", phrase, negated=is_unwanted)
        if is_unwanted:
            self._without.append(groups[0])
            return
        before = self._last_place
        if before and (self._is_joined or apart(before, groups)):
            self._groups = [group for group in self._groups if group not in before]
            groups = either(before, groups)
        self._groups += groups
        self._last_place = groups
        self._zones += [
            f"{place.id}@{place.camera_id}"
            for place in exact or self._names.called(phrase)
            if place.kind == "zone"
        ]

    def _word(self, begin: int, end: int, word: str) -> None:
        self.chip(begin, end, "word", word)
        self._note("keyword", self._said(begin, end))
        self._groups.append(of_word(word))

    def _content(self) -> str:
        """What is left without words that ask for nothing."""
        content = self._left
        # Words that the lexicon knows as no concept hide stop words inside them (拖把).
        whole = [match.span() for match in lexicon().pattern.finditer(self._left)]
        for match in stop_words().pattern.finditer(self._left):
            begin, end = match.span()
            if not any(b <= begin and end <= e and e - b > end - begin for b, e in whole):
                content = _blank(content, begin, end)
        content = re.sub(r"[^\w.-]|_", " ", content)
        for run in _RUN.finditer(content):
            begin, end = run.span()
            while end - begin > 2 and content[begin] in stop_words().edges:
                begin += 1
            while end - begin > 2 and content[end - 1] in stop_words().edges:
                end -= 1
            if all(letter in stop_words().edges for letter in content[begin:end]):
                begin = end
            kept = " " * (begin - run.start()) + content[begin:end] + " " * (run.end() - end)
            content = content[: run.start()] + kept + content[run.end() :]
        return content

    def _place(self, begin: int, end: int) -> tuple[int, int]:
        return self._origin[begin], self._origin[end - 1] + 1

    def _said(self, begin: int, end: int) -> str:
        first, last = self._place(begin, end)
        return self._question[first:last]

    def _lose(self, begin: int, end: int) -> None:
        self._lost.append(self._said(begin, end).strip())

    def _take(self, begin: int, end: int) -> None:
        self._left = _blank(self._left, begin, end)

    def _note(self, kind: str, value: str) -> None:
        self._found.setdefault(kind, []).append(value)

    def _values(self, kind: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._found.get(kind, ())))


def _blank(text: str, begin: int, end: int) -> str:
    return text[:begin] + _DONE * (end - begin) + text[end:]


def _aligned(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters where it comes from.

    Characters that nobody sees (zero-width spaces of chats and web pages) part no words.
    """
    folded: list[str] = []
    origin: list[int] = []
    for index, letter in enumerate(text):
        same = "" if unicodedata.category(letter) == "Cf" else fold(letter)
        folded.append(same)
        origin += [index] * len(same)
    return "".join(folded), origin


def _distinct(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple({group.key: group for group in groups if group.terms}.values())
