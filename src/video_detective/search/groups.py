"""What one thing that a question says asks of an index: groups of terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from video_detective.search.base import Group, Term
from video_detective.search.concepts import Mention
from video_detective.search.lexicon import Concept, lexicon
from video_detective.search.names import Gazetteer, Place
from video_detective.search.tokens import word_term

WEAK = 0.3
"""Of a group that hardly tells one event from another: somebody was there."""
KIN = 0.5
"""Of a group that holds weaker answers too."""
HEAD = 1.2
"""Of people: who is sought counts a little more than what they do."""

PEOPLELESS = frozenset({"abandoned_object", "camera_tampered", "post_left", "crowding", "metric"})
"""Event types whose actors are no people, or nobody."""

_KINDLESS_COLOUR = "loose"


def of_mention(mention: Mention) -> Iterator[Group]:
    """The groups of a word of the lexicon that is no place and no colour of a thing."""
    by_kind: dict[str, list[Concept]] = {}
    for concept in mention.concepts:
        by_kind.setdefault(concept.kind, []).append(concept)
    if mention.colours:
        yield from _coloured(mention)
        return
    who = by_kind.pop("who", [])
    for concept in who:
        yield from _of_concepts([concept], weight=HEAD)
    if who:
        yield somebody()
    rest = [concept for found in by_kind.values() for concept in found]
    if not rest:
        return
    if all(concept.tokens == ("class:person",) for concept in rest):
        yield somebody()
    else:
        yield from _of_concepts(rest)


def somebody() -> Group:
    """A person, whoever."""
    return Group(key="class:person", terms=(Term(tokens=("class:person",)),), weight=WEAK)


def telling(groups: Sequence[Group], types: Iterable[str]) -> list[Group]:
    """The groups but for those that tell nothing beside others: who smokes is a person.

    None when none is left but groups that refine.

    Without that, everybody would be half an answer to whether somebody was hurt.

    Args:
        groups: Of a question.
        types: Event types it asks for; those of ``PEOPLELESS`` have nobody.
    """
    personal = ("act:", "who:", "wear:", "no:", "upper:", "lower:", "word:")
    says_who = any(group.key.startswith(personal) for group in groups)
    says_who = says_who or not PEOPLELESS.isdisjoint(types)
    says_what = any(group.key.startswith(("act:", "type:", "word:")) for group in groups)
    others = [group for group in groups if group.key not in _VAGUE]
    kept = others if any(not g.key.startswith(("place:", "near:")) for g in others) else groups
    left = [
        group
        for group in kept
        if not (says_who and group == somebody())
        and not (says_what and group.key == "class:object")
    ]
    return [] if all(group.refines for group in left) else left


_VAGUE = frozenset({"act:drive", "act:walk", "act:stand", "act:look"})
"""Of what people do: hardly more than that they are there."""


def of_colour(mention: Mention) -> Group:
    """A colour of nothing named, or of clothes that are only worn."""
    keys = [concept.key for concept in mention.concepts if concept.kind == "colour"]
    held = "upper" if mention.worn else "colour"
    return _group(f"{held}:{'|'.join(keys)}", [(f"{held}:{key}",) for key in keys])


def nobody() -> Group:
    """Where nobody should be missing: a post that was left comes first."""
    terms = (Term(tokens=("type:post_left",)),)
    return Group(key="type:post_left", terms=terms, weight=KIN, refines=True)


def lacking(mention: Mention) -> Group:
    """Somebody does without it, and a text says so."""
    keys = [concept.key for concept in mention.concepts]
    return _group(f"no:{'|'.join(keys)}", [(f"no:{key}",) for key in keys])


def unwanted(mention: Mention) -> Group:
    """What a document must not have."""
    keys = [f"{concept.kind}:{concept.key}" for concept in mention.concepts]
    if mention.colours:
        pairs = _pairs(mention)
        return _group("|".join(pairs), [(pair,) for pair in pairs])
    terms = [(key,) for key in keys]
    terms += [(f"said:{c.key}",) for c in mention.concepts if c.kind == "type"]
    return _group("|".join(keys), terms)


def other_colours(mention: Mention) -> Group:
    """The thing in a colour that is none of those said."""
    said = {key for colour in mention.colours for key in colour.keys}
    item = _items(mention)[0]
    others = [key for kind, key in lexicon().concepts if kind == "colour" and key not in said]
    colours = [(f"{item.key}:{colour}",) for colour in others]
    return replace(_group(f"{item.key}:other", colours), refines=True)


def of_place(
    phrase: str, keys: Sequence[str], names: Gazetteer, *, exact: Sequence[Place] = ()
) -> list[Group]:
    """The groups of a place: first where it is the very place, then where it has to do with it.

    Args:
        phrase: As it was said, folded.
        keys: Its concepts, if it has any.
        names: The names of the installation.
        exact: Cameras, zones and tripwires that are called so.
    """
    exact = exact or tuple(dict.fromkeys([*names.called(phrase), *names.whole(keys)]))
    within = names.within(keys) if keys else names.telling(phrase)
    there = [(place.token,) for place in (*exact, *within)]
    there += [(f"place:{key}",) for key in keys]
    if exact:
        return _refined(
            _group(f"place:{phrase}", [(place.token,) for place in exact]),
            _group(f"near:{phrase}", there, weight=KIN),
        )
    spoken = [(f"near:{key}",) for key in keys]
    words = [word_term(phrase)] if len(phrase) > 1 else []
    return _refined(
        _group(f"place:{phrase}", there, words=[] if there else words),
        _group(f"near:{phrase}", [*there, *spoken], words=words, weight=KIN),
    )


def cameras_of(group: Group) -> frozenset[str]:
    """Ids (lower case) of the cameras that are called by a place, or see it."""
    tokens = [token for term in group.terms for token in term.tokens]
    return frozenset(
        token.partition("@")[2] or token.partition(":")[2]
        for token in tokens
        if token.startswith(("camera:", "zone:", "tripwire:"))
    )


def apart(one: Sequence[Group], other: Sequence[Group]) -> bool:
    """Whether no camera sees two places, so that no event can be at both."""
    first, second = cameras_of(one[-1]), cameras_of(other[-1])
    return bool(first and second) and first.isdisjoint(second)


def of_word(word: str) -> Group:
    """A word that the lexicon does not know.

    A longer Chinese run may be two words that a text has apart; a Latin word may be inflected.
    """
    terms = [word_term(word)]
    if word.isascii():
        stem = word.removesuffix("s") if len(word) > 4 else word
        if len(stem) > 3:
            terms.append(Term(tokens=(f"{stem}*",)))
    elif len(word) > 3:
        pairs = [word[at : at + 2] for at in range(0, len(word) - 1, 2)]
        terms.append(Term(tokens=tuple(dict.fromkeys(pairs))))
    return Group(key=f"word:{word}", terms=tuple(terms))


def with_text(groups: Sequence[Group], word: str) -> list[Group]:
    """The groups of a question that is nothing but a word: any text with that word answers it too.

    Args:
        groups: Its groups, the first the one that counts; at least one.
        word: As it is written, folded.
    """
    terms = dict.fromkeys(term for group in groups for term in group.terms)
    wide = Group(key=f"text:{word}", terms=(*terms, word_term(word)), weight=KIN)
    return _refined(groups[0], wide)


def either(one: Sequence[Group], other: Sequence[Group]) -> list[Group]:
    """What is asked for by 「one 或 other」."""
    # Of one that has no more exact form, all of it is exact.
    if len(one) == 1 and len(other) == 2:
        one = [replace(one[0], refines=True), *one]
    elif len(one) == 2 and len(other) == 1:
        other = [replace(other[0], refines=True), *other]
    return [
        Group(
            key=f"{first.key}|{second.key}",
            terms=tuple(dict.fromkeys([*first.terms, *second.terms])),
            weight=max(first.weight, second.weight),
            refines=first.refines and second.refines,
        )
        for first, second in zip(one, other, strict=False)
    ]


def _of_concepts(concepts: Sequence[Concept], *, weight: float = 1.0) -> Iterator[Group]:
    key = "|".join(f"{concept.kind}:{concept.key}" for concept in concepts)
    terms: list[tuple[str, ...]] = [(f"{concept.kind}:{concept.key}",) for concept in concepts]
    terms += [way for concept in concepts for way in concept.also]
    kin = [way for concept in concepts for way in concept.kin]
    # Whether an event is of a type is for its rule to say; a model's words come later.
    kin += [(f"said:{concept.key}",) for concept in concepts if concept.kind == "type"]
    like = [way for concept in concepts for way in concept.like]
    yield from _refined(
        _group(key, terms, weight=weight), _group(f"kin:{key}", [*terms, *kin], weight=KIN)
    )
    if like:
        yield _group(f"like:{key}", [*terms, *kin, *like], weight=KIN)


def _coloured(mention: Mention) -> Iterator[Group]:
    """A thing in a colour, or one of its kind; and the thing in whatever colour."""
    items = _items(mention)
    first = items[0]
    garment = next((key for key in ("lower", "upper") if key in first.keys), "")
    keys = [colour.key for colour in mention.colours]
    item = garment or first.key
    any_of: list[tuple[str, ...]] = [(f"{item}:{key}",) for key in keys]
    # 紅白相間: best all of them; 紅色或藍色: any.
    exact = [tuple(f"{item}:{key}" for key in keys)] if len(keys) > 1 else any_of
    name = f"{item}:{'|'.join(keys)}"
    if garment:
        # Pictures do not tell a jacket from a shirt well.
        yield from _refined(_group(name, exact), _group(f"kin:{name}", any_of))
        return
    wider = {wide for one in items for wide in one.keys} - {item, *_BROAD}
    kin = [*any_of, *((f"{wide}:{key}",) for wide in sorted(wider) for key in keys)]
    kin += [(f"{_KINDLESS_COLOUR}:{key}", f"{first.kind}:{item}") for key in keys]
    yield from _refined(_group(name, exact), _group(f"kin:{name}", kin, weight=KIN))
    plain = [replace(concept, like=()) for concept in items]
    yield from _of_concepts(plain)


def _refined(exact: Group, wide: Group) -> list[Group]:
    """The wide group that answers, and the exact one whose documents come first."""
    if not exact.terms or set(exact.terms) == set(wide.terms):
        return [replace(wide, key=exact.key, weight=max(exact.weight, wide.weight))]
    return [replace(exact, refines=True), wide]


_BROAD = ("vehicle", "object", "animal")
"""Too much to answer for one of them."""


def _items(mention: Mention) -> list[Concept]:
    """The most special first."""
    items = [concept for concept in mention.concepts if concept.kind in ("class", "wear")]
    return sorted(items, key=lambda concept: -len(concept.keys))


def _pairs(mention: Mention) -> list[str]:
    return [f"{item.key}:{colour.key}" for item in _items(mention) for colour in mention.colours]


def _group(
    key: str,
    terms: Iterable[tuple[str, ...]],
    *,
    words: Sequence[Term] = (),
    weight: float = 1.0,
) -> Group:
    made = [Term(tokens=tokens) for tokens in dict.fromkeys(terms)]
    return Group(key=key, terms=(*made, *words), weight=weight)
