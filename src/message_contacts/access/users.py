"""Making, changing and deleting RAM users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from message_contacts.access import ram_errors
from message_contacts.access.model import AccessKey, Attachment, User
from message_contacts.changes import CountDown, CountUp, Decision, Delete, Insert, Update
from message_contacts.clock import Instant

#: Counter of an account's users, and how many it may have.
USERS = "ram users"
MOST_USERS = 1000


class NewFields(NamedTuple):
    """What a user shall be called and have from now on; None: as before."""

    name: str | None = None
    display_name: str | None = None
    mobile_phone: str | None = None
    email: str | None = None
    comments: str | None = None


class Holdings(NamedTuple):
    """A user with its keys and policies."""

    user: User | None
    keys: Sequence[AccessKey]
    attachments: Sequence[Attachment]


def create(user: User) -> Decision[User]:
    """A new user without keys and policies. A name already used is refused by the commit."""
    quota = CountUp(user.account_id, USERS, "", MOST_USERS, ram_errors.LIMIT_EXCEEDED_USER)
    return Decision((Insert(user), quota), user)


def update(user: User | None, new: NewFields, now: Instant) -> Decision[User]:
    """The user with its new fields. A name that another user has is refused by the commit.

    Raises: ENTITY_NOT_EXIST_USER.
    """
    before = existing(user)
    changed = {field: value for field, value in new._asdict().items() if value is not None}
    after = replace(before, **changed, updated_at=now)
    return Decision((Update(before, after),), after)


def delete(holdings: Holdings) -> Decision[None]:
    """The user goes. Keys and attachments touch their user's row, so none can come in between.

    Raises: ENTITY_NOT_EXIST_USER, DELETE_CONFLICT_USER_ACCESS_KEY, DELETE_CONFLICT_USER_POLICY.
    """
    user = existing(holdings.user)
    if holdings.keys:
        raise ram_errors.DELETE_CONFLICT_USER_ACCESS_KEY(user_id=user.user_id)
    if holdings.attachments:
        raise ram_errors.DELETE_CONFLICT_USER_POLICY(user_id=user.user_id)
    return Decision((Delete(user), CountDown(user.account_id, USERS)), None)


def existing(user: User | None) -> User:
    """The user. Raises: ENTITY_NOT_EXIST_USER."""
    if user is None:
        raise ram_errors.ENTITY_NOT_EXIST_USER()
    return user
