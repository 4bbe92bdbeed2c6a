"""The log of changes that live streams tell, and the triggers that write it.

Triggers, so that whatever process changes a row, by whatever way, is told of in the transaction of
the change.
"""

from __future__ import annotations

from sqlalchemy import DDL, BigInteger, Column, Index, Table, event

from video_detective.storage.dialects import AUTO_KEY, KEY_TEXT
from video_detective.storage.tables import METADATA

LIVE_CHANGES = Table(
    "live_changes",
    METADATA,
    Column("number", AUTO_KEY, primary_key=True),
    Column("transaction_id", BigInteger, nullable=False),
    Column("kind", KEY_TEXT, nullable=False),
    Column("camera_id", KEY_TEXT, nullable=False),
    Column("target_id", KEY_TEXT, nullable=False),
    Column("insight_id", KEY_TEXT),
    Column("state", KEY_TEXT, nullable=False),
    Index(None, "transaction_id", "number"),
)
"""What changed, for live streams; triggers write it in the transaction of the change. The last
20,000 or so are kept. ``kind``: alert, insight, review (``target_id`` is the alert's), job, device.
``transaction_id``: PostgreSQL's, for numbers there are given before others commit; 0 on SQLite."""

_LIVE_TRIGGERS = {
    "sqlite": (
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
    ),
    "postgresql": (
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
    ),
}


for _dialect, _statements in _LIVE_TRIGGERS.items():
    for _statement in _statements:
        _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(METADATA, "after_create", _ddl.execute_if(dialect=_dialect))
