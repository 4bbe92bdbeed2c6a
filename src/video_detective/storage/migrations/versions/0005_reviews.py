"""Reviews of alerts, and the log of changes that live streams tell."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AUTO_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE_TRIGGERS = (
    """CREATE TRIGGER live_changes_end AFTER INSERT ON live_changes
    WHEN new.number % 1000 = 0 BEGIN
        DELETE FROM live_changes WHERE number <= new.number - 20000;
    END""",
    """CREATE TRIGGER insights_live_insert AFTER INSERT ON insights
    WHEN NOT new.is_hidden BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, insight_id, state)
        VALUES (0, 'alert', new.camera_id, new.alert_id, new.insight_id, new.severity);
    END""",
    """CREATE TRIGGER insights_live_update AFTER UPDATE OF vlm_status, is_hidden, snapshots
    ON insights WHEN old.vlm_status <> new.vlm_status OR old.is_hidden <> new.is_hidden
    OR old.snapshots <> new.snapshots BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, insight_id, state)
        VALUES (0, 'insight', new.camera_id, new.alert_id, new.insight_id,
            CASE WHEN new.is_hidden THEN 'hidden' ELSE new.vlm_status END);
    END""",
    """CREATE TRIGGER alerts_live_update AFTER UPDATE OF reviewed_ns ON alerts BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, state)
        VALUES (0, 'review', new.camera_id, new.alert_id, new.review_state);
    END""",
    """CREATE TRIGGER analysis_jobs_live_insert AFTER INSERT ON analysis_jobs BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, state)
        VALUES (0, 'job', new.camera_id, new.job_id, new.status);
    END""",
    """CREATE TRIGGER analysis_jobs_live_update AFTER UPDATE OF status, progress
    ON analysis_jobs WHEN old.status <> new.status OR old.progress <> new.progress BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, state)
        VALUES (0, 'job', new.camera_id, new.job_id, new.status);
    END""",
    """CREATE TRIGGER live_status_live_insert AFTER INSERT ON live_status BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, state)
        VALUES (0, 'device', new.camera_id, new.camera_id, new.state);
    END""",
    """CREATE TRIGGER live_status_live_update AFTER UPDATE OF state ON live_status
    WHEN old.state <> new.state BEGIN
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, state)
        VALUES (0, 'device', new.camera_id, new.camera_id, new.state);
    END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION live_changes_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        DELETE FROM live_changes WHERE number IN (
            SELECT number FROM live_changes WHERE number <= new.number - 20000
            FOR UPDATE SKIP LOCKED
        );
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER live_changes_end AFTER INSERT ON live_changes
    FOR EACH ROW WHEN (new.number % 1000 = 0) EXECUTE FUNCTION live_changes_end()""",
    """CREATE FUNCTION live_change(
        kind text, camera text, target text, insight text, state text
    ) RETURNS void LANGUAGE sql AS $$
        INSERT INTO live_changes (transaction_id, kind, camera_id, target_id, insight_id, state)
        VALUES (pg_current_xact_id()::text::bigint, kind, camera, target, insight, state);
    $$""",
    """CREATE FUNCTION insights_live() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' THEN
            PERFORM live_change(
                'alert', new.camera_id, new.alert_id, new.insight_id, new.severity
            );
        ELSE
            PERFORM live_change(
                'insight', new.camera_id, new.alert_id, new.insight_id,
                CASE WHEN new.is_hidden THEN 'hidden' ELSE new.vlm_status END
            );
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER insights_live_insert AFTER INSERT ON insights
    FOR EACH ROW WHEN (NOT new.is_hidden) EXECUTE FUNCTION insights_live()""",
    """CREATE TRIGGER insights_live_update AFTER UPDATE OF vlm_status, is_hidden, snapshots
    ON insights FOR EACH ROW WHEN (
        old.vlm_status <> new.vlm_status OR old.is_hidden <> new.is_hidden
        OR old.snapshots::text <> new.snapshots::text
    ) EXECUTE FUNCTION insights_live()""",
    """CREATE FUNCTION alerts_live() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM live_change('review', new.camera_id, new.alert_id, NULL, new.review_state);
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER alerts_live_update AFTER UPDATE OF reviewed_ns ON alerts
    FOR EACH ROW EXECUTE FUNCTION alerts_live()""",
    """CREATE FUNCTION analysis_jobs_live() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM live_change('job', new.camera_id, new.job_id, NULL, new.status);
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER analysis_jobs_live_insert AFTER INSERT ON analysis_jobs
    FOR EACH ROW EXECUTE FUNCTION analysis_jobs_live()""",
    """CREATE TRIGGER analysis_jobs_live_update AFTER UPDATE OF status, progress
    ON analysis_jobs FOR EACH ROW WHEN (
        old.status <> new.status OR old.progress::text <> new.progress::text
    ) EXECUTE FUNCTION analysis_jobs_live()""",
    """CREATE FUNCTION live_status_live() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM live_change('device', new.camera_id, new.camera_id, NULL, new.state);
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER live_status_live_insert AFTER INSERT ON live_status
    FOR EACH ROW EXECUTE FUNCTION live_status_live()""",
    """CREATE TRIGGER live_status_live_update AFTER UPDATE OF state ON live_status
    FOR EACH ROW WHEN (old.state <> new.state) EXECUTE FUNCTION live_status_live()""",
)


def upgrade() -> None:
    for column in (
        sa.Column("review_state", KEY_TEXT, nullable=False, server_default="new"),
        sa.Column("review_reason", sa.Text()),
        sa.Column("reviewed_by", sa.Text()),
        sa.Column("reviewed_by_id", KEY_TEXT),
        sa.Column("reviewed_ns", sa.BigInteger()),
    ):
        op.add_column("alerts", column)
    op.add_column(
        "insights", sa.Column("review_state", KEY_TEXT, nullable=False, server_default="new")
    )
    listed = (
        "scene_id", "severity", "vlm_status", "has_summary", "has_attributes", "review_state",
    )  # fmt: skip
    for name, first in (
        ("ix_insights_list", ("account_id", "is_hidden", "triggered_ns", "insight_id",
                              "camera_id")),
        ("ix_insights_list_of_camera", ("camera_id", "is_hidden", "triggered_ns", "insight_id",
                                        "account_id")),
    ):  # fmt: skip
        op.drop_index(name, "insights")
        op.create_index(name, "insights", [*first, *listed])
    op.create_table(
        "live_changes",
        sa.Column("number", AUTO_KEY, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", KEY_TEXT, nullable=False),
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("target_id", KEY_TEXT, nullable=False),
        sa.Column("insight_id", KEY_TEXT),
        sa.Column("state", KEY_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_live_changes")),
    )
    op.create_index(
        op.f("ix_live_changes_transaction_id_number"),
        "live_changes",
        ["transaction_id", "number"],
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if on_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(sa.text(statement.replace(":", "\\:")))
