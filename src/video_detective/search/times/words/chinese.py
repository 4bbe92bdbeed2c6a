"""How times are written in Chinese, in traditional characters without spaces (see folding)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from video_detective.search.times import clocks, durations
from video_detective.search.times.days import Month, NumberedDay, Week, Weekday, Weekend, Year
from video_detective.search.times.durations import DAY_S, HOUR_S, MINUTE_S, MONTH_S, WEEK_S, YEAR_S
from video_detective.search.times.tokens import Impossible, Mark, Meanings, Minute, Number, Pattern
from video_detective.search.times.words.chinese_words import NOT_BEFORE, WORDS
from video_detective.search.times.words.numerals import (
    DIGITS,
    HAN,
    NUMERALS,
    number,
    number_in_figures,
)
from video_detective.search.times.words.numeric import clock, day_of, year_of

_NUMBER = rf"(?:\d{{1,4}}|{HAN})"
_BEGINS = frozenset(DIGITS + NUMERALS + "半")
_UNITS = {
    "秒": 1,
    "分": MINUTE_S,
    "小時": HOUR_S,
    "鐘頭": HOUR_S,
    "天": DAY_S,
    "日": DAY_S,
    "週": WEEK_S,
    "星期": WEEK_S,
    "禮拜": WEEK_S,
    "月": MONTH_S,
    "年": YEAR_S,
}
_UNIT = r"(?:秒鐘?|分鐘?|小時|鐘頭|天|日|週|星期|禮拜|(?<=個)月|(?<=個半)月|年)"
_LENGTH = rf"(?:\d{{1,4}}\.\d|半|{_NUMBER})個?半?{_UNIT}(?:半(?!夜)|又?{_NUMBER}(?:分鐘?|秒鐘?))?"
_LENGTH_PARTS = re.compile(
    rf"(?P<n>\d+\.\d|半|\d+|{HAN})個?(?P<half>半)?(?P<unit>秒|分|小時|鐘頭|天|日|週|星期|禮拜|月|年)鐘?"
    rf"(?:(?P<more>半)|又?(?P<n2>\d+|{HAN})(?P<unit2>分|秒)鐘?)?"
)


def _duration(text: str) -> durations.Duration | None:
    """Reads what ``_LENGTH`` matches.

    >>> _duration("兩個小時半").seconds, _duration("半小時").seconds
    (9000, 1800)
    """
    match = _LENGTH_PARTS.fullmatch(text)
    if match is None:
        return None
    unit_s = smallest_s = _UNITS[match["unit"]]
    if match["n"] == "半":
        seconds = unit_s // 2
    elif "." in match["n"]:
        seconds = int(float(match["n"]) * unit_s)
    else:
        count = number(match["n"])
        if count is None:
            return None
        seconds = count * unit_s
    if match["half"] or match["more"]:
        seconds += unit_s // 2
    if match["n2"]:
        smallest_s = _UNITS[match["unit2"]]
        seconds += (number(match["n2"]) or 0) * smallest_s
    return durations.Duration(seconds=seconds, unit_s=smallest_s)


def _recent(match: re.Match[str]) -> Meanings | None:
    found = _duration(match["length"])
    return None if found is None else durations.recent(found)


def _ago(match: re.Match[str]) -> Meanings | None:
    found = _duration(match["length"])
    return None if found is None else durations.ago(found)


def _date(match: re.Match[str]) -> Meanings | None:
    written = number_in_figures(match["y"])
    year = None if written is None else year_of(written, republic=match["era"] is not None)
    if year is None:
        return None
    if match["m"] is None:
        return (Year(number=year),)
    month = number(match["m"]) or 0
    if match["d"] is None:
        found = Month(number=month, year=Year(number=year))
        return (found,) if 1 <= month <= 12 else (Impossible(day=True),)
    return day_of(year, month, number(match["d"]) or 0)


def _month_day(match: re.Match[str]) -> Meanings | None:
    return day_of(None, number(match["m"]) or 0, number(match["d"]) or 0)


def _month(match: re.Match[str]) -> Meanings | None:
    month = number(match["m"]) or 0
    return (Month(number=month),) if 1 <= month <= 12 else (Impossible(day=True),)


def _day(match: re.Match[str]) -> Meanings | None:
    day = number(match["d"]) or 0
    if 1 <= day <= 31:
        return (NumberedDay(day=day),)
    return (Impossible(day=True),) if match["unit"] == "日" else None


def _week(match: re.Match[str]) -> Meanings | None:
    weeks = _times_back(match["which"])
    if match["day"] == "末":
        return (Weekend(weeks=weeks),)
    if match["day"]:
        return (
            Weekday(weekday="一二三四五六日".index(match["day"].replace("天", "日")), weeks=weeks),
        )
    return None if weeks is None else (Week(weeks=weeks),)


def _times_back(which: str | None) -> int | None:
    if not which:
        return None
    return which.count("下") - which.count("上")


_QUARTERS = {"半": 30, "一刻": 15, "1刻": 15, "三刻": 45, "3刻": 45, "兩刻": 30}


def _clock(match: re.Match[str]) -> Meanings | None:
    hour = number(match["h"])
    if hour is None or _is_bit(match):
        return None
    minute = second = None
    if match["quarter"]:
        minute = _QUARTERS[match["quarter"]]
    elif match["m"] or match["bare"]:
        minute = number(match["m"] or match["bare"])
        second = None if match["s"] is None else number(match["s"])
    return clock(hour, minute, second, match["half"])


def _short_of(match: re.Match[str]) -> Meanings | None:
    """差五分十點."""
    hour = number(match["h"])
    minutes = 15 if match["m"] == "一刻" else number(match["m"].rstrip("分鐘"))
    if not hour or not minutes or minutes > 59:
        return None
    return clock(hour - 1, 60 - minutes)


def _pattern(
    starts: Iterable[str], regex: str, meanings: Callable[[re.Match[str]], Meanings | None]
) -> Pattern:
    return Pattern(starts=frozenset(starts), regex=re.compile(regex), meanings=meanings)


def _words(table: dict[str, Meanings]) -> Pattern:
    """The longest word of a table that stands here."""
    ways = (
        re.escape(word) + (f"(?![{not_before}])" if (not_before := NOT_BEFORE.get(word)) else "")
        for word in sorted(table, key=len, reverse=True)
    )
    return Pattern(
        starts=frozenset(word[0] for word in table),
        regex=re.compile("|".join(ways)),
        meanings=lambda match: table[match[0]],
    )


_ALONE = rf"(?<![\d.])(?:(?<![{NUMERALS}])|(?<=[週期拜][一二三四五六]))"
"""Not in the middle of a number; the 三 of 週三 is none."""
_PLACES = (
    "門攝鏡機監相出入車道線樓棟館房室廳倉庫電梯月台臺窗櫃桌位區排組碼店場停格柱巷弄路"
    "街員工商球衣集站口閘艙床包貨箱人鍋爐泊崗亭點管井坑堆層家院校宅會教"
)
"""What 3 號 may be the number of, and then is no day."""
_HOUSES = "路街巷弄段第機頭門樓區道梯站台臺組棟店編牌穿線車位號"
"""What 16 號 may follow as a number, and then is no day."""
_MEASURES = "個人位名輛台臺部件次張隻條樓號公分秒米元歲倍度天小日週月年萬千箱包點樣種組隊層座把瓶"
"""What a number after 10 點 may count, and then is no minute."""
_CLOCK = (
    rf"(?:(?P<half>[ap]m) ?)?{_ALONE}(?<!第)(?P<h>\d{{1,2}}|[{NUMERALS}]{{1,3}})"
    r"(?:點(?!心|餐|名|數|火|滴|菸|煙|頭|亮|點)|時(?!間|候|段|常|速|光|刻|鐘|尚|代|效|數))"
    r"(?!鐘?的?方(?:向|位))鐘?(?:"
    r"(?P<quarter>半(?!夜|價|數|票)|[一三兩13]刻)"
    rf"|過?(?P<m>\d{{1,2}}|[{NUMERALS}]{{1,4}})分鐘?(?:(?P<s>\d{{1,2}}|[{NUMERALS}]{{1,3}})秒鐘?)?"
    rf"|(?P<bare>\d\d|[零〇][一二三四五六七八九]|[二三四五]?十[一二三四五六七八九]?)"
    rf"(?![{_MEASURES}{NUMERALS}\d:/.])"
    r")?(?:整|正|多|出頭|幾分)?"
)
_NEVER_ANY = re.compile(r"[^,。?!]{0,8}[都也][沒不無]")
_SLIGHTLY = "這那哪早晚快慢多少大小高低近遠有好長短深淺亮暗重輕差再"


def _is_bit(match: re.Match[str]) -> bool:
    """一點 as "a bit": 一點都沒有, 快一點."""
    if match[0] != "一點":
        return False
    text, start = match.string, match.start()
    if _NEVER_ANY.match(text, match.end()):
        return True
    return text[start - 1 : start] in tuple(_SLIGHTLY) and text[start - 2 : start - 1] not in tuple(
        "今昨前明"
    )


_PAIR = "[一二兩三四五六七八九]{2}"
_ABOUT = (
    rf"(?:好?[幾數]十?|[二三四五六七八九]?十[幾來多]|{_PAIR}十?"
    rf"|{_NUMBER}(?:、|到|至|~|-|或){_NUMBER})"
)
"""So many, more or less: no length that a range could have."""
_AGO = r"(?:以前|之前|前(?!門(?!口)|院|廳|臺|面|方|後))"
_WEEK = r"(?:週|星期|禮拜)"
PATTERNS = (
    _pattern(
        _BEGINS | frozenset("最過近這前幾數好"),
        rf"(?!最近這?幾天|這幾天)(?:(?:最近|過去|近|這|前)的?這?{_ABOUT}個?{_UNIT}(?:以內|之內|內|來)?"
        rf"|{_ALONE}{_ABOUT}個?{_UNIT}(?:{_AGO}|以內|之內|內))",
        lambda match: (Impossible(day=True),),
    ),
    _pattern(
        "最過近這前往",
        rf"(?:最近|過去|(?<![附最靠接將鄰遠])近|這|(?<![以之目當先提])前|過往)的?這?(?P<length>{_LENGTH})"
        r"(?:以內|之內|內|裡|之間|間|以來|來)?(?!前)",
        _recent,
    ),
    _pattern(_BEGINS, rf"{_ALONE}(?P<length>{_LENGTH})(?:以內|之內|內|以來)", _recent),
    _pattern(
        _BEGINS,
        rf"{_ALONE}(?P<length>{_LENGTH}){_AGO}",
        _ago,
    ),
    _pattern(
        DIGITS + NUMERALS + "民",
        rf"(?:(?P<era>民國)|{_ALONE})(?P<y>\d{{2,4}}|{HAN})年(?!來|前|後|輕|長|紀|款|度|份的)"
        rf"(?:的?(?P<m>\d{{1,2}}|{HAN})月份?(?:(?P<d>\d{{1,2}}|{HAN})[日號]?)?)?",
        _date,
    ),
    _pattern(
        _BEGINS,
        rf"{_ALONE}(?<!個)(?P<m>\d{{1,2}}|[{NUMERALS}]{{1,3}})月份?"
        rf"(?P<d>\d{{1,2}}|[{NUMERALS}]{{1,3}})(?:[日號]|(?![{_MEASURES}{NUMERALS}\d:到至~-]))",
        _month_day,
    ),
    _pattern(
        _BEGINS,
        rf"{_ALONE}(?<!個)(?P<m>\d{{1,2}}|[{NUMERALS}]{{1,3}})月(?![臺老亮票薪租餅])份?",
        _month,
    ),
    _pattern(
        "差",
        rf"差(?P<m>一刻|(?:\d{{1,2}}|[{NUMERALS}]{{1,4}})分鐘?)(?P<h>\d{{1,2}}|[{NUMERALS}]{{1,3}})點鐘?",
        _short_of,
    ),
    _pattern(
        _BEGINS,
        rf"{_ALONE}(?:(?:\d{{1,2}}|[{NUMERALS}]{{1,3}})、(?:\d{{1,2}}|[{NUMERALS}]{{1,3}})|{_PAIR})點(?!半|\d)",
        lambda match: (Impossible(day=False),),
    ),
    _pattern(_BEGINS | {"a", "p"}, _CLOCK, _clock),
    _pattern(
        _BEGINS,
        rf"{_ALONE}(?<![第{_HOUSES}])(?P<d>\d{{1,2}}|[{NUMERALS}]{{1,3}})"
        rf"(?P<unit>日(?![月遊本光語文式系曆常用幣圓出落])|號(?![{_PLACES}]))",
        _day,
    ),
    _pattern(
        _BEGINS,
        rf"{_ALONE}(?P<m>\d{{1,2}}|[{NUMERALS}]{{1,4}})分(?!鐘|之|別|店|機|類|隔|享)",
        lambda match: (Minute(value=number(match["m"]) or 0),),
    ),
    _pattern(
        "上下這本週星禮",
        rf"(?:(?P<which>上上?上?|下下?|這|本)一?個?|(?<![{NUMERALS}\d每幾個])){_WEEK}"
        r"(?P<day>[一二三四五六日天末](?!次|個月))?",
        _week,
    ),
    _pattern(
        "上下這本",
        r"(?P<which>上上?上?|下下?|這|本)一?個?月(?!臺)份?",
        lambda match: (Month(offset=_times_back(match["which"]) or 0),),
    ),
    _pattern(
        "晚",
        r"(?:(?<=[日號])|(?<=/\d)|(?<=/\d\d)|(?<=[週期拜][一二三四五六天]))晚(?![上間餐會禮班點安飯宴年起])",
        lambda match: (clocks.NIGHT,),
    ),
    _pattern(
        "晚早",
        rf"(?P<part>[晚早])(?!一點)(?=(?:\d{{1,2}}|[{NUMERALS}]{{1,3}})[點時:])",
        lambda match: (clocks.NIGHT if match["part"] == "晚" else clocks.MORNING,),
    ),
    _pattern(
        "每",
        rf"每(?:一?個)?(?:(?:{_WEEK}|月|年|天|日)(?:[一二三四五六日天末])?|[晚早]上?|凌晨|上午|下午|中午)"
        r"的?(?:晚上|早上|上午|中午|下午|凌晨|半夜|深夜)?",
        lambda match: (Mark.HABIT,),
    ),
    _words(WORDS),
    _pattern(
        NUMERALS,
        rf"{_ALONE}[{NUMERALS}]{{1,3}}(?=[到至~-])",
        lambda match: None if (value := number(match[0])) is None else (Number(value=value),),
    ),
)
"""The first that matches counts."""
