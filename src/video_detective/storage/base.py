"""What is stored (cameras, runs, frames, tracks, events, evidence) and how to ask for it.

Times are integer nanoseconds UTC and fit a signed 64-bit integer. Periods are half-open
``[since_ns, until_ns)``. Pictures and clips are named by the SHA-256 of their content
(``BlobStore``); the database holds names, never bytes of media.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from video_detective.alerts.base import Alert
from video_detective.geometry import NS_PER_S
from video_detective.rules.base import Event
from video_detective.storage.attributes.base import AttributeStretch
from video_detective.storage.insights.base import AlertContext
from video_detective.storage.reach import Reach
from video_detective.tracking.base import Track

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def frame_id(camera_id: str, time_ns: int, index: int, zone: ZoneInfo) -> str:
    """``{camera}_{YYYYmmdd_HHMMSS}_{n:06d}``: the frame's local time (cut to seconds) and number.

    >>> frame_id("cam01", 1765893901_500_000_000, 123, ZoneInfo("Asia/Taipei"))
    'cam01_20251216_220501_000123'
    """
    local = (_EPOCH + timedelta(seconds=time_ns // NS_PER_S)).astimezone(zone)
    return f"{camera_id}_{local:%Y%m%d_%H%M%S}_{index:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRow:
    """A camera as last configured; ``document`` is its validated part of the rules file (JSON)."""

    camera_id: str
    name: str
    timezone: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKey:
    """Names one analysis: the same key again is the same analysis, continued.

    Args:
        camera_id: Whose view it is.
        fingerprint: Content of the source (``SourceInfo.fingerprint``).
        settings_hash: Everything else that decides the result: rules, detector, sampling, and the
            source's start time.
    """

    camera_id: str
    fingerprint: str
    settings_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The right to write one analysis, until somebody else begins the same one.

    Args:
        run_id: Unique in the database, never reused.
        status: ``new``; ``resumed`` (go on from ``checkpoint``, or from the start when that is
            None); ``done`` (nothing to do, see ``report``).
        epoch: Number of this beginning; writes of an earlier one are refused.
        checkpoint: What the last committed step left.
        report: What the finished run reported.
    """

    run_id: int
    key: RunKey
    status: Literal["new", "resumed", "done"]
    epoch: int
    checkpoint: bytes | None = None
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """An analysis for people to look at: what is read, how far it is, what it gave.

    ``superseded_by`` is the analysis of the same footage whose events are listed instead.
    """

    run_id: int
    key: RunKey
    done: bool
    start_ns: int
    info: Mapping[str, Any]
    progress: Mapping[str, Any]
    report: Mapping[str, Any] | None
    superseded_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """What an analysis has given so far: tracks by class, events by type, in order of name."""

    tracks: Mapping[str, int]
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """One sampled frame (the source's ``frame_record``).

    A frame belongs to a camera and a moment, not to a run: a later analysis of the same footage
    replaces detections and view, and keeps pictures and words when it brings none.

    Args:
        frame_id: See ``frame_id()``.
        frame: Source frame index (0-based).
        size: (width, height) in pixels.
        detections: ``Detections.as_records()``.
        view, cut: As in ``rules.Observation``.
        image_sha256, annotated_sha256: Stored JPEG without and with drawings, when kept.
        vlm_json, summary_zh: A model's or template's words on the frame.
    """

    frame_id: str
    camera_id: str
    time_ns: int
    frame: int
    size: tuple[int, int]
    detections: Sequence[Mapping[str, Any]] = ()
    view: str = "ok"
    cut: bool = False
    image_sha256: str | None = None
    annotated_sha256: str | None = None
    vlm_json: Mapping[str, Any] | None = None
    summary_zh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """One track as seen so far; written again it widens the span and keeps the best score."""

    track_id: str
    type: str
    first_ns: int
    last_ns: int
    best_conf: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """One track in one frame; ``run_id`` is set by the store on reading."""

    time_ns: int
    frame: int
    track: Track
    run_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRow:
    """One moment at which the rules looked, whether they saw anything or not.

    Args:
        time_ns, frame, size, view, cut: As in ``rules.Observation``.
        tracks: Those that were seen; None when they are kept as points of this time.
    """

    time_ns: int
    frame: int
    size: tuple[int, int]
    view: str = "ok"
    cut: bool = False
    tracks: tuple[Track, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One piece of evidence of an event. An event has at most one of a (kind, time, what).

    Args:
        kind: ``original`` or ``annotated`` picture, or ``clip``.
        what: The moment's key (``Moment.what``) or, of imported events, its text.
        time_ns, frame: The moment; of a clip its first frame.
        frame_id: The stored frame, when there is one.
        sha256, media_type, bytes: Name, kind (``image/jpeg``) and length of the blob.
        width, height: In pixels.
    """

    kind: Literal["original", "annotated", "clip"]
    what: str
    time_ns: int
    frame: int
    sha256: str
    media_type: str
    bytes: int
    width: int
    height: int
    frame_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrationRow:
    """An event that a model is to tell, and what came of it. It changes nothing of the event.

    Args:
        event_id: Which event; it has at most one.
        status: ``pending``, ``done`` or ``failed``.
        requested_ns: When it was asked for.
        finished_ns: When it was done or failed; None before.
        language: ``zh-TW`` or ``en``.
        level: What was really done: ``frames`` (several pictures), ``frame`` (1 to 3), ``text``
            (none), ``template`` (no model); None while pending.
        reason: Why less was done than asked for, or why it failed: a stable key and words.
        model: Which model, as its server calls it.
        prompts: Versions of the prompts used.
        text: The model's words for people; "" while there are none. They can be searched.
        result: The validated output, plain JSON.
        flags: Stable keys of what is wrong with the words: ``language``.
        raw_text: What a failed answer said.
        usage: Tokens, seconds, attempts, plain JSON.
        starts: How often a worker began on it.
        worker: Who works on a pending one, or finished it.
    """

    event_id: str
    status: Literal["pending", "done", "failed"]
    requested_ns: int
    finished_ns: int | None = None
    language: Literal["zh-TW", "en"] = "zh-TW"
    level: str | None = None
    reason: str | None = None
    model: str | None = None
    prompts: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    result: Mapping[str, Any] | None = None
    flags: tuple[str, ...] = ()
    raw_text: str | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    starts: int = 0
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event with its words.

    Args:
        event: The fact.
        summary_zh, summary_en: One sentence or more.
        keywords_zh: For search.
        run_id: The analysis that found it, set by the store; None when imported. An imported
            event without an end is taken for an instant where a period is asked for.
        evidence: In order of time; read with the event, written by ``Database.add_evidence``.
        deleted_evidence: Likewise; what retention deleted. Hashes and sizes are still known.
        narration: What a model is to say or said about it; read with the event, written by
            ``narrations``.
        is_kept: Somebody wants it kept, however old it becomes; read with the event.
        media_deleted_ns: When retention deleted its pictures and clip; None while they are here.
    """

    event: Event
    summary_zh: str = ""
    summary_en: str = ""
    keywords_zh: tuple[str, ...] = ()
    run_id: int | None = None
    evidence: tuple[EvidenceRow, ...] = ()
    narration: NarrationRow | None = None
    deleted_evidence: tuple[EvidenceRow, ...] = ()
    is_kept: bool = False
    media_deleted_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one stretch of an analysis adds; it is stored wholly or not at all.

    Args:
        checkpoint: State after the step, from which ``begin_run`` goes on.
        frames, points: New in this step.
        looks: Every moment of it at which the rules looked, in order of time.
        tracks, events: New or changed; a later version of the same id replaces the earlier one.
            An event that changed loses its evidence, which shows what is no longer said.
        coverage: ``(start_ns, end_ns)`` spans that were watched; those that touch or overlap what
            is stored grow together, so let a span begin where the last one ended.
        progress: How far it is, plain JSON for people.
        attributes: What persons looked like, where that is recorded.
        alerts: Of the step's events, each with its one insight; those that are there already or
            in cool-down are left out, so that giving one again is harmless.
        alerting: Under which circumstances the alerts are made.
    """

    checkpoint: bytes
    frames: Sequence[FrameRow] = ()
    points: Sequence[PointRow] = ()
    looks: Sequence[LookRow] = ()
    tracks: Sequence[TrackRow] = ()
    events: Sequence[StoredEvent] = ()
    coverage: Sequence[tuple[int, int]] = ()
    progress: Mapping[str, Any] = field(default_factory=dict)
    attributes: AttributeStretch | None = None
    alerts: Sequence[Alert] = ()
    alerting: AlertContext = field(default_factory=AlertContext)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextNumbers:
    """First unused numbers of a camera; an absent key means 1.

    Args:
        tracks: By letter of the track id (``p``).
        events: By local day of the event id (``20261121``).
    """

    tracks: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events to list. Every condition narrows; the default is all of them.

    Those of a superseded analysis are never listed: the same footage was analysed again.

    Args:
        camera: Camera id.
        types: Any of these event types.
        risk_levels: Any of these risk levels.
        since_ns, until_ns: Events that held at some time in ``[since_ns, until_ns)``; one that
            still goes on has no end.
        limit: 1..1000 events a page.
        cursor: ``Page.next_cursor`` of the page before, of the same query.
        offset: So many are left out before; not with ``cursor``.
        order: ``newest`` or ``oldest`` start first.
        reach: Only of cameras that can be seen; None: of every one.
    """

    camera: str | None = None
    types: tuple[str, ...] = ()
    risk_levels: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int = 50
    cursor: str | None = None
    offset: int = 0
    order: Literal["newest", "oldest"] = "newest"
    reach: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of events.

    Args:
        events: In the order asked for.
        next_cursor: Where the next page begins; None on the last one.
        total: How many events the whole query has.
    """

    events: tuple[StoredEvent, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """What an import did with its events.

    Args:
        new: Were not there.
        replaced: Imported before, now with other content.
        unchanged: Imported before with the same content.
        kept: Found by an analysis of this database, which an import never overwrites.
    """

    new: int
    replaced: int
    unchanged: int
    kept: int
