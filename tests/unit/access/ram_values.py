"""Users, keys and policies, made with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from message_contacts.access.model import AccessKey, Attachment, KeyStatus, Policy, PolicyType, PolicyVersion, User
from tests.factories import ACCOUNT
from tests.fakes.clock import START

USER_ID = "200000000000000001"


def make_user(user_id: str = USER_ID, **fields: Any) -> User:
    return User(
        **{
            "account_id": ACCOUNT,
            "user_id": user_id,
            "name": "dashboard",
            "display_name": "Dashboard",
            "created_at": START,
            "updated_at": START,
            **fields,
        }
    )


def make_user_key(access_key_id: str = "MCkey", **fields: Any) -> AccessKey:
    return AccessKey(
        **{
            "access_key_id": access_key_id,
            "account_id": ACCOUNT,
            "sealed_secret": b"sealed",
            "status": KeyStatus.ACTIVE,
            "created_at": START,
            "user_id": USER_ID,
            **fields,
        }
    )


def make_policy(name: str = "read-contacts", **fields: Any) -> Policy:
    return Policy(
        **{
            "account_id": ACCOUNT,
            "name": name,
            "description": "",
            "default_version_id": "v1",
            "versions_made": 1,
            "created_at": START,
            "updated_at": START,
            **fields,
        }
    )


def make_policy_version(version_id: str = "v1", **fields: Any) -> PolicyVersion:
    return PolicyVersion(
        **{
            "account_id": ACCOUNT,
            "policy_name": "read-contacts",
            "version_id": version_id,
            "document": "{}",
            "created_at": START,
            **fields,
        }
    )


def make_attachment(policy_name: str = "read-contacts", **fields: Any) -> Attachment:
    return Attachment(
        **{
            "account_id": ACCOUNT,
            "user_id": USER_ID,
            "policy_type": PolicyType.CUSTOM,
            "policy_name": policy_name,
            "attached_at": START,
            **fields,
        }
    )
