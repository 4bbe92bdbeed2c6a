"""What the interface answers.

Written by ``make openapi`` from the OpenAPI document: do not edit.
"""

from __future__ import annotations

from typing import Any, Literal

from video_detective.client.base import Model


class Statistics(Model):
    """Sums over records; ``timeline`` has the hours or days with records, in order of time."""

    total_records: int
    total_persons: int
    gender_distribution: Gender
    age_distribution: Ages
    timeline: list[Stretch]


class Gender(Model):
    """Persons by gender; null where nothing could determine it."""

    female: int | None
    male: int | None


class Ages(Model):
    """Persons by age; null where nothing could determine it."""

    age_less18: int | None
    age18_to60: int | None
    age_over60: int | None


class Stretch(Model):
    """Sums of one local hour or day; ``timestamp`` is its beginning in UTC."""

    timestamp: str
    person_count: int
    attributes: Counts


class Counts(Model):
    """How many of the persons have each attribute; null where nothing could determine it."""

    female: int | None
    male: int | None
    age_less18: int | None
    age18_to60: int | None
    age_over60: int | None
    front: int | None
    side: int | None
    back: int | None
    hat: int | None
    glasses: int | None
    hand_bag: int | None
    shoulder_bag: int | None
    backpack: int | None
    hold_objects_in_front: int | None
    short_sleeve: int | None
    long_sleeve: int | None
    long_coat: int | None
    trousers: int | None
    shorts: int | None
    skirt_dress: int | None
    boots: int | None
    upper_black: int | None
    upper_white: int | None
    upper_red: int | None
    upper_purple: int | None
    upper_yellow: int | None
    upper_gray: int | None


class NearRecord(Model):
    """What the persons in view looked like at one moment near an insight."""

    id: str
    captured_at: str
    total_persons: int
    attributes: Counts


class Record(Model):
    """What the persons in view looked like at one moment, before which device. ``source`` tells
    what determined more than colours: ``colour`` (nothing did), ``onnx``, ``vlm``.
    """

    id: str
    captured_at: str
    total_persons: int
    attributes: Counts
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str
    source: Literal["colour", "onnx", "vlm"]
    created_at: str


class FullRecord(Model):
    """A record with who made it."""

    id: str
    captured_at: str
    total_persons: int
    attributes: Counts
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str
    source: Literal["colour", "onnx", "vlm"]
    created_at: str
    compute_node_id: str | None
    user_id: str | None
    updated_at: str


class Insight(Model):
    """An alert as it is described. ``thumbnailUrl`` is signed: whoever has it sees that picture
    for some minutes. ``describedBy``: ``model``, or ``template`` where no model answered;
    ``reason`` then says why, ``level`` what was really looked at. ``flags``: what a
    reader must know of the words.
    """

    id: str
    alert_id: str
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None
    severity: Literal["warning", "critical"]
    triggered_at: str
    message: str
    vlm_status: Literal["pending", "completed", "failed"]
    vlm_summary: str | None
    vlm_structured_result: StructuredResult | None
    thumbnail_url: str | None
    snapshot_count: int
    attributes_summary: AttributesSummary | None
    has_attributes: bool
    has_vlm_summary: bool
    created_at: str
    event_id: str
    described_by: Literal["model", "template"] | None
    level: str | None
    reason: str | None
    flags: list[str]


class StructuredResult(Model):
    """What was said of an alert: summary at most 500 characters, environment 50, 5 activities, 3
    suggestions.
    """

    summary: str
    person_count: int
    risk_level: Literal["low", "medium", "high", "critical"]
    activities: list[str]
    suggestions: list[str]
    environment: str


class AttributesSummary(Model):
    """Of the attributes nearest to the trigger."""

    total_persons: int
    gender_distribution: GenderDistribution


class GenderDistribution(Model):
    """Persons by gender; null where nothing could determine it."""

    female: int | None
    male: int | None


class VlmSummary(Model):
    """The words about an alert."""

    insight_id: str
    triggered_at: str
    severity: Literal["warning", "critical"]
    vlm_summary: str
    thumbnail_url: str | None
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None


class SearchAnswer(Model):
    """Insights that answer a question, best first; ``total`` is how many there are in all."""

    data: list[Insight]
    total: int
    interpretation: Understood
    tokens_used: TokensUsed


