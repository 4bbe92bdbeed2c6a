"""The service's part of the schema: accounts, devices, scenes, alerts, insights, attributes, work.

Every row belongs to an account. Ids are UUIDs (version 7: in order of time) as text. What happened
to a camera (``tables``) belongs to the account of its device.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    event,
    false,
)

from video_detective.storage.dialects import AUTO_KEY, KEY_TEXT, SafeText
from video_detective.storage.tables import METADATA


def _account() -> Column[str]:
    return Column("account_id", KEY_TEXT, ForeignKey("accounts.account_id"), nullable=False)


ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account_id", KEY_TEXT, primary_key=True),
    Column("name", KEY_TEXT, nullable=False),
    Column("timezone", SafeText, nullable=False),
    Column("language", KEY_TEXT, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    UniqueConstraint("name"),
)
"""Tenants. Exactly one is the default: that of the command line and of a machine's only users."""

USERS = Table(
    "users",
    METADATA,
    Column("user_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("name", KEY_TEXT, nullable=False),
    Column("password_hash", SafeText, nullable=False),
    Column("role", KEY_TEXT, nullable=False),
    Column("devices", JSON(none_as_null=True)),
    Column("created_ns", BigInteger, nullable=False),
    Column("disabled_ns", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("locked_until_ns", BigInteger),
    Column("last_login_ns", BigInteger),
    UniqueConstraint("account_id", "name"),
)
"""``name`` is folded (NFKC, lower case). ``role``: admin, operator, viewer. ``devices``: device ids
to which the user is limited; null for all."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("session_hash", KEY_TEXT, primary_key=True),
    Column("user_id", KEY_TEXT, ForeignKey("users.user_id"), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("last_seen_ns", BigInteger, nullable=False),
    Index(None, "user_id"),
)

INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("token_hash", KEY_TEXT, primary_key=True),
    _account(),
    Column("role", KEY_TEXT, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger),
)
"""One-time links with which somebody makes a user of their own; the first start prints one."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("name", SafeText, nullable=False),
    Column("prefix", KEY_TEXT, nullable=False),
    Column("secret_hash", KEY_TEXT, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("devices", JSON(none_as_null=True)),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", SafeText, nullable=False),
    Column("expires_ns", BigInteger),
    Column("revoked_ns", BigInteger),
    Column("last_used_ns", BigInteger),
    UniqueConstraint("prefix"),
    Index(None, "account_id", "key_id"),
)
"""``prefix`` is the part of a key that may be shown and by which it is looked up."""

AUDIT = Table(
    "audit",
    METADATA,
    Column("account_id", KEY_TEXT, ForeignKey("accounts.account_id")),
    Column("number", BigInteger),
    Column("time_ns", BigInteger, nullable=False),
    Column("actor_kind", KEY_TEXT, nullable=False),
    Column("actor_id", KEY_TEXT, nullable=False),
    Column("actor_name", SafeText, nullable=False),
    Column("action", KEY_TEXT, nullable=False),
    Column("target_kind", KEY_TEXT, nullable=False),
    Column("target_id", KEY_TEXT, nullable=False),
    Column("request_id", SafeText, nullable=False),
    Column("details", SafeText, nullable=False),
    Column("previous", KEY_TEXT, nullable=False),
    Column("hash", KEY_TEXT, nullable=False),
    PrimaryKeyConstraint("account_id", "number"),
)
"""Append-only: triggers refuse UPDATE and DELETE. Each row's ``hash`` covers the row and the hash
before it, per account, from number 1. ``details`` is canonical JSON, kept to the letter."""

DEVICES = Table(
    "devices",
    METADATA,
    Column("device_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("plan", KEY_TEXT, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("source", SafeText, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("deleted_ns", BigInteger),
    UniqueConstraint("camera_id"),
    Index(None, "account_id", "device_id"),
)
"""One per camera id. Name, aliases and time zone are the camera's (``tables.CAMERAS``). ``source``
is an address with its secret (never given out), "" for none. ``wanted``: it is to be analysed
live."""

SCENES = Table(
    "scenes",
    METADATA,
    Column("scene_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("camera_id", KEY_TEXT, ForeignKey("devices.camera_id"), nullable=False),
    Column("name", SafeText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("deleted_ns", BigInteger),
    UniqueConstraint("camera_id"),
    Index(None, "account_id", "scene_id"),
)
"""A device's zones, tripwires, rules and alert rules: one scene per device, in versions. A removed
one has an empty last version; a new scene of the device goes on from it."""

SCENE_VERSIONS = Table(
    "scene_versions",
    METADATA,
    Column("scene_id", KEY_TEXT, ForeignKey("scenes.scene_id")),
    Column("version", Integer),
    Column("document", JSON, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("author", SafeText, nullable=False),
    Column("note", SafeText, nullable=False),
    PrimaryKeyConstraint("scene_id", "version"),
)
"""``document`` is the validated scene (``config.SceneDocument``), plain JSON."""

LOOKS = Table(
    "looks",
    METADATA,
    Column("run_id", BigInteger, ForeignKey("runs.run_id")),
    Column("first_ns", BigInteger),
    Column("last_ns", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run_id", "first_ns"),
)
"""Every moment at which the rules looked, a stretch a row: what they saw beside ``track_points``,
so that other rules can be tried on it (``looks``)."""

NODES = Table(
    "nodes",
    METADATA,
    Column("node_id", KEY_TEXT, primary_key=True),
    Column("name", SafeText, nullable=False),
    Column("version", SafeText, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("info", JSON, nullable=False),
)
"""Machines that work. ``beats``: last sign of life, the database's clock, ms."""

LIVE_STATUS = Table(
    "live_status",
    METADATA,
    Column("camera_id", KEY_TEXT, ForeignKey("devices.camera_id"), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("node_id", KEY_TEXT),
    Column("state", KEY_TEXT, nullable=False),
    Column("started_ns", BigInteger),
    Column("beats", BigInteger),
    Column("fps", Double),
    Column("lag_s", Double),
    Column("last_frame_ns", BigInteger),
    Column("drops", JSON, nullable=False),
    Column("error", SafeText),
    Column("request_id", SafeText, nullable=False),
)
"""How the live analysis of a device is going, and whose it is: a higher ``epoch`` took it over.
``state``: starting, running, waiting (for the camera), stopped, failed."""

ANALYSIS_JOBS = Table(
    "analysis_jobs",
    METADATA,
    Column("job_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("camera_id", KEY_TEXT, ForeignKey("devices.camera_id"), nullable=False),
    Column("status", KEY_TEXT, nullable=False),
    Column("file_name", SafeText, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("sha256", KEY_TEXT),
    Column("start_time", SafeText),
    Column("progress", JSON, nullable=False),
    Column("report", JSON(none_as_null=True)),
    Column("error_code", KEY_TEXT),
    Column("error", SafeText),
    Column("cancel_requested", Boolean, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("node_id", KEY_TEXT),
    Column("beats", BigInteger),
    Column("request_id", SafeText, nullable=False),
    Column("created_by", SafeText, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("started_ns", BigInteger),
    Column("ended_ns", BigInteger),
    Index(None, "account_id", "job_id"),
    Index(None, "status", "job_id"),
)
"""Uploaded files and their analyses. ``status``: uploading, queued, running, done, failed,
cancelled."""

ALERTS = Table(
    "alerts",
    METADATA,
    Column("alert_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("scene_id", KEY_TEXT, ForeignKey("scenes.scene_id")),
    Column("event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE"), nullable=False),
    Column("alert_rule", KEY_TEXT, nullable=False),
    Column("kind", KEY_TEXT, nullable=False),
    Column("metric_path", SafeText, nullable=False),
    Column("operator", KEY_TEXT, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("actual_value", Double, nullable=False),
    Column("severity", KEY_TEXT, nullable=False),
    Column("message", SafeText, nullable=False),
    Column("triggered_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("request_id", SafeText, nullable=False),
    Column("review_state", KEY_TEXT, nullable=False, server_default="new"),
    Column("review_reason", SafeText),
    Column("reviewed_by", SafeText),
    Column("reviewed_by_id", KEY_TEXT),
    Column("reviewed_ns", BigInteger),
    UniqueConstraint("event_id", "alert_rule"),
    Index(None, "account_id", "triggered_ns", "alert_id"),
    Index(None, "camera_id", "alert_rule", "triggered_ns"),
)
"""``kind``: ``event`` or ``metric``. ``event_id`` with ``alert_rule``: at most one each.
``review_state``: new, seen, confirmed, dismissed; who set it last, and when, beside it."""

INSIGHTS = Table(
    "insights",
    METADATA,
    Column("number", AUTO_KEY, primary_key=True),
    Column("insight_id", KEY_TEXT, nullable=False),
    Column("alert_id", KEY_TEXT, ForeignKey("alerts.alert_id", ondelete="CASCADE"), nullable=False),
    _account(),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("scene_id", KEY_TEXT),
    Column("event_id", KEY_TEXT, nullable=False),
    Column("severity", KEY_TEXT, nullable=False),
    Column("triggered_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("is_hidden", Boolean, nullable=False),
    Column("language", KEY_TEXT, nullable=False),
    Column("vlm_status", KEY_TEXT, nullable=False),
    Column("vlm_summary", SafeText),
    Column("vlm_result", JSON(none_as_null=True)),
    Column("risk_level", KEY_TEXT),
    Column("described_by", KEY_TEXT),
    Column("level", KEY_TEXT),
    Column("reason", SafeText),
    Column("flags", JSON, nullable=False),
    Column("vlm_requested_ns", BigInteger),
    Column("vlm_completed_ns", BigInteger),
    Column("vlm_error", SafeText),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("usage", JSON, nullable=False),
    Column("raw_text", SafeText),
    Column("snapshots", JSON, nullable=False),
    Column("has_attributes", Boolean, nullable=False),
    Column("attributes_summary", JSON(none_as_null=True)),
    Column("node_id", KEY_TEXT),
    Column("request_id", SafeText, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("worker", SafeText),
    Column("tokens", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    UniqueConstraint("insight_id"),
    UniqueConstraint("alert_id"),
    Column(
        "has_summary",
        Boolean,
        Computed("vlm_summary IS NOT NULL", persisted=True),
        nullable=False,
    ),
    Column("review_state", KEY_TEXT, nullable=False, server_default="new"),
    # All that lists filter by: they skip and count without a look at the rows.
    Index(
        "ix_insights_list", "account_id", "is_hidden", "triggered_ns", "insight_id", "camera_id",
        "scene_id", "severity", "vlm_status", "has_summary", "has_attributes",
        "review_state",
    ),
    Index(
        "ix_insights_list_of_camera", "camera_id", "is_hidden", "triggered_ns", "insight_id",
        "account_id", "scene_id", "severity", "vlm_status", "has_summary", "has_attributes",
        "review_state",
    ),
    Index(None, "vlm_status", "created_ns"),
    Index(None, "event_id"),
    sqlite_autoincrement=True,
)  # fmt: skip
"""Exactly one per alert, made in its transaction. ``is_hidden``: the event is no longer listed,
its footage was analysed again. ``snapshots``: pictures in order, ``{sha256, frameId, timeNs}``.
``described_by``: ``model`` or ``template``. ``tokens`` and ``text``: of the summary, for search;
"" while there is none. ``vlm_status``: pending, completed, failed. ``review_state``: that of the
alert, for lists."""

INSIGHT_INDEX = "insight_index"
"""The full-text index over ``INSIGHTS.tokens``; made like ``tables.INDEX_NAME``."""

_INDEX = {
    "sqlite": (
        """CREATE VIRTUAL TABLE insight_index USING fts5(
        tokens, content='insights', content_rowid='number', detail=none, columnsize=0,
        tokenize="ascii tokenchars ':_.-@%='"
    )""",
        """CREATE TRIGGER insights_index_insert AFTER INSERT ON insights
    WHEN new.tokens <> '' BEGIN
        INSERT INTO insight_index (rowid, tokens) VALUES (new.number, new.tokens);
    END""",
        """CREATE TRIGGER insights_index_update AFTER UPDATE OF tokens ON insights
    WHEN old.tokens <> new.tokens BEGIN
        INSERT INTO insight_index (insight_index, rowid, tokens)
        SELECT 'delete', old.number, old.tokens WHERE old.tokens <> '';
        INSERT INTO insight_index (rowid, tokens)
        SELECT new.number, new.tokens WHERE new.tokens <> '';
    END""",
        """CREATE TRIGGER insights_index_delete AFTER DELETE ON insights
    WHEN old.tokens <> '' BEGIN
        INSERT INTO insight_index (insight_index, rowid, tokens)
        VALUES ('delete', old.number, old.tokens);
    END""",
    ),
    "postgresql": (
        """ALTER TABLE insights ADD COLUMN insight_index tsvector
    GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED""",
        "CREATE INDEX ix_insights_insight_index ON insights USING gin (insight_index)",
    ),
}

_PERSON_FIELDS = (
    "female", "male", "age_less18", "age18_to60", "age_over60", "front", "side", "back",
    "hat", "glasses", "hand_bag", "shoulder_bag", "backpack", "hold_objects_in_front",
    "short_sleeve", "long_sleeve", "long_coat", "trousers", "shorts", "skirt_dress", "boots",
    "upper_black", "upper_white", "upper_red", "upper_purple", "upper_yellow", "upper_gray",
)  # fmt: skip

ATTRIBUTES = Table(
    "scene_analysis_attributes",
    METADATA,
    Column("attribute_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("scene_id", KEY_TEXT),
    Column("captured_ns", BigInteger, nullable=False),
    Column("total_persons", Integer, nullable=False),
    *(Column(name, Integer) for name in _PERSON_FIELDS),
    Column("source", KEY_TEXT, nullable=False),
    Column("node_id", KEY_TEXT),
    Column("user_id", KEY_TEXT),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("run_id", BigInteger, ForeignKey("runs.run_id")),
    Column("is_hidden", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("camera_id", "captured_ns", "run_id"),
    Index(None, "account_id", "captured_ns", "attribute_id"),
    Index(None, "run_id"),
)
"""Counts over the persons in view at ``captured_ns``; null is not known. ``source``: what
determined more than colours: ``colour`` (nothing did), ``onnx``, ``vlm``. ``run_id``: the analysis
that recorded it. ``is_hidden``: it is neither listed nor counted, because that analysis is
superseded, or because a later one looked at the same moments."""

ATTRIBUTE_BUCKETS = Table(
    "attribute_buckets",
    METADATA,
    Column("start_ns", BigInteger),
    Column("camera_id", KEY_TEXT),
    Column("records", Integer, nullable=False),
    Column("total_persons", Integer, nullable=False),
    *(Column(name, Integer) for name in _PERSON_FIELDS),
    PrimaryKeyConstraint("start_ns", "camera_id"),
    Index(None, "camera_id", "start_ns"),
    sqlite_with_rowid=False,
)
"""Sums of shown ``ATTRIBUTES`` over quarters of an hour UTC, kept in the records' transaction.
Every time zone's hours and days begin at such a quarter. A sum of nulls only is null.
The time stands first in the key, so that those of many devices come in order of it."""

CHANNELS = Table(
    "channels",
    METADATA,
    Column("channel_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("kind", KEY_TEXT, nullable=False),
    Column("name", SafeText, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("secret", SafeText, nullable=False),
    Column("filters", JSON, nullable=False),
    Column("cooldown_s", Double, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Index(None, "account_id", "channel_id"),
)
"""Where notifications go. ``kind``: webhook, email, mqtt. ``filters``: device ids, severities,
alert rules. ``secret`` (of signatures) is shown once."""

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("delivery_id", KEY_TEXT, primary_key=True),
    _account(),
    Column("channel_id", KEY_TEXT, ForeignKey("channels.channel_id"), nullable=False),
    Column("alert_id", KEY_TEXT, nullable=False),
    Column("kind", KEY_TEXT, nullable=False),
    Column("status", KEY_TEXT, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("claimed_ns", BigInteger),
    Column("worker", SafeText),
    Column("answer", SafeText),
    Column("request_id", SafeText, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    UniqueConstraint("channel_id", "alert_id", "kind"),
    Index(None, "status", "due_ns"),
    Index(None, "account_id", "delivery_id"),
)
"""The outbox: made in the transaction of what it tells. ``kind``: new, update, end. ``status``:
waiting, done, failed, skipped."""

RATE_WINDOWS = Table(
    "rate_windows",
    METADATA,
    Column("key", KEY_TEXT, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "expires_ms"),
)
"""Requests counted per key and window, where several processes share a PostgreSQL; there the table
is not logged: a crash may forget counts, and counting must not wait for the disk."""

RETENTION = Table(
    "retention",
    METADATA,
    Column("account_id", KEY_TEXT, ForeignKey("accounts.account_id"), primary_key=True),
    Column("media_days", Integer),
    Column("record_days", Integer),
    Column("updated_ns", BigInteger, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("round", JSON(none_as_null=True)),
    Column("last", JSON(none_as_null=True)),
)
"""How long an account keeps what it has; null days: for ever. ``round``: the deletion under way,
with what it has deleted so far; ``last``: the one that ended last (``retention.Round``)."""

KEPT_EVENTS = Table(
    "kept_events",
    METADATA,
    Column(
        "event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE"), primary_key=True
    ),
    Column("kept_ns", BigInteger, nullable=False),
)
"""Events that somebody wants kept, however old they become."""

MEDIA_DELETIONS = Table(
    "media_deletions",
    METADATA,
    Column(
        "event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE"), primary_key=True
    ),
    Column("deleted_ns", BigInteger, nullable=False),
)
"""Events whose pictures and clips were deleted by retention; their hashes stay in ``evidence``."""

RUN_BEGINNINGS = Table(
    "run_beginnings",
    METADATA,
    Column(
        "run_id",
        BigInteger,
        ForeignKey("runs.run_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("begun_ms", BigInteger, nullable=False),
)
"""When each analysis was first begun, by the database's clock: what was found today in a film of
last year is not old."""

_AUDIT_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END""",
        """CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the audit log is append-only';
    END $$""",
        """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    ),
}

_UNLOGGED = {"postgresql": ("ALTER TABLE rate_windows SET UNLOGGED",)}

for _table, _made in (
    (INSIGHTS, _INDEX),
    (AUDIT, _AUDIT_TRIGGERS),
    (RATE_WINDOWS, _UNLOGGED),
):
    for _dialect, _statements in _made.items():
        for _statement in _statements:
            _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(_table, "after_create", _ddl.execute_if(dialect=_dialect))
