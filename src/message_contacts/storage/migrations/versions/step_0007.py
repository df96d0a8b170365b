"""Which members were deleted. Adds only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new table."""
    op.create_table(
        "deleted_member",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "member_id", name="key_deleted_member"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["resource_directory.account_id"], name="deleted_from_directory", ondelete="CASCADE"
        ),
        comment="Members that were deleted, for those who ask how it went.",
        sqlite_with_rowid=False,
    )
