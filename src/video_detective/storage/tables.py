"""The schema. ``migrations`` brings a database here step by step; a test holds the two together.

Camera ids are plain text without a foreign key: events stay when their camera leaves the
configuration, and may be imported from cameras that were never configured here.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
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
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    event,
    text,
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

An analysis of footage that was analysed to its end before is superseded from its beginning to its
own end: what is shown changes at once, and not at all where it is cancelled.
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
    Index(
        "ix_frames_image_sha256",
        "image_sha256",
        sqlite_where=text("image_sha256 IS NOT NULL"),
        postgresql_where=text("image_sha256 IS NOT NULL"),
    ),
    Index(
        "ix_frames_annotated_sha256",
        "annotated_sha256",
        sqlite_where=text("annotated_sha256 IS NOT NULL"),
        postgresql_where=text("annotated_sha256 IS NOT NULL"),
    ),
    Index(
        "ix_frames_pictured",
        "camera_id",
        "time_ns",
        sqlite_where=text("image_sha256 IS NOT NULL"),
        postgresql_where=text("image_sha256 IS NOT NULL"),
    ),
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
    # Most periods that are asked for end lately: what was seen last before them is passed over.
    Index(None, "camera_id", "last_ns"),
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
    Index(None, "frame_id"),
    Index(None, "sha256"),
    sqlite_with_rowid=False,
)

COVERAGE = Table(
    "coverage",
    METADATA,
    Column("camera_id", KEY_TEXT, primary_key=True),
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start_ns", BigInteger, primary_key=True),
    Column("end_ns", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""When an analysis watched; one that is superseded watched nothing, as far as is shown.

``run_id`` is 0 where the span was written before it was told whose it is: that is always shown.
"""

