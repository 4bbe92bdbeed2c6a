"""Numbers as they stand in times: digits, Chinese numerals, English words."""

from __future__ import annotations

DIGITS = "0123456789"
NUMERALS = "零〇一二兩三四五六七八九十廿卅百"
HAN = rf"[{NUMERALS}]{{1,7}}"
"""A Chinese number, in a regular expression."""

_VALUES = {"零": 0, "〇": 0, "兩": 2, **{one: n for n, one in enumerate("一二三四五六七八九", 1)}}
_TENS = {"十": 10, "廿": 20, "卅": 30}


def listed(text: str, sep: str = " ") -> tuple[str, ...]:
    """The words of a table, written one after the other."""
    return tuple(text.split(sep))


_ONES = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
_ENGLISH_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
WORDS: dict[str, int] = {
    **{word: n for n, word in enumerate(_ONES)},
    **_ENGLISH_TENS,
    **{
        f"{ten}{hyphen}{word}": value + n
        for ten, value in _ENGLISH_TENS.items()
        for n, word in enumerate(_ONES[1:10], 1)
        for hyphen in "- "
    },
}
"""English words for 0 to 59."""


def number(text: str) -> int | None:
    """A whole number of at least 0, or None when the text is none.

    >>> number("二十三"), number("一一四"), number("twenty-five"), number("一百零五")
    (23, 114, 25, 105)
    """
    if text.isascii():
        return int(text) if text.isdigit() else WORDS.get(text)
    if not any(unit in text for unit in "十廿卅百"):
        return (
            int("".join(str(_VALUES[one]) for one in text)) if set(text) <= set(_VALUES) else None
        )
    hundreds, mark, text = text.rpartition("百")
    total = 100 * _VALUES.get(hundreds or "一", 0) if mark else 0
    text = text.lstrip("零〇")
    for unit, value in _TENS.items():
        before, mark, after = text.partition(unit)
        if mark:
            tens = _VALUES.get(before, 0) if before else 1
            ones = _VALUES.get(after, 0) if after else 0
            return total + value * tens + ones
    return total + (_VALUES.get(text, 0) if text else 0)
