"""Runs migrations on the connection that ``storage.migrate`` (or a test) hands over."""

from alembic import context

from video_detective.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can change little in place: such changes rebuild the table.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
