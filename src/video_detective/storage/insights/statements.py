"""The statements that list insights, built once for each shape of what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB

from video_detective.storage.dialects import KEY_TEXT
from video_detective.storage.insights import index
from video_detective.storage.insights.index import Words
from video_detective.storage.insights.prepared import Kind, Prepared
from video_detective.storage.reach import Reach, of_row
from video_detective.storage.service_tables import ALERTS, DEVICES, INSIGHTS, SCENES
from video_detective.storage.tables import CAMERAS, EVENT_DOCUMENTS, EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightFilter:
    """Which insights: every condition narrows. Hidden ones are never listed.

    Args:
        device_id, scene_id: Of this one.
        cameras: Of any of these; empty: of every one.
        severity, vlm_status: Of this one.
        since_ns, until_ns: Triggered in ``[since_ns, until_ns)``.
        has_summary, has_attributes: With, or without.
        review_states: In any of these; empty: in every one.
        words: What must have been said of them; None: anything.
    """

    device_id: str | None = None
    scene_id: str | None = None
    cameras: tuple[str, ...] = ()
    severity: str | None = None
    vlm_status: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    has_summary: bool | None = None
    has_attributes: bool | None = None
    review_states: tuple[str, ...] = ()
    words: Words | None = None

    def values(self) -> dict[str, Any]:
        """What is given, by name, but for lists and words, which are part of the statement."""
        names = ("device_id", "scene_id", "severity", "vlm_status", "since_ns", "until_ns",
                 "has_summary", "has_attributes")  # fmt: skip
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class Listed(NamedTuple):
    """An insight as it is listed. JSON is text, as it is stored; times are UTC ns."""

    insight_id: str
    alert_id: str
    camera_id: str
    device_id: str | None
    device_name: str | None
    scene_id: str | None
    scene_name: str | None
    event_id: str
    severity: str
    triggered_ns: int
    message: str
    vlm_status: str
    vlm_summary: str | None
    vlm_result: str | None
    described_by: str | None
    level: str | None
    reason: str | None
    flags: str
    snapshots: str
    has_attributes: bool
    attributes_summary: str | None
    created_ns: int


class Detail(NamedTuple):
    """What one insight, or its alert, has beyond ``Listed``."""

    alert_rule: str
    kind: str
    metric_path: str
    operator: str
    threshold: float
    actual_value: float
    node_id: str | None
    vlm_requested_ns: int | None
    vlm_completed_ns: int | None
    vlm_error: str | None
    input_tokens: int | None
    output_tokens: int | None
    request_id: str
    event_type: str | None
    event_risk: str | None
    zone: str | None
    tripwire: str | None
    review_state: str
    review_reason: str | None
    reviewed_by: str | None
    reviewed_by_id: str | None
    reviewed_ns: int | None


_I = INSIGHTS.alias("i")
_OF_ALERT = {"message", "alert_rule", "kind", "metric_path", "operator", "threshold",
             "actual_value", "review_state", "review_reason", "reviewed_by", "reviewed_by_id",
             "reviewed_ns"}  # fmt: skip
_OF_EVENT = {"event_type": EVENTS.c.type, "event_risk": EVENTS.c.risk_level,
             "zone": EVENTS.c.zone, "tripwire": EVENTS.c.tripwire}  # fmt: skip
_JSON = {"vlm_result", "flags", "snapshots", "attributes_summary"}


def _column(name: str) -> ColumnElement[Any]:
    if name in _OF_ALERT:
        return ALERTS.c[name]
    if name in _OF_EVENT:
        return _OF_EVENT[name]
    if name in _JSON:
        # Most of it goes out as it is.
        return cast(_I.c[name], Text)
    other = {"device_id": DEVICES.c.device_id, "device_name": CAMERAS.c.name,
             "scene_name": SCENES.c.name}  # fmt: skip
    return other[name] if name in other else _I.c[name]


def _columns(*, full: bool) -> list[ColumnElement[Any]]:
    names = (*Listed._fields, *(Detail._fields if full else ()))
    return [_column(name).label(f"o_{name}") for name in names]


def _beside(rows: FromClause, *, full: bool = False) -> FromClause:
    """The insights ``i`` of ``rows`` with alert, device and scene; in full also with the event."""
    if full:
        rows = rows.outerjoin(EVENTS, EVENTS.c.event_id == _I.c.event_id)
    return (
        rows.outerjoin(ALERTS, ALERTS.c.alert_id == _I.c.alert_id)
        .outerjoin(DEVICES, DEVICES.c.camera_id == _I.c.camera_id)
        .outerjoin(CAMERAS, CAMERAS.c.camera_id == _I.c.camera_id)
        .outerjoin(SCENES, SCENES.c.scene_id == _I.c.scene_id)
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What distinguishes the statements, but for values.

    Args:
        kind: Which database.
        reach: Whose.
        given: Names of ``InsightFilter.values``.
        cameras, reviews, words: Of the filter.
        few: The index has few insights with the words.
    """

    kind: Kind
    reach: Reach
    given: frozenset[str]
    cameras: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()
    words: Words | None = None
    few: bool = False

    @classmethod
    def of(cls, kind: Kind, reach: Reach, wanted: InsightFilter, *, few: bool = False) -> Shape:
        """The shape of a filter."""
        given = frozenset(wanted.values())
        return cls(kind, reach, given, wanted.cameras, wanted.review_states, wanted.words, few)


