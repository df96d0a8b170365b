"""On SQLite, audit events and their personal parts lie in the order in which they were written, no more by tenant.

SQLite cannot change how a table lies, so there both are made anew; on PostgreSQL they lay like that all the time. A
program of the release before works on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables anew, with all that is in them."""
    if op.get_bind().dialect.name == "sqlite":
        _make_events_anew()
        _make_personal_parts_anew()


def _make_events_anew() -> None:
    op.create_table(
        "audit_event_anew",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False, comment="ascends with time"),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="change or refusal"),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column(
            "access_key_id",
            sa.Text(),
            nullable=False,
            comment="empty: nobody signed; a person at a page, a job or the operator",
        ),
        sa.Column("user_id", sa.Text(), nullable=False, comment="RAM user; empty: the account itself"),
        sa.Column("source_address", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("targets", sa.Text(), nullable=False, comment="JSON: ids of what it was about"),
        sa.Column("details", sa.Text(), nullable=False, comment="JSON: what changed, nothing personal"),
        sa.Column(
            "personal_digests",
            sa.Text(),
            nullable=False,
            comment="JSON: by person, a salted digest of what audit_personal holds",
        ),
        sa.Column("times", sa.Integer(), nullable=False, comment="how many refusals it stands for; 1 for a change"),
        sa.Column(
            "sequence", sa.BigInteger(), nullable=True, comment="place in the tenant's chain; null: not sealed yet"
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=True, comment="over this event and the hash before it"),
        sa.PrimaryKeyConstraint("account_id", "event_id", name="key_audit_event"),
        comment="Who changed what, and who was refused. Never changed once sealed.",
    )
    op.execute("INSERT INTO audit_event_anew SELECT * FROM audit_event")
    op.drop_table("audit_event")
    op.rename_table("audit_event_anew", "audit_event")
    op.create_index(
        "audit_event_unsealed",
        "audit_event",
        ["event_id"],
        unique=False,
        sqlite_where=sa.text("sequence IS NULL"),
    )
    op.create_index(
        "audit_event_sequence",
        "audit_event",
        ["account_id", "sequence"],
        unique=True,
        sqlite_where=sa.text("sequence IS NOT NULL"),
    )


def _make_personal_parts_anew() -> None:
    op.create_table(
        "audit_personal_anew",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False, comment="contact or RAM user it is about"),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False, comment="of the digests, here and in audit_event"),
        sa.Column(
            "details",
            sa.Text(),
            nullable=False,
            comment="JSON: what changed, addresses masked, with salted digests of them",
        ),
        sa.PrimaryKeyConstraint("account_id", "person_id", "event_id", name="key_audit_personal"),
        comment="The personal part of audit events: goes when a person is erased.",
    )
    op.execute("INSERT INTO audit_personal_anew SELECT * FROM audit_personal")
    op.drop_table("audit_personal")
    op.rename_table("audit_personal_anew", "audit_personal")