class Understood(Model):
    """What a question was understood as; what it does not say is not there."""

    risk_level: Literal["low", "medium", "high", "critical"] | None = None
    severity: Literal["warning", "critical"] | None = None
    activity_keywords: list[str] | None = None
    device_ids: list[str] | None = None
    scene_ids: list[str] | None = None
    start_date: str | None = None
    end_date: str | None = None
    event_types: list[str] | None = None
    classes: list[str] | None = None
    colours: list[str] | None = None
    zones: list[str] | None = None
    not_understood: list[str] | None = None


class TokensUsed(Model):
    """Tokens of a model; 0 where none was asked."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class InsightDetail(Model):
    """An insight with what raised the alert, its pictures, and what the model needed."""

    id: str
    alert_id: str
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None
    severity: Literal["warning", "critical"]
    triggered_at: str
    message: str
    vlm_status: Literal["pending", "completed", "failed"]
    vlm_summary: str | None
    vlm_structured_result: StructuredResult | None
    thumbnail_url: str | None
    snapshot_count: int
    attributes_summary: AttributesSummary | None
    has_attributes: bool
    has_vlm_summary: bool
    created_at: str
    event_id: str
    described_by: Literal["model", "template"] | None
    level: str | None
    reason: str | None
    flags: list[str]
    metric_path: str
    operator: Literal["GT", "LT", "GTE", "LTE", "EQ"]
    threshold: float
    actual_value: float
    compute_node_id: str | None
    snapshot_urls: list[str]
    vlm_requested_at: str | None
    vlm_completed_at: str | None
    vlm_error: str | None
    vlm_tokens_used: int | None
    vlm_input_tokens_used: int | None
    vlm_output_tokens_used: int | None
    request_id: str


class Snapshot(Model):
    """A picture; ``url`` is signed and good for some minutes."""

    index: int
    url: str


class Who(Model):
    """The caller."""

    kind: Literal["key", "user"]
    id: str
    name: str
    scopes: list[
        Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
    ]
    is_limited_to_devices: bool
    account_id: str
    timezone: str
    language: Literal["zh-TW", "en"]


class Entered(Model):
    """Somebody signed in; the answer's cookie is their session."""

    user_id: str
    name: str
    role: Literal["admin", "operator", "viewer"]
    scopes: list[
        Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
    ]
    account_id: str
    expires_at: str


class Done(Model):
    """It is done."""

    done: bool | None = None


class Account(Model):
    """A tenant: its devices, users, keys and everything that happened are nobody else's."""

    id: str
    name: str
    timezone: str
    language: Literal["zh-TW", "en"]
    is_default: bool
    created_at: str


class NewAccount(Model):
    """A tenant that was just made, with the link for its first admin."""

    id: str
    name: str
    timezone: str
    language: Literal["zh-TW", "en"]
    is_default: bool
    created_at: str
    invitation: Invitation


class Invitation(Model):
    """A one-time link. Its ``url`` is shown now and never again."""

    url: str
    expires_at: str


class User(Model):
    """Somebody who signs in. ``deviceIds``: devices to which they are limited, null for all of
    the account. ``isLocked``: after too many failures nobody can sign in as them just
    now.
    """

    id: str
    name: str
    role: Literal["admin", "operator", "viewer"]
    device_ids: list[str] | None
    is_disabled: bool
    is_locked: bool
    created_at: str
    last_login_at: str | None


class Key(Model):
    """A key. ``prefix`` is the part of it that may be seen; ``lastUsedAt`` is true to a minute."""

    id: str
    name: str
    prefix: str
    scopes: list[
        Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
    ]
    device_ids: list[str] | None
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class NewKey(Model):
    """A key that was just made. ``key`` is the whole of it, shown now and never again."""

    id: str
    name: str
    prefix: str
    scopes: list[
        Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
    ]
    device_ids: list[str] | None
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    key: str


class Entry(Model):
    """What somebody did. ``hash`` covers the entry and ``previous``, the hash before it."""

    number: int
    time: str
    actor_kind: Literal["user", "key", "local", "system"]
    actor_id: str
    actor_name: str
    action: str
    target_kind: str
    target_id: str
    request_id: str
    details: dict[str, Any]
    previous: str
    hash: str


class Verification(Model):
    """What walking the log found. ``rows`` hold, and ``head`` is the hash of the last of them:
    kept elsewhere, it shows later that nothing before it was changed. ``brokenAt`` is the
    first that does not hold.
    """

    is_intact: bool
    rows: int
    head: str
    broken_at: int | None
    problem: str | None


