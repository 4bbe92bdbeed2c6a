"""Chinese words for days, parts of the day and relations of times, in traditional characters."""

from __future__ import annotations

from video_detective.search.times import clocks, durations
from video_detective.search.times.days import NextDay, RelativeDay, Weekend, Year
from video_detective.search.times.tokens import Mark, Meanings
from video_detective.search.times.words.numerals import listed

_PARTS = {
    **dict.fromkeys(("凌晨",), clocks.SMALL_HOURS),
    **dict.fromkeys(("清晨", "清早", "一早", "一大早", "大清早", "大早上"), clocks.EARLY),
    **dict.fromkeys(("早上", "早晨", "上午", "晨間", "早間"), clocks.MORNING),
    **dict.fromkeys(("中午", "午間", "正午", "大中午"), clocks.NOON),
    **dict.fromkeys(("下午", "午後"), clocks.AFTERNOON),
    **dict.fromkeys(("傍晚", "黃昏"), clocks.DUSK),
    **dict.fromkeys(
        ("晚上", "晚間", "夜晚", "夜間", "夜裡", "大晚上", "整晚", "整夜", "徹夜"), clocks.NIGHT
    ),
    **dict.fromkeys(("深夜", "半夜", "大半夜", "三更半夜", "深更半夜"), clocks.LATE),
    **dict.fromkeys(("午夜",), clocks.MIDNIGHT),
    **dict.fromkeys(("白天", "大白天"), clocks.DAYTIME),
}
_DAYS = {
    **dict.fromkeys(("今天", "今日", "本日"), 0),
    **dict.fromkeys(("昨天", "昨日"), -1),
    **dict.fromkeys(("前天", "前日"), -2),
    "大前天": -3,
    **dict.fromkeys(("明天", "明日"), 1),
    "後天": 2,
    "大後天": 3,
}
_SHORT_DAYS = {"今": 0, "昨": -1, "前": -2, "大前": -3, "明": 1}
_SHORT_PARTS = {
    "晚": clocks.NIGHT,
    "夜": clocks.NIGHT,
    "早": clocks.MORNING,
    "晨": clocks.MORNING,
}
_MARKS = {
    Mark.FILLER: listed(
        "的 在 於 那天 那一天 那日 當天 當日 這天 這一天 整個 時間是 時間為 時段 期間 ( )"
    ),
    Mark.TO: ["到", "至", "~", "-"],
    Mark.AND: ["和", "與", "跟", "及"],
    Mark.BETWEEN: ["介於", "介在", "介乎", "之間", "間"],
    Mark.FROM_ON: ["從", "由"],
    Mark.SINCE: ["自", "自從", "打從"],
    Mark.ONWARD: ["起", "開始", "以來", "起算"],
    Mark.AFTERWARDS: ["以後", "之後", "過後", "後"],
    Mark.EARLIER: ["以前", "之前", "前"],
    Mark.UNTIL: ["截至", "截止到", "直到", "一直到"],
    Mark.UNTIL_THEN: ["為止"],
    Mark.NOW: ["現在", "目前", "此刻", "這一刻"],
    Mark.UNTIL_NOW: listed(
        "迄今 至今 到現在 至目前 到目前 直到現在 一直到現在 截至目前 截至現在"
    ),
    Mark.AROUND: ["左右", "前後", "上下", "大約", "大概", "約", "約莫", "差不多", "許"],
    Mark.WHOLE: ["整天", "全天", "一整天", "整日", "全日"],
    Mark.HABIT: ["平日", "平常日", "工作日", "天天", "日日"],
}  # fmt: skip

NOT_BEFORE = {
    "最近": "的距離",
    "剛剛": "好",
    "前天": "橋",
    "今年": "款",
    "前": "門院臺面方庭往進廳段座排側端來任名輛車者場",
    "後": "門院面方來續巷庭座排側段勤臺場車端照視",
    "起": "來火重飛身訴點跑床落衝爭疑霧降",
    "間": "隔諜接",
    "許": "多先小願可久",
    "約": "會談定好",
    "以前": "的",
    "白天": "鵝",
    "黃昏": "市",
    "深夜": "食",
    "夜間": "模部",
    "下午": "茶",
    "早上": "好",
    "晚上": "好",
}
"""Characters that make another word of one when they follow it: 後門, 前面, 起火."""


WORDS: dict[str, Meanings] = {
    **{word: (part,) for word, part in _PARTS.items()},
    **{word: (RelativeDay(days=days),) for word, days in _DAYS.items()},
    **{
        day + word: (RelativeDay(days=days), part)
        for day, days in _SHORT_DAYS.items()
        for word, part in _SHORT_PARTS.items()
    },
    **{
        day + word: (RelativeDay(days=days), part)
        for day, days in _SHORT_DAYS.items()
        if day in "今昨明"
        for word, part in _PARTS.items()
    },
    **{word: (mark,) for mark, words in _MARKS.items() for word in words},
    **dict.fromkeys(("剛剛", "剛才", "方才", "剛剛才"), (durations.JUST_NOW,)),
    **dict.fromkeys(
        listed("最近 近來 近日 近期 最近這幾天 最近幾天 這幾天 這陣子 最近這陣子"),
        (durations.RECENTLY,),
    ),
    **{f"{word}年": (Year(offset=years),)
       for word, years in {"今": 0, "去": -1, "前": -2, "大前": -3, "明": 1}.items()},
    **dict.fromkeys(("本年", "這一年度"), (Year(offset=0),)),
    "週末": (Weekend(),),
    **dict.fromkeys(listed("隔天 隔日 翌日 次日 第二天"), (NextDay(),)),
    "最近一次": (Mark.FILLER,),
}  # fmt: skip
"""Every word with what it means."""
