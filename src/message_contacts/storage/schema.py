"""The tables, as they are after the last migration.

The key of every tenant's table begins with the tenant's account id, so that the tables could be spread by that column.
Rules that span tenants are few and marked as such. Ids are text, moments are whole milliseconds since 1970 (UTC), lists
are compact text. On SQLite the tables are clustered by their key (`WITHOUT ROWID`): a read by key is then one descent.
Those that say otherwise have long rows, most of them: what one commit adds to many tenants then lies side by side, not
each on a page of its own (docs/adr/0034). A test holds the migrations to this page.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from message_contacts.storage.constraints import (
    UNIQUE_CONTACT_NAME,
    UNIQUE_FOLDER_NAME,
    UNIQUE_MEMBER_ACCOUNT_NAME,
    UNIQUE_MEMBER_DISPLAY_NAME,
    UNIQUE_USER_NAME,
    UNIQUE_WEBHOOK_NAME,
)

SCHEMA = MetaData()


def _table(name: str, *parts: Any, comment: str, clustered: bool = True) -> Table:
    return Table(name, SCHEMA, *parts, comment=comment, sqlite_with_rowid=not clustered)


def _text(name: str, *, null: bool = False, comment: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=null, comment=comment)


def _instant(name: str, *, null: bool = False, comment: str | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=null, comment=comment)


def _integer(name: str, *, comment: str | None = None) -> Column[int]:
    return Column(name, Integer, nullable=False, comment=comment)


def _version() -> Column[int]:
    return Column(
        "version", BigInteger, nullable=False, comment="raised by every change; a decision is void when it moved"
    )


COMPATIBILITY = _table(
    "schema_compatibility",
    _text("oldest_program", comment="schema version of the oldest program that works with this schema"),
    PrimaryKeyConstraint("oldest_program", name="key_schema_compatibility"),
    comment="One row, set by the migrations: lets the previous release run while the next one is rolled out.",
)

ACCOUNT = _table(
    "account",
    _text("account_id"),
    _text("name", comment="login name"),
    _instant("created_at"),
    _version(),
    PrimaryKeyConstraint("account_id", name="key_account"),
    comment="Management accounts: the tenants.",
)

ACCESS_KEY = _table(
    "access_key",
    _text("account_id", comment="management account or member that calls with it"),
    _text("access_key_id"),
    Column("sealed_secret", LargeBinary, nullable=False, comment="encrypted; bound to the key id"),
    _text("status"),
    _instant("created_at"),
    _version(),
    _text("user_id", null=True, comment="RAM user that calls with it; null: the account itself"),
    PrimaryKeyConstraint("account_id", "access_key_id", name="key_access_key"),
    UniqueConstraint("access_key_id", name="unique_access_key_id"),  # spans tenants: look-up of a caller
    comment="Access keys.",
)
Index(
    "access_key_user",
    ACCESS_KEY.c.account_id,
    ACCESS_KEY.c.user_id,
    sqlite_where=text("user_id IS NOT NULL"),
    postgresql_where=text("user_id IS NOT NULL"),
)

ACCESS_KEY_USE = _table(
    "access_key_use",
    _text("account_id"),
    _text("access_key_id"),
    _instant("last_used_at", comment="up to a minute behind"),
    PrimaryKeyConstraint("account_id", "access_key_id", name="key_access_key_use"),
    ForeignKeyConstraint(
        ["account_id", "access_key_id"],
        ["access_key.account_id", "access_key.access_key_id"],
        name="use_of_access_key",
        ondelete="CASCADE",
    ),
    comment="When access keys were last used. Apart from them, since noting it must not be in the way of a change.",
)

CONSOLE_SESSION = _table(
    "console_session",
    _text("account_id"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the token that the browser has"),
    _text("access_key_id"),
    _instant("opened_at"),
    _instant("seen_at", comment="last use, some minutes behind"),
    _instant("expires_at"),
    _text("source_address", comment="IP address it was opened from"),
    _version(),
    PrimaryKeyConstraint("account_id", "digest", name="key_console_session"),
    ForeignKeyConstraint(
        ["account_id", "access_key_id"],
        ["access_key.account_id", "access_key.access_key_id"],
        name="session_of_access_key",
        ondelete="CASCADE",
    ),
    comment="Who is signed in to the console.",
)
Index(
    "console_session_of_key",
    CONSOLE_SESSION.c.account_id,
    CONSOLE_SESSION.c.access_key_id,
    CONSOLE_SESSION.c.opened_at,
    CONSOLE_SESSION.c.digest,
)
Index("console_session_expires_at", CONSOLE_SESSION.c.expires_at)  # spans tenants: takes ended ones away

CONSOLE_TICKET = _table(
    "console_ticket",
    _text("account_id"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the token in the link"),
    _text("access_key_id"),
    _instant("made_at"),
    _instant("expires_at"),
    _version(),
    PrimaryKeyConstraint("account_id", "digest", name="key_console_ticket"),
    ForeignKeyConstraint(
        ["account_id", "access_key_id"],
        ["access_key.account_id", "access_key.access_key_id"],
        name="ticket_of_access_key",
        ondelete="CASCADE",
    ),
    comment="One-time links that sign somebody in to the console.",
)
Index("console_ticket_of_key", CONSOLE_TICKET.c.account_id, CONSOLE_TICKET.c.access_key_id)
Index("console_ticket_expires_at", CONSOLE_TICKET.c.expires_at)  # spans tenants: takes ended ones away

RAM_USER = _table(
    "ram_user",
    _text("account_id"),
    _text("user_id", comment="digits, drawn at random"),
    _text("name", comment="orders lists"),
    _text("display_name"),
    _text("mobile_phone"),
    _text("email"),
    _text("comments"),
    _instant("created_at"),
    _instant("updated_at"),
    _version(),
    PrimaryKeyConstraint("account_id", "user_id", name="key_ram_user"),
    UniqueConstraint("account_id", "name", name=UNIQUE_USER_NAME),
    comment="RAM users: who calls with narrower rights than the account itself.",
)

POLICY = _table(
    "policy",
    _text("account_id"),
    _text("policy_name", comment="orders lists"),
    _text("description"),
    _text("default_version_id", comment="the version in force"),
    _integer("versions_made", comment="number of the newest version, deleted ones counted"),
    _instant("created_at"),
    _instant("updated_at"),
    _version(),
    PrimaryKeyConstraint("account_id", "policy_name", name="key_policy"),
    comment="Custom policies. System policies are in the program.",
)

POLICY_VERSION = _table(
    "policy_version",
    _text("account_id"),
    _text("policy_name"),
    _text("version_id", comment="v1, v2 ..."),
    _text("document", comment="JSON, as given"),
    _instant("created_at"),
    _version(),
    PrimaryKeyConstraint("account_id", "policy_name", "version_id", name="key_policy_version"),
    ForeignKeyConstraint(
        ["account_id", "policy_name"], ["policy.account_id", "policy.policy_name"], name="version_of_policy"
    ),
    comment="What custom policies say, and said.",
)

POLICY_ATTACHMENT = _table(
    "policy_attachment",
    _text("account_id"),
    _text("user_id"),
    _text("policy_type", comment="System or Custom"),
    _text("policy_name"),
    _instant("attached_at"),
    _version(),
    PrimaryKeyConstraint("account_id", "user_id", "policy_type", "policy_name", name="key_policy_attachment"),
    ForeignKeyConstraint(
        ["account_id", "user_id"], ["ram_user.account_id", "ram_user.user_id"], name="attachment_to_user"
    ),
    comment="Which policies a user has.",
)
Index(
    "policy_attachment_policy",
    POLICY_ATTACHMENT.c.account_id,
    POLICY_ATTACHMENT.c.policy_type,
    POLICY_ATTACHMENT.c.policy_name,
    POLICY_ATTACHMENT.c.user_id,
)

RESOURCE_DIRECTORY = _table(
    "resource_directory",
    _text("account_id"),
    _text("directory_id"),
    _text("root_folder_id"),
    _text("account_name"),
    _instant("created_at"),
    _version(),
    PrimaryKeyConstraint("account_id", name="key_resource_directory"),
    comment="Enabled resource directories, at most one for a management account.",
)
# Spans tenants: account names of members contain the directory's id in lower case.
Index("unique_directory_id", func.lower(RESOURCE_DIRECTORY.c.directory_id), unique=True)

FOLDER = _table(
    "folder",
    _text("account_id"),
    _text("folder_id"),
    _text("parent_id", null=True, comment="null for Root"),
    _text("name"),
    _instant("created_at"),
    _text("tags", comment="JSON, one pair a line"),
    _version(),
    PrimaryKeyConstraint("account_id", "folder_id", name="key_folder"),
    UniqueConstraint("account_id", "parent_id", "name", name=UNIQUE_FOLDER_NAME),
    ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="folder_in_directory"),
    ForeignKeyConstraint(
        ["account_id", "parent_id"], ["folder.account_id", "folder.folder_id"], name="folder_in_parent"
    ),
    comment="Folders, Root included.",
)
Index("folder_order", FOLDER.c.account_id, FOLDER.c.parent_id, FOLDER.c.created_at, FOLDER.c.folder_id)

MEMBER = _table(
    "member",
    _text("account_id"),
    _text("member_id"),
    _text("folder_id"),
    _text("display_name"),
    _text("account_name"),
    _text("type"),
    _text("status"),
    _instant("joined_at"),
    _instant("modified_at"),
    _instant("placed_at", comment="when it came to its present folder"),
    _text("tags", comment="JSON, one pair a line"),
    _version(),
    PrimaryKeyConstraint("account_id", "member_id", name="key_member"),
    UniqueConstraint("member_id", name="unique_member_id"),  # spans tenants: an account is a member of one directory
    UniqueConstraint("account_id", "display_name", name=UNIQUE_MEMBER_DISPLAY_NAME),
    UniqueConstraint("account_name", name=UNIQUE_MEMBER_ACCOUNT_NAME),
    ForeignKeyConstraint(
        ["account_id", "folder_id"], ["folder.account_id", "folder.folder_id"], name="member_in_folder"
    ),
    comment="Accounts in the tree.",
)
Index("member_order", MEMBER.c.account_id, MEMBER.c.joined_at, MEMBER.c.member_id)
Index(
    "member_order_in_folder",
    MEMBER.c.account_id,
    MEMBER.c.folder_id,
    MEMBER.c.joined_at,
    MEMBER.c.member_id,
    MEMBER.c.display_name,  # for counts by keyword: without it SQLite prefers to go through the whole directory
)
Index("member_placed_in_folder", MEMBER.c.account_id, MEMBER.c.folder_id, MEMBER.c.placed_at)

DELETED_MEMBER = _table(
    "deleted_member",
    _text("account_id"),
    _text("member_id"),
    _instant("deleted_at"),
    PrimaryKeyConstraint("account_id", "member_id", name="key_deleted_member"),
    # Goes by itself, so that a program that does not know of it can destroy the directory.
    ForeignKeyConstraint(
        ["account_id"], ["resource_directory.account_id"], name="deleted_from_directory", ondelete="CASCADE"
    ),
    comment="Members that were deleted, for those who ask how it went.",
)

CONTACT = _table(
    "contact",
    _text("account_id"),
    _text("contact_id"),
    _text("name"),
    _text("title"),
    _text("message_types", comment="in the order given, between commas"),
    _text("email_shown", null=True),
    _instant("email_verified_at", null=True, comment="null: not confirmed"),
    Column(
        "email_captured", Boolean(create_constraint=False), nullable=False, comment="confirmed from the captured inbox"
    ),
    _text("email_waiting", null=True, comment="replacement that is not confirmed yet"),
    _text("email_verification_id", null=True),
    _text("phone_shown", null=True),
    _instant("phone_verified_at", null=True),
    Column("phone_captured", Boolean(create_constraint=False), nullable=False),
    _text("phone_waiting", null=True),
    _text("phone_verification_id", null=True),
    Column(
        "phone_added",
        Boolean(create_constraint=False),
        nullable=False,
        comment="shown by an update of an empty slot, never confirmed",
    ),
    _instant("created_at"),
    _text("deletion_state", null=True, comment="null: no deletion with withdrawal"),
    _text("deletion_failures", comment="JSON: member id and message types"),
    _text("bindings", comment="JSON: node id and moment, oldest first; table binding has a row for each"),
    _version(),
    PrimaryKeyConstraint("account_id", "contact_id", name="key_contact"),
    ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="contact_in_directory"),
    comment="Contacts. Their status is worked out, not kept.",
)
Index("contact_order", CONTACT.c.account_id, CONTACT.c.created_at, CONTACT.c.contact_id)
# Keeps names apart, and in the order in which people look them up: whatever the case of the letters.
Index(UNIQUE_CONTACT_NAME, CONTACT.c.account_id, func.lower(CONTACT.c.name), CONTACT.c.name, unique=True)

BINDING = _table(
    "binding",
    _text("account_id"),
    _text("contact_id"),
    _text("node_id", comment="directory, folder or member, as given by the caller"),
    _text("folder_id", null=True, comment="the node again, if it is a folder: must exist"),
    _text("member_id", null=True, comment="the node again, if it is a member: must exist"),
    _instant("created_at", comment="the contact's creation date, which orders pages"),
    PrimaryKeyConstraint("account_id", "contact_id", "node_id", name="key_binding"),
    ForeignKeyConstraint(
        ["account_id", "contact_id"], ["contact.account_id", "contact.contact_id"], name="binding_of_contact"
    ),
    ForeignKeyConstraint(
        ["account_id", "folder_id"], ["folder.account_id", "folder.folder_id"], name="binding_to_folder"
    ),
    ForeignKeyConstraint(
        ["account_id", "member_id"], ["member.account_id", "member.member_id"], name="binding_to_member"
    ),
    comment="Direct bindings, to find and to hold them; the contact's row says the same and is what is read.",
)
Index("binding_node", BINDING.c.account_id, BINDING.c.node_id, BINDING.c.created_at, BINDING.c.contact_id)
# The database looks here before a folder or a member may go.
Index(
    "binding_folder",
    BINDING.c.account_id,
    BINDING.c.folder_id,
    sqlite_where=text("folder_id IS NOT NULL"),
    postgresql_where=text("folder_id IS NOT NULL"),
)
Index(
    "binding_member",
    BINDING.c.account_id,
    BINDING.c.member_id,
    sqlite_where=text("member_id IS NOT NULL"),
    postgresql_where=text("member_id IS NOT NULL"),
)

DETACHED_CONTACT = _table(
    "detached_contact",
    _text("account_id"),
    _text("detached_id"),
    _text("contact_id", comment="the contact it was"),
    _text("name"),
    _text("title"),
    _text("message_types"),
    _text("email", null=True),
    Column("email_captured", Boolean(create_constraint=False), nullable=False),
    _text("phone", null=True),
    Column("phone_captured", Boolean(create_constraint=False), nullable=False),
    _instant("detached_at"),
    _text("node_ids", comment="JSON; table detached_node has a row for each"),
    _version(),
    PrimaryKeyConstraint("account_id", "detached_id", name="key_detached_contact"),
    comment="What members keep of deleted contacts. Outlives the directory.",
)
# For what is held on one person.
Index("detached_contact_contact", DETACHED_CONTACT.c.account_id, DETACHED_CONTACT.c.contact_id)

DETACHED_NODE = _table(
    "detached_node",
    _text("account_id"),
    _text("detached_id"),
    _text("node_id"),
    PrimaryKeyConstraint("account_id", "detached_id", "node_id", name="key_detached_node"),
    ForeignKeyConstraint(
        ["account_id", "detached_id"],
        ["detached_contact.account_id", "detached_contact.detached_id"],
        name="node_of_detached_contact",
    ),
    comment="Objects whose members of that moment keep a detached copy, to find it; the copy's row says the same.",
)
Index("detached_node_node", DETACHED_NODE.c.account_id, DETACHED_NODE.c.node_id)

VERIFICATION = _table(
    "verification",
    _text("account_id"),
    _text("verification_id", comment="public: opens nothing by itself"),
    _text("contact_id"),
    _text("channel"),
    _text("address"),
    _integer("generation"),
    _text("state"),
    _instant("sent_at"),
    _instant("expires_at"),
    Column("captured", Boolean(create_constraint=False), nullable=False, comment="its message went to the inbox"),
    _integer("wrong_codes"),
    _version(),
    PrimaryKeyConstraint("account_id", "verification_id", name="key_verification"),
    UniqueConstraint("verification_id", name="unique_verification_id"),  # spans tenants: the page knows only this id
    comment="Verifications asked for.",
)
# For what is held on one person, and for pruning.
Index("verification_contact", VERIFICATION.c.account_id, VERIFICATION.c.contact_id, VERIFICATION.c.verification_id)
Index("verification_expires_at", VERIFICATION.c.expires_at)

EVIDENCE = _table(
    "evidence",
    _text("account_id"),
    _text("verification_id"),
    _text("contact_id"),
    _text("channel"),
    _text("address"),
    _instant("confirmed_at"),
    _text("way"),
    _text("source_address"),
    _text("user_agent"),
    Column("captured", Boolean(create_constraint=False), nullable=False),
    _instant("unneeded_since", null=True, comment="when it was seen that neither contact nor copy rests on it"),
    PrimaryKeyConstraint("account_id", "verification_id", name="key_evidence"),
    comment="How addresses were confirmed. Never changed; outlives contact and directory.",
)
Index("evidence_contact", EVIDENCE.c.account_id, EVIDENCE.c.contact_id, EVIDENCE.c.verification_id)
# For pruning.
Index(
    "evidence_unneeded_since",
    EVIDENCE.c.unneeded_since,
    sqlite_where=text("unneeded_since IS NOT NULL"),
    postgresql_where=text("unneeded_since IS NOT NULL"),
)

BLOCK = _table(
    "block",
    _text("account_id"),
    _text("channel"),
    _text("address_key"),
    _text("verification_id"),
    _instant("blocked_at"),
    _text("source_address"),
    _version(),
    PrimaryKeyConstraint("account_id", "channel", "address_key", name="key_block"),
    comment="Addresses whose owners want no verification messages from an account.",
)

COUNTER = _table(
    "counter",
    _text("account_id"),
    _text("counter"),
    _text("period", comment="day, minute ...; empty: never starts anew"),
    Column("value", BigInteger, nullable=False),
    _instant("raised_at", comment="when it was last raised"),
    PrimaryKeyConstraint("account_id", "counter", "period", name="key_counter"),
    CheckConstraint("value >= 0", name="counter_not_negative"),
    comment="What is limited.",
)
# For pruning. Counters without a period, which are the busy ones, do not stand in it.
Index(
    "counter_raised_at",
    COUNTER.c.raised_at,
    sqlite_where=text("period <> ''"),
    postgresql_where=text("period <> ''"),
)

NONCE = _table(
    "nonce",
    Column("digest", LargeBinary, nullable=False),
    _instant("expires_at"),
    PrimaryKeyConstraint("digest", name="key_nonce"),  # spans tenants: says nothing about any
    comment="Nonces of committed changes.",
)
Index("nonce_expires_at", NONCE.c.expires_at)

JOB = _table(
    "job",
    _text("account_id"),
    _text("job_id"),
    _text("kind"),
    _text("channel"),
    _text("payload", comment="JSON: ids, never addresses, tokens or codes"),
    _instant("due_at"),
    _instant("created_at"),
    _integer("attempts"),
    _text("last_failure"),
    _text("worker_id", null=True, comment="who has claimed it"),
    _instant("ready_at", null=True, comment="when it may be claimed: due, or the claim runs out; null: given up"),
    PrimaryKeyConstraint("account_id", "job_id", name="key_job"),
    comment="Waiting work.",
)
# Spans tenants: claims of waiting work.
Index(
    "job_ready",
    JOB.c.channel,
    JOB.c.ready_at,
    JOB.c.job_id,
    sqlite_where=text("ready_at IS NOT NULL"),
    postgresql_where=text("ready_at IS NOT NULL"),
)
# The same by tenant, so that tenants can be served in turn.
Index(
    "job_turn",
    JOB.c.channel,
    JOB.c.account_id,
    JOB.c.ready_at,
    JOB.c.job_id,
    sqlite_where=text("ready_at IS NOT NULL"),
    postgresql_where=text("ready_at IS NOT NULL"),
)
Index(
    "job_worker",
    JOB.c.worker_id,
    sqlite_where=text("worker_id IS NOT NULL"),
    postgresql_where=text("worker_id IS NOT NULL"),
)
Index(
    "job_dead",
    JOB.c.account_id,
    JOB.c.job_id,
    sqlite_where=text("ready_at IS NULL"),
    postgresql_where=text("ready_at IS NULL"),
)
# For pruning of what was given up.
Index(
    "job_dead_created_at",
    JOB.c.created_at,
    sqlite_where=text("ready_at IS NULL"),
    postgresql_where=text("ready_at IS NULL"),
)

INBOX_MESSAGE = _table(
    "inbox_message",
    _text("account_id"),
    _text("message_id", comment="ascends with time"),
    _text("channel"),
    _text("recipient"),
    _text("recipient_key", comment="the recipient in lower case, for look-ups"),
    _text("subject"),
    _text("text"),
    _text("html", null=True),
    _instant("captured_at"),
    _text("verification_id", null=True, comment="the verification it carries, if it does"),
    PrimaryKeyConstraint("account_id", "message_id", name="key_inbox_message"),
    comment="Captured messages. The newest of each tenant are kept.",
    clustered=False,  # long rows: counting and ordering go through the key's own index
)
Index("inbox_recipient", INBOX_MESSAGE.c.account_id, INBOX_MESSAGE.c.recipient_key, INBOX_MESSAGE.c.message_id)
Index("inbox_captured_at", INBOX_MESSAGE.c.captured_at)  # for pruning

AUDIT_EVENT = _table(
    "audit_event",
    _text("account_id"),
    _text("event_id", comment="ascends with time"),
    _instant("happened_at"),
    _text("kind", comment="change or refusal"),
    _text("operation"),
    _text("access_key_id", comment="empty: nobody signed; a person at a page, a job or the operator"),
    _text("user_id", comment="RAM user; empty: the account itself"),
    _text("source_address"),
    _text("request_id"),
    _text("targets", comment="JSON: ids of what it was about"),
    _text("details", comment="JSON: what changed, nothing personal"),
    _text("personal_digests", comment="JSON: by person, a salted digest of what audit_personal holds"),
    _integer("times", comment="how many refusals it stands for; 1 for a change"),
    Column("sequence", BigInteger, nullable=True, comment="place in the tenant's chain; null: not sealed yet"),
    Column("hash", LargeBinary, nullable=True, comment="over this event and the hash before it"),
    PrimaryKeyConstraint("account_id", "event_id", name="key_audit_event"),
    comment="Who changed what, and who was refused. Never changed once sealed.",
    clustered=False,  # long rows, many of them in one commit: side by side, not each on its tenant's page
)
# Spans tenants: claims of what is not sealed yet.
Index(
    "audit_event_unsealed",
    AUDIT_EVENT.c.event_id,
    sqlite_where=text("sequence IS NULL"),
    postgresql_where=text("sequence IS NULL"),
)

# The order of a chain; no two events have the same place, whoever seals.
Index(
    "audit_event_sequence",
    AUDIT_EVENT.c.account_id,
    AUDIT_EVENT.c.sequence,
    unique=True,
    sqlite_where=text("sequence IS NOT NULL"),
    postgresql_where=text("sequence IS NOT NULL"),
)

AUDIT_PERSONAL = _table(
    "audit_personal",
    _text("account_id"),
    _text("person_id", comment="contact or RAM user it is about"),
    _text("event_id"),
    Column("salt", LargeBinary, nullable=False, comment="of the digests, here and in audit_event"),
    _text("details", comment="JSON: what changed, addresses masked, with salted digests of them"),
    PrimaryKeyConstraint("account_id", "person_id", "event_id", name="key_audit_personal"),
    comment="The personal part of audit events: goes when a person is erased.",
    clustered=False,  # as the events
)

AUDIT_CHAIN = _table(
    "audit_chain",
    _text("account_id"),
    Column("sequence", BigInteger, nullable=False, comment="of the last sealed event"),
    Column("hash", LargeBinary, nullable=False, comment="of the last sealed event"),
    Column("pruned_sequence", BigInteger, nullable=False, comment="of the last event taken away by retention; 0: none"),
    Column("pruned_hash", LargeBinary, nullable=False, comment="of the last event taken away by retention"),
    _instant("oldest_at", comment="when the oldest event that is kept happened"),
    PrimaryKeyConstraint("account_id", name="key_audit_chain"),
    comment="Where each tenant's chain of audit events begins and ends.",
)
Index("audit_chain_oldest_at", AUDIT_CHAIN.c.oldest_at)  # for pruning

REQUEST_DEMAND = _table(
    "request_demand",
    _text("account_id"),
    _text("access_key_id", comment="empty: of the whole account"),
    _text("process_id"),
    _instant("measured_at"),
    _integer("demand", comment="calls in the second before that"),
    PrimaryKeyConstraint("account_id", "access_key_id", "process_id", name="key_request_demand"),
    comment="How much of a limit each process is asked for, so that they share it.",
)
Index("request_demand_measured_at", REQUEST_DEMAND.c.measured_at)

MESSAGE = _table(
    "message",
    _text("account_id"),
    _text("message_id", comment="ascends with time"),
    _text("message_type"),
    _text("severity"),
    _text("subject"),
    _text("text"),
    _text("html", null=True),
    _text("markdown", null=True),
    _text("targets", comment="JSON: directory, folder and member ids"),
    _text("client_token", null=True, comment="the caller's word for its call"),
    Column("content_digest", LargeBinary, nullable=False, comment="over all that the caller said"),
    _text("state"),
    _instant("published_at"),
    _instant("expires_at", null=True),
    _text("published_by", comment="access key; empty: the program itself"),
    _version(),
    PrimaryKeyConstraint("account_id", "message_id", name="key_message"),
    UniqueConstraint("account_id", "client_token", name="unique_message_client_token"),
    comment="Published messages.",
    clustered=False,  # long rows
)
Index("message_published_at", MESSAGE.c.published_at)  # for pruning

MESSAGE_PROGRESS = _table(
    "message_progress",
    _text("account_id"),
    _text("message_id"),
    _integer("step", comment="the one that is next"),
    _text("stage"),
    _text("node", comment="object that the stage is at"),
    _text("after", comment="JSON: behind what in it"),
    _integer("numbers", comment="given to deliveries so far"),
    Column("reaches_somebody", Boolean(create_constraint=False), nullable=False),
    _text("reach", comment="JSON: by object, until when members must have been placed to be reached"),
    _text("wanted", comment="JSON: objects whose contacts of any type get it, and for members placed since when"),
    _integer("unreached", comment="members for whom nobody can be reached"),
    _text("unreached_members", comment="JSON: the first of them"),
    _version(),
    PrimaryKeyConstraint("account_id", "message_id", name="key_message_progress"),
    ForeignKeyConstraint(
        ["account_id", "message_id"], ["message.account_id", "message.message_id"], name="progress_of_message"
    ),
    comment="How far messages have come whose deliveries are not all let go.",
)

DELIVERY = _table(
    "delivery",
    _text("account_id"),
    _text("delivery_id", comment="the message's digits and a number"),
    _text("message_id"),
    _text("channel"),
    _text("address"),
    _text("address_key", comment="the address in lower case, for look-ups"),
    _text("state"),
    _text("route", comment="why it is made"),
    _text("reason", comment="why it is in its state, where that is not plain"),
    _text("contacts", comment="JSON, a line each: contacts that share the address, through what, and the rules' word"),
    _integer("contact_count", comment="those beyond the ones named included"),
    _instant("created_at"),
    _instant("updated_at"),
    _integer("attempts"),
    _text("reply", comment="the channel's last answer, as a word"),
    _text("tries", comment="JSON, a line each: moment, state, reply"),
    _instant("sent_at", null=True),
    _version(),
    PrimaryKeyConstraint("account_id", "delivery_id", name="key_delivery"),
    UniqueConstraint("account_id", "message_id", "channel", "address_key", name="unique_delivery_address"),
    ForeignKeyConstraint(
        ["account_id", "message_id"], ["message.account_id", "message.message_id"], name="delivery_of_message"
    ),
    comment="Messages on their way to one address each.",
)
Index("delivery_state", DELIVERY.c.account_id, DELIVERY.c.state, DELIVERY.c.delivery_id)
Index("delivery_address", DELIVERY.c.account_id, DELIVERY.c.channel, DELIVERY.c.address_key, DELIVERY.c.delivery_id)

INCIDENT = _table(
    "incident",
    _text("account_id"),
    _text("incident_id", comment="ascends with time"),
    _text("message_id"),
    _text("kind"),
    _integer("members", comment="for whom nobody was reached"),
    _text("member_ids", comment="JSON: the first of them"),
    _instant("opened_at"),
    _instant("closed_at", null=True),
    _text("closed_by", comment="access key; empty: the program itself, or open"),
    _text("note"),
    _version(),
    PrimaryKeyConstraint("account_id", "incident_id", name="key_incident"),
    UniqueConstraint("account_id", "message_id", "kind", name="unique_incident_of_message"),
    comment="Messages that reached nobody where they should have, until somebody has seen to it.",
)
Index(
    "incident_open",
    INCIDENT.c.account_id,
    INCIDENT.c.incident_id,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)

FALLBACK_ADDRESS = _table(
    "fallback_address",
    _text("account_id"),
    _text("address", comment="in force; empty before the first is confirmed"),
    _instant("confirmed_at", null=True),
    Column("captured", Boolean(create_constraint=False), nullable=False, comment="confirmed from the captured inbox"),
    _text("waiting", comment="to be confirmed; empty when none is"),
    _text("reference", comment="public id of the code"),
    _integer("generation"),
    Column("waiting_captured", Boolean(create_constraint=False), nullable=False),
    _integer("wrong_codes"),
    _instant("expires_at"),
    _version(),
    PrimaryKeyConstraint("account_id", name="key_fallback_address"),
    comment="Where messages go that would reach nobody, at most one address a tenant.",
)

WEBHOOK = _table(
    "webhook",
    _text("account_id"),
    _text("webhook_id"),
    _text("name"),
    _text("form"),
    _text("message_types", comment="in the order given, between commas"),
    Column("endpoint_sealed", LargeBinary, nullable=False, comment="URL and secret, sealed"),
    Column("endpoint_digest", LargeBinary, nullable=False, comment="keyed, over the URL"),
    _text("endpoint_shown", comment="the URL without what is secret in it"),
    Column("endpoint_signed", Boolean(create_constraint=False), nullable=False, comment="whether it has a secret"),
    _instant("verified_at", null=True, comment="null: not confirmed"),
    Column(
        "verified_captured",
        Boolean(create_constraint=False),
        nullable=False,
        comment="confirmed from the captured inbox",
    ),
    Column("waiting_sealed", LargeBinary, nullable=True, comment="replacement that is not confirmed yet"),
    Column("waiting_digest", LargeBinary, nullable=True),
    _text("waiting_shown", null=True),
    Column("waiting_signed", Boolean(create_constraint=False), nullable=False),
    _text("code_reference", comment="public id of the code; empty: none was posted, or it is void"),
    _integer("code_generation"),
    Column("code_captured", Boolean(create_constraint=False), nullable=False),
    _integer("code_wrong"),
    _instant("code_expires_at"),
    _instant("created_at"),
    _text("bindings", comment="JSON: node id and moment, oldest first; table webhook_binding has a row for each"),
    _version(),
    PrimaryKeyConstraint("account_id", "webhook_id", name="key_webhook"),
    UniqueConstraint("account_id", "name", name=UNIQUE_WEBHOOK_NAME),
    ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="webhook_in_directory"),
    comment="Group chats and programs that get messages. Their status is worked out, not kept.",
)

WEBHOOK_BINDING = _table(
    "webhook_binding",
    _text("account_id"),
    _text("webhook_id"),
    _text("node_id", comment="directory, folder or member, as given by the caller"),
    _text("folder_id", null=True, comment="the node again, if it is a folder: must exist"),
    _text("member_id", null=True, comment="the node again, if it is a member: must exist"),
    PrimaryKeyConstraint("account_id", "webhook_id", "node_id", name="key_webhook_binding"),
    ForeignKeyConstraint(
        ["account_id", "webhook_id"], ["webhook.account_id", "webhook.webhook_id"], name="webhook_binding_of_webhook"
    ),
    ForeignKeyConstraint(
        ["account_id", "folder_id"], ["folder.account_id", "folder.folder_id"], name="webhook_binding_to_folder"
    ),
    ForeignKeyConstraint(
        ["account_id", "member_id"], ["member.account_id", "member.member_id"], name="webhook_binding_to_member"
    ),
    comment="Direct bindings of webhooks, to find and to hold them; the webhook's row says the same.",
)
Index("webhook_binding_node", WEBHOOK_BINDING.c.account_id, WEBHOOK_BINDING.c.node_id, WEBHOOK_BINDING.c.webhook_id)
# For foreign keys: what binds to a folder or a member that is to go.
Index(
    "webhook_binding_folder",
    WEBHOOK_BINDING.c.account_id,
    WEBHOOK_BINDING.c.folder_id,
    sqlite_where=text("folder_id IS NOT NULL"),
    postgresql_where=text("folder_id IS NOT NULL"),
)
Index(
    "webhook_binding_member",
    WEBHOOK_BINDING.c.account_id,
    WEBHOOK_BINDING.c.member_id,
    sqlite_where=text("member_id IS NOT NULL"),
    postgresql_where=text("member_id IS NOT NULL"),
)

SUSPENSION = _table(
    "suspension",
    _text("account_id"),
    _text("channel"),
    _text("address_key", comment="the address in lower case, for look-ups"),
    _text("address"),
    _text("reason", comment="empty while bounces are only counted"),
    _instant("suspended_at", null=True),
    _integer("soft_bounces", comment="messages in a row that came back"),
    _instant("bounced_at", comment="when the last sign came"),
    _text("signs", comment="JSON: what was told about the address, the last few"),
    _version(),
    PrimaryKeyConstraint("account_id", "channel", "address_key", name="key_suspension"),
    comment="Addresses from which messages come back, or whose owners complain.",
)
Index(
    "suspension_in_force",
    SUSPENSION.c.account_id,
    SUSPENSION.c.channel,
    SUSPENSION.c.address_key,
    sqlite_where=text("suspended_at IS NOT NULL"),
    postgresql_where=text("suspended_at IS NOT NULL"),
)

PREFERENCE = _table(
    "preference",
    _text("account_id"),
    _text("channel"),
    _text("address_key", comment="where it was said, in lower case"),
    _text("contact_id", comment="who said it; empty: for the address, by one click"),
    _text("unwanted", comment="JSON: types"),
    Column("quiet_starts", Integer, nullable=True, comment="minute of the day; null: no quiet hours"),
    Column("quiet_ends", Integer, nullable=True),
    _text("quiet_zone"),
    Column("quiet_holds_urgent", Boolean(create_constraint=False), nullable=False),
    _text("language"),
    _instant("changed_at"),
    _version(),
    PrimaryKeyConstraint("account_id", "contact_id", "channel", "address_key", name="key_preference"),
    comment="What people want of messages. Apart from contacts: no change of a contact undoes it.",
    clustered=False,  # looked up by address as often as by contact
)
Index("preference_address", PREFERENCE.c.account_id, PREFERENCE.c.channel, PREFERENCE.c.address_key)

HAND_OVER = _table(
    "hand_over",
    _text("account_id"),
    _text("hand_over_id", comment="ascends with time"),
    _text("contact_id"),
    _text("channel"),
    _text("address"),
    _text("wish", comment="who should get the messages, as it was said"),
    _instant("asked_at"),
    _instant("closed_at", null=True),
    _text("closed_by", comment="access key; empty: open"),
    _text("note"),
    _version(),
    PrimaryKeyConstraint("account_id", "hand_over_id", name="key_hand_over"),
    comment="Requests of contacts to have a colleague get their messages, until somebody has seen to it.",
)
# One open request a contact.
Index(
    "hand_over_open",
    HAND_OVER.c.account_id,
    HAND_OVER.c.contact_id,
    unique=True,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)
Index("hand_over_closed_at", HAND_OVER.c.closed_at)  # for pruning
Index(
    "hand_over_open_id",
    HAND_OVER.c.account_id,
    HAND_OVER.c.hand_over_id,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)
