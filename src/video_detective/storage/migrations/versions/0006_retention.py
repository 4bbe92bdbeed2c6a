"""How long an account keeps what it has; which events are kept; whose media are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("media_days", sa.Integer(), nullable=True),
        sa.Column("record_days", sa.Integer(), nullable=True),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.JSON(), nullable=True),
        sa.Column("last", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name="pk_retention"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name="fk_retention_account_id"
        ),
    )
    for table, time in (("kept_events", "kept_ns"), ("media_deletions", "deleted_ns")):
        op.create_table(
            table,
            sa.Column("event_id", KEY_TEXT, nullable=False),
            sa.Column(time, sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("event_id", name=f"pk_{table}"),
            sa.ForeignKeyConstraint(
                ["event_id"],
                ["events.event_id"],
                name=f"fk_{table}_event_id",
                ondelete="CASCADE",
            ),
        )
    op.create_table(
        "run_beginnings",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_beginnings"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.run_id"], name="fk_run_beginnings_run_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"])
    for name, columns, where in (
        ("ix_frames_image_sha256", ["image_sha256"], "image_sha256 IS NOT NULL"),
        ("ix_frames_annotated_sha256", ["annotated_sha256"], "annotated_sha256 IS NOT NULL"),
        ("ix_frames_pictured", ["camera_id", "time_ns"], "image_sha256 IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, "frames", columns, sqlite_where=condition, postgresql_where=condition)
