"""Accounts, access keys and callers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from message_contacts.clock import Instant
from message_contacts.directory.model import ResourceDirectory
from message_contacts.quick import quickly_made


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A management account: a tenant, with or without an enabled directory."""

    account_id: str
    #: Login name, e.g. `platform-team`.
    name: str
    created_at: Instant
    version: int = 1


class KeyStatus(StrEnum):
    ACTIVE = "Active"
    INACTIVE = "Inactive"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """An access key. Its secret is kept sealed; only signing opens it."""

    access_key_id: str
    #: The account that calls with it: a management account, or a member.
    account_id: str
    #: AES-GCM: nonce, ciphertext and tag; bound to the key id.
    sealed_secret: bytes
    status: KeyStatus
    created_at: Instant
    version: int = 1
    #: RAM user that calls with it; None: the account itself.
    user_id: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class KeyInPlace:
    """An access key and where it calls: both are needed for nearly every call, and found by one look-up."""

    key: AccessKey
    #: Directory of the key's account; None when it has none.
    directory: ResourceDirectory | None


@quickly_made
@dataclass(frozen=True, slots=True)
class Caller:
    """Who was proven to have signed a request."""

    account_id: str
    #: Empty when nobody signed: the program itself.
    access_key_id: str
    #: RAM user whose policies say what the caller may do; None: the account itself, which may do everything.
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A RAM user: calls in its account's name, as far as its policies allow."""

    account_id: str
    #: Digits, never used again.
    user_id: str
    #: Unique in the account; part of `acs:ram:*:<account>:user/<name>`.
    name: str
    display_name: str
    mobile_phone: str = ""
    email: str = ""
    comments: str = ""
    created_at: Instant
    updated_at: Instant
    version: int = 1


class PolicyType(StrEnum):
    SYSTEM = "System"
    CUSTOM = "Custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A custom policy; what it says is in its versions."""

    account_id: str
    name: str
    description: str
    #: The version in force, e.g. `v1`.
    default_version_id: str
    #: Number of the newest version, deleted ones counted.
    versions_made: int
    created_at: Instant
    updated_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """What a custom policy says, or said."""

    account_id: str
    policy_name: str
    #: `v1`, `v2` ...
    version_id: str
    #: JSON, as given.
    document: str
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A policy that a user has."""

    account_id: str
    user_id: str
    policy_type: PolicyType
    policy_name: str
    attached_at: Instant
    version: int = 1
