"""Concepts in a text: who, what, where, which colour of what, and what is said to be lacking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from video_detective.search.lexicon import Concept, lexicon


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A word of the lexicon at its place in a folded text.

    Args:
        start: First character.
        end: After the last character.
        word: The text between.
        concepts: What it may mean.
        colours: Of a thing: keys of the colours said of it.
        item: Of a colour: index of the mention whose colour it is; None while it stands alone.
        worn: Of a colour: it is said of clothes that are not named (穿紅色).
        negated: The text says that it is not there.
    """

    start: int
    end: int
    word: str
    concepts: tuple[Concept, ...]
    colours: tuple[Concept, ...] = ()
    item: int | None = None
    worn: bool = False
    negated: bool = False

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of its concepts."""
        return frozenset(concept.kind for concept in self.concepts)

    @property
    def is_item(self) -> bool:
        """It is a thing that has a colour."""
        return any(
            concept.kind == "wear" or (concept.kind == "class" and concept.key != "person")
            for concept in self.concepts
        )

    @property
    def is_colour(self) -> bool:
        """It is a colour."""
        return "colour" in self.kinds


_SIZES = (
    "长|短|大|小|新|旧|深|浅|连帽|条纹|格子|薄|厚|羽绒|运动|休闲|棉|皮|牛仔|款|"
    "大型|小型|中型|老旧|无袖|折叠|塑料|塑胶|透明|自动|双肩|格纹|皮革|帆布|针织|毛线|工作|防水"
)
_ADJECTIVES = (
    "long|short|sleeved?|sleeve|hooded|big|small|large|old|new|leather|down|denim|little|plain|"
    "heavy|light|puffy|winter|summer|cotton|wool|coloured|colored|colou?r|plastic|metal|"
    "long-sleeved|short-sleeved|delivery|cargo|sports?|compact|four-door|rolling|travel"
)
_BEFORE_ITEM = re.compile(
    rf"(?:色系?)?(?:的|之)?(?:{_SIZES}){{0,2}}(?:的)?|[ -](?:(?:{_ADJECTIVES})[ -]){{0,2}}"
)
"""Between a colour and the thing that has it."""
_BETWEEN_COLOURS = re.compile(
    r"色?(?:相间的?|、|,|/|和|与|或是?|及|跟|配|夹|到|-)?| ?(?:and|or|,|/|&|-) ?| ?, ?(?:and|or) "
)
_AFTER_ITEM = re.compile(
    r"(?:的)?(?:颜色|车身|外观|看起来|好像|应该)?(?:是|为|呈|属|偏|[:(])?|"
    r" (?:is|was|are|were|that is|which is|in|of)(?: a)? | ?[,(] ?"
)
_WORN = re.compile(
    r"(?:穿|穿着|身穿|身着|一身|全身|衣着)(?:了|的是|件)?$|\b(?:in|wearing|wears|wore)(?: all)? $"
)
_WORN_WORD = re.compile(r"一身|全身|all ")
_PERSON_AFTER = re.compile(r"色?的?(?:那个|这个|那位)?")

_LACKING = (
    r"(?<!有)没有?|未|不|并未|并无|无|非|缺少?|未见|不见|忘了|忘记|"
    r"\b(?:no|not|without|never|lacks?|lacking|nor|cannot|isn't|aren't|wasn't|weren't|doesn't|"
    r"don't|didn't|hasn't|haven't|none of)(?= )"
)
_FILLERS = (
    r"有|再|看到|看见|发现|见到|见|戴上?|配戴|佩戴|穿上?|穿着|戴着|携带|带|背|拿|提|任何|明显|其他|其它|"
    r"依规定|按规定|正确|一个|一名|半个|使用|在|牵|系上?|牵着|着|过|是|"
    r" (?:a|an|any|other|the|his|her|their|wearing|wear|carrying|carry|holding|have|has|seen|"
    r"visible|sign of|signs of|using|to|be|see|another|single)(?= )"
)
_LACKED = re.compile(rf"(?:{_LACKING})(?:{_FILLERS}){{0,4}} ?$")
"""Before something that is said not to be there."""
_LINKED = re.compile(r"、|,|和|与|或|及|跟|也没有?|也未戴?|也不| ?, | and | or | nor |, or ")
_REACH = 40
"""Characters before a mention in which a negation is looked for."""


def mentions(folded: str) -> tuple[Mention, ...]:
    """The lexicon's words in a text, in order, with colours tied to things and negations marked.

    Args:
        folded: Folded text.
    """
    return _with_negations(folded, tied_mentions(folded))


def tied_mentions(folded: str) -> tuple[Mention, ...]:
    """``mentions`` without a mark on any: a question's negations are read in their own way."""
    return tuple(_with_colours(folded, _found(folded)))


