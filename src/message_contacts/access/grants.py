"""Which policies a user has: what is asked of a store, and documents that stay understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from message_contacts.access.evaluation import GrantedPolicy
from message_contacts.access.model import PolicyType
from message_contacts.access.policy_document import PolicyDocument
from message_contacts.access.system_policies import SYSTEM_POLICIES
from message_contacts.errors import ApiError
from message_contacts.quick import quickly_made

#: Bytes of the documents kept understood; the oldest one gives way. Understood, a document of the greatest length takes
#: some 0.1 MB, and 0.5 MB if somebody made it to take much: 50 of those, or a thousand of usual length.
_REMEMBERED = 300_000


@quickly_made
@dataclass(frozen=True, slots=True)
class AttachedPolicy:
    """A policy attached to a user."""

    policy_type: PolicyType
    policy_name: str
    #: The version in force, and what it says; empty for a system policy, which the program knows.
    version_id: str
    document: str


class GrantStore(Protocol):
    """What users may do, read anew for each call, so that what is taken away is gone from the next call on."""

    async def attached_policies(self, account_id: str, user_id: str) -> Sequence[AttachedPolicy] | None:
        """The policies attached to a user, by type and name, each in its version in force; None: no such user."""
        ...


class UnderstoodPolicies:
    """Makes policies of grants, each document understood once."""

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        """Keep documents of as many bytes understood."""
        self._left = remembered
        self._documents: dict[str, PolicyDocument] = {}

    def of(self, attached: Sequence[AttachedPolicy]) -> list[GrantedPolicy]:
        """What a user is granted.

        Raises: RuntimeError for a policy that is not understood: none of those can have been stored by this program.
        """
        return [self._policy(policy) for policy in attached]

    def _policy(self, attached: AttachedPolicy) -> GrantedPolicy:
        version_id, text = attached.version_id, attached.document
        if attached.policy_type is PolicyType.SYSTEM:
            policy = SYSTEM_POLICIES[attached.policy_name]
            version_id, text = policy.default_version_id, policy.document
        document = self._documents.get(text)
        if document is None:
            document = self._understood(attached.policy_name, text)
        return GrantedPolicy(
            type=attached.policy_type, name=attached.policy_name, version_id=version_id, document=document
        )

    def _understood(self, name: str, text: str) -> PolicyDocument:
        try:
            document = PolicyDocument.parse(text)
        except ApiError as problem:
            raise RuntimeError(f"policy {name} is stored and not understood: {problem.message}") from problem
        self._documents[text] = document
        self._left -= len(text.encode())
        while self._left < 0:
            oldest = next(iter(self._documents))
            del self._documents[oldest]
            self._left += len(oldest.encode())
        return document
