"""First schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AUTO_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cameras",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_cameras")),
    )
    op.create_table(
        "counters",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("kind", KEY_TEXT, nullable=False),
        sa.Column("key", KEY_TEXT, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", "kind", "key", name=op.f("pk_counters")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "coverage",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", "start_ns", name=op.f("pk_coverage")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meta",
        sa.Column("key", KEY_TEXT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "runs",
        sa.Column("run_id", AUTO_KEY, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("fingerprint", KEY_TEXT, nullable=False),
        sa.Column("settings_hash", KEY_TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("checkpoint", sa.LargeBinary()),
        sa.Column("report", sa.JSON(none_as_null=True)),
        sa.Column("superseded_by", sa.BigInteger()),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
        sa.UniqueConstraint(
            "camera_id", "fingerprint", "settings_hash", name=op.f("uq_runs_camera_id")
        ),
        sa.ForeignKeyConstraint(
            ["superseded_by"], ["runs.run_id"], name=op.f("fk_runs_superseded_by")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "events",
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("type", KEY_TEXT, nullable=False),
        sa.Column("risk_level", KEY_TEXT, nullable=False),
        sa.Column("rule_id", KEY_TEXT, nullable=False),
        sa.Column("zone", sa.Text()),
        sa.Column("tripwire", sa.Text()),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("established_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger()),
        sa.Column("first_frame", sa.BigInteger(), nullable=False),
        sa.Column("last_frame", sa.BigInteger(), nullable=False),
        sa.Column("actors", sa.JSON(), nullable=False),
        sa.Column("moments", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("summary_zh", sa.Text(), nullable=False),
        sa.Column("summary_en", sa.Text(), nullable=False),
        sa.Column("keywords_zh", sa.JSON(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_events_run_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_events_camera_id_start_ns_event_id"),
            ["camera_id", "start_ns", "event_id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_events_run_id"), ["run_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_events_start_ns_event_id"), ["start_ns", "event_id"], unique=False
        )

    op.create_table(
        "frames",
        sa.Column("frame_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("frame", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("detections", sa.JSON(), nullable=False),
        sa.Column("image_sha256", sa.Text()),
        sa.Column("annotated_sha256", sa.Text()),
        sa.Column("vlm_json", sa.JSON(none_as_null=True)),
        sa.Column("summary_zh", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_frames_run_id")),
        sa.PrimaryKeyConstraint("frame_id", name=op.f("pk_frames")),
    )
    with op.batch_alter_table("frames", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_frames_camera_id_time_ns"), ["camera_id", "time_ns"], unique=False
        )

    op.create_table(
        "track_points",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("track_id", KEY_TEXT, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("frame", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("conf", sa.Double(), nullable=False),
        sa.Column("x1", sa.Double(), nullable=False),
        sa.Column("y1", sa.Double(), nullable=False),
        sa.Column("x2", sa.Double(), nullable=False),
        sa.Column("y2", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_track_points_run_id")),
        sa.PrimaryKeyConstraint("camera_id", "time_ns", "track_id", name=op.f("pk_track_points")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tracks",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("track_id", KEY_TEXT, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("first_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.Column("best_conf", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_tracks_run_id")),
        sa.PrimaryKeyConstraint("camera_id", "track_id", name=op.f("pk_tracks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("kind", KEY_TEXT, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("what", KEY_TEXT, nullable=False),
        sa.Column("frame", sa.BigInteger(), nullable=False),
        sa.Column("frame_id", KEY_TEXT),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.event_id"], name=op.f("fk_evidence_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["frame_id"], ["frames.frame_id"], name=op.f("fk_evidence_frame_id")
        ),
        sa.PrimaryKeyConstraint("event_id", "kind", "time_ns", "what", name=op.f("pk_evidence")),
        sqlite_with_rowid=False,
    )