@lru_cache(maxsize=8192)
def concept_tokens(folded: str, *, said: bool) -> frozenset[str]:
    """What a text's concepts leave in an index.

    ``kind:key`` with every more general concept; ``thing:colour`` for a thing of that colour
    (``jacket:red``, ``upper:red``, ``clothes:red``), ``loose:red`` for a colour of nothing named;
    ``no:key`` for what is said to be lacking, and no concept of it.

    Args:
        folded: Folded text.
        said: The text is somebody's words, not a fact's: event types leave ``said:loitering``
            (in a fact's sentence: nothing, its rule says what it is) and places ``near:warehouse``
            (in a fact's sentence ``place:warehouse``: that is where it was).
    """
    found: set[str] = set()
    for mention in mentions(folded):
        if mention.negated:
            found.update(f"no:{key}" for concept in mention.concepts for key in concept.keys[:1])
            continue
        for concept in mention.concepts:
            match concept.kind:
                case "type":
                    found.update({f"said:{concept.key}"} if said else ())
                case "place":
                    place = "near" if said else "place"
                    found.update(f"{place}:{key}" for key in concept.keys)
                case "colour":
                    found.update(concept.tokens)
                    if mention.worn:
                        found.update(f"{worn}:{key}" for worn in WORN for key in concept.keys)
                    elif mention.item is None:
                        found.update(f"loose:{key}" for key in concept.keys)
                case _:
                    found.update(concept.tokens)
            if mention.colours and concept.kind in ("class", "wear"):
                found.update(
                    f"{item}:{key}"
                    for item in concept.keys
                    for colour in mention.colours
                    for key in colour.keys
                )
    return frozenset(found)


WORN = ("outfit", "upper", "clothes")
"""Whose colour it is when only a colour is said to be worn."""


def _found(folded: str) -> list[Mention]:
    """Words of the text; short colours before a thing and bound things after a colour only."""
    words = lexicon()
    raw: list[tuple[Mention, str]] = []
    for match in words.pattern.finditer(folded):
        word = words.word(match.group())
        if word.concepts:
            mention = Mention(
                start=match.start(), end=match.end(), word=match.group(), concepts=word.concepts
            )
            raw.append((mention, word.role))
    kept: list[Mention] = []
    for index in range(len(raw) - 1, -1, -1):
        mention, role = raw[index]
        if role == "short" and not (
            kept and kept[-1].start == mention.end and (kept[-1].is_item or kept[-1].is_colour)
        ):
            continue
        if role == "bound":
            before = raw[index - 1][0] if index else None
            if (
                before is None
                or not before.is_colour
                or not _BEFORE_ITEM.fullmatch(folded, before.end, mention.start)
            ):
                continue
        kept.append(mention)
    return kept[::-1]


def _with_colours(folded: str, found: Sequence[Mention]) -> list[Mention]:
    tied = list(found)
    if not any(mention.is_colour for mention in tied):
        return tied
    for index, mention in enumerate(tied):
        if mention.is_item:
            _tie_before(folded, tied, index)
    for index, mention in enumerate(tied):
        if mention.is_colour and mention.item is None:
            _tie_after(folded, tied, index)
    return tied


def _tie_before(folded: str, tied: list[Mention], index: int) -> None:
    """Give a thing the colours that stand right before it."""
    between, at, colours = _BEFORE_ITEM, index, list[Concept]()
    while (
        at
        and tied[at - 1].is_colour
        and between.fullmatch(folded, tied[at - 1].end, tied[at].start)
    ):
        at -= 1
        colours += _colours(tied[at])
        tied[at] = replace(tied[at], item=index)
        between = _BETWEEN_COLOURS
    before = tied[index - 1] if index else None
    if not colours and before and before.colours and before.end == tied[index].start:
        # 紅色短袖上衣: both words are the one garment.
        shared = {key for concept in before.concepts for key in concept.keys}
        if any(key in shared for concept in tied[index].concepts for key in concept.keys):
            colours = list(before.colours)
    tied[index] = replace(tied[index], colours=tuple(colours))


def _tie_after(folded: str, tied: list[Mention], index: int) -> None:
    """Give a colour that stands alone to the thing before it, or to clothes."""
    colour = tied[index]
    before = tied[index - 1] if index else None
    after = tied[index + 1] if index + 1 < len(tied) else None
    if _WORN.search(folded, max(0, colour.start - 20), colour.start) or _WORN_WORD.match(
        colour.word
    ):
        tied[index] = replace(colour, worn=True)
    elif before and before.is_item and _AFTER_ITEM.fullmatch(folded, before.end, colour.start):
        tied[index - 1] = replace(before, colours=(*before.colours, *_colours(colour)))
        tied[index] = replace(colour, item=index - 1)
    elif (
        after
        and any("class:person" in concept.tokens for concept in after.concepts)
        and _PERSON_AFTER.fullmatch(folded, colour.end, after.start)
    ):
        tied[index] = replace(colour, worn=True)


def _colours(mention: Mention) -> list[Concept]:
    return [concept for concept in mention.concepts if concept.kind == "colour"]


NOBODY = frozenset({"nobody", "no one"})
_NEGATABLE = frozenset({"class", "who", "wear", "act"})


def _with_negations(folded: str, found: Sequence[Mention]) -> tuple[Mention, ...]:
    marked: list[Mention] = []
    for mention in found:
        start = mention.start
        # A negation before a colour is about the thing that has it: 沒有紅色背包.
        if mention.colours and marked and marked[-1].is_colour:
            start = marked[-1].start
        negated = bool(mention.kinds & _NEGATABLE) and bool(
            mention.word in NOBODY
            or _LACKED.search(folded, max(0, start - _REACH), start)
            or (
                marked
                and marked[-1].negated
                and _LINKED.fullmatch(folded, marked[-1].end, mention.start)
            )
        )
        marked.append(replace(mention, negated=True) if negated else mention)
    return tuple(marked)
