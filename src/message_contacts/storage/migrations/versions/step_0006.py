"""No change of tables: SQLite's planner gets the statistics that go with every step from here on (`statistics`)."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave all as it is."""
