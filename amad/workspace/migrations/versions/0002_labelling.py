"""Incident types, incidents, decisions, comments, maintenance windows, rules, and the history of their changes."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATUSES = "'open', 'investigating', 'known', 'closed'"
# name, code, pattern, light, dark, rule
TYPES = [
    (
        "Spike", "SP", "solid", "#2444B5", "#6C91FB",
        "A few rows leave the usual range and return at once. Starts with the first row outside, ends after the last one.",
    ),
    (
        "Level shift", "LS", "/", "#74610F", "#AC943D",
        "The level jumps and stays. Starts with the first row on the new level, ends where the old one is back or "
        "where the new one is accepted as usual.",
    ),
    (
        "Frozen sensor", "FZ", "\\", "#A27FE6", "#8E4EB0",
        "A channel repeats one value where it should move. Starts with the first repeated row, ends before the first that moves again.",
    ),
    (
        "Changed rhythm", "RH", "=", "#35A583", "#35805B",
        "The pattern keeps its range but not its period or phase. Starts with the first turn that comes early or late, "
        "ends before the first one in time.",
    ),
    (
        "Broken relation", "RL", "bars", "#682D13", "#AA4F06",
        "Channels that move together part, each in its own usual range. Starts and ends with the rows that part.",
    ),
    (
        "Drift", "DR", "dots", "#0B748C", "#66DAFC",
        "The level moves slowly away. Starts where the slope is first visible at the zoom of a day, ends at the correction.",
    ),
    (
        "Noise", "NS", "grid", "#B7675B", "#FFCAAD",
        "The spread grows without a shift of the level. Starts and ends where the spread is twice the usual one.",
    ),
    ("Other", "OT", "mesh", "#869B21", "#BDE62A", "None of the above; say in the note what it is."),
]  # fmt: skip


def _authored() -> list[sa.Column[Any]]:
    return [
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
    ]


def _span(name: str) -> list[Any]:
    return [
        sa.Column("series_id", sa.String(16), nullable=False),
        sa.Column("series_rows", sa.BigInteger(), nullable=False),
        sa.Column("start_row", sa.BigInteger(), nullable=False),
        sa.Column("end_row", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id", "series_rows"],
            ["series.id", "series.rows"],
            name=f"fk_{name}_series",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.CheckConstraint("start_row >= 0 AND start_row < end_row", name=f"ck_{name}_order"),
        sa.CheckConstraint("end_row <= series_rows", name=f"ck_{name}_inside"),
    ]


def upgrade() -> None:
    """Makes the tables of labelling, and the eight types that a workspace starts with."""
    op.create_index("ix_series_id_rows", "series", ["id", "rows"], unique=True)
    types = op.create_table(
        "incident_types",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False, unique=True),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("pattern", sa.String(16), nullable=False),
        sa.Column("light", sa.String(7), nullable=False),
        sa.Column("dark", sa.String(7), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *_authored(),
    )
    now = datetime.now(UTC)
    op.bulk_insert(
        types,
        [
            {
                "id": f"t{place}", "name": name, "code": code, "pattern": pattern, "light": light, "dark": dark,
                "rule": rule, "position": place, "author": "AMAD", "created": now, "changed": now,
                "changed_by": "AMAD", "version": 1, "deleted": False,
            }
            for place, (name, code, pattern, light, dark, rule) in enumerate(TYPES, 1)
        ],
    )  # fmt: skip
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(16), primary_key=True),
        *_span("incidents"),
        sa.Column("sure_start", sa.BigInteger()),
        sa.Column("sure_end", sa.BigInteger()),
        sa.Column("possible_start", sa.BigInteger()),
        sa.Column("possible_end", sa.BigInteger()),
        sa.Column("start_time", sa.DateTime(timezone=True)),
        sa.Column("end_time", sa.DateTime(timezone=True)),
        sa.Column("zone", sa.String(64)),
        sa.Column("type_id", sa.String(16), sa.ForeignKey("incident_types.id", ondelete="RESTRICT"), nullable=False),
        sa.Column("severity", sa.Float(53)),
        sa.Column("confidence", sa.Float(53)),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("layer", sa.String(120), nullable=False),
        *_authored(),
        sa.CheckConstraint("severity IS NULL OR (severity >= 0 AND severity <= 100)", name="ck_incidents_severity"),
        sa.CheckConstraint(
            "confidence IS NULL OR (confidence >= 0 AND confidence <= 1)", name="ck_incidents_confidence"
        ),
        sa.CheckConstraint(f"status IN ({STATUSES})", name="ck_incidents_status"),
        sa.CheckConstraint(
            "(sure_start IS NULL AND sure_end IS NULL) OR "
            "(sure_start >= start_row AND sure_start < sure_end AND sure_end <= end_row)",
            name="ck_incidents_sure",
        ),
        sa.CheckConstraint(
            "(possible_start IS NULL AND possible_end IS NULL) OR (possible_start >= 0 AND "
            "possible_start <= start_row AND possible_end >= end_row AND possible_end <= series_rows)",
            name="ck_incidents_possible",
        ),
    )
    op.create_index("ix_incidents_series", "incidents", ["series_id", "start_row"])
    op.create_index("ix_incidents_type_id", "incidents", ["type_id"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(16), primary_key=True),
        *_span("decisions"),
        sa.Column("peak_row", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="SET NULL")),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("severity", sa.Float(53)),
        sa.Column("incident_id", sa.String(16), sa.ForeignKey("incidents.id", ondelete="SET NULL")),
        sa.Column("folded_into", sa.String(16)),
        sa.Column("layer", sa.String(120), nullable=False),
        *_authored(),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected', 'unsure')", name="ck_decisions_verdict"),
        sa.CheckConstraint("peak_row >= start_row AND peak_row < end_row", name="ck_decisions_peak"),
    )
    op.create_index("ix_decisions_series", "decisions", ["series_id", "peak_row"])
    op.create_index("ix_decisions_run_id", "decisions", ["run_id"])
    op.create_index("ix_decisions_incident_id", "decisions", ["incident_id"])
    op.create_table(
        "comments",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("incident_id", sa.String(16), sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        *_authored(),
    )
    op.create_index("ix_comments_incident_id", "comments", ["incident_id"])
    _windows_and_rules()
    _history()


def _windows_and_rules() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("start_row", sa.BigInteger()),
        sa.Column("end_row", sa.BigInteger()),
        sa.Column("weekday", sa.Integer()),
        sa.Column("minute", sa.Integer()),
        sa.Column("minutes", sa.Integer()),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("scoring", sa.Boolean(), nullable=False),
        sa.Column("alarms", sa.Boolean(), nullable=False),
        *_authored(),
        sa.CheckConstraint("kind IN ('once', 'weekly')", name="ck_windows_kind"),
        sa.CheckConstraint(
            "kind <> 'once' OR (start_row IS NOT NULL AND end_row IS NOT NULL AND start_row >= 0 AND start_row < end_row)",
            name="ck_windows_once",
        ),
        sa.CheckConstraint(
            "kind <> 'weekly' OR (weekday BETWEEN 0 AND 6 AND minute BETWEEN 0 AND 1439 AND minutes BETWEEN 1 AND 10080)",
            name="ck_windows_weekly",
        ),
    )
    op.create_index("ix_maintenance_windows_series_id", "maintenance_windows", ["series_id"])
    op.create_table(
        "rules",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.Float(53)),
        *_authored(),
        sa.CheckConstraint("kind IN ('absolute', 'relative', 'up', 'down', 'shorter')", name="ck_rules_kind"),
    )
    op.create_index("ix_rules_series_id", "rules", ["series_id"])


def _history() -> None:
    op.create_table(
        "label_actions",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="SET NULL")),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
    )
    op.create_index("ix_label_actions_author", "label_actions", ["series_id", "author", "state"])
    op.create_table(
        "label_history",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="SET NULL")),
        sa.Column("action_id", sa.Integer(), sa.ForeignKey("label_actions.id")),
        sa.Column("step", sa.String(8), nullable=False),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entity", sa.String(24), nullable=False),
        sa.Column("entity_id", sa.String(16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
    )
    for column in ("series_id", "action_id", "entity_id"):
        op.create_index(f"ix_label_history_{column}", "label_history", [column])
    op.create_table(
        "label_places",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("series_id", sa.String(16), sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("author", "series_id"),
    )
    op.create_index("ix_label_places_series_id", "label_places", ["series_id"])
    op.create_table(
        "workspace_settings",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Drops them."""
    for table in (
        "workspace_settings", "label_places", "label_history", "label_actions", "rules", "maintenance_windows",
        "comments", "decisions", "incidents", "incident_types",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index("ix_series_id_rows", "series")
