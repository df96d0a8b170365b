"""The policies that every account has without making them.

What the vendor publishes about them is kept as it is. The two policies of the resource directory also cover our own
operations, which the vendor's service does not have: permissions `messagecontacts:*`.

Source: the vendor's RAM reference, one page for each system policy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from message_contacts.clock import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPolicy:
    """A policy that is part of the program."""

    name: str
    description: str
    #: JSON.
    document: str
    created_at: Instant
    updated_at: Instant
    #: Its only version.
    default_version_id: str = "v1"


def _moment(text: str) -> Instant:
    return Instant(round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000)


def _policy(
    name: str, description: str, actions: str | Sequence[str], *, created: str, updated: str | None = None
) -> SystemPolicy:
    statement: dict[str, Any] = {"Action": actions, "Resource": "*", "Effect": "Allow"}
    return SystemPolicy(
        name=name,
        description=description,
        document=json.dumps({"Version": "1", "Statement": [statement]}, indent=2),
        created_at=_moment(created),
        updated_at=_moment(updated or created),
    )


#: Our own operations that show something and open nothing. The inbox is not among them, since whoever reads it can
#: confirm any address in the contact's place; nor is the export of all that is held on one person.
_OWN_READS = (
    "messagecontacts:ExplainDelivery",
    "messagecontacts:Get*",
    "messagecontacts:ListDeliveries",
    "messagecontacts:ListDetachedContacts",
    "messagecontacts:ListEffectiveContacts",
    "messagecontacts:ListFailedJobs",
    "messagecontacts:ListHandOvers",
    "messagecontacts:ListIncidents",
    "messagecontacts:ListMessages",
    "messagecontacts:ListSuspensions",
    "messagecontacts:ListVerificationBlocks",
    "messagecontacts:ListVerificationEvidence",
    "messagecontacts:ListWebhooks",
    "messagecontacts:PreviewChange",
    "messagecontacts:PreviewMessage",
    "messagecontacts:SearchMessageContacts",
    "messagecontacts:VerifyAuditTrail",
)

#: By name.
SYSTEM_POLICIES: Mapping[str, SystemPolicy] = {
    policy.name: policy
    for policy in (
        _policy(
            "AdministratorAccess",
            "Provides full access to Alibaba Cloud services and resources.",
            "*",
            created="2015-04-28T16:15:45",
        ),
        _policy(
            "AliyunRAMFullAccess",
            "Provides full access to Resource Access Management(RAM) via Management Console.",
            "ram:*",
            created="2015-04-28T16:15:45",
        ),
        _policy(
            "AliyunRAMReadOnlyAccess",
            "Provides read-only access to Resource Access Management(RAM) via Management Console.",
            ["ram:Get*", "ram:List*", "ram:GenerateCredentialReport"],
            created="2015-04-28T16:15:45",
            updated="2025-12-03T10:03:48",
        ),
        _policy(
            "AliyunResourceDirectoryFullAccess",
            "Provides full access to Resource Directory Service(ResourceDirectory) via Management Console.",
            ["resourcemanager:*", "messagecontacts:*"],
            created="2019-09-24T08:02:56",  # Assumption: the moment of its read-only sister, which is published
        ),
        _policy(
            "AliyunResourceDirectoryReadOnlyAccess",
            "Provides read-only access to Resource Directory Service(ResourceDirectory) via Management Console.",
            ["resourcemanager:Get*", "resourcemanager:List*", *_OWN_READS],
            created="2019-09-24T08:02:56",
            updated="2022-07-21T07:38:47",
        ),
        _policy(
            "ReadOnlyAccess",
            "Provides read-only access to Alibaba Cloud services and resources.",
            # The vendor's names the permissions of every service it has; these are the ones that exist here.
            [
                "resourcemanager:Get*",
                "resourcemanager:List*",
                "ram:Get*",
                "ram:List*",
                "sts:Get*",
                *_OWN_READS,
                # They show users, keys and what policies say, so they go with the permission to read those.
                "messagecontacts:ListAuditEvents",
                "messagecontacts:SimulateAccess",
            ],
            created="2015-04-28T16:15:45",
        ),
    )
}
