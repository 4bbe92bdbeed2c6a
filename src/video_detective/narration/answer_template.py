"""Answers to questions without a model: from events and coverage alone, in full sentences.

"Nothing happened" and "nothing was recorded" are different answers, and each says on what recording
it rests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from video_detective.geometry import NS_PER_S
from video_detective.narration.catalogue import Language, catalogue, event_name, fill

MAX_TOLD = 3
"""Events that an answer tells; the others stand in the time line."""
MAX_GAPS = 8

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An event as an answer tells it.

    Args:
        zone: Of its camera; in it the time of day is told.
        sentence: Its words in the answer's language, with the time of day at the beginning.
    """

    event_id: str
    camera: str
    start_ns: int
    zone: ZoneInfo
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a camera was recorded in the period asked for.

    Args:
        camera_id: Which.
        camera: What people call it.
        recorded: There is any recording of the period.
        gaps: ``(start_ns, end_ns)`` within the period and without recording, in order of time;
            empty where the period has no two ends.
    """

    camera_id: str
    camera: str
    recorded: bool
    gaps: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """What an answer rests on.

    Args:
        since_ns, until_ns: Period asked for; None is open.
        zone: In which its times are told.
        has_zones: Cameras asked for have other zones too, so that it has to be named.
        places: Cameras and places asked for, as people call them.
        unknown_places: Those of them by which no camera, zone or tripwire is known.
        unseen_places: Those of them that are known, but not to the cameras chosen.
        told_only: Words of the question that only descriptions of events can bear out.
        is_future: The whole period is still to come.
        is_unfinished: Some of it is.
        yes_no: The question wants a yes or a no.
        count: Events that match in full.
        more: There are more than ``count``.
        kinds: (event type, how many), of those that match.
        findings: The best of them, best first.
        nearest: Events that match in part; told only when none matches in full.
        watches: Recording of every camera asked for.
        unused: Words of the question that narrowed nothing.
        is_lost: Nothing else of the question was understood either.
    """

    since_ns: int | None
    until_ns: int | None
    zone: ZoneInfo
    places: tuple[str, ...] = ()
    unknown_places: tuple[str, ...] = ()
    unseen_places: tuple[str, ...] = ()
    has_zones: bool = False
    told_only: tuple[str, ...] = ()
    is_future: bool = False
    is_unfinished: bool = False
    yes_no: bool = False
    count: int = 0
    more: bool = False
    kinds: tuple[tuple[str, int], ...] = ()
    findings: tuple[Finding, ...] = ()
    nearest: tuple[Finding, ...] = ()
    watches: tuple[Watch, ...] = ()
    unused: tuple[str, ...] = ()
    is_lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of an answer and the events it rests on; none where it tells of recording."""

    text: str
    cites: tuple[str, ...] = ()


def template_answer(facts: AnswerFacts, language: Language) -> tuple[Sentence, ...]:
    """The answer, three to six sentences where there is that much to say."""
    if facts.is_lost:
        words = catalogue(language)["words"]["list"].join(facts.unused)
        return (Sentence(text=fill(language, "answers", "not_understood", words=words)),)
    said = {"period": period_words(facts, language), "place": _place(facts, language)}
    if facts.count:
        told = facts.findings[:MAX_TOLD]
        lead = fill(
            language,
            "answers",
            # Something that was asked for was not looked at: they may be no answer.
            "yes" if facts.yes_no and not facts.unused else "found",
            count=_count(facts, language),
            kinds=_kinds(facts, language),
            **said,
        )
        cites = tuple(finding.event_id for finding in facts.findings)
        sentences = [Sentence(text=_capital(lead), cites=cites), *_unused(facts, language)]
        sentences += _events(told, language)
        if facts.count > len(told):
            sentences.append(Sentence(text=fill(language, "answers", "more")))
        return (*sentences, *_coverage(facts, language))
    return (*_nothing(facts, language, said), *_unused(facts, language), *_near(facts, language))


def _nothing(facts: AnswerFacts, language: Language, said: Mapping[str, str]) -> Iterator[Sentence]:
    """Why no event is an answer: nothing happened, or nothing that could be known."""
    listed = catalogue(language)["words"]["list"]
    if facts.is_future:
        yield Sentence(text=fill(language, "answers", "future", **said))
    elif facts.unknown_places:
        places = listed.join(facts.unknown_places)
        yield Sentence(text=fill(language, "answers", "unknown_place", places=places))
    elif facts.unseen_places:
        places = listed.join(facts.unseen_places)
        cameras = listed.join(watch.camera for watch in facts.watches)
        yield Sentence(
            text=fill(language, "answers", "unseen_place", places=places, cameras=cameras)
        )
    elif not any(watch.recorded for watch in facts.watches):
        is_ever = facts.since_ns is None and facts.until_ns is None
        key = "unknown_ever" if is_ever else "unknown"
        yield Sentence(text=fill(language, "answers", key, **said))
    else:
        key = "no" if facts.yes_no and not facts.told_only else "none"
        yield Sentence(text=_capital(fill(language, "answers", key, **said)))
        if facts.told_only:
            words = listed.join(facts.told_only)
            yield Sentence(text=fill(language, "answers", "told_only", words=words))
        yield from _coverage(facts, language)


def _unused(facts: AnswerFacts, language: Language) -> Iterator[Sentence]:
    if facts.unused:
        words = catalogue(language)["words"]["list"].join(facts.unused)
        yield Sentence(text=fill(language, "answers", "unused", words=words))


def _near(facts: AnswerFacts, language: Language) -> Iterator[Sentence]:
    if facts.nearest:
        yield Sentence(text=fill(language, "answers", "nearest"))
        yield from _events(facts.nearest[:MAX_TOLD], language)


