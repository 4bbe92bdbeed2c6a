"""The form of a question that time words are looked for in, and the way back to the question.

NFKC, lower case, one character for each dash and for each way to write a space, simplified
characters of time words as the traditional ones, and no space beside a Chinese character, so that
「昨天 10 点」 and 「昨天１０點」 are one text.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_SIMPLIFIED = (
    "来仓个侧价内两别刚区员吗国圆场将层岗币几库厅张后从彻摄数于时历会条栋楼样桥机柜岁"
    "没浅为无烟炉争现当监码礼种纪约组线编续与舱万号冲里视许诉语谈谍货车轻辆这周进过远"
    "邻锅镜钟长门开间闸阵队只离电雾头愿类飞饼馆鹅黄点"
)
_TRADITIONAL = (
    "來倉個側價內兩別剛區員嗎國圓場將層崗幣幾庫廳張後從徹攝數於時曆會條棟樓樣橋機櫃歲"
    "沒淺為無菸爐爭現當監碼禮種紀約組線編續與艙萬號衝裡視許訴語談諜貨車輕輛這週進過遠"
    "鄰鍋鏡鐘長門開間閘陣隊隻離電霧頭願類飛餅館鵝黃點"
)
"""Of every character that the tables and patterns for Chinese are written with."""

_VARIANTS = str.maketrans(
    _SIMPLIFIED + "游裏鍾台∼〜–—―−‒‐‑∶○◯’",
    _TRADITIONAL + "遊裡鐘臺~~-------:〇〇'",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A folded question.

    Args:
        text: May be shorter or longer than the question.
        origins: For each character of the text, which character of the question it comes from;
            never falling.
    """

    text: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the question behind ``text[start:end]``, which is not empty."""
        return self.origins[start], self.origins[end - 1] + 1


def fold(question: str) -> Folded:
    """Fold a question.

    >>> fold("昨天 １０ 点").text
    '昨天10點'
    """
    folded: list[str] = []
    origins: list[int] = []
    for origin, written in enumerate(question):
        plain = written if written.isascii() else unicodedata.normalize("NFKC", written)
        if unicodedata.category(written) == "Cf":  # nobody sees it
            continue
        for one in plain.lower().translate(_VARIANTS):
            if one.isspace():
                if not folded or folded[-1] == " " or is_wide(folded[-1]):
                    continue
                one = " "
            elif folded and folded[-1] == " " and is_wide(one):
                folded[-1], origins[-1] = one, origin
                continue
            folded.append(one)
            origins.append(origin)
    return Folded(text="".join(folded), origins=tuple(origins))


def is_wide(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces."""
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"
