"""Tracks of a period are found without a look at all of a camera's."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_tracks_camera_id_last_ns"), "tracks", ["camera_id", "last_ns"], unique=False
    )
