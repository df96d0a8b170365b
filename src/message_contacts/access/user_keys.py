"""Access keys of RAM users, and of the account itself.

Every change touches the row of the key's user, so that a user cannot be deleted, or given too many keys, meanwhile. The
account itself has no such row: there, its oldest key stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from message_contacts.access import ram_errors
from message_contacts.access.model import AccessKey, KeyStatus, User
from message_contacts.changes import Change, Decision, Delete, Insert, Update

#: Keys that one user may have, and the account itself, whoever made them; only the operator may make more.
MOST_KEYS_OF_USER = 2
MOST_KEYS_OF_ACCOUNT = 5


class KeyOwner(NamedTuple):
    """Whose keys a call is about, and the keys, oldest first."""

    #: None: the account itself.
    user: User | None
    keys: Sequence[AccessKey]


def existing(owner: KeyOwner, access_key_id: str) -> AccessKey:
    """The key of that id among those of the owner.

    Raises: ENTITY_NOT_EXIST_USER_ACCESS_KEY.
    """
    for key in owner.keys:
        if key.access_key_id == access_key_id:
            return key
    raise ram_errors.ENTITY_NOT_EXIST_USER_ACCESS_KEY()


def create(owner: KeyOwner, key: AccessKey) -> Decision[AccessKey]:
    """One more key.

    Raises: LIMIT_EXCEEDED_USER_ACCESS_KEY.
    """
    if len(owner.keys) >= (MOST_KEYS_OF_ACCOUNT if owner.user is None else MOST_KEYS_OF_USER):
        raise ram_errors.LIMIT_EXCEEDED_USER_ACCESS_KEY()
    return Decision((Insert(key), *_touched(owner)), key)


def switch(owner: KeyOwner, access_key_id: str, status: KeyStatus) -> Decision[None]:
    """The key on or off; in force from the next call on.

    Raises: ENTITY_NOT_EXIST_USER_ACCESS_KEY.
    """
    key = existing(owner, access_key_id)
    if key.status is status:
        return Decision((), None)
    return Decision((Update(key, replace(key, status=status)),), None)


def delete(owner: KeyOwner, access_key_id: str) -> Decision[None]:
    """The key goes for good.

    Raises: ENTITY_NOT_EXIST_USER_ACCESS_KEY.
    """
    return Decision((Delete(existing(owner, access_key_id)),), None)


def _touched(owner: KeyOwner) -> tuple[Change, ...]:
    if owner.user is not None:
        return (Update(owner.user, owner.user),)
    return tuple(Update(key, key) for key in owner.keys[:1])
