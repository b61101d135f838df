"""Jobs with a priority, runs with tags, a trash and what they cost, and watches: runs that score what arrives."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns to the tables of jobs, and the table of watches."""
    for table in ("runs", "scorings"):
        op.add_column(table, sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("place", sa.String(32)))
    op.add_column("runs", sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("runs", sa.Column("cost", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("runs", sa.Column("batch", sa.String(120)))
    op.add_column("runs", sa.Column("trashed", sa.DateTime(timezone=True)))
    op.create_table(
        "watches",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
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
        sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("place", sa.String(32)),
        sa.UniqueConstraint("run_id", "series_id"),
    )
    op.create_index("ix_watches_series_id", "watches", ["series_id"])
    op.create_index("ix_watches_state", "watches", ["state"])


def downgrade() -> None:
    """Drops them."""
    op.drop_table("watches")
    with op.batch_alter_table("runs") as batch:
        for name in ("tags", "cost", "batch", "trashed", "priority", "attempts", "place"):
            batch.drop_column(name)
    with op.batch_alter_table("scorings") as batch:
        for name in ("priority", "attempts", "place"):
            batch.drop_column(name)
