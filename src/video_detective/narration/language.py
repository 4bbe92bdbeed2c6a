"""Whether a model's words are in the language asked for, as it is written in Taiwan.

``check`` finds what is wrong; ``corrected`` puts right what can be put right by table, and only
that: characters and terms that have exactly one counterpart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from video_detective.narration.catalogue import Language

HAN_SHARE = 0.75
"""Of a Chinese text, where a Latin word counts as one character: a brand or two is no matter."""
LATIN_SHARE = 0.9
"""Of the letters of an English text."""
FOREIGN_WORDS = 4
"""Latin words in a row within Chinese: a sentence in another language, not a name."""
ECHO = {"zh-TW": 16, "en": 48}
"""Characters in a row that a text has in common with the instructions: it repeats them."""
LOOP_TIMES = 4
"""The same words so often one after another."""
SAID_TIMES = 3
"""The same sentence so often anywhere."""

FindingKind = Literal["script", "mixed", "simplified", "terms", "echo", "loop"]

_HAN = r"[㐀-䶿一-鿿豈-﫿]"
_OTHER = re.compile(r"[Ͱ-Ͽ぀-ヿԀ-׿؀-ۿ฀-๿가-힣Ѐ-ӿ]+")
"""Greek, kana, Armenian and Hebrew, Arabic, Thai, Hangul, Cyrillic: never asked for."""
_LATIN_LETTER = r"[A-Za-zÀ-ÖØ-öø-ɏ]"
_LATIN_WORD = rf"{_LATIN_LETTER}+(?:['’-][A-Za-z]+)*"
_LATIN_RUN = re.compile(rf"{_LATIN_WORD}(?:[ ,.;:]+{_LATIN_WORD}){{{FOREIGN_WORDS - 1},}}")
_HAN_RUN = re.compile(rf"{_HAN}+")
_TRACK = re.compile(r"(?<![A-Za-z0-9])[pvaof]\d{1,7}(?![A-Za-z0-9])")
_LOOP = re.compile(rf"(.{{2,40}}?)\1{{{LOOP_TIMES - 1},}}", re.DOTALL)
_PLACE = re.compile(r"\$[a-z_]{3,}|\{\{.*?\}\}|<提供影像>")
_MOST_NAMED = 12
"""Words of a finding that the model is told; it finds the others by itself."""
_LEAST_LETTERS = 6
"""Fewer say nothing about a language: ``T恤``."""
_SENTENCE = re.compile(r"[^。！？!?.\n]{6,}")

# Half-width marks between Chinese characters become full-width ones.
_MARKS = str.maketrans(",:;?!()", "，：；？！（）")
_HALF = re.compile(rf"(?<={_HAN}|[，。：；？！」）])[,:;?!()]|[,;?!()](?={_HAN})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with a text's language.

    Args:
        kind: ``script`` (too little of the language's script), ``mixed`` (a run of another
            language), ``simplified`` (characters not used in Taiwan), ``terms`` (words not used
            there), ``echo`` (of the prompt), ``loop`` (the same again and again).
        words: Where, each as it stands in the text; of terms ``word→what Taiwan says``.
    """

    kind: FindingKind
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word and what it is called in Taiwan.

    Args:
        word: In traditional characters.
        taiwan: What to say instead; more than one where the meaning decides.
        unless: Within these the word is right.
    """

    word: str
    taiwan: tuple[str, ...]
    unless: tuple[str, ...] = ()


@cache
def simplified_characters() -> Mapping[str, tuple[str, ...]]:
    """Characters never right in Taiwan, with their traditional counterparts."""
    lines = _resource("simplified.tsv").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {sign: tuple(targets.split()) for sign, targets in rows}


@cache
def terms() -> tuple[Term, ...]:
    """Words said otherwise in Taiwan, longest first."""
    rows = json.loads(_resource("terms.zh-TW.json"))
    read = [
        Term(word=row["word"], taiwan=tuple(row["taiwan"]), unless=tuple(row.get("unless", ())))
        for row in rows
    ]
    return tuple(sorted(read, key=lambda term: (-len(term.word), term.word)))


def check(
    texts: Iterable[str],
    language: Language,
    *,
    names: Sequence[str] = (),
    instructions: str = "",
) -> tuple[Finding, ...]:
    """What is wrong with the language of texts that belong together.

    Args:
        texts: Sentences and lists as people would read them; empty ones count for nothing.
        language: In which they should be.
        names: May stand in any script and wording.
        instructions: What the program said to the model; facts that it may repeat are no part.

    Returns:
        At most one finding of each kind; none for good texts and for no text.
    """
    said = [text for text in texts if text.strip()]
    plain = [_without(text, names) for text in said]
    whole = "\n".join(plain)
    found = [_script(whole, language), _mixed(plain, language)]
    if language == "zh-TW":
        found += [_simplified(whole), _terms(whole)]
    found += [_echo(said, instructions, language), _loop(said)]
    return tuple(finding for finding in found if finding is not None)


def corrected(text: str, language: Language, *, names: Sequence[str] = ()) -> str:
    """The text with what one table entry decides put right; names stay as they are.

    In Chinese: simplified characters and terms with a single counterpart, and full-width marks
    between Chinese characters. An English text is left alone.
    """
    if language != "zh-TW":
        return text
    return "".join(
        part if is_name else _corrected(part) for part, is_name in _around_names(text, names)
    )


def problems(findings: Sequence[Finding], language: Language) -> list[str]:
    """The findings in words for the model that is to rewrite its answer."""
    said, comma = _PROBLEMS[language], "、" if language == "zh-TW" else ", "
    return [
        said[finding.kind].format(words=comma.join(finding.words[:_MOST_NAMED]))
        for finding in findings
    ]


_PROBLEMS: Mapping[Language, Mapping[FindingKind, str]] = {
    "zh-TW": {
        "script": "文句不是繁體中文，請全部改寫成繁體中文。",
        "mixed": "夾雜其他語言：{words}。請改成繁體中文。",
        "simplified": "有簡體字：{words}。請改成繁體字。",
        "terms": "不是臺灣用語，請改用箭頭後的詞：{words}。",
        "echo": "照抄了指示：{words}。請刪去，只留下對事件的描述。",
        "loop": "同樣的話一再重複：{words}。請只說一次。",
    },
    "en": {
        "script": "The sentences are not in English; rewrite all of them in English.",
        "mixed": "Another language is mixed in: {words}. Say it in English.",
        "simplified": "Characters to replace: {words}.",
        "terms": "Words to replace: {words}.",
        "echo": "The instructions are repeated: {words}. Leave that out.",
        "loop": "The same words again and again: {words}. Say them once.",
    },
}


def _resource(name: str) -> str:
    place = files("video_detective.narration").joinpath(f"wording/{name}")
    return place.read_text(encoding="utf-8")


def _around_names(text: str, names: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The parts of a text in their order, each with whether it is a name."""
    known = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
    if not known:
        yield text, False
        return
    pattern = re.compile("|".join(map(re.escape, known)))
    place = 0
    for match in pattern.finditer(text):
        yield text[place : match.start()], False
        yield match[0], True
        place = match.end()
    yield text[place:], False


