"""What the index keeps of events and frames, and the text of which vectors are made.

Most of what is written about events repeats from event to event but for its numbers. Texts are
therefore cut at words with digits, and what the pieces between leave in the index is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

from video_detective.detection.base import CLASS_GROUPS
from video_detective.narration.catalogue import catalogue, event_name
from video_detective.search.base import Document
from video_detective.search.concepts import concept_tokens
from video_detective.search.lexicon import lexicon
from video_detective.search.tokens import fold, folded_tokens, tokens_of

_NUMBERED = re.compile(r"((?:[A-Za-z_.-]*+[0-9][A-Za-z0-9_.:-]*))")
"""Ids, times and numbers: what differs between events that are told alike."""


class TakesPart(Protocol):
    """What is read of a ``rules.Actor``."""

    @property
    def track_id(self) -> str:
        """Which track."""

    @property
    def type(self) -> str:
        """Its type."""


class Happened(Protocol):
    """What is read of a ``rules.Event``."""

    @property
    def event_id(self) -> str:
        """Which event."""

    @property
    def camera_id(self) -> str:
        """Whose."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def risk_level(self) -> str:
        """How grave."""

    @property
    def rule_id(self) -> str:
        """Which rule established it."""

    @property
    def zone(self) -> str | None:
        """Where, by id."""

    @property
    def tripwire(self) -> str | None:
        """Where, by id."""

    @property
    def actors(self) -> Sequence[TakesPart]:
        """Who took part."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was measured; the parts are read."""


def event_document(
    event: Happened,
    *,
    summary_zh: str,
    summary_en: str,
    keywords_zh: Sequence[str],
    told: str = "",
    names: Sequence[str] = (),
) -> Document:
    """What the index keeps of an event.

    Besides words and concepts of its texts it holds what the rules established:
    ``type:loitering`` (also of a merged event's parts), ``class:car`` with its group
    ``class:vehicle``, ``risk:high``, ``camera:cam01``, ``zone:yard@cam01``,
    ``tripwire:fence@cam01``, ``rule:back-door@cam01``. That an event is of a type is for its rule
    to say, and where it was for its camera: the sentences made from its facts leave places and no
    types, a model's words ``said:loitering`` and ``near:warehouse``.

    Args:
        event: The event as it stands.
        summary_zh: The sentence made from its facts.
        summary_en: The same in English.
        keywords_zh: Terms under which people look for it.
        told: A model's words about it, "" while there are none.
        names: Names of its camera, zone and tripwire, where the keywords may lack them.
    """
    names = tuple(names)
    types = (event.type, *(str(part["type"]) for part in event.facts.get("parts", ())))
    sentences = [_NUMBERED.split(sentence) for sentence in (summary_zh, summary_en)]
    usual, head, between = _usual(
        (event.camera_id, event.zone, event.tripwire, event.rule_id, event.risk_level, types),
        tuple([actor.type for actor in event.actors]),
        tuple(keywords_zh),
        names,
        tuple([tuple(pieces[::2]) for pieces in sentences]),
    )
    own = {fold(event.event_id)}
    own.update([fold(actor.track_id) for actor in event.actors])
    texts = [head]
    for pieces, folded in zip(sentences, between, strict=True):
        pieces[::2] = folded
        for index in range(1, len(pieces), 2):
            held, pieces[index] = _number(pieces[index])
            own.update(held)
        texts.append("".join(pieces))
    if told:
        texts.append(_read(told, own, said=True))
    return Document(usual=usual, own=frozenset(own - usual), text="\n".join(texts))


@lru_cache(maxsize=4096)
def _usual(
    established: tuple[str, str | None, str | None, str, str, tuple[str, ...]],
    classes: tuple[str, ...],
    keywords: tuple[str, ...],
    names: tuple[str, ...],
    sentences: tuple[tuple[str, ...], ...],
) -> tuple[frozenset[str], str, tuple[tuple[str, ...], ...]]:
    """What all events leave that differ only in numbers.

    Args:
        established: Arguments of ``_established``.
        classes: Of the actors.
        keywords: As of ``event_document``.
        names: As of ``event_document``.
        sentences: Of each what stands between the numbers.

    Returns:
        Tokens, the folded keywords and names, the folded ``sentences``.
    """
    held = {*_established(*established), *_classes(tuple(dict.fromkeys(classes)))}
    words, text = _keywords(keywords, names)
    held |= words
    folded: list[tuple[str, ...]] = []
    for pieces in sentences:
        read = [_piece(piece, False, names) for piece in pieces]
        held.update(*(tokens for tokens, _ in read))
        folded.append(tuple(between for _, between in read))
    return frozenset(held), text, tuple(folded)