_GIVEN: Mapping[str, ColumnElement[bool]] = {
    "scene_id": INSIGHTS.c.scene_id == bindparam("scene_id", None, type_=KEY_TEXT),
    "severity": INSIGHTS.c.severity == bindparam("severity", None, type_=KEY_TEXT),
    "vlm_status": INSIGHTS.c.vlm_status == bindparam("vlm_status", None, type_=KEY_TEXT),
    "since_ns": INSIGHTS.c.triggered_ns >= bindparam("since_ns", None, type_=BigInteger),
    "until_ns": INSIGHTS.c.triggered_ns < bindparam("until_ns", None, type_=BigInteger),
    "has_summary": INSIGHTS.c.has_summary == bindparam("has_summary", None, type_=Boolean),
    "has_attributes": INSIGHTS.c.has_attributes == bindparam("has_attributes", None, type_=Boolean),
}


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    found = [of_row(shape.reach, INSIGHTS), INSIGHTS.c.is_hidden == false()]
    if "device_id" in shape.given:
        camera = select(DEVICES.c.camera_id).where(
            DEVICES.c.device_id == bindparam("device_id", None, type_=KEY_TEXT)
        )
        found.append(INSIGHTS.c.camera_id == camera.scalar_subquery())
    elif "scene_id" in shape.given:
        # Only for the index: a scene is of one camera.
        camera = select(SCENES.c.camera_id).where(
            SCENES.c.scene_id == bindparam("scene_id", None, type_=KEY_TEXT)
        )
        found.append(INSIGHTS.c.camera_id == camera.scalar_subquery())
    if shape.cameras:
        found.append(INSIGHTS.c.camera_id.in_(shape.cameras))
    if shape.reviews:
        found.append(INSIGHTS.c.review_state.in_(shape.reviews))
    found += [condition for name, condition in _GIVEN.items() if name in shape.given]
    if shape.words is not None:
        found.append(index.said(shape.kind, shape.words))
    return found


def _hinted(statement: Select[Any], shape: Shape) -> Select[Any]:
    """SQLite has no figures from which it could tell the best way: the index in order of time."""
    if shape.few:
        hint = "NOT INDEXED"  # but by the numbers that the full-text index gives
    elif "device_id" in shape.given or "scene_id" in shape.given:
        hint = "INDEXED BY ix_insights_list_of_camera"
    else:
        hint = "INDEXED BY ix_insights_list"
    return statement.with_hint(INSIGHTS, hint, "sqlite")


@lru_cache(maxsize=512)
def page(shape: Shape, start: Literal["first", "time", "key"], count_to: int | None) -> Prepared:
    """One page.

    Parameters beside those of the filter: ``limit``, ``offset``; ``before_ns`` to begin behind a
    time; ``key_ns`` and ``key_id`` to begin behind an insight.

    Args:
        shape: Of what is asked.
        start: Where to begin.
        count_to: Also count what the whole filter has, up to here.

    Returns:
        Rows of ``Listed``, after a number (None unless counted). Where it is counted, there is
        one row of nulls if the page has none.
    """
    conditions = _conditions(shape)
    place = list(conditions)
    if start == "time":
        place.append(INSIGHTS.c.triggered_ns < bindparam("before_ns", None, type_=BigInteger))
    elif start == "key":
        key = tuple_(INSIGHTS.c.triggered_ns, INSIGHTS.c.insight_id)
        place.append(
            key
            < tuple_(
                bindparam("key_ns", None, type_=BigInteger),
                bindparam("key_id", None, type_=KEY_TEXT),
            )
        )
        # The first half of it again, for SQLite's index.
        place.append(INSIGHTS.c.triggered_ns <= bindparam("key_ns", None, type_=BigInteger))
    keys = (
        _hinted(select(INSIGHTS.c.insight_id.label("key")).where(*place), shape)
        .order_by(INSIGHTS.c.triggered_ns.desc(), INSIGHTS.c.insight_id.desc())
        .limit(bindparam("limit", None, type_=BigInteger))
        .offset(bindparam("offset", None, type_=BigInteger))
        .subquery("page")
    )
    total: ColumnElement[Any] = literal(None, BigInteger)
    rows: FromClause = keys.join(_I, _I.c.insight_id == keys.c.key)
    if count_to is not None:
        some = _hinted(select(literal(1).label("one")).where(*conditions), shape)
        some = some.select_from(INSIGHTS).limit(count_to)
        total = select(func.count()).select_from(some.subquery()).scalar_subquery()
        one = select(literal(1).label("one")).subquery("one")
        rows = one.outerjoin(keys, true()).outerjoin(_I, _I.c.insight_id == keys.c.key)
    statement = select(total.label("total"), *_columns(full=False)).select_from(_beside(rows))
    ordered = statement.order_by(_I.c.triggered_ns.desc(), _I.c.insight_id.desc())
    return Prepared.of(shape.kind, ordered, is_list=True)