def _without(text: str, names: Sequence[str]) -> str:
    """The text without names and track ids."""
    kept = " ".join(part for part, is_name in _around_names(text, names) if not is_name)
    return _TRACK.sub(" ", kept)


def _script(text: str, language: Language) -> Finding | None:
    letters = sum(sign.isalpha() for sign in text)
    if letters < _LEAST_LETTERS:
        return None
    if language == "zh-TW":
        words = len(re.findall(_LATIN_WORD, text))
        latin = len(re.findall(_LATIN_LETTER, text))
        share, least = len(re.findall(_HAN, text)) / (letters - latin + words), HAN_SHARE
    else:
        share, least = len(re.findall(_LATIN_LETTER, text)) / letters, LATIN_SHARE
    return None if share >= least else Finding(kind="script", words=(f"{share:.0%}",))


def _mixed(texts: Sequence[str], language: Language) -> Finding | None:
    runs = _LATIN_RUN if language == "zh-TW" else _HAN_RUN
    words = [match[0] for text in texts for match in (*runs.finditer(text), *_OTHER.finditer(text))]
    return Finding(kind="mixed", words=_each(words)) if words else None


def _simplified(text: str) -> Finding | None:
    table = simplified_characters()
    words = [sign for sign in text if sign in table]
    return Finding(kind="simplified", words=_each(words)) if words else None


def _terms(text: str) -> Finding | None:
    words = [f"{term.word}→{'／'.join(term.taiwan)}" for _, term in _terms_in(_traditional(text))]
    return Finding(kind="terms", words=_each(words)) if words else None


def _terms_in(text: str) -> list[tuple[int, Term]]:
    """Terms in traditional text with their places, in order, longest first, none in another."""
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, Term]] = []
    for term in terms():
        for match in re.finditer(re.escape(term.word), text):
            start, end = match.span()
            is_inside = any(start < b and a < end for a, b in taken)
            if not is_inside and not _is_right(term, text, start):
                taken.append((start, end))
                found.append((start, term))
    return sorted(found, key=lambda pair: pair[0])


def _is_right(term: Term, text: str, start: int) -> bool:
    """Whether this occurrence is part of a phrase in which the word is meant."""
    for phrase in (*term.unless, *term.taiwan):
        offset = phrase.find(term.word)
        while offset >= 0:
            if text.startswith(phrase, start - offset) and start >= offset:
                return True
            offset = phrase.find(term.word, offset + 1)
    return False


def _echo(texts: Sequence[str], instructions: str, language: Language) -> Finding | None:
    words = [match[0] for text in texts for match in _PLACE.finditer(text)]
    known, length = _squeezed(instructions), ECHO[language]
    for text in texts:
        tight = _squeezed(text)
        for start in range(len(tight) - length + 1):
            if tight[start : start + length] in known:
                words.append(tight[start : start + length])
                break
    return Finding(kind="echo", words=_each(words)) if words else None


def _loop(texts: Sequence[str]) -> Finding | None:
    words = [
        match[1].strip()
        for text in texts
        for match in _LOOP.finditer(text)
        if any(sign.isalpha() for sign in match[1])
    ]
    # Only within one text: lists and summaries may well say the same of several frames.
    for text in texts:
        sentences = [sentence.strip() for sentence in _SENTENCE.findall(text)]
        words += [one for one in dict.fromkeys(sentences) if sentences.count(one) >= SAID_TIMES]
    return Finding(kind="loop", words=_each(word[:40] for word in words)) if words else None


def _corrected(text: str) -> str:
    text = _traditional(text)
    for start, term in reversed(_terms_in(text)):
        if len(term.taiwan) == 1:
            text = text[:start] + term.taiwan[0] + text[start + len(term.word) :]
    return _HALF.sub(lambda match: match[0].translate(_MARKS), text)


def _traditional(text: str) -> str:
    """Simplified characters that stand for one traditional character only, replaced."""
    table = simplified_characters()
    return "".join(
        table[sign][0] if sign in table and len(table[sign]) == 1 else sign for sign in text
    )


def _squeezed(text: str) -> str:
    """Lower case, without spaces where they do not part words."""
    return re.sub(rf"\s+(?={_HAN})|(?<={_HAN})\s+", "", " ".join(text.lower().split()))


def _each(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
