"""Which analysis recorded attributes; those of superseded ones are neither listed nor counted."""

from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

GAP_NS = 60 * 10**9
"""An analysis that saw nothing for so long was not looking in between."""
TABLE = "scene_analysis_attributes"
FIELDS = (
    "total_persons",
    "female", "male", "age_less18", "age18_to60", "age_over60", "front", "side", "back",
    "hat", "glasses", "hand_bag", "shoulder_bag", "backpack", "hold_objects_in_front",
    "short_sleeve", "long_sleeve", "long_coat", "trousers", "shorts", "skirt_dress", "boots",
    "upper_black", "upper_white", "upper_red", "upper_purple", "upper_yellow", "upper_gray",
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table(TABLE) as table:
        table.add_column(sa.Column("run_id", sa.BigInteger(), nullable=True))
        table.add_column(
            sa.Column("is_hidden", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        table.create_foreign_key(f"fk_{TABLE}_run_id", "runs", ["run_id"], ["run_id"])
        table.drop_constraint(f"uq_{TABLE}_camera_id", type_="unique")
        table.create_unique_constraint(
            f"uq_{TABLE}_camera_id", ["camera_id", "captured_ns", "run_id"]
        )
    op.create_index(f"ix_{TABLE}_run_id", TABLE, ["run_id"])
    _say_whose()
    _sum_up()


def _say_whose() -> None:
    """By when analyses looked: where several did, the one that is shown replaced the others'."""
    connection = op.get_bind()
    looks = connection.execute(
        sa.text(
            "SELECT r.run_id, r.camera_id, r.superseded_by IS NOT NULL AS is_hidden, l.first_ns,"
            " l.last_ns FROM runs r JOIN looks l ON l.run_id = r.run_id"
            " WHERE r.camera_id IN (SELECT camera_id FROM scene_analysis_attributes)"
            " ORDER BY r.superseded_by IS NULL, r.run_id, l.first_ns"
        )
    )
    named = sa.text(
        f"UPDATE {TABLE} SET run_id = :run, is_hidden = :hidden"  # noqa: S608 - a constant
        " WHERE camera_id = :camera AND captured_ns BETWEEN :first AND :last"
    )
    for (run_id, camera_id, is_hidden), rows in groupby(looks.all(), itemgetter(0, 1, 2)):
        spans: list[list[int]] = []
        for *_, first_ns, last_ns in rows:
            if spans and first_ns - spans[-1][1] <= GAP_NS:
                spans[-1][1] = max(spans[-1][1], last_ns)
            else:
                spans.append([first_ns, last_ns])
        for first_ns, last_ns in spans:
            values = {"run": run_id, "hidden": bool(is_hidden), "camera": camera_id}
            connection.execute(named, {**values, "first": first_ns, "last": last_ns})


def _sum_up() -> None:
    """Take hidden records out of the sums."""
    cameras = f"SELECT camera_id FROM {TABLE} WHERE is_hidden"  # noqa: S608 - a constant
    sums = ", ".join(f"sum({name})" for name in FIELDS)
    op.execute(f"DELETE FROM attribute_buckets WHERE camera_id IN ({cameras})")  # noqa: S608
    op.execute(
        "INSERT INTO attribute_buckets"  # noqa: S608 - constants
        f" (start_ns, camera_id, records, {', '.join(FIELDS)})"
        f" SELECT captured_ns / 900000000000 * 900000000000, camera_id, count(*), {sums}"
        f" FROM {TABLE} WHERE NOT is_hidden AND camera_id IN ({cameras}) GROUP BY 1, 2"
    )