@lru_cache(maxsize=512)
def counts(shape: Shape) -> Prepared:
    """How many insights there are between times.

    Parameters beside those of the filter: ``bounds``, JSON ``[[low, high], …]`` of spans
    ``[low, high)``.

    Returns:
        One row with a count for each span, in their order.
    """
    if shape.kind == "sqlite":
        spans = func.json_each(bindparam("bounds", None, type_=Text)).table_valued("key", "value")
        order: ColumnElement[Any] = spans.c.key
        low: ColumnElement[Any] = func.json_extract(spans.c.value, "$[0]")
        high: ColumnElement[Any] = func.json_extract(spans.c.value, "$[1]")
    else:
        spans = func.jsonb_array_elements(
            cast(bindparam("bounds", None, type_=Text), JSONB)
        ).table_valued("value", with_ordinality="key", joins_implicitly=True)
        spans = spans.render_derived(name="span")
        order = spans.c.key
        low, high = (cast(spans.c.value.op("->>")(n), BigInteger) for n in (0, 1))
    conditions = _conditions(shape)
    count = _hinted(
        select(func.count())
        .select_from(INSIGHTS)
        .where(*conditions, INSIGHTS.c.triggered_ns >= low, INSIGHTS.c.triggered_ns < high)
        .correlate(spans),
        shape,
    )
    statement = select(count.scalar_subquery()).select_from(spans).order_by(order)
    return Prepared.of(shape.kind, statement)


@lru_cache(maxsize=128)
def review_counts(shape: Shape) -> Prepared:
    """How many insights there are in each state of review; states without any have no row."""
    keys = (INSIGHTS.c.review_state.label("state"), func.count().label("count"))
    statement = _hinted(select(*keys).select_from(INSIGHTS).where(*_conditions(shape)), shape)
    return Prepared.of(shape.kind, statement.group_by(INSIGHTS.c.review_state))


@lru_cache(maxsize=128)
def ranked(shape: Shape, asked: Words) -> Prepared:
    """The best of the insights that have everything asked for by their words or their event.

    Those that have more of what refines come first, then the newest. Parameters beside those of
    the filter: ``limit``.

    Args:
        shape: Of the filter.
        asked: What is looked for.

    Returns:
        Rows of ``Listed``, after how many there are in all.
    """
    kind = shape.kind
    conditions = _conditions(shape)
    conditions += [index.has_group(kind, group) for group in asked.required]
    conditions += [~index.has_group(kind, group) for group in asked.without]
    tier: ColumnElement[Any] = literal(0)
    for group in asked.refining:
        tier = tier + case((index.has_group(kind, group), 1), else_=0)
    order = (tier.desc(), INSIGHTS.c.triggered_ns.desc(), INSIGHTS.c.insight_id.desc())
    best = (
        _hinted(
            select(
                INSIGHTS.c.insight_id.label("key"),
                func.count().over().label("total"),
                func.row_number().over(order_by=order).label("place"),
            ),
            shape,
        )
        .select_from(
            INSIGHTS.outerjoin(EVENT_DOCUMENTS, EVENT_DOCUMENTS.c.event_id == INSIGHTS.c.event_id)
        )
        .where(*conditions)
        .order_by(*order)
        .limit(bindparam("limit", None, type_=BigInteger))
        .subquery("best")
    )
    rows = best.join(_I, _I.c.insight_id == best.c.key)
    statement = select(best.c.total, *_columns(full=False)).select_from(_beside(rows))
    return Prepared.of(kind, statement.order_by(best.c.place), is_list=True)


@lru_cache(maxsize=64)
def one(kind: Kind, reach: Reach, by: Literal["insight_id", "alert_id"]) -> Prepared:
    """One insight with all there is to it, by the parameter ``id``; no row where there is none."""
    listed = of_row(reach, INSIGHTS)
    key = select(INSIGHTS.c.insight_id.label("key")).where(
        listed,
        INSIGHTS.c.is_hidden == false(),
        INSIGHTS.c[by] == bindparam("id", None, type_=KEY_TEXT),
    )
    found = key.subquery("found")
    rows = found.join(_I, _I.c.insight_id == found.c.key)
    return Prepared.of(kind, select(*_columns(full=True)).select_from(_beside(rows, full=True)))


def details(reach: Reach, insight_ids: Sequence[str]) -> Select[Any]:
    """``Detail`` of these insights after their ids, in no order."""
    names = ("insight_id", *Detail._fields)
    theirs = INSIGHTS.c.insight_id.in_(insight_ids)
    key = select(INSIGHTS.c.insight_id.label("key")).where(of_row(reach, INSIGHTS), theirs)
    found = key.subquery("found")
    rows = found.join(_I, _I.c.insight_id == found.c.key)
    columns = (_column(name).label(f"o_{name}") for name in names)
    return select(*columns).select_from(_beside(rows, full=True))
