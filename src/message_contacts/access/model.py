"""Accounts, access keys and callers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from message_contacts.clock import Instant
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


@quickly_made
@dataclass(frozen=True, slots=True)
class Caller:
    """Who was proven to have signed a request."""

    account_id: str
    access_key_id: str
