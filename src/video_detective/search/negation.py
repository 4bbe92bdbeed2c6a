"""What a question wants not to be there; and what only looks so (有沒有人, 沒有人嗎)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from video_detective.search.concepts import NOBODY, Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A known word or name at its place in the folded question.

    Args:
        start: First character.
        end: After the last character.
        phrase: The text between.
        mention: The word of the lexicon; None for a name.
    """

    start: int
    end: int
    phrase: str
    mention: Mention | None = None


_NEGATORS = (
    r"(?<!有)没有?|(?<!是)不是|并非|(?<![是能会可要对好差])不|未|(?<!有)无|非|别|除了?|排除|扣除|扣掉|撇开|"
    r"缺少?|忘了?|"
    r"\b(?:no|not|without|never|except|excluding|exclude|but for|besides|apart from|other than|"
    r"isn't|aren't|wasn't|weren't|doesn't|don't|didn't|hasn't|haven't|outside)\b"
)
_FILLERS = (
    r"[ ]|有|是|在|戴着?|穿着?|携带|带着?|背着?|拿着?|提|牵|配戴|佩戴|系|看到|任何|那个|"
    r"出现|了|过|着|于|从|来自|要|含|包括|包含|按规定|依规定|"
    r"\b(?:at|in|on|a|an|the|any|wearing|wear|worn|carrying|carry|with|have|has|having|from|near|"
    r"of|to|other|for|by|being|is|are|inside|around|holding|his|her|their)\b"
)
_BEFORE = re.compile(rf"(?:{_NEGATORS})(?:{_FILLERS}){{0,6}}$")
_AFTER = re.compile(r" ?(?:里|那边|那里|附近)?的?(?:以外|之外|除外|不算|不要)")
_LINK = re.compile(
    r" ?(?:、|,|和|与|或是?|及|以及|跟|还有|也没有?|也未|也不是?|or|and|nor)"
    r"(?: |戴|穿|在|at|in|the)*"
)
_REACH = 30
_ONLY_QUESTION = re.compile(r"[\s?？]*(?:吗|嘛|么|呢|吧|出现|经过|出没)*[\s?？]*")
_ASKS_FIRST = re.compile(r"\W*(?:was|were|is|are|wasn't|isn't|did|didn't|has|have|hasn't)\b")
_ASKS = re.compile(r"[吗嘛么]")


def is_excluded(folded: str, start: int, end: int) -> bool:
    """Whether what stands at ``[start, end)`` is said not to be wanted."""
    before = _BEFORE.search(folded, max(0, start - _REACH), start)
    return before is not None or _AFTER.match(folded, end) is not None


def negated(folded: str, pieces: Sequence[Piece]) -> list[bool]:
    """For each piece of a question whether it must not be there.

    「後門有沒有人？」 and 「後門沒有人嗎？」 ask for people, as 「沒有人徘徊嗎」 asks for pacing;
    「沒有人的停車場」 wants nobody there.

    Args:
        folded: The folded question.
        pieces: Its known words in order.
    """
    marked: list[bool] = []
    for index, piece in enumerate(pieces):
        start = _colours_start(pieces, index)
        before = pieces[index - 1] if index else None
        begin = max(before.end if before and before.end <= start else 0, start - _REACH)
        found = _BEFORE.search(folded, begin, start) is not None
        found = found or piece.phrase in NOBODY
        found = found or _AFTER.match(folded, piece.end) is not None
        if not found and before and marked[-1] and _LINK.fullmatch(folded, before.end, start):
            found = True
        if found and _is_person(piece) and _is_asked(folded, pieces, index):
            found = False
        marked.append(found)
    return marked


def _colours_start(pieces: Sequence[Piece], index: int) -> int:
    """Where a thing begins with the colours tied to it before it."""
    mention = pieces[index].mention
    start = pieces[index].start
    if mention is None or not mention.colours:
        return start
    at = index - 1
    while at >= 0:
        colour = pieces[at].mention
        if colour is None or not colour.is_colour or colour.item is None:
            break
        start = pieces[at].start
        at -= 1
    return start


_OR = re.compile(r" ?(?:或是?|或者|还是|跟|、|or|/)(?: |是|an?\b|the\b|有)*")
_AND_OR = re.compile(
    r" ?(?:或是?|或者|还是|跟|和|与|及|以及|还有|、|,|&|or|and|/)"
    r"(?: |是|an?\b|at\b|in\b|the\b|有|在)*"
)


def is_alternative(folded: str, pieces: Sequence[Piece], index: int) -> bool:
    """Whether a piece with its colours follows another of its kind after 或 or "or".

    No event is at two places or of two things, so that 和 and "and" say the same of those.
    """
    start, mention = _colours_start(pieces, index), pieces[index].mention
    before = [p for p in pieces[:index] if p.end <= start]
    last = before[-1] if before else None
    if last is None:
        return False
    between = folded[last.end : start]
    if _is_place(last) and _is_place(pieces[index]):
        return _AND_OR.fullmatch(between) is not None
    if mention is None or last.mention is None:
        return False
    if not (last.mention.kinds & mention.kinds) or mention.item is not None:
        return False
    things = last.mention.kinds == mention.kinds == {"class"}
    somebody = any("person" in c.keys for c in (*last.mention.concepts, *mention.concepts))
    return (_AND_OR if things and not somebody else _OR).fullmatch(between) is not None


def _is_place(piece: Piece) -> bool:
    return piece.mention is None or "place" in piece.mention.kinds


def is_handling(pieces: Sequence[Piece], index: int) -> bool:
    """Whether a verb only says how somebody has the thing right after it (騎機車)."""
    piece = pieces[index]
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    if piece.mention is None or after is None or after.mention is None:
        return False
    keys = {concept.key for concept in piece.mention.concepts}
    return (
        keys <= _HANDLING
        and after.start - piece.end <= 1
        and (after.mention.is_item or after.mention.is_colour)
    )


_HANDLING = frozenset({"push", "ride", "sit", "drive"})


def colour_is_negated(folded: str, pieces: Sequence[Piece], index: int) -> bool:
    """Whether a negation before a coloured thing is about the colour: 不是白色的車, not white."""
    start = _colours_start(pieces, index)
    return (
        re.compile(r"(?:不是|并非|非|不|\bnot|n't)(?: a| an|是)? ?$").search(
            folded, max(0, start - 12), start
        )
        is not None
    )


def _is_person(piece: Piece) -> bool:
    return piece.mention is not None and all(
        concept.tokens == ("class:person",) for concept in piece.mention.concepts
    )


def _is_asked(folded: str, pieces: Sequence[Piece], index: int) -> bool:
    """沒有人 that asks whether there was somebody, or whether somebody did something.

    So does "was there nobody …".
    """
    if _ASKS_FIRST.match(folded):
        return True
    end = pieces[index].end
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    if after and after.mention and after.mention.kinds & {"act", "type"}:
        return re.fullmatch(r"[在正来曾过去]*", folded[end : after.start]) is not None
    return bool(_ASKS.search(folded, end)) and _ONLY_QUESTION.fullmatch(folded, end) is not None
