"""Series, runs and scorings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _job_columns() -> list[sa.Column]:
    return [
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True)),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.Column("error", sa.Text()),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("heart", sa.Float(53)),
        sa.Column("launched", sa.Float(53)),
        sa.Column("worker", sa.String(32)),
        sa.Column("host", sa.String(255)),
        sa.Column("pid", sa.Integer()),
        sa.Column("born", sa.Float(53)),
    ]


def upgrade() -> None:
    """Makes the first three tables."""
    op.create_table(
        "series",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("has_time", sa.Boolean(), nullable=False),
        sa.Column("has_labels", sa.Boolean(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("part_start", sa.BigInteger()),
        sa.Column("part_stop", sa.BigInteger()),
    )
    op.create_index("ix_series_checksum", "series", ["checksum"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="SET NULL")),
        sa.Column("preset", sa.String(64), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("part_start", sa.BigInteger(), nullable=False),
        sa.Column("part_stop", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *_job_columns(),
    )
    op.create_index("ix_runs_series_id", "runs", ["series_id"])
    op.create_index("ix_runs_state", "runs", ["state"])
    op.create_table(
        "scorings",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
        *_job_columns(),
        sa.UniqueConstraint("run_id", "series_id"),
    )
    op.create_index("ix_scorings_series_id", "scorings", ["series_id"])
    op.create_index("ix_scorings_state", "scorings", ["state"])


def downgrade() -> None:
    """Drops them."""
    for table in ("scorings", "runs", "series"):
        op.drop_table(table)