class Channel(Model):
    """Where notifications go. ``secret`` is there once, when it was made; webhooks are signed
    with it. Callers without the scope ``admin`` see only the host of ``url`` and no
    ``recipients``; a query is shown to nobody. While there is a ``problem`` nothing
    reaches anybody through the channel: it waits for a day.
    """

    id: str
    kind: Literal["webhook", "email", "mqtt"]
    name: str
    url: str | None
    recipients: list[str] | None
    filters: ChannelFilters
    cooldown_seconds: float
    is_enabled: bool
    secret: str | None
    problem: ChannelProblem | None
    created_at: str
    updated_at: str


class ChannelFilters(Model):
    """Which alerts a channel is told; an empty list means all. ``tell``: that an alert is there
    (``new``, always), that the model has described it (``update``), that it is over
    (``end``). ``includePast``: also alerts about footage that was more than 15 minutes
    old when it was analysed.
    """

    device_ids: list[str]
    severities: list[Literal["warning", "critical"]]
    alert_rules: list[str]
    tell: list[Literal["new", "update", "end"]]
    include_past: bool


class ChannelProblem(Model):
    """What the service's settings lack for a channel, and what to do about it."""

    key: Literal["server_unset", "password_unset"]
    setting: str
    found: str
    remedy: str


class FilterChange(Model):
    """What to set of a channel's filters; what is left out stays."""

    device_ids: list[str] | None = None
    severities: list[Literal["warning", "critical"]] | None = None
    alert_rules: list[str] | None = None
    tell: list[Literal["new", "update", "end"]] | None = None
    include_past: bool | None = None


class RemovedChannel(Model):
    """What was removed."""

    id: str


class TestResult(Model):
    """What came of a test: ``answer`` is what the receiver said, or why it was not reached."""

    delivered: bool
    answer: str
    duration_ms: int


class Delivery(Model):
    """One notification of one channel. Its id is the same in every attempt and replay.
    ``status`` ``waiting`` is also that of one that is to be attempted again, at
    ``nextAttemptAt``; ``skipped`` was told to nobody, and ``answer`` says why.
    """

    id: str
    channel_id: str
    alert_id: str
    device_id: str
    kind: Literal["new", "update", "end"]
    status: Literal["waiting", "done", "failed", "skipped"]
    attempts: int
    answer: str | None
    next_attempt_at: str | None
    request_id: str
    created_at: str
    ended_at: str | None


class Replayed(Model):
    """How many deliveries are told again."""

    count: int


class DeliveryDetail(Model):
    """With what was told: the body of the webhook without links; null before the first attempt."""

    id: str
    channel_id: str
    alert_id: str
    device_id: str
    kind: Literal["new", "update", "end"]
    status: Literal["waiting", "done", "failed", "skipped"]
    attempts: int
    answer: str | None
    next_attempt_at: str | None
    request_id: str
    created_at: str
    ended_at: str | None
    payload: dict[str, Any] | None


class Device(Model):
    """A camera. ``source`` is shown without its user, password and tokens, which are never given
    out. ``cameraId`` is the part of event ids and file names that means this device.
    """

    id: str
    camera_id: str
    name: str
    aliases: list[str]
    timezone: str
    plan: Literal["LEVEL_01", "LEVEL_02"]
    tags: list[str]
    source: str | None
    has_credentials: bool
    scene_id: str | None
    scene_version: int | None
    created_at: str
    updated_at: str


class Removed(Model):
    """What was removed."""

    id: str


class Scene(Model):
    """What is watched for in a device's view, at the version in force."""

    id: str
    device_id: str
    name: str
    version: int
    document: dict[str, Any]
    created_at: str
    updated_at: str
    author: str
    note: str


class SceneSchema(Model):
    """JSON Schema (2020-12) of ``document``. Besides the standard's words, ``x-refers`` names
    the part of the document of which a value is an id, and ``x-paths`` the forms of a
    metric, in which ``*`` is an id. What depends on several fields is checked only when a
    document is sent.
    """

    document: dict[str, Any]


class RemovedScene(Model):
    """What was removed."""

    id: str


class Version(Model):
    """One version of a scene. Its document is left out in lists."""

    version: int
    created_at: str
    author: str
    note: str
    document: dict[str, Any] | None = None


