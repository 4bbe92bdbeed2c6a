"""Shapes of the answers, as the OpenAPI document describes them.

The answers themselves are made by the services; a test holds both together.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Risk = Literal["low", "medium", "high", "critical"]


class Shape(BaseModel):
    """Base: nothing but the fields named here."""

    model_config = ConfigDict(extra="forbid")


class Health(Shape):
    """The process answers."""

    status: Literal["ok"]


class Camera(Shape):
    """A camera; zones and tripwires are names by id."""

    camera_id: str
    name: str
    timezone: str
    zones: dict[str, str]
    tripwires: dict[str, str]


class Narration(Shape):
    """What a model wrote of an event; the facts do not depend on it.

    ``level`` says what it was shown, ``reason`` why that was less than everything, ``flags`` what
    the check of its text found.
    """

    status: Literal["pending", "done", "failed"]
    text: str
    language: str
    model: str | None
    level: str | None
    reason: str | None
    flags: list[str]
    result: dict[str, Any] | None


class TimelineEntry(Shape):
    """An event in a search answer; times are RFC 3339 with the camera's offset."""

    event_id: str
    camera_id: str
    time_range: str
    start_time: str
    end_time: str | None
    event_type: str
    type: str
    type_en: str
    risk_level: Risk
    description: str
    description_en: str
    evidence: list[str]
    frame_links: list[str]
    narration: Narration | None
    match: Literal["full", "partial"]
    matched: list[str]


class Chip(Shape):
    """A piece of the question (characters ``start`` to ``end``) and what it was taken for.

    The question without those characters is the question without that condition.
    """

    start: int
    end: int
    kind: str
    value: str
    text: str
    negated: bool


class Interpretation(Shape):
    """What the question was understood to ask, and the words that narrowed nothing."""

    startDate: str | None
    endDate: str | None
    cameras: list[str]
    zones: list[str]
    eventTypes: list[str]
    classes: list[str]
    colours: list[str]
    riskLevel: Risk | None
    activityKeywords: list[str]
    notUnderstood: list[str]
    chips: list[Chip]


class Sentence(Shape):
    """A sentence of the answer and the events it rests on."""

    text: str
    event_ids: list[str]


class Coverage(Shape):
    """A stretch of time in which a camera was watched."""

    camera_id: str
    start_time: str
    end_time: str


class SearchAnswer(Shape):
    """An answer, the events it rests on (best first), and what was recorded at all.

    ``answer_by`` says whose words the answer is in; a model's were checked sentence by sentence.
    ``answer_note`` says why a model's are not used: ``no_model`` is configured, it was
    ``not_asked``, or what went wrong. ``total`` counts events that match in full.
    """

    answer_zh: str
    answer_en: str
    answer_by: Literal["template", "model"]
    answer_model: str | None
    answer_note: str | None
    sentences: list[Sentence]
    timeline: list[TimelineEntry]
    missing_info: list[str]
    missing_info_en: list[str]
    interpretation: Interpretation
    coverage: list[Coverage]
    total: int
    total_is_exact: bool
    next_cursor: str | None


class TimelineMark(Shape):
    """An event on the time line; times are RFC 3339 with the camera's offset."""

    event_id: str
    start_time: str
    end_time: str | None
    event_type: str
    type: str
    type_en: str
    risk_level: Risk


class TimelineCamera(Shape):
    """A camera's row of the time line.

    ``recorded`` are stretches with a recording, as seconds since ``start_time``. ``steps`` are the
    numbers of the steps in which events began, ``counts`` how many did, and ``risks`` the gravest
    risk among those; the three run side by side. ``marks`` has the events themselves where there
    are few, null where there are many.
    """

    camera_id: str
    timezone: str
    recorded: list[tuple[float, float]]
    steps: list[int]
    counts: list[int]
    risks: list[Risk]
    marks: list[TimelineMark] | None


class SearchTimeline(Shape):
    """All events that answer a question, by camera and time.

    Step ``n`` begins ``n * step_s`` seconds after ``grid_time``, which is at or before
    ``start_time``. ``is_part``: only the newest ``total`` are counted, and ``counted_from`` says
    from when on. The times are null where there is neither a recording nor an event.
    """

    start_time: str | None
    end_time: str | None
    grid_time: str | None
    step_s: int
    timezone: str
    total: int
    is_part: bool
    counted_from: str | None
    cameras: list[TimelineCamera]


class Actor(Shape):
    """Who took part."""

    track_id: str
    type: str
    notes: str


class Evidence(Shape):
    """A moment of the event, with its picture where one is kept."""

    timestamp: str
    what: str
    what_en: str
    key: str
    track_ids: list[str]
    frame_id: str | None
    frame_link: str | None


class MediaFile(Shape):
    """A kept file and its hash; width and height in pixels."""

    kind: Literal["original", "annotated", "clip"]
    timestamp: str
    media_type: str
    sha256: str
    bytes: int
    width: int
    height: int


class ClipSpan(Shape):
    """A stretch that a clip shows. It shows them one after the other, from its time 0 on."""

    start_time: str
    end_time: str


class Limit(Shape):
    """What a rule asks of a measure: to be ``comparison`` ``value``, its parameter ``key``."""

    key: str
    value: float
    comparison: Literal["at_least", "at_most", "over", "under", "equal"]
    text: str
    text_en: str


class Measure(Shape):
    """A fact with its unit and what the rule asks of it, as data and in words.

    Pixels are those of a picture 720 high; ``time`` is RFC 3339 in UTC; ``share`` is 0..1 of the
    picture.
    """

    rule_id: str
    key: str
    name: str
    name_en: str
    value: float | str | list[float] | list[str]
    unit: Literal["s", "px", "px_s", "deg", "count", "time", "name", "share"]
    text: str
    text_en: str
    limit: Limit | None


class EventRecord(Shape):
    """One event with facts, evidence and hashes; times are RFC 3339 with the camera's offset."""

    event_id: str
    camera_id: str
    start_time: str
    end_time: str | None
    timezone: str
    event_type: str
    type: str
    type_en: str
    actors: list[Actor]
    evidence: list[Evidence]
    risk_level: Risk
    search_keywords_zh: list[str]
    summary_zh: str
    summary_en: str
    summary_by: str
    narration: Narration | None
    frame_links: list[str]
    clip_link: str | None
    clip_spans: list[ClipSpan]
    rule_id: str
    zone: str | None
    zone_name: str | None
    tripwire: str | None
    tripwire_name: str | None
    established_time: str
    facts: dict[str, Any]
    parameters: dict[str, Any]
    measures: list[Measure]
    media: list[MediaFile]
    is_kept: bool
    media_deleted_time: str | None
