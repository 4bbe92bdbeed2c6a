"""The schema. ``migrations`` brings a database here step by step; a test holds the two together.

Camera ids are plain text without a foreign key: events stay when their camera leaves the
configuration, and may be imported from cameras that were never configured here.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from video_detective.storage.dialects import AUTO_KEY, KEY_TEXT, SafeText

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

META = Table(
    "meta",
    METADATA,
    Column("key", KEY_TEXT, primary_key=True),
    Column("value", SafeText, nullable=False),
)

CAMERAS = Table(
    "cameras",
    METADATA,
    Column("camera_id", KEY_TEXT, primary_key=True),
    Column("name", SafeText, nullable=False),
    Column("timezone", SafeText, nullable=False),
    Column("document", JSON, nullable=False),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", AUTO_KEY, primary_key=True),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("fingerprint", KEY_TEXT, nullable=False),
    Column("settings_hash", KEY_TEXT, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("info", JSON, nullable=False),
    Column("progress", JSON, nullable=False),
    Column("checkpoint", LargeBinary),
    Column("report", JSON(none_as_null=True)),
    Column("superseded_by", BigInteger, ForeignKey("runs.run_id")),
    UniqueConstraint("camera_id", "fingerprint", "settings_hash"),
    sqlite_autoincrement=True,
)
"""``superseded_by``: the analysis of the same footage whose events are shown instead of this one's.
"""

COUNTERS = Table(
    "counters",
    METADATA,
    Column("camera_id", KEY_TEXT, primary_key=True),
    Column("kind", KEY_TEXT, primary_key=True),
    Column("key", KEY_TEXT, primary_key=True),
    Column("next", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Highest number given out plus one, kept apart so that deleting rows never frees a number.

``kind`` is ``track`` (key: letter) or ``event`` (key: YYYYMMDD).
"""

FRAMES = Table(
    "frames",
    METADATA,
    Column("frame_id", KEY_TEXT, primary_key=True),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("run_id", BigInteger, ForeignKey("runs.run_id")),
    Column("time_ns", BigInteger, nullable=False),
    Column("frame", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("view", SafeText, nullable=False),
    Column("cut", Boolean, nullable=False),
    Column("detections", JSON, nullable=False),
    Column("image_sha256", SafeText),
    Column("annotated_sha256", SafeText),
    Column("vlm_json", JSON(none_as_null=True)),
    Column("summary_zh", SafeText, nullable=False),
    Index(None, "camera_id", "time_ns"),
)

TRACKS = Table(
    "tracks",
    METADATA,
    Column("camera_id", KEY_TEXT, primary_key=True),
    Column("track_id", KEY_TEXT, primary_key=True),
    Column("run_id", BigInteger, ForeignKey("runs.run_id"), nullable=False),
    Column("type", SafeText, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("best_conf", Double, nullable=False),
    sqlite_with_rowid=False,
)

TRACK_POINTS = Table(
    "track_points",
    METADATA,
    Column("camera_id", KEY_TEXT, primary_key=True),
    Column("time_ns", BigInteger, primary_key=True),
    Column("track_id", KEY_TEXT, primary_key=True),
    Column("run_id", BigInteger, ForeignKey("runs.run_id"), nullable=False),
    Column("frame", BigInteger, nullable=False),
    Column("type", SafeText, nullable=False),
    Column("conf", Double, nullable=False),
    Column("x1", Double, nullable=False),
    Column("y1", Double, nullable=False),
    Column("x2", Double, nullable=False),
    Column("y2", Double, nullable=False),
    # The key is the only way in (camera and period), so the rows may lie in it.
    sqlite_with_rowid=False,
)

EVENTS = Table(
    "events",
    METADATA,
    Column("event_id", KEY_TEXT, primary_key=True),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("run_id", BigInteger, ForeignKey("runs.run_id")),
    Column("type", KEY_TEXT, nullable=False),
    Column("risk_level", KEY_TEXT, nullable=False),
    Column("rule_id", KEY_TEXT, nullable=False),
    Column("zone", SafeText),
    Column("tripwire", SafeText),
    Column("start_ns", BigInteger, nullable=False),
    Column("established_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger),
    Column("first_frame", BigInteger, nullable=False),
    Column("last_frame", BigInteger, nullable=False),
    Column("actors", JSON, nullable=False),
    Column("moments", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("summary_zh", SafeText, nullable=False),
    Column("summary_en", SafeText, nullable=False),
    Column("keywords_zh", JSON, nullable=False),
    Column("search_text", SafeText, nullable=False),
    Index(None, "start_ns", "event_id"),
    Index(None, "camera_id", "start_ns", "event_id"),
    Index(None, "run_id"),
)

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("event_id", KEY_TEXT, ForeignKey("events.event_id"), primary_key=True),
    Column("kind", KEY_TEXT, primary_key=True),
    Column("time_ns", BigInteger, primary_key=True),
    Column("what", KEY_TEXT, primary_key=True),
    Column("frame", BigInteger, nullable=False),
    Column("frame_id", KEY_TEXT, ForeignKey("frames.frame_id")),
    Column("sha256", SafeText, nullable=False),
    Column("media_type", SafeText, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    sqlite_with_rowid=False,
)

COVERAGE = Table(
    "coverage",
    METADATA,
    Column("camera_id", KEY_TEXT, primary_key=True),
    Column("start_ns", BigInteger, primary_key=True),
    Column("end_ns", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
