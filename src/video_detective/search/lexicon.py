"""Words and the concepts they name, read from the data beside this module.

Each file under ``lexicon/`` holds one kind of concept: event types, classes of things, people,
clothing, colours, places, behaviour, risk, and words that name none of them but contain one that
does (停車場 is no 車). A concept has ``zh`` words in either script, ``en`` words and phrases (their
plurals are made here), ``verbs`` (inflected here), ``is`` (more general concepts of its kind),
``also`` (tokens that answer a question for it just as well; several in one string must occur
together), ``kin`` (likewise, but what has only them comes later) and ``like`` (tokens of what is no
answer, but nearer to one than nothing). ``short`` colours count only right before a thing (紅帽),
``bound`` things only right after a colour (紅衣).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from video_detective.search.tokens import fold

KINDS = ("type", "class", "who", "wear", "colour", "place", "act", "risk", "none")

_FILES = (
    "types",
    "things",
    "people",
    "clothes",
    "colours",
    "places",
    "behaviours",
    "risks",
    "none",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """What words mean.

    Args:
        kind: One of ``KINDS``.
        key: Unique within its kind.
        keys: The key itself and those of the concepts it is one of, nearest first.
        tokens: What a mention leaves in an index: ``kind:key`` for each of ``keys``, and the class
            that people belong to.
        also: Further ways to answer a question for it; the tokens of each must occur together.
        kin: Ways that answer it less well.
        like: What is no answer, but comes before what has nothing of it.
    """

    kind: str
    key: str
    keys: tuple[str, ...]
    tokens: tuple[str, ...]
    also: tuple[tuple[str, ...], ...] = ()
    kin: tuple[tuple[str, ...], ...] = ()
    like: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word or phrase and its concepts; more than one where it is either or both.

    Args:
        concepts: Empty for words that only hide others.
        role: ``full``; ``short`` colours; ``bound`` things.
    """

    concepts: tuple[Concept, ...]
    role: str = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """All words.

    Args:
        words: By their folded form, with single spaces.
        pattern: Finds the longest word at each place of a folded text.
        concepts: By (kind, key).
    """

    words: Mapping[str, Word]
    pattern: re.Pattern[str]
    concepts: Mapping[tuple[str, str], Concept]

    def word(self, found: str) -> Word:
        """The word that the pattern found."""
        return self.words[found.replace("-", " ")]


@cache
def lexicon() -> Lexicon:
    """The lexicon that comes with the program."""
    concepts: dict[tuple[str, str], Concept] = {}
    full: dict[str, list[Concept]] = {}
    partial: dict[str, tuple[Concept, str]] = {}
    for name in _FILES:
        content = _read(name)
        for key, entry in content["concepts"].items():
            concept = _concept(content, key, entry)
            concepts[concept.kind, key] = concept
            for word in _forms(entry):
                full.setdefault(word, []).append(concept)
            for role in ("short", "bound"):
                partial |= {fold(word): (concept, role) for word in entry.get(role, "").split()}
    words = {word: Word(concepts=(found,), role=role) for word, (found, role) in partial.items()}
    for word, meant in full.items():
        real = [concept for concept in dict.fromkeys(meant) if concept.kind != "none"]
        words[word] = Word(concepts=tuple(real))
    return Lexicon(words=words, pattern=longest(words), concepts=concepts)


def longest(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that matches the longest of the words that stands at a place.

    Latin words match as whole words only; a space in them matches a hyphen too.
    """
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = word
    return re.compile(_branches(tree, first=True))


def inflected(verb: str) -> Iterator[str]:
    """A regular verb's forms, the first word of a phrase inflected.

    >>> list(inflected("climb over")), list(inflected("stop"))[2:]
    (['climb over', 'climbs over', 'climbed over', 'climbing over'], ['stopped', 'stopping'])
    """
    head, _, tail = verb.partition(" ")
    rest = f" {tail}" if tail else ""
    stem = head
    if head.endswith("e") and not head.endswith("ee"):
        stem = head[:-1]
    elif re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", head):
        stem = head + head[-1]
    past = f"{head[:-1]}ied" if re.search(r"[^aeiou]y$", head) else f"{stem}ed"
    present = f"{head[:-2]}ying" if head.endswith("ie") else f"{stem}ing"
    for form in (head, _plural(head), past.replace("eeed", "eed"), present):
        yield f"{form}{rest}"


def _plural(word: str) -> str:
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        return f"{word}es"
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}s"


def _forms(entry: Mapping[str, Any]) -> Iterator[str]:
    for word in str(entry.get("zh", "")).split():
        yield fold(word)
    for word in _phrases(entry.get("en", "")):
        yield word
        if not word.endswith("s"):
            yield _plural(word)
    for verb in _phrases(entry.get("verbs", "")):
        yield from inflected(verb)


def _phrases(text: str) -> list[str]:
    parts = (" ".join(fold(part).replace("-", " ").split()) for part in text.split(","))
    return [part for part in parts if part]


def _concept(content: Mapping[str, Any], key: str, entry: Mapping[str, Any]) -> Concept:
    kind = content["kind"]
    keys = (key, *entry.get("is", ()))
    of = (content["of"],) if "of" in content else ()
    return Concept(
        kind=kind,
        key=key,
        keys=keys,
        tokens=(*(f"{kind}:{each}" for each in keys), *of),
        also=_ways(entry, "also"),
        kin=_ways(entry, "kin"),
        like=_ways(entry, "like"),
    )


def _ways(entry: Mapping[str, Any], name: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(tokens.split()) for tokens in entry.get(name, ()))


def _read(name: str) -> Any:
    resource = files("video_detective.search").joinpath(f"lexicon/{name}.json")
    return json.loads(resource.read_text(encoding="utf-8"))


def _branches(node: Mapping[str, Any], *, first: bool = False) -> str:
    branches = []
    for letter, below in node.items():
        if letter:
            start = "(?<![a-z0-9])" if first and letter.isascii() and letter.isalnum() else ""
            branches.append(
                start + ("[ -]" if letter == " " else re.escape(letter)) + _branches(below)
            )
    if "" in node:
        # The word ends here unless a longer one goes on; a Latin one not inside another word.
        branches.append("(?![a-z0-9])" if node[""][-1].isascii() else "")
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWords:
    """Words of questions that ask for nothing by themselves.

    Args:
        pattern: Finds the longest of them at each place of a folded text; of single Chinese
            characters only those that are hardly ever part of a word of content.
        edges: Single characters that ask for nothing at either end of what is left.
        generic_names: What names end in that says nothing (攝影機, 區), longest first.
    """

    pattern: re.Pattern[str]
    edges: str
    generic_names: tuple[str, ...]


@cache
def stop_words() -> StopWords:
    """The stop words that come with the program."""
    content = _read("questions")
    chinese = [fold(word) for word in content["stop"]["zh"].split()]
    words = [word for word in chinese if len(word) > 1]
    words += [fold(word) for word in content["stop"]["always"].split()]
    words += _phrases(content["stop"]["en"])
    generic = {fold(word) for word in content["generic_names"].split()}
    return StopWords(
        pattern=longest(words),
        edges="".join(word for word in chinese if len(word) == 1),
        generic_names=tuple(sorted(generic, key=lambda word: (-len(word), word))),
    )
