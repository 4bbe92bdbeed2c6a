"""Finds the words of a question that may speak of time."""

from __future__ import annotations

from video_detective.search.times.tokens import Mark, Pattern, Token
from video_detective.search.times.words import chinese, english, numeric

_PATTERNS: tuple[Pattern, ...] = (*numeric.PATTERNS, *chinese.PATTERNS, *english.PATTERNS)
_STARTING: dict[str, tuple[Pattern, ...]] = {
    character: tuple(pattern for pattern in _PATTERNS if character in pattern.starts)
    for pattern in _PATTERNS
    for character in pattern.starts
}
_SPACE = (Mark.FILLER,)


def tokens_of(text: str) -> list[Token]:
    """Every token of a folded text, in order; what stands between two of them means nothing here.

    At each character the first pattern that matches counts, in the order of the lists; English
    words and figures are left or taken whole.
    """
    found: list[Token] = []
    position = 0
    while position < len(text):
        token = _token_at(text, position)
        if token is None:
            position = _past_word(text, position)
        else:
            found.append(token)
            position = token.end
    return found


def _token_at(text: str, position: int) -> Token | None:
    if text[position] in " ,":
        return Token(meanings=_SPACE, start=position, end=position + 1)
    for pattern in _STARTING.get(text[position], ()):
        match = pattern.regex.match(text, position)
        if match is not None and match.end() > position:
            meanings = pattern.meanings(match)
            if meanings:
                return Token(meanings=meanings, start=position, end=match.end(), weak=pattern.weak)
    return None


def _past_word(text: str, position: int) -> int:
    """After the English word or the figures that begin here, or after one other character."""
    kind = _kind(text[position])
    end = position + 1
    while kind and end < len(text) and _kind(text[end]) == kind:
        end += 1
    return end


def _kind(character: str) -> str:
    if character.isascii():
        return "letter" if character.isalpha() else "figure" if character.isdigit() else ""
    return ""