NARRATIONS = Table(
    "narrations",
    METADATA,
    Column("event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE")),
    Column("status", KEY_TEXT, nullable=False),
    Column("requested_ns", BigInteger, nullable=False),
    Column("finished_ns", BigInteger),
    Column("language", KEY_TEXT, nullable=False),
    Column("level", KEY_TEXT),
    Column("reason", SafeText),
    Column("model", SafeText),
    Column("prompts", JSON, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("result", JSON(none_as_null=True)),
    Column("flags", JSON, nullable=False),
    Column("raw_text", SafeText),
    Column("usage", JSON, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("worker", SafeText),
    PrimaryKeyConstraint("event_id"),
    Index(None, "status", "requested_ns"),
)
"""One row per event that a model is to tell; see ``NarrationRow``."""

WORKERS = Table(
    "workers",
    METADATA,
    Column("worker", KEY_TEXT, primary_key=True),
    Column("beats", BigInteger, nullable=False),
)
"""Who works on narrations, and when each last showed that it lives: the database's clock, ms."""

EVENT_DOCUMENTS = Table(
    "event_documents",
    METADATA,
    Column("document_id", AUTO_KEY, primary_key=True, autoincrement=False),
    Column("event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE"), nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger),
    Column("version", Integer, nullable=False),
    Column("tokens", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    UniqueConstraint("event_id"),
)
"""What is searched, one row per event that can be found; see ``documents``.

``document_id`` is in order of time (``documents.document_id``), so that a period is a range of it.
``end_ns`` is None while the event goes on. ``tokens`` are joined by spaces.
"""

DOCUMENT_PARTS = Table(
    "document_parts",
    METADATA,
    Column("event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE")),
    Column("frame_id", KEY_TEXT, nullable=False),
    Column("tokens", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    PrimaryKeyConstraint("event_id", "frame_id"),
)
"""Of events with described frames: which words are whose; ``frame_id`` "" for the event's own."""

VECTORS = Table(
    "vectors",
    METADATA,
    Column("document_id", AUTO_KEY, primary_key=True, autoincrement=False),
    Column("event_id", KEY_TEXT, ForeignKey("events.event_id", ondelete="CASCADE"), nullable=False),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("lasting", Boolean, nullable=False),
    Column("model", KEY_TEXT, nullable=False),
    Column("size", Integer, nullable=False),
    Column("text_sha256", KEY_TEXT, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    UniqueConstraint("event_id"),
    Index(None, "camera_id", "document_id"),
    Index(None, "lasting", "document_id"),
)
"""The embedding of an event's text: ``vector`` is ``size`` little-endian float16, of unit length.

It holds only while the event has a document (of the same ``document_id``) that is not in
``VECTOR_QUEUE``; otherwise it is kept for the case that the text turns out to be the same.
``lasting``: as ``fulltext.LONG`` of the document. Ordered as documents are, by time.
"""

VECTOR_QUEUE = Table(
    "vector_queue",
    METADATA,
    Column(
        "document_id",
        AUTO_KEY,
        ForeignKey("event_documents.document_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
)
"""Documents written since somebody last saw to their vectors. Triggers fill it once a model for
embeddings is in use (``meta``: ``embedding_model``); documents are never updated in place."""

VECTOR_OUTBOX = Table(
    "vector_outbox",
    METADATA,
    Column("number", AUTO_KEY, primary_key=True),
    Column("event_id", KEY_TEXT, nullable=False),
    sqlite_autoincrement=True,
)
"""Events whose vector Qdrant does not have as it is now. Triggers fill it while Qdrant is in use
(``meta``: ``qdrant``); a row is what happened, so an event may have several."""

INDEX_NAME = "event_index"
"""The full-text index over ``EVENT_DOCUMENTS.tokens``: SQLite's table, PostgreSQL's column.

PostgreSQL generates it. On SQLite ``documents.write_documents`` adds to it, and a trigger takes out
of it what is deleted, also with the event; documents are never updated in place. ``detail=none``
holds neither positions nor columns, which tokens without order do not need; ``content=`` keeps the
tokens only once, in the documents. Tokens consist of ``tokenchars``, small letters and digits and
of what is not ASCII (``fulltext.index_token``), so that the tokenizer never cuts one. What a
transaction of thousands of documents adds is kept together (``hashsize``, bytes) and joined to the
rest less often than usual (``automerge``): it halves the time that building the index takes.
"""

_SQLITE_INDEX = (
    """CREATE VIRTUAL TABLE event_index USING fts5(
        tokens, content='event_documents', content_rowid='document_id', detail=none, columnsize=0,
        tokenize="ascii tokenchars ':_.-@%='"
    )""",
    "INSERT INTO event_index (event_index, rank) VALUES ('hashsize', 67108864)",
    "INSERT INTO event_index (event_index, rank) VALUES ('automerge', 8)",
    """CREATE TRIGGER event_documents_delete AFTER DELETE ON event_documents BEGIN
        INSERT INTO event_index (event_index, rowid, tokens)
        VALUES ('delete', old.document_id, old.tokens);
    END""",
)
_POSTGRESQL_INDEX = (
    """ALTER TABLE event_documents ADD COLUMN event_index tsvector
    GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED""",
    "CREATE INDEX ix_event_documents_event_index ON event_documents USING gin (event_index)",
)
for _dialect, _statements in (("sqlite", _SQLITE_INDEX), ("postgresql", _POSTGRESQL_INDEX)):
    for _statement in _statements:
        _made = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(EVENT_DOCUMENTS, "after_create", _made.execute_if(dialect=_dialect))

_SQLITE_QUEUES = (
    """CREATE TRIGGER event_documents_queue AFTER INSERT ON event_documents
    WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'embedding_model') BEGIN
        INSERT INTO vector_queue (document_id) VALUES (new.document_id);
    END""",
    """CREATE TRIGGER event_documents_outbox AFTER DELETE ON event_documents
    WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'qdrant') BEGIN
        INSERT INTO vector_outbox (event_id) VALUES (old.event_id);
    END""",
    """CREATE TRIGGER vector_queue_outbox AFTER DELETE ON vector_queue
    WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'qdrant') BEGIN
        INSERT INTO vector_outbox (event_id)
        SELECT event_id FROM event_documents WHERE document_id = old.document_id;
    END""",
)
_POSTGRESQL_QUEUES = (
    """CREATE FUNCTION event_documents_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM meta WHERE key = 'embedding_model') THEN
            INSERT INTO vector_queue (document_id) VALUES (new.document_id);
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER event_documents_queue AFTER INSERT ON event_documents
    FOR EACH ROW EXECUTE FUNCTION event_documents_queue()""",
    """CREATE FUNCTION event_documents_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM meta WHERE key = 'qdrant') THEN
            INSERT INTO vector_outbox (event_id) VALUES (old.event_id);
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER event_documents_outbox AFTER DELETE ON event_documents
    FOR EACH ROW EXECUTE FUNCTION event_documents_outbox()""",
    """CREATE FUNCTION vector_queue_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT 1 FROM meta WHERE key = 'qdrant') THEN
            INSERT INTO vector_outbox (event_id)
            SELECT event_id FROM event_documents WHERE document_id = old.document_id;
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER vector_queue_outbox AFTER DELETE ON vector_queue
    FOR EACH ROW EXECUTE FUNCTION vector_queue_outbox()""",
)
for _dialect, _triggers in {"sqlite": _SQLITE_QUEUES, "postgresql": _POSTGRESQL_QUEUES}.items():
    for _statement in _triggers:
        _made = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(VECTOR_QUEUE, "after_create", _made.execute_if(dialect=_dialect))
