"""Scripts and style sheets as they are sent: without what only those who write them need.

Comments go, spaces and ends of lines beside signs, and the last semicolon of a block; names stay,
and so do ends of lines that may stand for a semicolon.
"""

from __future__ import annotations

import re

_SIGNS = frozenset("{}()[];,:?=<>&|*!")
"""Beside these a space means nothing. Not ``+ - /``: ``a + +b`` is another thing without spaces."""
_OPEN_BEFORE = frozenset("{([,;:?=&|*!<>")
_OPEN_AFTER = frozenset("}]),;:?=&|.")
"""After and before these a line that ends means nothing."""
_BEFORE_PATTERN = frozenset("(,=:[!&|?{};\n")
_WORD_BEFORE_PATTERN = re.compile(r"\b(?:return|typeof|case|in|of|else|await|yield|void)\s*$")
"""After these a slash begins a regular expression, and after others it divides."""
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'")
_PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[\w$.]+")
_SPACE = re.compile(r"\s+")
_TEXT = re.compile(r"(?:\\.|[^`\\$]|\$(?!\{))*", re.DOTALL)
"""Of a template literal, up to a value or to its end."""
_CSS_STRING = r'(?P<kept>"(?:\\.|[^"\\])*")'
_CSS_COMMENT = re.compile(rf"{_CSS_STRING}|/\*.*?\*/", re.DOTALL)
_CSS_SPACE = re.compile(rf"{_CSS_STRING}|(?P<sign>(?:\s*[{{}};,]|:)\s*)|\s+")


def compact_script(source: str) -> str:
    r"""A module that does the same in fewer bytes.

    >>> compact_script("const a = [1, 2]; // two\nlet b = () => { c(a + +b); };")
    'const a=[1,2];let b=()=>{c(a + +b)};'
    """
    kept: list[str] = []
    # One entry for each template literal that we are in: how deep the braces of its value are.
    depths: list[int] = []
    at = 0

    def keep(end: int) -> None:
        nonlocal at
        kept.append(source[at:end])
        at = end

    def keep_text() -> None:
        """The words of a template literal, up to a value or to its end."""
        text = _TEXT.match(source, at)
        keep(at if text is None else text.end())
        if source.startswith("${", at):
            keep(at + 2)
            depths.append(0)
        else:
            keep(at + 1)

    while at < len(source):
        if found := _NAME.match(source, at):
            keep(found.end())
            continue
        sign = source[at]
        last = kept[-1][-1] if kept else "\n"
        if found := _COMMENT.match(source, at):
            at = found.end()
        elif found := _SPACE.match(source, at):
            at = found.end()
            following = source[at : at + 1]
            if "\n" in found[0] and last not in _OPEN_BEFORE and following not in _OPEN_AFTER:
                if last != "\n":
                    kept.append("\n")
            elif last not in _SIGNS and last not in " \n" and following not in _SIGNS:
                kept.append(" ")
        elif (found := _STRING.match(source, at)) or (
            sign == "/"
            and (last in _BEFORE_PATTERN or _WORD_BEFORE_PATTERN.search("".join(kept[-2:])))
            and (found := _PATTERN.match(source, at))
        ):
            keep(found.end())
        elif sign == "`":
            keep(at + 1)
            keep_text()
        elif depths and sign == "}" and depths[-1] == 0:
            depths.pop()
            keep(at + 1)
            keep_text()
        else:
            if depths and sign in "{}":
                depths[-1] += 1 if sign == "{" else -1
            # But an empty statement ends there, which a browser would refuse to read without it.
            if sign == "}" and kept and kept[-1] == ";":
                kept.pop()
            keep(at + 1)
    return "".join(kept)


def compact_style(source: str) -> str:
    r"""A style sheet that looks the same in fewer bytes.

    >>> compact_style("/* All. */ a,  b { color: red;\n  margin: 0; }")
    'a,b{color:red;margin:0}'
    """
    bare = _CSS_COMMENT.sub(lambda found: found["kept"] or "", source)
    return (
        _CSS_SPACE.sub(lambda found: found["kept"] or (found["sign"] or " ").strip() or " ", bare)
        .strip()
        .replace(";}", "}")
    )
