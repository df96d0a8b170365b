"""The first schema.

Written out, not taken from `storage.schema`: that page moves on, a released step does not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "access_key",
        sa.Column("account_id", sa.Text(), nullable=False, comment="management account or member that calls with it"),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False, comment="encrypted; bound to the key id"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "access_key_id", name="key_access_key"),
        sa.UniqueConstraint("access_key_id", name="unique_access_key_id"),
        comment="Access keys.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="login name"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", name="key_account"),
        comment="Management accounts: the tenants.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "block",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("verification_id", sa.Text(), nullable=False),
        sa.Column("blocked_at", sa.BigInteger(), nullable=False),
        sa.Column("source_address", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "channel", "address_key", name="key_block"),
        comment="Addresses whose owners want no verification messages from an account.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counter",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False, comment="day, minute ...; empty: never starts anew"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False, comment="when it was last raised"),
        sa.CheckConstraint("value >= 0", name="counter_not_negative"),
        sa.PrimaryKeyConstraint("account_id", "counter", "period", name="key_counter"),
        comment="What is limited.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "counter_raised_at",
        "counter",
        ["raised_at"],
        unique=False,
        sqlite_where=sa.text("period <> ''"),
        postgresql_where=sa.text("period <> ''"),
    )
    op.create_table(
        "detached_contact",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("detached_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="the contact it was"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message_types", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_captured", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phone_captured", sa.Boolean(), nullable=False),
        sa.Column("detached_at", sa.BigInteger(), nullable=False),
        sa.Column("node_ids", sa.Text(), nullable=False, comment="JSON; table detached_node has a row for each"),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "detached_id", name="key_detached_contact"),
        comment="What members keep of deleted contacts. Outlives the directory.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("verification_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("source_address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("captured", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "verification_id", name="key_evidence"),
        comment="How addresses were confirmed. Never changed; outlives contact and directory.",
        sqlite_with_rowid=False,
    )
    op.create_index("evidence_contact", "evidence", ["account_id", "contact_id", "verification_id"], unique=False)
    op.create_table(
        "inbox_message",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False, comment="ascends with time"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("recipient_key", sa.Text(), nullable=False, comment="the recipient in lower case, for look-ups"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "message_id", name="key_inbox_message"),
        comment="Captured messages. The newest of each tenant are kept.",
        sqlite_with_rowid=True,
    )
    op.create_index("inbox_recipient", "inbox_message", ["account_id", "recipient_key", "message_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False, comment="JSON: ids, never addresses, tokens or codes"),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=True, comment="who has claimed it"),
        sa.Column(
            "ready_at",
            sa.BigInteger(),
            nullable=True,
            comment="when it may be claimed: due, or the claim runs out; null: given up",
        ),
        sa.PrimaryKeyConstraint("account_id", "job_id", name="key_job"),
        comment="Waiting work.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "job_dead",
        "job",
        ["account_id", "job_id"],
        unique=False,
        sqlite_where=sa.text("ready_at IS NULL"),
        postgresql_where=sa.text("ready_at IS NULL"),
    )
    op.create_index(
        "job_ready",
        "job",
        ["channel", "ready_at", "job_id"],
        unique=False,
        sqlite_where=sa.text("ready_at IS NOT NULL"),
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_index(
        "job_worker",
        "job",
        ["worker_id"],
        unique=False,
        sqlite_where=sa.text("worker_id IS NOT NULL"),
        postgresql_where=sa.text("worker_id IS NOT NULL"),
    )
    op.create_table(
        "nonce",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="key_nonce"),
        comment="Nonces of committed changes.",
        sqlite_with_rowid=False,
    )
    op.create_index("nonce_expires_at", "nonce", ["expires_at"], unique=False)
    op.create_table(
        "resource_directory",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("directory_id", sa.Text(), nullable=False),
        sa.Column("root_folder_id", sa.Text(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", name="key_resource_directory"),
        comment="Enabled resource directories, at most one for a management account.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "unique_directory_id", "resource_directory", [sa.literal_column("lower(directory_id)")], unique=True
    )
    op.create_table(
        "schema_compatibility",
        sa.Column(
            "oldest_program",
            sa.Text(),
            nullable=False,
            comment="schema version of the oldest program that works with this schema",
        ),
        sa.PrimaryKeyConstraint("oldest_program", name="key_schema_compatibility"),
        comment="One row, set by the migrations: lets the previous release run while the next one is rolled out.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verification",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("verification_id", sa.Text(), nullable=False, comment="public: opens nothing by itself"),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.Boolean(), nullable=False, comment="its message went to the inbox"),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "verification_id", name="key_verification"),
        sa.UniqueConstraint("verification_id", name="unique_verification_id"),
        comment="Verifications asked for.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contact",
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
        sa.UniqueConstraint("account_id", "name", name="unique_contact_name"),
        comment="Contacts. Their status is worked out, not kept.",
        sqlite_with_rowid=False,
    )
    op.create_index("contact_order", "contact", ["account_id", "created_at", "contact_id"], unique=False)
    op.create_table(
        "detached_node",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("detached_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "detached_id"],
            ["detached_contact.account_id", "detached_contact.detached_id"],
            name="node_of_detached_contact",
        ),
        sa.PrimaryKeyConstraint("account_id", "detached_id", "node_id", name="key_detached_node"),
        comment="Objects whose members of that moment keep a detached copy, to find it; the copy's row says the same.",
        sqlite_with_rowid=False,
    )
    op.create_index("detached_node_node", "detached_node", ["account_id", "node_id"], unique=False)
    op.create_table(
        "folder",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("folder_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True, comment="null for Root"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False, comment="JSON, one pair a line"),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "parent_id"], ["folder.account_id", "folder.folder_id"], name="folder_in_parent"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="folder_in_directory"),
        sa.PrimaryKeyConstraint("account_id", "folder_id", name="key_folder"),
        sa.UniqueConstraint("account_id", "parent_id", "name", name="unique_folder_name"),
        comment="Folders, Root included.",
        sqlite_with_rowid=False,
    )
    op.create_index("folder_order", "folder", ["account_id", "parent_id", "created_at", "folder_id"], unique=False)
    op.create_table(
        "member",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("folder_id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False, comment="when it came to its present folder"),
        sa.Column("tags", sa.Text(), nullable=False, comment="JSON, one pair a line"),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "folder_id"], ["folder.account_id", "folder.folder_id"], name="member_in_folder"
        ),
        sa.PrimaryKeyConstraint("account_id", "member_id", name="key_member"),
        sa.UniqueConstraint("account_id", "display_name", name="unique_member_display_name"),
        sa.UniqueConstraint("account_name", name="unique_member_account_name"),
        sa.UniqueConstraint("member_id", name="unique_member_id"),
        comment="Accounts in the tree.",
        sqlite_with_rowid=False,
    )
    op.create_index("member_order", "member", ["account_id", "joined_at", "member_id"], unique=False)
    op.create_index(
        "member_order_in_folder",
        "member",
        ["account_id", "folder_id", "joined_at", "member_id", "display_name"],
        unique=False,
    )
    op.create_table(
        "binding",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False, comment="directory, folder or member, as given by the caller"),
        sa.Column("folder_id", sa.Text(), nullable=True, comment="the node again, if it is a folder: must exist"),
        sa.Column("member_id", sa.Text(), nullable=True, comment="the node again, if it is a member: must exist"),
        sa.Column(
            "created_at", sa.BigInteger(), nullable=False, comment="the contact's creation date, which orders pages"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "contact_id"], ["contact.account_id", "contact.contact_id"], name="binding_of_contact"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "folder_id"], ["folder.account_id", "folder.folder_id"], name="binding_to_folder"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "member_id"], ["member.account_id", "member.member_id"], name="binding_to_member"
        ),
        sa.PrimaryKeyConstraint("account_id", "contact_id", "node_id", name="key_binding"),
        comment="Direct bindings, to find and to hold them; the contact's row says the same and is what is read.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "binding_folder",
        "binding",
        ["account_id", "folder_id"],
        unique=False,
        sqlite_where=sa.text("folder_id IS NOT NULL"),
        postgresql_where=sa.text("folder_id IS NOT NULL"),
    )
    op.create_index(
        "binding_member",
        "binding",
        ["account_id", "member_id"],
        unique=False,
        sqlite_where=sa.text("member_id IS NOT NULL"),
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_index("binding_node", "binding", ["account_id", "node_id", "created_at", "contact_id"], unique=False)
    op.execute("INSERT INTO schema_compatibility (oldest_program) VALUES ('0001')")