class DryRunResult(Model):
    """How the events of a period would differ under the draft."""

    scene_id: str
    base_version: int
    from_: str
    to: str
    timezone: str
    watched_seconds: float
    looks: int
    counts: EventCounts
    by_rule: list[RuleCounts]
    events: EventLists
    alerts: AlertDifference
    limits: list[LimitShape]


class EventCounts(Model):
    """How many events of either version, and how they differ."""

    now: int
    draft: int
    appear: int
    vanish: int
    move: int
    same: int


class RuleCounts(Model):
    """Events of one rule under either version."""

    rule_id: str
    now: int
    draft: int


class EventLists(Model):
    """The first 500 of each."""

    appear: list[PlayedEvent]
    vanish: list[PlayedEvent]
    move: list[MovedEvent]
    same: list[PlayedEvent]


class PlayedEvent(Model):
    """An event as one version finds it. ``eventId`` is that of the stored event that is the
    same; null where there is none.
    """

    event_id: str | None
    type: str
    risk_level: str
    rule_id: str
    zone: str | None
    tripwire: str | None
    start_time: str
    established_time: str
    end_time: str | None
    track_ids: list[str]


class MovedEvent(Model):
    """An event that both versions find; ``changed`` says what is other under the draft."""

    now: PlayedEvent
    draft: PlayedEvent
    changed: list[Literal["start", "established", "end", "type", "risk", "actors"]]


class AlertDifference(Model):
    """Alerts of either version, and the first 500 that only one of them makes."""

    now: AlertCounts
    draft: AlertCounts
    appear: list[PlayedAlertShape]
    vanish: list[PlayedAlertShape]


class AlertCounts(Model):
    """How many alerts a version makes."""

    total: int
    warning: int
    critical: int


class PlayedAlertShape(Model):
    """An alert that a version makes, and its event."""

    alert_rule: str
    severity: str
    message: str
    triggered_at: str
    event: PlayedEvent


class LimitShape(Model):
    """Something that the result cannot show; ``ruleIds`` empty for all rules."""

    code: str
    message: str
    rule_ids: list[str]


class LiveStatus(Model):
    """How the live analysis of a device goes. ``state`` since ``since``: ``starting``,
    ``running``, ``waiting`` (for the camera, which is connected again by itself),
    ``stopped``, ``failed`` (see ``error``; it is tried again by itself). ``fps`` are
    frames read a second, lately; ``lagSeconds`` is how far behind the camera the last one
    was handled. ``nodeId`` has the camera; ``requestId`` began it.
    """

    device_id: str
    wanted: bool
    state: Literal["starting", "running", "waiting", "stopped", "failed"]
    since: str | None
    node_id: str | None
    fps: float | None
    lag_seconds: float | None
    last_frame_at: str | None
    last_frame_age_seconds: float | None
    drops: list[Drop]
    error: str | None
    request_id: str | None


class Drop(Model):
    """Something of the source that could not be used, and why: a stable key, and words."""

    reason: str
    count: int
    detail: str


class Job(Model):
    """An uploaded video and its analysis."""

    id: str
    device_id: str
    file_name: str
    size_bytes: int
    received_bytes: int
    sha256: str | None
    start_time: str | None
    status: Literal["uploading", "queued", "running", "done", "failed", "cancelled"]
    cancel_requested: bool
    node_id: str | None
    progress: Progress
    report: Report | None
    error: JobError | None
    request_id: str | None
    created_by: str
    created_at: str
    started_at: str | None
    ended_at: str | None


class Progress(Model):
    """How far an analysis is. ``rate``: seconds of video a second; null where not yet known."""

    percent: float | None = None
    frames: int | None = None
    video_seconds: float | None = None
    rate: float | None = None
    seconds_left: float | None = None
    events: int | None = None


class Report(Model):
    """What an analysis gave; ``already_done``: the same footage under the same scene was known."""

    status: Literal["done", "already_done"]
    start_time: str
    start_from: str
    detector: str
    frames: FrameCounts
    video_seconds: float
    wall_seconds: float
    tracks: dict[str, int]
    events: dict[str, int]
    throttled: dict[str, int]
    drops: list[ReportDrop]


class FrameCounts(Model):
    """Frames decoded, looked at and sampled, and regions that went through the detector."""

    decoded: int
    looked_at: int
    sampled: int
    detector_regions: int


class ReportDrop(Model):
    """Something of the file that could not be used; ``atS`` is where, in seconds."""

    reason: str
    count: int
    at_s: float | None
    detail: str


class JobError(Model):
    """Why a job failed: a stable code, and words that say what to do."""

    code: str
    message: str


