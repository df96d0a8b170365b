"""The tables, as they are after the last migration.

The key of every tenant's table begins with the tenant's account id, so that the tables could be spread by that column.
Rules that span tenants are few and marked as such. Ids are text, moments are whole milliseconds since 1970 (UTC), lists
are compact text. On SQLite the tables are clustered by their key (`WITHOUT ROWID`), save those with long rows: a read
by key is then one descent. A test holds the migrations to this page.
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
    UniqueConstraint("account_id", "name", name=UNIQUE_CONTACT_NAME),
    ForeignKeyConstraint(["account_id"], ["resource_directory.account_id"], name="contact_in_directory"),
    comment="Contacts. Their status is worked out, not kept.",
)
Index("contact_order", CONTACT.c.account_id, CONTACT.c.created_at, CONTACT.c.contact_id)

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
