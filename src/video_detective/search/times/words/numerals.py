"""Numbers as they stand in times: digits, Chinese numerals, English words."""

from __future__ import annotations

DIGITS = "0123456789"
NUMERALS = "零〇一二兩三四五六七八九十廿卅百"
HAN = rf"[{NUMERALS}]{{1,7}}"
"""A Chinese number, in a regular expression."""

_DIGITS = {"零": 0, "〇": 0, "兩": 2, **{one: n for n, one in enumerate("一二三四五六七八九", 1)}}
_TENS = {"十": 10, "廿": 20, "卅": 30}


def listed(text: str, sep: str = " ") -> tuple[str, ...]:
    """The words of a table, written one after the other."""
    return tuple(text.split(sep))


_ONES = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
_ENGLISH_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
ONES = _ONES[1:10]
WORDS: dict[str, int] = {
    **{word: n for n, word in enumerate(_ONES)},
    **_ENGLISH_TENS,
    **{
        f"{ten}{hyphen}{word}": value + n
        for ten, value in _ENGLISH_TENS.items()
        for n, word in enumerate(ONES, 1)
        for hyphen in "- "
    },
}
"""English words for 0 to 59."""


def number(text: str) -> int | None:
    """A whole number of at least 0, or None when the text is none.

    Two numerals in a row are about so many (兩三天) and no number.

    >>> number("二十三"), number("twenty-five"), number("一百零五"), number("兩三"), number("三〇")
    (23, 25, 105, None, 30)
    """
    if text.isascii():
        return int(text) if text.isdigit() else WORDS.get(text)
    hundreds, mark, rest = text.rpartition("百")
    if mark:
        count, more = _DIGITS.get(hundreds or "一"), number(rest.lstrip("零〇") or "0")
        return None if count is None or more is None else 100 * count + more
    for unit, value in _TENS.items():
        before, mark, after = text.partition(unit)
        if mark:
            tens, ones = _DIGITS.get(before or "一"), _DIGITS.get(after or "零")
            return None if tens is None or ones is None else value * tens + ones
    return number_in_figures(text) if len(text) == 1 or set(text) & set("零〇") else None


def number_in_figures(text: str) -> int | None:
    """A number written figure by figure, as years are: 二〇二五, 一一四; or as any other is.

    >>> number_in_figures("二〇二五"), number_in_figures("一百一十四")
    (2025, 114)
    """
    if not set(text) <= _DIGITS.keys():
        return number(text)
    return int("".join(str(_DIGITS[one]) for one in text))