class Node(Model):
    """A machine on which the service runs or ran; ``silentSeconds`` since its last sign of life."""

    id: str
    name: str
    version: str
    state: Literal["online", "offline"]
    started_at: str
    silent_seconds: float
    cpus: int | None


class RetentionSettings(Model):
    """How long pictures and clips, and events, are kept: days, null for ever."""

    media_days: int | None
    record_days: int | None
    updated_at: str | None
    usage: UsedSpace
    next_round_at: str | None
    round: DeletionRound | None
    last_round: DeletionRound | None


class UsedSpace(Model):
    """What the account has, and the room on the disk with the pictures."""

    files: int
    bytes: int
    first_media_at: str | None
    events: int
    first_event_at: str | None
    kept_events: int
    free_bytes: int
    total_bytes: int


class DeletionRound(Model):
    """One deletion of all that is too old, in many short steps."""

    started_at: str
    ended_at: str | None
    media_before: str | None
    records_before: str | None
    deleted: Amount


class Amount(Model):
    """What was deleted or would be. ``rows``: tracks, points, frames, looks, attributes."""

    events: int
    files: int
    bytes: int
    rows: int
    first_event_at: str | None
    last_event_at: str | None


class RetentionPreview(Model):
    """What a deletion with these days would take now."""

    media_before: str | None
    records_before: str | None
    deleted: Amount


class ModelsState(Model):
    """Model servers, what their models are used for, and the weights of detectors."""

    servers: list[ModelServerState]
    uses: list[ModelUse]
    weights: list[Weights]


class ModelServerState(Model):
    """A configured model server; never its key nor more of its address than scheme, host, port."""

    name: str
    kind: str
    address: str
    has_key: bool
    concurrency: int
    timeout_seconds: float
    checked_at: str
    is_reachable: bool
    models: list[str]
    problem: ModelProblem | None


class ModelProblem(Model):
    """What is not as it should be, and what to do about it."""

    key: str
    found: str
    remedy: str


class ModelUse(Model):
    """A model and what it is used for. ``problems`` are of the probe at ``probedAt``."""

    use: Literal["narration", "answers", "embeddings"]
    server: str
    model: str
    licence: str | None
    abilities: ModelAbilities | None
    probed_at: str | None
    problems: list[ModelProblem]


class ModelAbilities(Model):
    """What a probe showed that a model can do."""

    structured: Literal["schema", "json", "no"]
    images: bool
    several_images: bool
    context_tokens: int | None
    tokens_per_second: float | None
    gpu_share: float | None
    embedding_size: int | None


class Weights(Model):
    """Weights of a detector: where they come from, under which licence, whether they are here."""

    name: str
    what: str
    licence: str
    source: str
    member: str
    sha256: str
    bytes: int
    state: Literal["ready", "missing", "outdated", "damaged"]


class Licences(Model):
    """Licences of what runs here."""

    weights: list[Weights]
    models: list[LicensedModel]
    packages: list[Package]


class LicensedModel(Model):
    """A model in use; ``licence`` is null where its server does not tell it."""

    use: Literal["narration", "answers", "embeddings"]
    server: str
    model: str
    licence: str | None


class Package(Model):
    """An installed package; ``licence`` is null where its metadata name none."""

    name: str
    version: str
    licence: str | None


class Queue(Model):
    """What waits, the budget (null: no model tells events), and what fell short since a day ago."""

    waiting: list[QueueLength]
    budget: CallBudget | None
    since: str
    shortfalls: list[ShortfallCount]


class QueueLength(Model):
    """How much waits: ``waiting`` has nobody begun, ``running`` somebody has."""

    kind: Literal["insights", "narrations", "embeddings", "deliveries"]
    waiting: int
    running: int
    oldest_at: str | None
    oldest_seconds: float | None


class CallBudget(Model):
    """Calls of a model within any hour: over all cameras of the installation, and by camera."""

    per_hour: int
    per_hour_per_camera: int
    used: int
    left: int
    cameras: list[DeviceBudget]


class DeviceBudget(Model):
    """Calls of the last hour about a camera, and how many are left to it."""

    camera_id: str
    device_id: str | None
    name: str
    used: int
    left: int


class ShortfallCount(Model):
    """What fell short for one reason; ``isFailed``: without any words of a model."""

    kind: Literal["insights", "narrations", "embeddings", "deliveries"]
    reason: str
    is_failed: bool
    count: int
    examples: list[ShortfallExample]


