"""The service: accounts, devices, scenes, alerts, insights, attributes, work and notifications."""

import os
import time

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AUTO_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE_EXTRAS = (
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
    """CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END""",
    """CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit log is append-only');
    END""",
)
POSTGRESQL_EXTRAS = (
    """ALTER TABLE insights ADD COLUMN insight_index tsvector
    GENERATED ALWAYS AS (array_to_tsvector(string_to_array(tokens, ' '))) STORED""",
    """CREATE INDEX ix_insights_insight_index ON insights USING gin (insight_index)""",
    """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the audit log is append-only';
    END $$""",
    """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    """ALTER TABLE rate_windows SET UNLOGGED""",
)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("name", KEY_TEXT, nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("language", KEY_TEXT, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_table(
        "attribute_buckets",
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("total_persons", sa.Integer(), nullable=False),
        sa.Column("female", sa.Integer(), nullable=True),
        sa.Column("male", sa.Integer(), nullable=True),
        sa.Column("age_less18", sa.Integer(), nullable=True),
        sa.Column("age18_to60", sa.Integer(), nullable=True),
        sa.Column("age_over60", sa.Integer(), nullable=True),
        sa.Column("front", sa.Integer(), nullable=True),
        sa.Column("side", sa.Integer(), nullable=True),
        sa.Column("back", sa.Integer(), nullable=True),
        sa.Column("hat", sa.Integer(), nullable=True),
        sa.Column("glasses", sa.Integer(), nullable=True),
        sa.Column("hand_bag", sa.Integer(), nullable=True),
        sa.Column("shoulder_bag", sa.Integer(), nullable=True),
        sa.Column("backpack", sa.Integer(), nullable=True),
        sa.Column("hold_objects_in_front", sa.Integer(), nullable=True),
        sa.Column("short_sleeve", sa.Integer(), nullable=True),
        sa.Column("long_sleeve", sa.Integer(), nullable=True),
        sa.Column("long_coat", sa.Integer(), nullable=True),
        sa.Column("trousers", sa.Integer(), nullable=True),
        sa.Column("shorts", sa.Integer(), nullable=True),
        sa.Column("skirt_dress", sa.Integer(), nullable=True),
        sa.Column("boots", sa.Integer(), nullable=True),
        sa.Column("upper_black", sa.Integer(), nullable=True),
        sa.Column("upper_white", sa.Integer(), nullable=True),
        sa.Column("upper_red", sa.Integer(), nullable=True),
        sa.Column("upper_purple", sa.Integer(), nullable=True),
        sa.Column("upper_yellow", sa.Integer(), nullable=True),
        sa.Column("upper_gray", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("start_ns", "camera_id", name=op.f("pk_attribute_buckets")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_attribute_buckets_camera_id_start_ns"),
        "attribute_buckets",
        ["camera_id", "start_ns"],
        unique=False,
    )
    op.create_table(
        "looks",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("first_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_ns", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name=op.f("fk_looks_run_id")),
        sa.PrimaryKeyConstraint("run_id", "first_ns", name=op.f("pk_looks")),
    )
    op.create_table(
        "nodes",
        sa.Column("node_id", KEY_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("info", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_nodes")),
    )
    op.create_table(
        "rate_windows",
        sa.Column("key", KEY_TEXT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_windows")),
    )
    op.create_index(
        op.f("ix_rate_windows_expires_ms"), "rate_windows", ["expires_ms"], unique=False
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", KEY_TEXT, nullable=False),
        sa.Column("secret_hash", KEY_TEXT, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("devices", sa.JSON(), nullable=True),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ns", sa.BigInteger(), nullable=True),
        sa.Column("last_used_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_api_keys_account_id")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(
        op.f("ix_api_keys_account_id_key_id"), "api_keys", ["account_id", "key_id"], unique=False
    )
    op.create_table(
        "audit",
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", KEY_TEXT, nullable=False),
        sa.Column("actor_id", KEY_TEXT, nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", KEY_TEXT, nullable=False),
        sa.Column("target_kind", KEY_TEXT, nullable=False),
        sa.Column("target_id", KEY_TEXT, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", KEY_TEXT, nullable=False),
        sa.Column("hash", KEY_TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_audit_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("pk_audit")),
    )
    op.create_table(
        "channels",
        sa.Column("channel_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("kind", KEY_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("cooldown_s", sa.Double(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_channels_account_id")
        ),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_channels")),
    )
    op.create_index(
        op.f("ix_channels_account_id_channel_id"),
        "channels",
        ["account_id", "channel_id"],
        unique=False,
    )
    op.create_table(
        "devices",
        sa.Column("device_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("plan", KEY_TEXT, nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_devices_account_id")
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_devices")),
        sa.UniqueConstraint("camera_id", name=op.f("uq_devices_camera_id")),
    )
    op.create_index(
        op.f("ix_devices_account_id_device_id"),
        "devices",
        ["account_id", "device_id"],
        unique=False,
    )
    op.create_table(
        "invitations",
        sa.Column("token_hash", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("role", KEY_TEXT, nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("used_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_invitations_account_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_invitations")),
    )
    op.create_table(
        "scene_analysis_attributes",
        sa.Column("attribute_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("scene_id", KEY_TEXT, nullable=True),
        sa.Column("captured_ns", sa.BigInteger(), nullable=False),
        sa.Column("total_persons", sa.Integer(), nullable=False),
        sa.Column("female", sa.Integer(), nullable=True),
        sa.Column("male", sa.Integer(), nullable=True),
        sa.Column("age_less18", sa.Integer(), nullable=True),
        sa.Column("age18_to60", sa.Integer(), nullable=True),
        sa.Column("age_over60", sa.Integer(), nullable=True),
        sa.Column("front", sa.Integer(), nullable=True),
        sa.Column("side", sa.Integer(), nullable=True),
        sa.Column("back", sa.Integer(), nullable=True),
        sa.Column("hat", sa.Integer(), nullable=True),
        sa.Column("glasses", sa.Integer(), nullable=True),
        sa.Column("hand_bag", sa.Integer(), nullable=True),
        sa.Column("shoulder_bag", sa.Integer(), nullable=True),
        sa.Column("backpack", sa.Integer(), nullable=True),
        sa.Column("hold_objects_in_front", sa.Integer(), nullable=True),
        sa.Column("short_sleeve", sa.Integer(), nullable=True),
        sa.Column("long_sleeve", sa.Integer(), nullable=True),
        sa.Column("long_coat", sa.Integer(), nullable=True),
        sa.Column("trousers", sa.Integer(), nullable=True),
        sa.Column("shorts", sa.Integer(), nullable=True),
        sa.Column("skirt_dress", sa.Integer(), nullable=True),
        sa.Column("boots", sa.Integer(), nullable=True),
        sa.Column("upper_black", sa.Integer(), nullable=True),
        sa.Column("upper_white", sa.Integer(), nullable=True),
        sa.Column("upper_red", sa.Integer(), nullable=True),
        sa.Column("upper_purple", sa.Integer(), nullable=True),
        sa.Column("upper_yellow", sa.Integer(), nullable=True),
        sa.Column("upper_gray", sa.Integer(), nullable=True),
        sa.Column("source", KEY_TEXT, nullable=False),
        sa.Column("node_id", KEY_TEXT, nullable=True),
        sa.Column("user_id", KEY_TEXT, nullable=True),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("fk_scene_analysis_attributes_account_id"),
        ),
        sa.PrimaryKeyConstraint("attribute_id", name=op.f("pk_scene_analysis_attributes")),
        sa.UniqueConstraint(
            "camera_id", "captured_ns", name=op.f("uq_scene_analysis_attributes_camera_id")
        ),
    )
    op.create_index(
        op.f("ix_scene_analysis_attributes_account_id_captured_ns_attribute_id"),
        "scene_analysis_attributes",
        ["account_id", "captured_ns", "attribute_id"],
        unique=False,
    )
    op.create_table(
        "users",
        sa.Column("user_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("name", KEY_TEXT, nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", KEY_TEXT, nullable=False),
        sa.Column("devices", sa.JSON(), nullable=True),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ns", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until_ns", sa.BigInteger(), nullable=True),
        sa.Column("last_login_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_users_account_id")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_users_account_id")),
    )
    op.create_table(
        "analysis_jobs",
        sa.Column("job_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("status", KEY_TEXT, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", KEY_TEXT, nullable=True),
        sa.Column("start_time", sa.Text(), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("error_code", KEY_TEXT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("node_id", KEY_TEXT, nullable=True),
        sa.Column("beats", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=True),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_analysis_jobs_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["devices.camera_id"], name=op.f("fk_analysis_jobs_camera_id")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_analysis_jobs")),
    )
    op.create_index(
        op.f("ix_analysis_jobs_account_id_job_id"),
        "analysis_jobs",
        ["account_id", "job_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_analysis_jobs_status_job_id"), "analysis_jobs", ["status", "job_id"], unique=False
    )
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("channel_id", KEY_TEXT, nullable=False),
        sa.Column("alert_id", KEY_TEXT, nullable=False),
        sa.Column("kind", KEY_TEXT, nullable=False),
        sa.Column("status", KEY_TEXT, nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("claimed_ns", sa.BigInteger(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_deliveries_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.channel_id"], name=op.f("fk_deliveries_channel_id")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "channel_id", "alert_id", "kind", name=op.f("uq_deliveries_channel_id")
        ),
    )
    op.create_index(
        op.f("ix_deliveries_account_id_delivery_id"),
        "deliveries",
        ["account_id", "delivery_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_deliveries_status_due_ns"), "deliveries", ["status", "due_ns"], unique=False
    )
    op.create_table(
        "live_status",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("node_id", KEY_TEXT, nullable=True),
        sa.Column("state", KEY_TEXT, nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=True),
        sa.Column("beats", sa.BigInteger(), nullable=True),
        sa.Column("fps", sa.Double(), nullable=True),
        sa.Column("lag_s", sa.Double(), nullable=True),
        sa.Column("last_frame_ns", sa.BigInteger(), nullable=True),
        sa.Column("drops", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["devices.camera_id"], name=op.f("fk_live_status_camera_id")
        ),
        sa.PrimaryKeyConstraint("camera_id", name=op.f("pk_live_status")),
    )
    op.create_table(
        "scenes",
        sa.Column("scene_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("deleted_ns", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_scenes_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["camera_id"], ["devices.camera_id"], name=op.f("fk_scenes_camera_id")
        ),
        sa.PrimaryKeyConstraint("scene_id", name=op.f("pk_scenes")),
        sa.UniqueConstraint("camera_id", name=op.f("uq_scenes_camera_id")),
    )
    op.create_index(
        op.f("ix_scenes_account_id_scene_id"), "scenes", ["account_id", "scene_id"], unique=False
    )
    op.create_table(
        "sessions",
        sa.Column("session_hash", KEY_TEXT, nullable=False),
        sa.Column("user_id", KEY_TEXT, nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("alert_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("scene_id", KEY_TEXT, nullable=True),
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("alert_rule", KEY_TEXT, nullable=False),
        sa.Column("kind", KEY_TEXT, nullable=False),
        sa.Column("metric_path", sa.Text(), nullable=False),
        sa.Column("operator", KEY_TEXT, nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("actual_value", sa.Double(), nullable=False),
        sa.Column("severity", KEY_TEXT, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("triggered_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_alerts_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.event_id"], name=op.f("fk_alerts_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["scene_id"], ["scenes.scene_id"], name=op.f("fk_alerts_scene_id")),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("event_id", "alert_rule", name=op.f("uq_alerts_event_id")),
    )
    op.create_index(
        op.f("ix_alerts_account_id_triggered_ns_alert_id"),
        "alerts",
        ["account_id", "triggered_ns", "alert_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_alerts_camera_id_alert_rule_triggered_ns"),
        "alerts",
        ["camera_id", "alert_rule", "triggered_ns"],
        unique=False,
    )
    op.create_table(
        "scene_versions",
        sa.Column("scene_id", KEY_TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene_id"], ["scenes.scene_id"], name=op.f("fk_scene_versions_scene_id")
        ),
        sa.PrimaryKeyConstraint("scene_id", "version", name=op.f("pk_scene_versions")),
    )
    op.create_table(
        "insights",
        sa.Column("number", AUTO_KEY, nullable=False),
        sa.Column("insight_id", KEY_TEXT, nullable=False),
        sa.Column("alert_id", KEY_TEXT, nullable=False),
        sa.Column("account_id", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("scene_id", KEY_TEXT, nullable=True),
        sa.Column("event_id", KEY_TEXT, nullable=False),
        sa.Column("severity", KEY_TEXT, nullable=False),
        sa.Column("triggered_ns", sa.BigInteger(), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("updated_ns", sa.BigInteger(), nullable=False),
        sa.Column("is_hidden", sa.Boolean(), nullable=False),
        sa.Column("language", KEY_TEXT, nullable=False),
        sa.Column("vlm_status", KEY_TEXT, nullable=False),
        sa.Column("vlm_summary", sa.Text(), nullable=True),
        sa.Column("vlm_result", sa.JSON(), nullable=True),
        sa.Column("risk_level", KEY_TEXT, nullable=True),
        sa.Column("described_by", KEY_TEXT, nullable=True),
        sa.Column("level", KEY_TEXT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("vlm_requested_ns", sa.BigInteger(), nullable=True),
        sa.Column("vlm_completed_ns", sa.BigInteger(), nullable=True),
        sa.Column("vlm_error", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("raw_text", sa.Text(), nullable=True),
        sa.Column("snapshots", sa.JSON(), nullable=False),
        sa.Column("has_attributes", sa.Boolean(), nullable=False),
        sa.Column("attributes_summary", sa.JSON(), nullable=True),
        sa.Column("node_id", KEY_TEXT, nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "has_summary",
            sa.Boolean(),
            sa.Computed("vlm_summary IS NOT NULL", persisted=True),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_insights_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert_id"], name=op.f("fk_insights_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_insights")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_insights_alert_id")),
        sa.UniqueConstraint("insight_id", name=op.f("uq_insights_insight_id")),
        sqlite_autoincrement=True,
    )
    listed = ["scene_id", "severity", "vlm_status", "has_summary", "has_attributes"]
    op.create_index(
        op.f("ix_insights_list"),
        "insights",
        ["account_id", "is_hidden", "triggered_ns", "insight_id", "camera_id", *listed],
        unique=False,
    )
    op.create_index(
        op.f("ix_insights_list_of_camera"),
        "insights",
        ["camera_id", "is_hidden", "triggered_ns", "insight_id", "account_id", *listed],
        unique=False,
    )
    op.create_index(op.f("ix_insights_event_id"), "insights", ["event_id"], unique=False)
    op.create_index(
        op.f("ix_insights_vlm_status_created_ns"),
        "insights",
        ["vlm_status", "created_ns"],
        unique=False,
    )

    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_EXTRAS if on_sqlite else POSTGRESQL_EXTRAS:
        op.execute(sa.text(statement.replace(":_", "\\:_")))
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """The default account, to which every camera that is known or had events belongs."""
    now_ns = time.time_ns()  # noqa: TID251 - a migration happens once, and says when
    account_id = _uuid7(now_ns)
    accounts = sa.table(
        "accounts",
        *map(sa.column, ("account_id", "name", "timezone", "language", "is_default", "created_ns")),
    )
    cameras = sa.table(
        "cameras",
        sa.column("camera_id"),
        sa.column("name"),
        sa.column("timezone"),
        sa.column("document", sa.JSON()),
    )
    known = connection.execute(sa.select(cameras).order_by(cameras.c.camera_id)).all()
    zone = known[0].timezone if known else "Asia/Taipei"
    connection.execute(
        accounts.insert().values(
            account_id=account_id,
            name="default",
            timezone=zone,
            language="zh-TW",
            is_default=True,
            created_ns=now_ns,
        )
    )
    seen = connection.scalars(sa.text("SELECT DISTINCT camera_id FROM events")).all()
    devices = sa.table(
        "devices",
        *(
            sa.column(name)
            for name in (
                "device_id", "account_id", "camera_id", "plan", "source", "wanted", "created_ns",
                "updated_ns",
            )
        ),
        sa.column("tags", sa.JSON()),
    )  # fmt: skip
    for camera_id in sorted({row.camera_id for row in known} | set(seen)):
        connection.execute(
            devices.insert().values(
                device_id=_uuid7(now_ns),
                account_id=account_id,
                camera_id=camera_id,
                plan="LEVEL_01",
                tags=[],
                source="",
                wanted=False,
                created_ns=now_ns,
                updated_ns=now_ns,
            )
        )
    scenes = sa.table(
        "scenes",
        *(
            sa.column(name)
            for name in (
                "scene_id", "account_id", "camera_id", "name", "version", "created_ns",
                "updated_ns",
            )
        ),
    )  # fmt: skip
    versions = sa.table(
        "scene_versions",
        *map(sa.column, ("scene_id", "version", "created_ns", "author", "note")),
        sa.column("document", sa.JSON()),
    )
    for row in known:
        scene_id = _uuid7(now_ns)
        of_device = ("name", "aliases", "timezone")
        document = {key: value for key, value in row.document.items() if key not in of_device}
        connection.execute(
            scenes.insert().values(
                scene_id=scene_id,
                account_id=account_id,
                camera_id=row.camera_id,
                name=row.name,
                version=1,
                created_ns=now_ns,
                updated_ns=now_ns,
            )
        )
        connection.execute(
            versions.insert().values(
                scene_id=scene_id,
                version=1,
                document=document,
                created_ns=now_ns,
                author="migration",
                note="",
            )
        )


def _uuid7(time_ns: int) -> str:
    value = (time_ns // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(3 << 62) | 2 << 62
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
