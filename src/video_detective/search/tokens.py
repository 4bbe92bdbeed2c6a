"""What an index holds of a text: pairs of Chinese characters, words, and how they are matched.

Everything here works on *folded* text: NFKC, lower case, and traditional characters written as the
simplified ones, so that both match. Folding serves matching only; nobody reads folded text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

from video_detective.search.base import Term

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
_HAN += "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts written without spaces between words (and Korean, whose particles cling to words)."""

_RUN = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+(?:[-_.][^\W_{_HAN}]+)*")
_PARTS = re.compile(r"[-_.]")
CLOCK = re.compile(r"(?<!\d)\d{1,2}:\d\d(?::\d\d)?(?![\d:])")
"""A time of day; the time filter finds those, the index does not hold them."""


def fold(text: str) -> str:
    """The form in which texts are compared.

    Args:
        text: Anything.

    Returns:
        NFKC, lower case, each traditional character as its simplified one (後, 后 → 后).

    >>> fold("後門ＣＡＭ０１")
    '后门cam01'
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    return folded if folded.isascii() else folded.translate(_simplified())


def tokens(text: str) -> list[str]:
    """What the index holds of a text, in order, with repetitions.

    A run of Chinese characters gives every pair of neighbours and its last character alone, so
    that a single character is the beginning of some token. A word gives itself and, where it has
    hyphens, underscores or points, its parts. Times of day give nothing.

    Args:
        text: Anything; it is folded here.

    >>> tokens("後門 cam-01 22:05")
    ['后门', '门', 'cam-01', 'cam', '01']
    """
    return list(tokens_of(fold(text)))


@lru_cache(maxsize=8192)
def folded_tokens(folded: str) -> tuple[str, ...]:
    """``tokens`` of a text that is folded already, and of which there are others alike."""
    return tokens_of(folded)


def tokens_of(folded: str) -> tuple[str, ...]:
    """``tokens`` of a text that is folded already."""
    found: list[str] = []
    for run in _RUN.findall(CLOCK.sub(" ", folded)):
        if _is_han(run):
            found += map("".join, pairwise(run))
            found.append(run[-1])
        else:
            found.append(run)
            if not run.isalnum():
                found += _PARTS.split(run)
    return tuple(found)


def word_term(word: str) -> Term:
    """The term that a document with this word satisfies.

    Args:
        word: One or more words as people write them; with at least one letter or digit.

    Returns:
        Its tokens; a single Chinese character as the beginning of a token; with the folded word
        itself where the pairs of its characters could occur apart.

    >>> word_term("後門口")
    Term(tokens=('后门', '门口'), text='后门口')
    """
    wanted: list[str] = []
    runs = _RUN.findall(fold(word))
    for run in runs:
        if not _is_han(run):
            wanted.append(run)
        elif len(run) == 1:
            wanted.append(f"{run}*")
        else:
            wanted += map("".join, pairwise(run))
    apart = len(runs) == 1 and len(wanted) > 1
    return Term(tokens=tuple(dict.fromkeys(wanted)), text=runs[0] if apart else "")


def _is_han(run: str) -> bool:
    return _HAN_START.match(run) is not None


_HAN_START = re.compile(f"[{_HAN}]")


@cache
def _simplified() -> Mapping[int, str]:
    resource = files("video_detective.search").joinpath("lexicon/characters.txt")
    lines = resource.read_text(encoding="utf-8").splitlines()
    pairs = (pair for line in lines if not line.startswith("#") for pair in line.split())
    return {ord(pair[0]): pair[1] for pair in pairs}
