"""Sessions of the console, the one-time links that open them, and contacts in the order of their names. Adds only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_VERSION = "raised by every change; a decision is void when it moved"


def upgrade() -> None:
    """Make the new tables and their indexes."""
    op.create_table(
        "console_session",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token that the browser has"),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="last use, some minutes behind"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("source_address", sa.Text(), nullable=False, comment="IP address it was opened from"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment=_VERSION),
        sa.PrimaryKeyConstraint("account_id", "digest", name="key_console_session"),
        sa.ForeignKeyConstraint(
            ["account_id", "access_key_id"],
            ["access_key.account_id", "access_key.access_key_id"],
            name="session_of_access_key",
            ondelete="CASCADE",
        ),
        comment="Who is signed in to the console.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "console_session_of_key",
        "console_session",
        ["account_id", "access_key_id", "opened_at", "digest"],
        unique=False,
    )
    op.create_index("console_session_expires_at", "console_session", ["expires_at"], unique=False)
    op.create_table(
        "console_ticket",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the link"),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment=_VERSION),
        sa.PrimaryKeyConstraint("account_id", "digest", name="key_console_ticket"),
        sa.ForeignKeyConstraint(
            ["account_id", "access_key_id"],
            ["access_key.account_id", "access_key.access_key_id"],
            name="ticket_of_access_key",
            ondelete="CASCADE",
        ),
        comment="One-time links that sign somebody in to the console.",
        sqlite_with_rowid=False,
    )
    op.create_index("console_ticket_of_key", "console_ticket", ["account_id", "access_key_id"], unique=False)
    op.create_index("console_ticket_expires_at", "console_ticket", ["expires_at"], unique=False)
    op.create_index("contact_name_order", "contact", ["account_id", sa.text("lower(name)"), "contact_id"], unique=False)