class ShortfallExample(Model):
    """Something that was done with less than was wished, or not at all."""

    event_id: str
    insight_id: str | None
    time: str
    detail: str


class Event(Model):
    """An event with facts, evidence and hashes. ``facts`` and ``parameters`` are the rule's own.
    ``frameLinks`` and ``clipLink`` are signed: whoever has one sees that file for some
    minutes. ``isKept``: retention never deletes it. ``mediaDeletedAt``: when retention
    deleted its pictures and clip; their hashes stay.
    """

    event_id: str
    device_id: str | None
    scene_id: str | None
    camera_id: str
    start_time: str
    end_time: str | None
    established_time: str
    timezone: str
    event_type: str
    type: str
    type_en: str
    risk_level: Literal["low", "medium", "high", "critical"]
    rule_id: str
    zone: str | None
    zone_name: str | None
    tripwire: str | None
    tripwire_name: str | None
    actors: list[Actor]
    evidence: list[Evidence]
    search_keywords_zh: list[str]
    summary_zh: str
    summary_en: str
    summary_by: str
    narration: Narration | None
    frame_links: list[str]
    clip_link: str | None
    clip_spans: list[ClipSpan]
    is_kept: bool
    media_deleted_at: str | None
    facts: dict[str, Any]
    parameters: dict[str, Any]
    measures: list[Measure]
    media: list[MediaFile]


class Actor(Model):
    """Who took part."""

    track_id: str
    type: str
    notes: str


class Evidence(Model):
    """A moment of the event, with its picture where one is kept."""

    timestamp: str
    what: str
    what_en: str
    key: str
    track_ids: list[str]
    frame_id: str | None
    frame_link: str | None


class Narration(Model):
    """What a model wrote of an event; the facts do not depend on it."""

    status: Literal["pending", "done", "failed"]
    text: str
    language: str
    model: str | None
    level: str | None
    reason: str | None
    flags: list[str]
    result: dict[str, Any] | None


class ClipSpan(Model):
    """A stretch that a clip shows. It shows them one after the other, from its time 0 on."""

    start_time: str
    end_time: str