def missing_info(facts: AnswerFacts, language: Language) -> list[str]:
    """What would have to be known to say more: gaps of recording by camera, then what to try."""
    lines: list[str] = []
    if facts.is_future:
        return [fill(language, "answers", "missing_future")]
    if not facts.watches:
        lines.append(fill(language, "answers", "missing_cameras"))
    gaps = 0
    for watch in facts.watches:
        who = {"camera": watch.camera, "camera_id": watch.camera_id}
        if not watch.recorded:
            lines.append(fill(language, "answers", "missing_never", **who))
            continue
        for start_ns, end_ns in watch.gaps:
            gaps += 1
            if gaps <= MAX_GAPS:
                span = _span(start_ns, end_ns, facts.zone)
                lines.append(fill(language, "answers", "missing_gap", **who, **span))
    if gaps > MAX_GAPS:
        lines.append(fill(language, "answers", "missing_more", count=gaps - MAX_GAPS))
    if facts.unknown_places:
        places = catalogue(language)["words"]["list"].join(facts.unknown_places)
        lines.append(fill(language, "answers", "missing_places", places=places))
    if facts.unused:
        words = catalogue(language)["words"]["list"].join(facts.unused)
        lines.append(fill(language, "answers", "missing_words", words=words))
    if not facts.count and any(watch.recorded for watch in facts.watches):
        lines.append(fill(language, "answers", "missing_widen"))
    return lines


def _events(findings: Sequence[Finding], language: Language) -> Iterator[Sentence]:
    for finding in findings:
        text = fill(
            language,
            "answers",
            "event",
            when=f"{_local(finding.start_ns, finding.zone):%Y-%m-%d}",
            camera=finding.camera,
            sentence=finding.sentence.rstrip("。."),
        )
        yield Sentence(text=text, cites=(finding.event_id,))


def _coverage(facts: AnswerFacts, language: Language) -> list[Sentence]:
    """How complete the recording is on which the answer rests; nothing for periods without ends."""
    if facts.since_ns is None or facts.until_ns is None or not facts.watches:
        return []
    lacking = [watch for watch in facts.watches if watch.gaps or not watch.recorded]
    cameras = len(facts.watches)
    if not lacking:
        key = "covered_one" if cameras == 1 else "covered"
        so_far = fill(language, "answers", "so_far") if facts.is_unfinished else ""
        camera = facts.watches[0].camera
        text = fill(language, "answers", key, cameras=cameras, camera=camera, so_far=so_far)
    elif len(lacking) == 1 and len(lacking[0].gaps) == 1:
        span = _span(*lacking[0].gaps[0], facts.zone)
        gap = fill(language, "answers", "gap", camera=lacking[0].camera, **span)
        text = fill(language, "answers", "partly", gap=gap)
    elif cameras == 1 and lacking[0].recorded:
        text = fill(
            language,
            "answers",
            "partly_one",
            camera=lacking[0].camera,
            gaps=len(lacking[0].gaps),
        )
    else:
        text = fill(language, "answers", "partly_many", cameras=cameras, missing=len(lacking))
    return [Sentence(text=text)]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _count(facts: AnswerFacts, language: Language) -> str:
    key = "at_least" if facts.more else "one" if facts.count == 1 else "many"
    return fill(language, "answers", key, count=facts.count)


def _kinds(facts: AnswerFacts, language: Language) -> str:
    if len(facts.kinds) < 2:
        return ""
    named = [
        fill(language, "answers", "kind", name=event_name(kind, language), count=count)
        for kind, count in facts.kinds
    ]
    joined = catalogue(language)["words"]["list"].join(named)
    return fill(language, "answers", "kinds", kinds=joined)


def _place(facts: AnswerFacts, language: Language) -> str:
    if not facts.places:
        return ""
    joined = catalogue(language)["words"]["list"].join(facts.places)
    if language == "zh-TW":
        # Chinese is set apart from Latin words by a space.
        before, after = (" " if end.isascii() else "" for end in (joined[0], joined[-1]))
        joined = f"{before}{joined}{after}"
    return fill(language, "answers", "in_place", places=joined)


def period_words(facts: AnswerFacts, language: Language) -> str:
    """The time asked for, in words."""
    words = _period(facts, language)
    if not facts.has_zones or (facts.since_ns is None and facts.until_ns is None):
        return words
    return fill(language, "answers", "zoned", period=words, zone=facts.zone.key)


def _period(facts: AnswerFacts, language: Language) -> str:
    since, until = facts.since_ns, facts.until_ns
    if since is not None and until is not None:
        return fill(language, "answers", "period", **_span(since, until, facts.zone))
    if since is not None:
        return fill(language, "answers", "since", start=_told(since, facts.zone))
    if until is not None:
        return fill(language, "answers", "until", end=_told(until, facts.zone))
    return fill(language, "answers", "always")


def _span(start_ns: int, end_ns: int, zone: ZoneInfo) -> dict[str, str]:
    """Both ends; the day of the second only where it is another, seconds only where they count."""
    start, end = _local(start_ns, zone), _local(end_ns, zone)
    pattern = "%H:%M:%S" if start.second or end.second else "%H:%M"
    same_day = start.date() == end.date()
    return {
        "start": start.strftime(f"%Y-%m-%d {pattern}"),
        "end": end.strftime(pattern if same_day else f"%Y-%m-%d {pattern}"),
    }


def _told(time_ns: int, zone: ZoneInfo) -> str:
    moment = _local(time_ns, zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def _local(time_ns: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(seconds=time_ns // NS_PER_S)).astimezone(zone)
