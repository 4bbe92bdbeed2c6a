"""Search documents with their full-text index, narrations, vectors; no more search_text.

The documents of events that are there already are written when the database is opened next: the
mark in ``meta`` asks for it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AUTO_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE_INDEX = (
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
POSTGRESQL_INDEX = (
    """ALTER TABLE event_documents ADD COLUMN event_index tsvector
    GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED""",
    "CREATE INDEX ix_event_documents_event_index ON event_documents USING gin (event_index)",
)


def _of_event(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["event_id"],
        ["events.event_id"],
        name=op.f(f"fk_{table}_event_id"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "narrations",
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("status", KEY_TEXT, nullable=False),
        sa.Column("requested_ns", sa.BigInteger(), nullable=False),
        sa.Column("finished_ns", sa.BigInteger()),
        sa.Column("language", KEY_TEXT, nullable=False),
        sa.Column("level", KEY_TEXT),
        sa.Column("reason", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True)),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("raw_text", sa.Text()),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_narrations")),
        _of_event("narrations"),
    )
    op.create_index(
        op.f("ix_narrations_status_requested_ns"), "narrations", ["status", "requested_ns"]
    )
    op.create_table(
        "workers",
        sa.Column("worker", KEY_TEXT, nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_workers")),
    )
    op.create_table(
        "vectors",
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("model", KEY_TEXT, nullable=False),
        sa.Column("text_sha256", KEY_TEXT, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_vectors")),
        _of_event("vectors"),
    )
    op.create_table(
        "event_documents",
        sa.Column("document_id", AUTO_KEY, autoincrement=False, nullable=False),
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_event_documents")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_documents_event_id")),
        _of_event("event_documents"),
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_INDEX if on_sqlite else POSTGRESQL_INDEX:
        op.execute(sa.text(statement.replace(":_", "\\:_")))
    op.create_table(
        "document_parts",
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("frame_id", KEY_TEXT, nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "frame_id", name=op.f("pk_document_parts")),
        _of_event("document_parts"),
    )
    op.create_index(op.f("ix_evidence_frame_id"), "evidence", ["frame_id"])
    # Not by copying the table: SQLite can do this in place.
    op.execute("ALTER TABLE events DROP COLUMN search_text")
    op.execute(
        "INSERT INTO meta (key, value)"
        " SELECT 'search_index', 'stale' WHERE EXISTS (SELECT 1 FROM events)"
    )