class Measure(Model):
    """A fact with its unit and what the rule asks of it, as data and in words. Pixels are those
    of a picture 720 high; ``time`` is RFC 3339 in UTC; ``share`` is 0..1 of the picture.
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


class Limit(Model):
    """What a rule asks of a measure: to be ``comparison`` ``value``, its parameter ``key``."""

    key: str
    value: float
    comparison: Literal["at_least", "at_most", "over", "under", "equal"]
    text: str
    text_en: str


class MediaFile(Model):
    """A kept file, its hash and a link that opens it for some minutes; null: it was deleted."""

    kind: Literal["original", "annotated", "clip"]
    timestamp: str
    media_type: str
    sha256: str
    bytes: int
    width: int
    height: int
    link: str | None


class Track(Model):
    """One tracked object. ``points`` are its boxes in the range, null where not asked for."""

    track_id: str
    device_id: str
    type: str
    first_seen: str
    last_seen: str
    best_confidence: float
    points: list[Point] | None


class Point(Model):
    """Where a track was: ``bbox`` is x1, y1, x2, y2 in pixels of the picture, origin top left."""

    time: str
    frame: int
    confidence: float
    bbox: tuple[float, float, float, float]


class Alert(Model):
    """A fact that somebody is to know of: ``actualValue operator threshold`` holds. ``kind``:
    ``metric`` for measured numbers, ``event`` for what was seen to happen; of its event
    there are ``eventType``, ``riskLevel`` and ``placeName`` (zone or tripwire).
    ``vlmSummary``, ``describedBy`` and ``thumbnailUrl`` are its insight's. ``timezone``
    is the device's.
    """

    id: str
    insight_id: str
    event_id: str
    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str | None
    severity: Literal["warning", "critical"]
    kind: Literal["event", "metric"]
    alert_rule: str
    metric_path: str
    operator: Literal["GT", "LT", "GTE", "LTE", "EQ"]
    threshold: float
    actual_value: float
    message: str
    triggered_at: str
    created_at: str
    vlm_status: Literal["pending", "completed", "failed"]
    request_id: str
    event_type: str | None
    risk_level: str | None
    place_name: str | None
    timezone: str
    vlm_summary: str | None
    described_by: Literal["model", "template"] | None
    thumbnail_url: str | None
    review: Review


class Review(Model):
    """What people think of an alert. ``new``: nobody has looked; ``confirmed``: it is what it
    says; ``dismissed``: it is not, for ``reason``: text, or one of ``false_alarm``,
    ``authorised``, ``duplicate``. ``by`` is the name of the user or key that set it last,
    null where nobody did.
    """

    state: Literal["new", "seen", "confirmed", "dismissed"]
    reason: str | None
    by: str | None
    at: str | None


class Counts2(Model):
    """How many alerts there are in each state of review."""

    new: int
    seen: int
    confirmed: int
    dismissed: int


class ReviewedAlert(Model):
    """What became of an alert: its review now and before. ``changed``: they are not the same."""

    id: str
    changed: bool
    review: Review
    former: Review


class PeopleStatistics(Model):
    """Who and what was seen, by device and class."""

    start_date: str
    end_date: str
    devices: list[RecordedDevice]
    group_by: Literal["hour", "day"]
    stretches: list[Slot]
    series: list[TracksRow]


class RecordedDevice(Model):
    """A device that is counted, and how long of the period it was recorded."""

    device_id: str
    device_name: str
    recorded_seconds: float


class Slot(Model):
    """A local hour or day, cut to the period; ``recordedSeconds`` of all devices together. Where
    nothing was recorded nothing is known: that is not the same as a count of 0.
    """

    start: str
    end: str
    recorded_seconds: float


class TracksRow(Model):
    """Tracks of one class. One that is seen in two stretches counts in both, but once in total.
    ``peak`` and ``peaks``: the most at the same time.
    """

    device_id: str | None
    device_name: str
    total: int
    counts: list[int]
    type: str
    peak: int
    peaks: list[int]


class CrossingStatistics(Model):
    """Crossings of lines, as the rules found them."""

    start_date: str
    end_date: str
    devices: list[RecordedDevice]
    group_by: Literal["hour", "day"]
    stretches: list[Slot]
    series: list[CrossingsRow]


class CrossingsRow(Model):
    """Events of line crossing over one tripwire in one direction, made by ``ruleIds``."""

    device_id: str | None
    device_name: str
    total: int
    counts: list[int]
    tripwire: str
    tripwire_name: str
    direction: str
    direction_name: str
    rule_ids: list[str]


class EventStatistics(Model):
    """Events by the stretch in which they began."""

    start_date: str
    end_date: str
    devices: list[RecordedDevice]
    group_by: Literal["hour", "day"]
    stretches: list[Slot]
    series: list[EventsRow]


class EventsRow(Model):
    """Events of one type and risk level."""

    device_id: str | None
    device_name: str
    total: int
    counts: list[int]
    type: str
    risk_level: str


class AlertStatistics(Model):
    """Alerts by the stretch in which they were triggered."""

    start_date: str
    end_date: str
    devices: list[RecordedDevice]
    group_by: Literal["hour", "day"]
    stretches: list[Slot]
    series: list[AlertsRow]


class AlertsRow(Model):
    """Alerts of one severity."""

    device_id: str | None
    device_name: str
    total: int
    counts: list[int]
    severity: str


class DwellStatistics(Model):
    """How long tracks stayed in each zone of the scene in force."""

    start_date: str
    end_date: str
    devices: list[RecordedDevice]
    type: str
    histogram_seconds: list[int]
    zones: list[ZoneVisits]


class ZoneVisits(Model):
    """Visits to one zone, of tracks of one class; seconds, null where there were none.
    ``cutVisits`` reach over an end of the period: how long they lasted is not known, and
    they are in no other number. ``histogram`` has how many lasted from each of
    ``histogramSeconds`` to the next; the last has no end. Percentiles are nearest ranks.
    """

    zone: str
    zone_name: str
    visits: int
    cut_visits: int
    median_seconds: float | None
    p90_seconds: float | None
    longest_seconds: float | None
    histogram: list[int]


class HeatMapStatistics(Model):
    """Seconds for which feet (bottom centres of boxes) stood in each cell of the picture.
    ``cells`` has a list for each row from the top, with a number for each column from the
    left. ``share`` is below 1 where the period has so many boxes that only evenly chosen
    slices of it were read; the seconds are then scaled to all of it.
    """

    start_date: str
    end_date: str
    devices: list[RecordedDevice]
    type: str
    columns: int
    rows: int
    share: float
    points: int
    cells: list[list[float]]
