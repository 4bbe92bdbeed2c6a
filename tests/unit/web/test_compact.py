"""Scripts and style sheets as they are sent."""

import re
from importlib import resources

import pytest

from video_detective.web.compact import compact_script, compact_style

STATIC = resources.files("video_detective.web").joinpath("static")
SCRIPTS = sorted(file.name for file in STATIC.iterdir() if file.name.endswith(".js"))


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ('x = "a  // b" + \'c  "d\';', 'x="a  // b" + \'c  "d\';'),
        ("x = `a  ${ f({ b: `c  ${d}  ` }) }  // e`;", "x=`a  ${f({b:`c  ${d}  `})}  // e`;"),
        ('x = /[/ ]  \\/ "/g.test(y) / 2;', 'x=/[/ ]  \\/ "/g.test(y)/ 2;'),
        ("a = b - -c; d = e ++ + f;", "a=b - -c;d=e ++ + f;"),
        ("return x /* what */ in y", "return x in y"),
        ("a = f(\n  b,\n  c\n)\n  .d()\n", "a=f(b,c).d()\n"),
        ("if (a) b()\nelse\n  c()\n(d)", "if(a)b()\nelse\nc()\n(d)"),
        ('return /[", ]/.test( a )', 'return /[", ]/.test(a)'),
        ("let a = 1\n\n  // why\n  ;[b] = c", "let a=1\n;[b]=c"),
        ("x = '\\'  y'", "x='\\'  y'"),
        ("$`cost $5  ${a}`", "$`cost $5  ${a}`"),
    ],
)
def test_only_what_means_nothing_is_left_out(source: str, sent: str) -> None:
    assert compact_script(source) == sent


@pytest.mark.parametrize("name", SCRIPTS)
def test_strings_and_names_stay_as_they_are(name: str) -> None:
    source = STATIC.joinpath(name).read_text("utf-8")
    sent = compact_script(source)
    bare = re.sub(r"(?m)^\s*//.*$|/\* .*? \*/", "", source)
    words = re.findall(r"[\w$\u4e00-\u9fff]+", bare)
    kept = re.findall(r"[\w$\u4e00-\u9fff]+", sent)
    # Words of comments at the ends of lines are the only ones to go.
    trailing = [
        re.findall(r"[\w$\u4e00-\u9fff]+", end) for end in re.findall(r" // (.*)$", bare, re.M)
    ]
    assert len(words) - len(kept) == sum(map(len, trailing))
    assert compact_script(sent) == sent


def test_a_style_sheet_keeps_its_strings_and_selectors() -> None:
    style = (
        'a::after { content: "a,  b; /* c */"; }\n/* d */\n.e .f , .g>h :is(i) { margin: 0 1px }'
    )
    assert compact_style(style) == (
        'a::after{content:"a,  b; /* c */"}.e .f,.g>h :is(i){margin:0 1px}'
    )
