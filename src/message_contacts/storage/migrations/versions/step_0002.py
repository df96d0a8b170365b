"""RAM users and policies, the audit trail, shared limits, and indexes for pruning and for what is held on one person.

Adds only; still, the release before may not run on it: it would take the key of a RAM user for the account's own.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new tables, the new column and the new indexes."""
    op.create_table(
        "audit_chain",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False, comment="of the last sealed event"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="of the last sealed event"),
        sa.Column(
            "pruned_sequence",
            sa.BigInteger(),
            nullable=False,
            comment="of the last event taken away by retention; 0: none",
        ),
        sa.Column("pruned_hash", sa.LargeBinary(), nullable=False, comment="of the last event taken away by retention"),
        sa.Column("oldest_at", sa.BigInteger(), nullable=False, comment="when the oldest event that is kept happened"),
        sa.PrimaryKeyConstraint("account_id", name="key_audit_chain"),
        comment="Where each tenant's chain of audit events begins and ends.",
        sqlite_with_rowid=False,
    )
    op.create_index("audit_chain_oldest_at", "audit_chain", ["oldest_at"], unique=False)
    op.create_table(
        "audit_event",
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
        sqlite_with_rowid=False,
    )
    op.create_index(
        "audit_event_unsealed",
        "audit_event",
        ["event_id"],
        unique=False,
        sqlite_where=sa.text("sequence IS NULL"),
        postgresql_where=sa.text("sequence IS NULL"),
    )
    op.create_index(
        "audit_event_sequence",
        "audit_event",
        ["account_id", "sequence"],
        unique=True,
        sqlite_where=sa.text("sequence IS NOT NULL"),
        postgresql_where=sa.text("sequence IS NOT NULL"),
    )
    op.create_table(
        "audit_personal",
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
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policy",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("policy_name", sa.Text(), nullable=False, comment="orders lists"),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("default_version_id", sa.Text(), nullable=False, comment="the version in force"),
        sa.Column(
            "versions_made", sa.Integer(), nullable=False, comment="number of the newest version, deleted ones counted"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "policy_name", name="key_policy"),
        comment="Custom policies. System policies are in the program.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ram_user",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False, comment="digits, drawn at random"),
        sa.Column("name", sa.Text(), nullable=False, comment="orders lists"),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("mobile_phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("comments", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", name="key_ram_user"),
        sa.UniqueConstraint("account_id", "name", name="unique_user_name"),
        comment="RAM users: who calls with narrower rights than the account itself.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "request_demand",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("access_key_id", sa.Text(), nullable=False, comment="empty: of the whole account"),
        sa.Column("process_id", sa.Text(), nullable=False),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.Column("demand", sa.Integer(), nullable=False, comment="calls in the second before that"),
        sa.PrimaryKeyConstraint("account_id", "access_key_id", "process_id", name="key_request_demand"),
        comment="How much of a limit each process is asked for, so that they share it.",
        sqlite_with_rowid=False,
    )
    op.create_index("request_demand_measured_at", "request_demand", ["measured_at"], unique=False)
    op.create_table(
        "access_key_use",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False, comment="up to a minute behind"),
        sa.ForeignKeyConstraint(
            ["account_id", "access_key_id"],
            ["access_key.account_id", "access_key.access_key_id"],
            name="use_of_access_key",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "access_key_id", name="key_access_key_use"),
        comment="When access keys were last used. Apart from them, since noting it must not be in the way of a change.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "policy_attachment",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("policy_type", sa.Text(), nullable=False, comment="System or Custom"),
        sa.Column("policy_name", sa.Text(), nullable=False),
        sa.Column("attached_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "user_id"], ["ram_user.account_id", "ram_user.user_id"], name="attachment_to_user"
        ),
        sa.PrimaryKeyConstraint("account_id", "user_id", "policy_type", "policy_name", name="key_policy_attachment"),
        comment="Which policies a user has.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "policy_attachment_policy",
        "policy_attachment",
        ["account_id", "policy_type", "policy_name", "user_id"],
        unique=False,
    )
    op.create_table(
        "policy_version",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("policy_name", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False, comment="v1, v2 ..."),
        sa.Column("document", sa.Text(), nullable=False, comment="JSON, as given"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "policy_name"], ["policy.account_id", "policy.policy_name"], name="version_of_policy"
        ),
        sa.PrimaryKeyConstraint("account_id", "policy_name", "version_id", name="key_policy_version"),
        comment="What custom policies say, and said.",
        sqlite_with_rowid=False,
    )
    op.add_column(
        "access_key",
        sa.Column("user_id", sa.Text(), nullable=True, comment="RAM user that calls with it; null: the account itself"),
    )
    op.create_index(
        "access_key_user",
        "access_key",
        ["account_id", "user_id"],
        unique=False,
        sqlite_where=sa.text("user_id IS NOT NULL"),
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_index("detached_contact_contact", "detached_contact", ["account_id", "contact_id"], unique=False)
    op.add_column(
        "evidence",
        sa.Column(
            "unneeded_since",
            sa.BigInteger(),
            nullable=True,
            comment="when it was seen that neither contact nor copy rests on it",
        ),
    )
    op.create_index(
        "evidence_unneeded_since",
        "evidence",
        ["unneeded_since"],
        unique=False,
        sqlite_where=sa.text("unneeded_since IS NOT NULL"),
        postgresql_where=sa.text("unneeded_since IS NOT NULL"),
    )
    op.add_column(
        "inbox_message",
        sa.Column("verification_id", sa.Text(), nullable=True, comment="the verification it carries, if it does"),
    )
    op.create_index("inbox_captured_at", "inbox_message", ["captured_at"], unique=False)
    op.create_index(
        "job_dead_created_at",
        "job",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("ready_at IS NULL"),
        postgresql_where=sa.text("ready_at IS NULL"),
    )
    op.create_index(
        "verification_contact", "verification", ["account_id", "contact_id", "verification_id"], unique=False
    )
    op.create_index("verification_expires_at", "verification", ["expires_at"], unique=False)
    op.execute("UPDATE schema_compatibility SET oldest_program = '0002'")