def frame_document(
    *,
    camera_id: str,
    classes: Iterable[str] = (),
    words: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Document:
    """What the index keeps of one frame of an event.

    Args:
        camera_id: Whose frame.
        classes: Of what was detected in it.
        words: A model's words about it: summary, actions, notable things.
        names: Names of camera and zone.
    """
    held = {f"camera:{fold(camera_id)}", *_classes(tuple(dict.fromkeys(classes)))}
    named, text = _keywords((), tuple(names))
    held |= named
    texts = [text, *(_read(sentence, held, said=True) for sentence in words if sentence)]
    return Document(usual=frozenset(), own=frozenset(held), text="\n".join(texts))


def embedding_text(
    event: Happened,
    *,
    summary_zh: str,
    keywords_zh: Sequence[str],
    told: str = "",
    names: Sequence[str] = (),
) -> str:
    """The text of which an event's vector is made.

    Args:
        event: The event as it stands.
        summary_zh: The sentence made from its facts.
        keywords_zh: Terms under which people look for it.
        told: A model's words about it; they follow the sentence.
        names: Names of its camera, zone and tripwire.
    """
    places = (event.camera_id, *names, event.zone, event.tripwire)
    return "\n".join(
        [
            f"[事件類型] {event_name(event.type)}",
            f"[地點] {' '.join(dict.fromkeys(place for place in places if place))}",
            f"[摘要] {' '.join(part for part in (summary_zh, told) if part)}",
            f"[關鍵詞] {', '.join(keywords_zh)}",
        ]
    )


def _read(text: str, held: set[str], *, said: bool) -> str:
    """Add what a text leaves in the index to ``held``; the folded text."""
    pieces = _NUMBERED.split(text)
    for index, piece in enumerate(pieces):
        found: Iterable[str]
        found, pieces[index] = _number(piece) if index % 2 else _piece(piece, said, ())
        held.update(found)
    return "".join(pieces)


@lru_cache(maxsize=8192)
def _number(piece: str) -> tuple[tuple[str, ...], str]:
    folded = fold(piece)
    return tokens_of(folded), folded


@lru_cache(maxsize=16384)
def _piece(text: str, said: bool, names: tuple[str, ...]) -> tuple[frozenset[str], str]:
    folded = fold(text)
    # Nobody queues because a zone is called 排隊區.
    told = folded
    for name in names:
        told = told.replace(fold(name), "\n")
    return concept_tokens(told, said=said).union(folded_tokens(folded)), folded


@lru_cache(maxsize=4096)
def _keywords(words: tuple[str, ...], names: tuple[str, ...]) -> tuple[frozenset[str], str]:
    """What keywords and names leave; the template's own synonyms are words without a concept."""
    held: set[str] = set()
    own = _template_words()
    for word in words:
        if word in own or word in names:
            held.update(folded_tokens(fold(word)))
        else:
            _read(word, held, said=False)
    for name in names:
        found = concept_tokens(fold(name), said=False)
        held.update(token for token in found if token.startswith("place:"))
        held.update(folded_tokens(fold(name)))
    return frozenset(held), fold("\n".join(dict.fromkeys((*words, *names))))


@cache
def _template_words() -> frozenset[str]:
    words = catalogue("zh-TW")
    own = [
        word for entry in words["events"].values() for word in (entry["name"], *entry["synonyms"])
    ]
    return frozenset([*own, *words["keywords"]["person"]])


def _established(
    camera: str,
    zone: str | None,
    tripwire: str | None,
    rule: str,
    risk: str,
    types: tuple[str, ...],
) -> tuple[str, ...]:
    held = [f"type:{kind}" for kind in types]
    held += [f"risk:{risk}", f"camera:{camera}", f"rule:{rule}@{camera}"]
    held += [f"zone:{zone}@{camera}"] if zone else []
    held += [f"tripwire:{tripwire}@{camera}"] if tripwire else []
    return tuple(token.lower() for token in held)


@lru_cache(maxsize=256)
def _classes(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Classes detected, with what the lexicon and the detector's groups say they are."""
    concepts = lexicon().concepts
    held: list[str] = []
    for kind in kinds:
        held += [f"class:{kind}", f"class:{CLASS_GROUPS.get(kind, kind)}"]
        if ("class", kind) in concepts:
            held += concepts["class", kind].tokens
    return tuple(dict.fromkeys(held))
