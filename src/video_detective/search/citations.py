"""Whether a sentence that a model wrote rests on the events it cites; a program decides, no model.

A sentence that fails is dropped. The check is strict on purpose: what is dropped is still in the
template answer and the time line, what slips through would be believed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.narration.template import event_synonyms
from video_detective.search.concepts import concept_tokens, mentions
from video_detective.search.tokens import fold

Reason = Literal[
    "uncited", "unknown", "outside", "time", "day", "camera", "name", "number", "type", "denial",
    "detail", "nothing", "repeated"
]  # fmt: skip
"""Why a sentence was dropped: it cites nothing; or what was not given; or an event outside the time
asked for; or it tells a clock time, a day, a camera, an id, a number, a type of event, a thing, a
colour or a deed that its events lack; or it denies what they tell, or tells nothing of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """An event that may be cited.

    Args:
        event_id: Which.
        start_ns, end_ns: When it held; end None while it goes on.
        zone: In which its times are told.
        camera_names: Id, name and aliases of its camera.
        text: Everything the model was told of it, and what else its type is called.
    """

    event_id: str
    start_ns: int
    end_ns: int | None
    zone: ZoneInfo
    camera_names: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a sentence: its text without citation marks and its events, or why not."""

    text: str
    cites: tuple[str, ...] = ()
    dropped: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """A time of day as told; several readings where morning and evening are not told apart."""

    hours: tuple[int, ...]
    minute: int | None
    second: int | None


_HAN_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN = "零〇一二两三四五六七八九十"
_MARKS = re.compile(
    r"\s*[(\uff08\[【〔]\s*e\d+(?:\s*[,\uff0c、;]\s*e\d+)*\s*[)\uff09\]】〕]", re.IGNORECASE
)
_CLOCKS = (
    re.compile(r"(?<!\d)(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2}))?(?:\s*(?P<half>[ap])\.?m)?"),
    re.compile(r"(?<!\d)(?P<h>\d{1,2})\s*(?P<half>[ap])\.?m\b(?P<m>)(?P<s>)"),
    re.compile(
        rf"(?P<part>凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|晚间|深夜|半夜)?\s*"
        rf"(?P<h>\d{{1,2}}|[{_HAN}]{{1,3}})\s*[点时](?!间|候|段|常)"
        rf"(?:\s*(?P<m>半|\d{{1,2}}|[{_HAN}]{{1,3}})\s*分?)?(?:\s*(?P<s>\d{{1,2}})\s*秒)?"
    ),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = (
    re.compile(r"(?P<y>\d{4})\s*[-/年.]\s*(?P<m>\d{1,2})\s*[-/月.]\s*(?P<d>\d{1,2})\s*[日号]?"),
    re.compile(r"(?P<y>)(?<!\d)(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]"),
    re.compile(rf"(?P<y>)\b(?P<m>{'|'.join(_MONTHS)})[a-z]*\.?\s+(?P<d>\d{{1,2}})\b"),
    re.compile(rf"(?P<y>)\b(?P<d>\d{{1,2}})\s+(?P<m>{'|'.join(_MONTHS)})[a-z]*\b"),
    re.compile(r"(?P<y>)(?<![\d/])(?P<m>\d{1,2})/(?P<d>\d{1,2})(?![\d/])"),
)
_RELATIVE = {
    "大前天": (-3, -3), "前天": (-2, -2), "前晚": (-2, -1), "昨天": (-1, -1), "昨日": (-1, -1),
    "昨晚": (-1, 0), "昨夜": (-1, 0), "今天": (0, 0), "今日": (0, 0), "今早": (0, 0),
    "今晚": (0, 1), "yesterday": (-1, -1), "last night": (-1, 0), "today": (0, 0),
    "tonight": (0, 1),
}  # fmt: skip
"""First and last day that a word may mean, counted from today; a night reaches into the next day.
昨天晚上 is read as 昨晚 by ``_night``."""
_NIGHT = re.compile(r"(昨天|昨日|前天|今天|今日|yesterday)(?:的)?\s*(?:晚上|深夜|半夜|夜里|night)")
_NAME = re.compile(r"(?<![a-z0-9])[a-z]+[-_]?\d[a-z0-9_-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_COUNT = re.compile(rf"(?<![{_HAN}第])([{_HAN}]{{1,3}})(?=[名人位辆台次笔件个起])")
_DENIAL = re.compile(
    r"一切正常|[无没]有?异[常状]|(?:[没未]有?|并[无未]|无)(?:任何)?(?:发生|发现|出现|侦测|看到|拍到|人)"
    r"|^(?:没有|否|无)[,。]|误报"
    r"|\b(?:no one|nobody|nothing|none|never|did not|didn't|was not|wasn't|were not|weren't"
    r"|false alarm|no (?:person|people|event|sign|activity|incident|intru|loiter)\w*)\b|^no[,.]"
)
_DETAILS = frozenset({"class", "colour", "wear", "who", "act"})
"""Kinds of words that say something of an event that it may lack; the rest is checked elsewhere."""
_VAGUE = frozenset(
    f"act:{key}"
    for key in (
        *("walk", "stand", "look", "photograph", "approach", "leave", "turn_back", "put"),
        *("drop", "wait"),
    )
)
"""Hardly more than that somebody was there."""
_GENERIC_CAMERA = ("台", "该", "此", "支", "只", "的", "部", "各", "架")
_GENERIC_ENGLISH = {"the", "this", "that", "a", "same", "one", "security", "each", "of", "by", "on"}


def check_answer(
    sentences: Sequence[tuple[str, Sequence[str]]],
    candidates: Mapping[str, Cited],
    *,
    since_ns: int | None,
    until_ns: int | None,
    now_ns: int,
    cameras: Collection[str],
) -> list[Verdict]:
    """Each sentence of an answer, kept or dropped.

    Args:
        sentences: (text, keys of the candidates it cites), in order.
        candidates: What the model was given, by key; all of it visible to the asker.
        since_ns: Begin of the time asked for; None is open.
        until_ns: Its end, exclusive; None is open.
        now_ns: When the question was asked: 昨天 is told from it.
        cameras: Ids, names and aliases of every camera there is, known to the asker or not.
    """
    verdicts: list[Verdict] = []
    seen: set[str] = set()
    for text, cites in sentences:
        told = " ".join(_MARKS.sub("", text).split())
        keys = tuple(dict.fromkeys(key.strip() for key in cites))
        reason = _fault(told, keys, candidates, since_ns, until_ns, now_ns, cameras)
        if reason is None and told in seen:
            reason = "repeated"
        seen.add(told)
        if reason is None:
            events = tuple(candidates[key].event_id for key in keys)
            verdicts.append(Verdict(text=told, cites=events))
        else:
            verdicts.append(Verdict(text=told, dropped=reason))
    return verdicts


def _fault(
    text: str,
    keys: Sequence[str],
    candidates: Mapping[str, Cited],
    since_ns: int | None,
    until_ns: int | None,
    now_ns: int,
    cameras: Collection[str],
) -> Reason | None:
    if not keys or not text:
        return "uncited"
    if any(key not in candidates for key in keys):
        return "unknown"
    cited = [candidates[key] for key in keys]
    if not all(_within(event, since_ns, until_ns) for event in cited):
        return "outside"
    rest = fold(text)
    known = fold(" ".join([*(event.text for event in cited), *_camera_names(cited)]))
    days, rest = _told_days(rest)
    if not all(any(_on_day(event, *day) for event in cited) for day in days):
        return "day"
    if not all(any(_in_days(event, now_ns, *span) for event in cited) for span in _relative(rest)):
        return "day"
    clocks, rest = _told_clocks(rest)
    if not all(any(_at(event, clock) for event in cited) for clock in clocks):
        return "time"
    if not _cameras_agree(rest, known, cameras):
        return "camera"
    for name in _NAME.findall(rest):
        if not re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", known):
            return "name"
    rest = _NAME.sub(" ", rest)
    if not _numbers_agree(rest, known, len(cited)):
        return "number"
    typed = [word for word in _event_words() if word in rest]
    if not all(word in known for word in typed):
        return "type"
    return _strange(fold(text), known, is_anchored=bool(clocks or typed))


def _strange(text: str, known: str, *, is_anchored: bool) -> Reason | None:
    """What the words of a sentence say beyond those of its events.

    Args:
        text: The sentence, folded.
        known: What is known of its events, folded.
        is_anchored: It tells a time or a type of event, and these hold.
    """
    if any(match[0] not in known for match in _DENIAL.finditer(text)):
        return "denial"
    tokens = concept_tokens(known, said=False)
    for mention in mentions(text):
        own = [f"{concept.kind}:{concept.key}" for concept in mention.concepts]
        if mention.negated:
            if mention.word not in known:
                return "denial"
        elif any(token in tokens for token in own):
            is_anchored = True
        elif any(
            concept.kind in _DETAILS and token not in _VAGUE
            for concept, token in zip(mention.concepts, own, strict=True)
        ):
            return "detail"
    return None if is_anchored else "nothing"


@cache
def _event_words() -> tuple[str, ...]:
    """What types of events are called, in every language."""
    return tuple(fold(word) for word, _ in event_synonyms())


def _within(event: Cited, since_ns: int | None, until_ns: int | None) -> bool:
    """The event held at some time of the period."""
    ends_late = event.end_ns is None or since_ns is None or event.end_ns >= since_ns
    return ends_late and (until_ns is None or event.start_ns < until_ns)


def _local(time_ns: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).astimezone(zone)


def _ends(event: Cited) -> tuple[datetime, datetime]:
    """First and last local moment; an event that goes on is told by its beginning only."""
    end_ns = event.start_ns if event.end_ns is None else event.end_ns
    return _local(event.start_ns, event.zone), _local(end_ns, event.zone)


def _told_days(text: str) -> tuple[list[tuple[int | None, int, int]], str]:
    """Dates (year, month, day) and the text without them."""
    days: list[tuple[int | None, int, int]] = []
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            month = match["m"]
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
            days.append((int(match["y"]) if match["y"] else None, number, int(match["d"])))
        text = pattern.sub(" ", text)
    return days, text


def _on_day(event: Cited, year: int | None, month: int, day: int) -> bool:
    first, last = _ends(event)
    try:
        told = date(year or first.year, month, day)
    except ValueError:
        return False
    return first.date() <= told <= last.date()


def _relative(text: str) -> Iterator[tuple[int, int]]:
    nights = {"昨天": "昨晚", "昨日": "昨晚", "前天": "前晚", "今天": "今晚", "今日": "今晚"}
    text = _NIGHT.sub(lambda m: nights.get(m[1], "last night"), text)
    for word, span in _RELATIVE.items():
        if word in text:
            yield span
            text = text.replace(word, " ")


def _in_days(event: Cited, now_ns: int, low: int, high: int) -> bool:
    today = _local(now_ns, event.zone).date()
    first, last = (moment.date() for moment in _ends(event))
    return first <= today + timedelta(days=high) and last >= today + timedelta(days=low)


def _told_clocks(text: str) -> tuple[list[_Clock], str]:
    """Times of day and the text without them."""
    clocks: list[_Clock] = []
    for pattern in _CLOCKS:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            minute = groups["m"]
            clocks.append(
                _Clock(
                    hours=_hours(_value(groups["h"]), groups.get("half"), groups.get("part")),
                    minute=30 if minute == "半" else _value(minute) if minute else None,
                    second=int(groups["s"]) if groups["s"] else None,
                )
            )
        text = pattern.sub(" ", text)
    return clocks, text


def _value(numeral: str) -> int:
    if numeral.isdigit():
        return int(numeral)
    if "十" in numeral:
        tens, _, ones = numeral.partition("十")
        return _HAN_DIGITS.get(tens, 1) * 10 + _HAN_DIGITS.get(ones, 0)
    return int("".join(str(_HAN_DIGITS[c]) for c in numeral))


def _hours(hour: int, half: str | None, part: str | None) -> tuple[int, ...]:
    if half:
        return (hour % 12 + 12 * (half == "p"),)
    if part in {"下午", "傍晚", "晚上", "晚间", "中午"} and hour < 12:
        # 晚上 1 點 is an hour after midnight as well.
        return (hour + 12, hour) if part in {"晚上", "晚间"} else (hour + 12,)
    if part in {"深夜", "半夜"} and 8 <= hour < 12:
        return (hour + 12,)
    if hour in {12, 24}:
        return (
            (12, 0) if part is None and hour == 12 else (12, 0) if part == "晚上" else (hour % 24,)
        )
    return (hour,)


def _at(event: Cited, clock: _Clock) -> bool:
    """The told time of day lies within the event, to the precision with which it is told."""
    first, last = _ends(event)
    width = timedelta(
        seconds=1 if clock.second is not None else 60 if clock.minute is not None else 3600
    )
    for hour in clock.hours:
        if hour > 23 or (clock.minute or 0) > 59 or (clock.second or 0) > 59:
            continue
        told = first.replace(
            hour=hour, minute=clock.minute or 0, second=clock.second or 0, microsecond=0
        )
        # Of an event over midnight the time may be that of a later day.
        while told <= last:
            if told + width > first.replace(microsecond=0):
                return True
            told += timedelta(days=1)
    return False


def _camera_names(cited: Sequence[Cited]) -> Iterator[str]:
    for event in cited:
        yield from event.camera_names


def _cameras_agree(text: str, known: str, cameras: Collection[str]) -> bool:
    for name in sorted({fold(name) for name in cameras if len(name) > 1}, key=len, reverse=True):
        if name not in text:
            continue
        if name not in known:
            return False
        text = text.replace(name, " ")
    for match in re.finditer(r"([㐀-鿿]{0,2})摄影机", text):
        before = match[1]
        if before and before[-1] not in _GENERIC_CAMERA and before not in known:
            return False
    for match in re.finditer(r"\b([a-z]+)\s+camera\b", text):
        if match[1] not in _GENERIC_ENGLISH and match[1] not in known:
            return False
    return True


def _numbers_agree(text: str, known: str, count: int) -> bool:
    """Every number told is one of the cited events' own, or how many they are."""
    _, known = _told_days(known)
    _, known = _told_clocks(known)
    own = {float(number) for number in _NUMBER.findall(known)} | {float(count)}
    rounded = own | {float(round(number)) for number in own}
    if not all(float(number) in rounded for number in _NUMBER.findall(text)):
        return False
    return all(_value(told) in own | {1.0} for told in _COUNT.findall(text))
