"""Laws of reading times: no text breaks it, and how a time is written does not change it."""

import gc
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from video_detective.search.times import TimeReading, read_times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NS_PER_S = 1_000_000_000
ZONES = tuple(
    ZoneInfo(name)
    for name in (
        "Asia/Taipei",
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Monrovia",
        "Pacific/Apia",
        "Asia/Kathmandu",
    )
)
zones = st.sampled_from(ZONES)
instants_ns = st.integers(400_000_000, 6_500_000_000).map(lambda seconds: seconds * NS_PER_S)
WORDS = """
昨天 今天 前天 昨晚 今晚 上週三 週五 禮拜天 週末 12月16日
12/16 2月30日 16號 民國114年12月16日 去年
上個月 早上 下午 晚上 凌晨 半夜 中午 午夜 10點 十點半 22:30 1點 25點
三點一刻 10 3 到 至 ~ - 以後 以前
前 起 之間 左右 大約 從
自 迄今 現在 最近3小時 3小時前 三天前 剛剛 最近 每天 的 , 、 和 後門 有人嗎 兩個人 3號門
yesterday night on Monday Dec 16 at pm noon midnight between and from to until since after before
around now the half past ten hours ago last days week in May early morning 10pm
"""
SIMPLIFIED = str.maketrans(
    "點週兩號後這個過鐘禮間時從現內剛開國黃裡為來當幾於與約",
    "点周两号后这个过钟礼间时从现内刚开国黄里为来当几于与约",
)
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

phrases = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=10).map(" ".join)
texts = st.one_of(
    st.text(max_size=80), phrases, st.lists(st.sampled_from(WORDS.split())).map("".join)
)


def meaning(reading: TimeReading) -> tuple[int | None, int | None] | None:
    period = reading.period
    return None if period is None else (period.start_ns, period.end_ns)


@settings(max_examples=400, deadline=None)
@given(question=texts, now_ns=instants_ns, zone=zones)
@example(question="", now_ns=0, zone=ZONES[0])
@example(question="99999999年99月99日99點99分", now_ns=0, zone=ZONES[0])
@example(question="9999個月前到9999年以後", now_ns=0, zone=ZONES[0])
@example(question="İ㍘㏠ ﷺ 12/16", now_ns=0, zone=ZONES[0])
def test_any_text_is_read_and_only_words_about_time_are_taken_out(
    question: str, now_ns: int, zone: ZoneInfo
) -> None:
    reading = read_times(question, now_ns=now_ns, zone=zone)
    period = reading.period
    if period is not None:
        assert period.start_ns is not None or period.end_ns is not None
        if period.start_ns is not None and period.end_ns is not None:
            assert period.start_ns < period.end_ns
    expected = list(question)
    earlier = 0
    for start, end in reading.spans:
        assert earlier <= start < end <= len(question)
        earlier = end
        expected[start:end] = " " * (end - start)
    assert reading.rest == "".join(expected)
    assert all(words in question for words in reading.not_understood)
    assert bool(reading.spans) or (period is None and not reading.not_understood)


FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y年%m月%d日%H點%M分%S秒",
    "%Y 年 %m 月 %d 日 %H 時 %M 分 %S 秒",
    "%d %B %Y at %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%H:%M:%S on %B %d, %Y",
)
seconds = st.datetimes(
    min_value=datetime.fromisoformat("1990-01-01"), max_value=datetime.fromisoformat("2150-01-01")
).map(lambda wall: wall.replace(microsecond=0))


@settings(max_examples=200, deadline=None)
@given(wall=seconds, form=st.sampled_from(FORMATS), now_ns=instants_ns)
def test_a_written_out_second_means_that_second(wall: datetime, form: str, now_ns: int) -> None:
    taipei = ZoneInfo("Asia/Taipei")
    question = f"後門 {wall.strftime(form)} 有人嗎？"
    start_ns = (wall.replace(tzinfo=taipei) - EPOCH) // timedelta(seconds=1) * NS_PER_S
    assert meaning(read_times(question, now_ns=now_ns, zone=taipei)) == (
        start_ns,
        start_ns + NS_PER_S,
    )


@settings(max_examples=200, deadline=None)
@given(wall=seconds, offset_h=st.integers(-12, 14), zone=zones)
def test_a_time_with_its_offset_means_the_same_instant_in_every_zone(
    wall: datetime, offset_h: int, zone: ZoneInfo
) -> None:
    question = f"{wall:%Y-%m-%dT%H:%M:%S}{offset_h:+03d}:00"
    start_ns = (
        (wall.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1) - offset_h * 3600
    ) * NS_PER_S
    assert meaning(read_times(question, now_ns=0, zone=zone)) == (start_ns, start_ns + NS_PER_S)


@settings(max_examples=300, deadline=None)
@given(question=phrases, now_ns=instants_ns)
def test_simplified_and_full_width_writing_mean_the_same(question: str, now_ns: int) -> None:
    zone = ZoneInfo("Asia/Taipei")
    plain = read_times(question, now_ns=now_ns, zone=zone)
    for other in (question.translate(SIMPLIFIED), question.translate(FULL_WIDTH), question.upper()):
        read = read_times(other, now_ns=now_ns, zone=zone)
        assert (meaning(read), read.spans) == (meaning(plain), plain.spans)


@settings(max_examples=200, deadline=None)
@given(
    days=st.integers(0, 3), first=st.integers(0, 23), hours=st.integers(1, 23), now_ns=instants_ns
)
def test_a_range_of_hours_lasts_from_its_first_hour_to_its_last(
    days: int, first: int, hours: int, now_ns: int
) -> None:
    zone = ZoneInfo("Asia/Taipei")  # without summer time since 1980
    day = ("今天", "昨天", "前天", "大前天")[days]
    whole = read_times(day, now_ns=now_ns, zone=zone).period
    reading = read_times(f"{day} {first} 點到 {(first + hours) % 24} 點", now_ns=now_ns, zone=zone)
    assert whole is not None
    assert whole.start_ns is not None
    start_ns = whole.start_ns + first * 3600 * NS_PER_S
    assert meaning(reading) == (start_ns, start_ns + hours * 3600 * NS_PER_S)


PIECES = """
昨|10|點|一|一點|/|1/|12:|-|半
between 10 and |a|上|3個半|十|前|last |的| |10到|昨天10點到
昨天|from 1 to |2025-12-16T|１|點點|the |早上晚上|民國|0.|最近一|和10點|、|at 10 |twenty-|half past
週三|週|三|2025年|a couple of
"""


@pytest.mark.parametrize(
    "piece", [piece for line in PIECES.split("\n") for piece in line.split("|")]
)
def test_no_repetition_makes_reading_slow(piece: str) -> None:
    question = (piece * 5000)[:5000]
    gc.disable()  # to look through all that other tests left in this process may take a second
    try:
        started_s = time.process_time()
        read_times(question, now_ns=1_800_000_000 * NS_PER_S, zone=ZONES[0])
        took_s = time.process_time() - started_s
    finally:
        gc.enable()
    # Ten times the longest question takes some 0.05 s; what grows with a power takes far longer.
    assert took_s < 1
