"""Published messages, their deliveries, what they left over, the fallback address, and webhooks.

Adds only. A worker of the release before that meets a message's work puts it off, and one of this release does it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new tables and their indexes."""
    op.create_table(
        "fallback_address",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="in force; empty before the first is confirmed"),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("captured", sa.Boolean(), nullable=False, comment="confirmed from the captured inbox"),
        sa.Column("waiting", sa.Text(), nullable=False, comment="to be confirmed; empty when none is"),
        sa.Column("reference", sa.Text(), nullable=False, comment="public id of the code"),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("waiting_captured", sa.Boolean(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", name="key_fallback_address"),
        comment="Where messages go that would reach nobody, at most one address a tenant.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incident",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False, comment="ascends with time"),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False, comment="for whom nobody was reached"),
        sa.Column("member_ids", sa.Text(), nullable=False, comment="JSON: the first of them"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False, comment="access key; empty: the program itself, or open"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "incident_id", name="key_incident"),
        sa.UniqueConstraint("account_id", "message_id", "kind", name="unique_incident_of_message"),
        comment="Messages that reached nobody where they should have, until somebody has seen to it.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "incident_open",
        "incident",
        ["account_id", "incident_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "message",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False, comment="ascends with time"),
        sa.Column("message_type", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("markdown", sa.Text(), nullable=True),
        sa.Column("targets", sa.Text(), nullable=False, comment="JSON: directory, folder and member ids"),
        sa.Column("client_token", sa.Text(), nullable=True, comment="the caller's word for its call"),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False, comment="over all that the caller said"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=False, comment="access key; empty: the program itself"),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "message_id", name="key_message"),
        sa.UniqueConstraint("account_id", "client_token", name="unique_message_client_token"),
        comment="Published messages.",
        sqlite_with_rowid=True,
    )
    op.create_index("message_published_at", "message", ["published_at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False, comment="the message's digits and a number"),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False, comment="the address in lower case, for look-ups"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False, comment="why it is made"),
        sa.Column("reason", sa.Text(), nullable=False, comment="why it is in its state, where that is not plain"),
        sa.Column(
            "contacts",
            sa.Text(),
            nullable=False,
            comment="JSON, a line each: contacts that share the address, through what, and the rules' word",
        ),
        sa.Column("contact_count", sa.Integer(), nullable=False, comment="those beyond the ones named included"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False, comment="the channel's last answer, as a word"),
        sa.Column("tries", sa.Text(), nullable=False, comment="JSON, a line each: moment, state, reply"),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"], ["message.account_id", "message.message_id"], name="delivery_of_message"
        ),
        sa.PrimaryKeyConstraint("account_id", "delivery_id", name="key_delivery"),
        sa.UniqueConstraint("account_id", "message_id", "channel", "address_key", name="unique_delivery_address"),
        comment="Messages on their way to one address each.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "delivery_address", "delivery", ["account_id", "channel", "address_key", "delivery_id"], unique=False
    )
    op.create_index("delivery_state", "delivery", ["account_id", "state", "delivery_id"], unique=False)
    op.create_table(
        "message_progress",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False, comment="the one that is next"),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False, comment="object that the stage is at"),
        sa.Column("after", sa.Text(), nullable=False, comment="JSON: behind what in it"),
        sa.Column("numbers", sa.Integer(), nullable=False, comment="given to deliveries so far"),
        sa.Column("reaches_somebody", sa.Boolean(), nullable=False),
        sa.Column(
            "reach",
            sa.Text(),
            nullable=False,
            comment="JSON: by object, until when members must have been placed to be reached",
        ),
        sa.Column(
            "wanted",
            sa.Text(),
            nullable=False,
            comment="JSON: objects whose contacts of any type get it, and for members placed since when",
        ),
        sa.Column("unreached", sa.Integer(), nullable=False, comment="members for whom nobody can be reached"),
        sa.Column("unreached_members", sa.Text(), nullable=False, comment="JSON: the first of them"),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "message_id"], ["message.account_id", "message.message_id"], name="progress_of_message"
        ),
        sa.PrimaryKeyConstraint("account_id", "message_id", name="key_message_progress"),
        comment="How far messages have come whose deliveries are not all let go.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "webhook",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("message_types", sa.Text(), nullable=False, comment="in the order given, between commas"),
        sa.Column("endpoint_sealed", sa.LargeBinary(), nullable=False, comment="URL and secret, sealed"),
        sa.Column("endpoint_digest", sa.LargeBinary(), nullable=False, comment="keyed, over the URL"),
        sa.Column("endpoint_shown", sa.Text(), nullable=False, comment="the URL without what is secret in it"),
        sa.Column("endpoint_signed", sa.Boolean(), nullable=False, comment="whether it has a secret"),
        sa.Column("verified_at", sa.BigInteger(), nullable=True, comment="null: not confirmed"),
        sa.Column("verified_captured", sa.Boolean(), nullable=False, comment="confirmed from the captured inbox"),
        sa.Column("waiting_sealed", sa.LargeBinary(), nullable=True, comment="replacement that is not confirmed yet"),
        sa.Column("waiting_digest", sa.LargeBinary(), nullable=True),
        sa.Column("waiting_shown", sa.Text(), nullable=True),
        sa.Column("waiting_signed", sa.Boolean(), nullable=False),
        sa.Column(
            "code_reference",
            sa.Text(),
            nullable=False,
            comment="public id of the code; empty: none was posted, or it is void",
        ),
        sa.Column("code_generation", sa.Integer(), nullable=False),
        sa.Column("code_captured", sa.Boolean(), nullable=False),
        sa.Column("code_wrong", sa.Integer(), nullable=False),
        sa.Column("code_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "bindings",
            sa.Text(),
            nullable=False,
            comment="JSON: node id and moment, oldest first; table webhook_binding has a row for each",
        ),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="webhook_in_directory"),
        sa.PrimaryKeyConstraint("account_id", "webhook_id", name="key_webhook"),
        sa.UniqueConstraint("account_id", "name", name="unique_webhook_name"),
        comment="Group chats and programs that get messages. Their status is worked out, not kept.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "webhook_binding",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("node_id", sa.Text(), nullable=False, comment="directory, folder or member, as given by the caller"),
        sa.Column("folder_id", sa.Text(), nullable=True, comment="the node again, if it is a folder: must exist"),
        sa.Column("member_id", sa.Text(), nullable=True, comment="the node again, if it is a member: must exist"),
        sa.ForeignKeyConstraint(
            ["account_id", "webhook_id"],
            ["webhook.account_id", "webhook.webhook_id"],
            name="webhook_binding_of_webhook",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "folder_id"], ["folder.account_id", "folder.folder_id"], name="webhook_binding_to_folder"
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "member_id"], ["member.account_id", "member.member_id"], name="webhook_binding_to_member"
        ),
        sa.PrimaryKeyConstraint("account_id", "webhook_id", "node_id", name="key_webhook_binding"),
        comment="Direct bindings of webhooks, to find and to hold them; the webhook's row says the same.",
        sqlite_with_rowid=False,
    )
    op.create_index("webhook_binding_node", "webhook_binding", ["account_id", "node_id", "webhook_id"], unique=False)
    op.create_index(
        "webhook_binding_folder",
        "webhook_binding",
        ["account_id", "folder_id"],
        unique=False,
        sqlite_where=sa.text("folder_id IS NOT NULL"),
        postgresql_where=sa.text("folder_id IS NOT NULL"),
    )
    op.create_index(
        "webhook_binding_member",
        "webhook_binding",
        ["account_id", "member_id"],
        unique=False,
        sqlite_where=sa.text("member_id IS NOT NULL"),
        postgresql_where=sa.text("member_id IS NOT NULL"),
    )
    op.create_table(
        "suspension",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False, comment="the address in lower case, for look-ups"),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="empty while bounces are only counted"),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("soft_bounces", sa.Integer(), nullable=False, comment="messages in a row that came back"),
        sa.Column("bounced_at", sa.BigInteger(), nullable=False, comment="when the last sign came"),
        sa.Column("signs", sa.Text(), nullable=False, comment="JSON: what was told about the address, the last few"),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "channel", "address_key", name="key_suspension"),
        comment="Addresses from which messages come back, or whose owners complain.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "suspension_in_force",
        "suspension",
        ["account_id", "channel", "address_key"],
        unique=False,
        sqlite_where=sa.text("suspended_at IS NOT NULL"),
        postgresql_where=sa.text("suspended_at IS NOT NULL"),
    )
    op.create_table(
        "preference",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False, comment="where it was said, in lower case"),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="who said it; empty: for the address, by one click"),
        sa.Column("unwanted", sa.Text(), nullable=False, comment="JSON: types"),
        sa.Column("quiet_starts", sa.Integer(), nullable=True, comment="minute of the day; null: no quiet hours"),
        sa.Column("quiet_ends", sa.Integer(), nullable=True),
        sa.Column("quiet_zone", sa.Text(), nullable=False),
        sa.Column("quiet_holds_urgent", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "contact_id", "channel", "address_key", name="key_preference"),
        comment="What people want of messages. Apart from contacts: no change of a contact undoes it.",
        sqlite_with_rowid=True,
    )
    op.create_index("preference_address", "preference", ["account_id", "channel", "address_key"], unique=False)
    op.create_table(
        "hand_over",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("hand_over_id", sa.Text(), nullable=False, comment="ascends with time"),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False, comment="who should get the messages, as it was said"),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=False, comment="access key; empty: open"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=False,
            comment="raised by every change; a decision is void when it moved",
        ),
        sa.PrimaryKeyConstraint("account_id", "hand_over_id", name="key_hand_over"),
        comment="Requests of contacts to have a colleague get their messages, until somebody has seen to it.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "hand_over_open",
        "hand_over",
        ["account_id", "contact_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "hand_over_open_id",
        "hand_over",
        ["account_id", "hand_over_id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
