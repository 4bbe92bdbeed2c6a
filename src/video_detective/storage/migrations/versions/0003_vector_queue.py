"""Vectors in order of time, the documents that lack one, and what Qdrant has to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AUTO_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE_TRIGGERS = (
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
POSTGRESQL_TRIGGERS = (
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


def upgrade() -> None:
    # Nothing was ever written to the table of this name.
    op.drop_table("vectors")
    op.create_table(
        "vectors",
        sa.Column("document_id", AUTO_KEY, autoincrement=False, nullable=False),
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("lasting", sa.Boolean(), nullable=False),
        sa.Column("model", KEY_TEXT, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("text_sha256", KEY_TEXT, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_vectors")),
        sa.UniqueConstraint("event_id", name=op.f("uq_vectors_event_id")),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
            name=op.f("fk_vectors_event_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        op.f("ix_vectors_camera_id_document_id"), "vectors", ["camera_id", "document_id"]
    )
    op.create_index(op.f("ix_vectors_lasting_document_id"), "vectors", ["lasting", "document_id"])
    op.create_table(
        "vector_queue",
        sa.Column("document_id", AUTO_KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_vector_queue")),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["event_documents.document_id"],
            name=op.f("fk_vector_queue_document_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "vector_outbox",
        sa.Column("number", AUTO_KEY, nullable=False),
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_vector_outbox")),
        sqlite_autoincrement=True,
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if on_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(sa.text(statement))
