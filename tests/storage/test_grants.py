"""Which policies a user has, as calls see them."""

from __future__ import annotations

from dataclasses import replace

from message_contacts.access.grants import AttachedPolicy
from message_contacts.access.model import Attachment, Policy, PolicyType, PolicyVersion, User
from message_contacts.changes import Delete, Insert, Update
from message_contacts.clock import Instant
from message_contacts.storage import Storage

ACCOUNT = "1000000000000001"
OTHER = "1000000000000009"
USER = "200000000000000001"
NOW = Instant(1_774_857_600_000)


def user(account_id: str = ACCOUNT, user_id: str = USER) -> User:
    return User(
        account_id=account_id, user_id=user_id, name="dashboard", display_name="", created_at=NOW, updated_at=NOW
    )


def policy(name: str, account_id: str = ACCOUNT) -> Policy:
    return Policy(
        account_id=account_id,
        name=name,
        description="",
        default_version_id="v1",
        versions_made=1,
        created_at=NOW,
        updated_at=NOW,
    )


def version(name: str, version_id: str, document: str, account_id: str = ACCOUNT) -> PolicyVersion:
    return PolicyVersion(
        account_id=account_id, policy_name=name, version_id=version_id, document=document, created_at=NOW
    )


def attachment(name: str, policy_type: PolicyType = PolicyType.CUSTOM, account_id: str = ACCOUNT) -> Attachment:
    return Attachment(account_id=account_id, user_id=USER, policy_type=policy_type, policy_name=name, attached_at=NOW)


async def test_nobody_has_policies_who_is_not_there(storage: Storage) -> None:
    await storage.committer.commit((Insert(user(OTHER)),), None)

    assert await storage.grants.attached_policies(ACCOUNT, USER) is None


async def test_a_user_without_policies_is_there(storage: Storage) -> None:
    await storage.committer.commit((Insert(user()),), None)

    assert await storage.grants.attached_policies(ACCOUNT, USER) == []


async def test_policies_come_in_the_version_in_force_and_in_order(storage: Storage) -> None:
    changes = (
        Insert(user()),
        *(Insert(policy(name)) for name in ("writing", "reading", "unused")),
        Insert(version("reading", "v1", "reads")),
        Insert(version("reading", "v2", "reads more")),
        Insert(version("writing", "v1", "writes")),
        Insert(version("unused", "v1", "never")),
        *(Insert(attachment(name)) for name in ("writing", "reading")),
        Insert(attachment("ReadOnlyAccess", PolicyType.SYSTEM)),
    )
    await storage.committer.commit(changes, None)

    assert await storage.grants.attached_policies(ACCOUNT, USER) == [
        AttachedPolicy(PolicyType.CUSTOM, "reading", "v1", "reads"),
        AttachedPolicy(PolicyType.CUSTOM, "writing", "v1", "writes"),
        AttachedPolicy(PolicyType.SYSTEM, "ReadOnlyAccess", "", ""),
    ]


async def test_what_another_process_takes_away_is_gone_at_once(storage: Storage, other: Storage) -> None:
    reading = policy("reading")
    changes = (
        Insert(user()),
        Insert(reading),
        Insert(version("reading", "v1", "reads")),
        Insert(version("reading", "v2", "reads more")),
        Insert(attachment("reading")),
    )
    await storage.committer.commit(changes, None)
    assert await storage.grants.attached_policies(ACCOUNT, USER) == [
        AttachedPolicy(PolicyType.CUSTOM, "reading", "v1", "reads")
    ]

    await other.committer.commit((Update(reading, replace(reading, default_version_id="v2")),), None)
    assert await storage.grants.attached_policies(ACCOUNT, USER) == [
        AttachedPolicy(PolicyType.CUSTOM, "reading", "v2", "reads more")
    ]

    await other.committer.commit((Delete(attachment("reading")),), None)
    assert await storage.grants.attached_policies(ACCOUNT, USER) == []


async def test_a_policy_of_another_account_is_not_the_same_policy(storage: Storage) -> None:
    changes = (
        Insert(user()),
        Insert(user(OTHER)),
        Insert(policy("reading")),
        Insert(version("reading", "v1", "mine")),
        Insert(policy("reading", OTHER)),
        Insert(version("reading", "v1", "theirs", OTHER)),
        Insert(attachment("reading")),
        Insert(attachment("reading", account_id=OTHER)),
    )
    await storage.committer.commit(changes, None)

    for account_id, document in ((ACCOUNT, "mine"), (OTHER, "theirs")):
        (found,) = await storage.grants.attached_policies(account_id, USER) or []
        assert found.document == document
