"""Which analysis watched a camera when: footage analysed anew at another time was not at the first.

Spans of before are joined over analyses, so it is not known any more whose they are: 0 has them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    connection = op.get_bind()
    spans = connection.execute(
        sa.text("SELECT camera_id, 0 AS run_id, start_ns, end_ns FROM coverage")
    )
    before = [dict(row) for row in spans.mappings()]
    op.drop_table("coverage")
    table = op.create_table(
        "coverage",
        sa.Column("camera_id", KEY_TEXT, nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("end_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", "run_id", "start_ns", name=op.f("pk_coverage")),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(table, before)
