"""One index instead of two for names of contacts: it keeps them apart, and in the order that people look them up in.

SQLite cannot take a rule away from a table, so there the table is made anew. A program of the release before works on:
on PostgreSQL as it did, on SQLite it does not know what to make of the refusal of a name that is taken.

An index more for the time when the first of a folder's members came there. And the first step behind which the planners
are told what to assume: `statistics`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the rule and the index, and make the other one."""
    op.drop_index("contact_name_order", table_name="contact")
    if op.get_bind().dialect.name == "sqlite":
        _make_contacts_anew()
    else:
        op.drop_constraint("unique_contact_name", "contact", type_="unique")
    op.create_index("member_placed_in_folder", "member", ["account_id", "folder_id", "placed_at"], unique=False)
    op.create_index("unique_contact_name", "contact", ["account_id", sa.text("lower(name)"), "name"], unique=True)


def _make_contacts_anew() -> None:
    op.create_table(
        "contact_anew",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message_types", sa.Text(), nullable=False, comment="in the order given, between commas"),
        sa.Column("email_shown", sa.Text(), nullable=True),
        sa.Column("email_verified_at", sa.BigInteger(), nullable=True, comment="null: not confirmed"),
        sa.Column("email_captured", sa.Boolean(), nullable=False, comment="confirmed from the captured inbox"),
        sa.Column("email_waiting", sa.Text(), nullable=True, comment="replacement that is not confirmed yet"),
        sa.Column("email_verification_id", sa.Text(), nullable=True),
        sa.Column("phone_shown", sa.Text(), nullable=True),
        sa.Column("phone_verified_at", sa.BigInteger(), nullable=True),
        sa.Column("phone_captured", sa.Boolean(), nullable=False),
        sa.Column("phone_waiting", sa.Text(), nullable=True),
        sa.Column("phone_verification_id", sa.Text(), nullable=True),
        sa.Column(
            "phone_added", sa.Boolean(), nullable=False, comment="shown by an update of an empty slot, never confirmed"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deletion_state", sa.Text(), nullable=True, comment="null: no deletion with withdrawal"),
        sa.Column("deletion_failures", sa.Text(), nullable=False, comment="JSON: member id and message types"),
        sa.Column(
            "bindings",
            sa.Text(),
            nullable=False,
            comment="JSON: node id and moment, oldest first; table binding has a row for each",
        ),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="contact_in_directory"),
        sa.PrimaryKeyConstraint("account_id", "contact_id", name="key_contact"),
        comment="Contacts. Their status is worked out, not kept.",
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO contact_anew SELECT * FROM contact")
    op.drop_table("contact")
    op.rename_table("contact_anew", "contact")
    op.create_index("contact_order", "contact", ["account_id", "created_at", "contact_id"], unique=False)
