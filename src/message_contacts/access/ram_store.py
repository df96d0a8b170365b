"""What the operations of RAM ask of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.access.model import AccessKey, Attachment, Policy, PolicyType, PolicyVersion, User


class RamStore(Protocol):
    """Users, their keys, policies and who has them. Changes go through `changes.Committer`."""

    async def user(self, account_id: str, user_id: str) -> User | None:
        """A user by its id."""
        ...

    async def user_by_name(self, account_id: str, name: str) -> User | None:
        """A user by its name."""
        ...

    async def user_page(self, account_id: str, *, after: str, limit: int) -> Sequence[User]:
        """Users by name, those behind the name `after`."""
        ...

    async def keys(self, account_id: str, user_id: str | None) -> Sequence[AccessKey]:
        """The keys of a user, or of the account itself, oldest first."""
        ...

    async def policy(self, account_id: str, name: str) -> Policy | None:
        """A custom policy."""
        ...

    async def policy_page(self, account_id: str, *, after: str, limit: int) -> Sequence[tuple[Policy, int]]:
        """Custom policies by name, those behind the name `after`, each with the number of users that have it."""
        ...

    async def policy_with_versions(self, account_id: str, name: str) -> tuple[Policy | None, Sequence[PolicyVersion]]:
        """A custom policy and, as of the same moment, its versions, oldest first."""
        ...

    async def attachments(self, account_id: str, user_id: str) -> Sequence[Attachment]:
        """Policies that a user has, in the order in which it got them."""
        ...

    async def attachment_count(self, account_id: str, policy_type: PolicyType, name: str) -> int:
        """How many users have a policy."""
        ...

    async def holders(self, account_id: str, policy_type: PolicyType, name: str) -> Sequence[tuple[User, Attachment]]:
        """The users that have a policy, by user id."""
        ...
