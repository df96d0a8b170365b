"""Waiting work by tenant, to serve tenants in turn; requests by when they were closed. Adds indexes only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index(
        "job_turn",
        "job",
        ["channel", "account_id", "ready_at", "job_id"],
        unique=False,
        sqlite_where=sa.text("ready_at IS NOT NULL"),
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_index("hand_over_closed_at", "hand_over", ["closed_at"], unique=False)
