"""What operations are about: the groups in which the explorer lists them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from message_contacts.console.site.words import mark
from message_contacts.operations.registry import (
    MESSAGE_CONTACTS,
    RAM,
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    STS,
    Operation,
    Registry,
)

#: Versions in the order in which pages show them.
VERSIONS = (RESOURCE_DIRECTORY_MASTER, MESSAGE_CONTACTS, RAM, STS, RESOURCE_MANAGER)

#: Name of a group, translated where it is shown -> the operations in it, whatever version they belong to.
SUBJECTS = {
    mark("Contacts"): (
        "AddMessageContact",
        "UpdateMessageContact",
        "GetMessageContact",
        "ListMessageContacts",
        "SearchMessageContacts",
        "GetContactStanding",
        "CancelMessageContactUpdate",
        "DeleteMessageContact",
        "GetMessageContactDeletionStatus",
    ),
    mark("Bindings"): (
        "AssociateMembers",
        "DisassociateMembers",
        "ListDetachedContacts",
        "DeleteDetachedContact",
    ),
    mark("Verification"): (
        "SendEmailVerificationForMessageContact",
        "SendPhoneVerificationForMessageContact",
        "ListMessageContactVerifications",
        "ListVerificationEvidence",
        "ListVerificationBlocks",
        "DeleteVerificationBlock",
    ),
    mark("Resource directory"): (
        "GetResourceDirectory",
        "EnableResourceDirectory",
        "InitResourceDirectory",
        "DestroyResourceDirectory",
    ),
    mark("Folders"): (
        "CreateFolder",
        "GetFolder",
        "UpdateFolder",
        "DeleteFolder",
        "ListFoldersForParent",
        "ListAncestors",
    ),
    mark("Members"): (
        "CreateResourceAccount",
        "GetAccount",
        "UpdateAccount",
        "MoveAccount",
        "RemoveCloudAccount",
        "CheckAccountDelete",
        "GetAccountDeletionCheckResult",
        "DeleteAccount",
        "GetAccountDeletionStatus",
        "ListAccounts",
        "ListAccountsForParent",
        "GetPayerForAccount",
        "ListTagResources",
        "TagResources",
        "UntagResources",
    ),
    mark("Who is reached"): (
        "ListEffectiveContacts",
        "GetCoverage",
        "GetCoverageMap",
        "PreviewChange",
        "ExplainDelivery",
    ),
    mark("Messages"): ("PublishMessage", "PreviewMessage", "GetMessage", "ListMessages", "CancelMessage"),
    mark("Deliveries"): (
        "ListDeliveries",
        "GetDelivery",
        "SendTestMessage",
        "ListFailedJobs",
        "RetryFailedJob",
        "ListSuspensions",
        "DeleteSuspension",
        "ListIncidents",
        "CloseIncident",
        "ListHandOvers",
        "CloseHandOver",
        "GetFallbackAddress",
        "SetFallbackAddress",
        "ConfirmFallbackAddress",
        "DeleteFallbackAddress",
    ),
    mark("Webhooks"): (
        "CreateWebhook",
        "GetWebhook",
        "ListWebhooks",
        "UpdateWebhook",
        "DeleteWebhook",
        "SendVerificationForWebhook",
        "ConfirmWebhook",
    ),
    mark("Captured messages"): ("ListInboxMessages", "ClearInbox"),
    mark("Users"): (
        "CreateUser",
        "GetUser",
        "ListUsers",
        "UpdateUser",
        "DeleteUser",
        "DeleteLoginProfile",
        "UnbindMFADevice",
        "ListGroupsForUser",
        "GetCallerIdentity",
    ),
    mark("Access keys"): (
        "CreateAccessKey",
        "ListAccessKeys",
        "GetAccessKeyLastUsed",
        "UpdateAccessKey",
        "DeleteAccessKey",
    ),
    mark("Policies"): (
        "CreatePolicy",
        "GetPolicy",
        "ListPolicies",
        "UpdatePolicyDescription",
        "DeletePolicy",
        "CreatePolicyVersion",
        "GetPolicyVersion",
        "ListPolicyVersions",
        "SetDefaultPolicyVersion",
        "DeletePolicyVersion",
        "AttachPolicyToUser",
        "DetachPolicyFromUser",
        "ListPoliciesForUser",
        "ListEntitiesForPolicy",
        "SimulateAccess",
        "DecodeDiagnosticMessage",
    ),
    mark("Audit"): ("ListAuditEvents", "VerifyAuditTrail"),
    mark("Privacy"): ("ExportPerson", "ErasePerson"),
}
#: Where an operation is found that no group names.
MORE = mark("More")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Operations of one version about one subject."""

    version: str
    #: Not translated.
    subject: str
    operations: Sequence[Operation]


def groups(registry: Registry, *, words: str = "", version: str = "") -> list[Group]:
    """The operations in groups.

    Args:
        words: Only operations in whose name, text, permission or parameters all of these words occur.
        version: Only operations of this version; all when empty.
    """
    wanted = words.lower().split()
    place = {name: (position, subject) for position, (subject, names) in enumerate(SUBJECTS.items()) for name in names}
    found: dict[tuple[int, int, str], list[Operation]] = {}
    for of, operation in registry.all():
        if version and of != version:
            continue
        if not all(word in searched_text(operation) for word in wanted):
            continue
        position, subject = place.get(operation.name, (len(SUBJECTS), MORE))
        found.setdefault((VERSIONS.index(of), position, subject), []).append(operation)
    return [
        Group(version=VERSIONS[at], subject=subject, operations=_in_order(subject, operations))
        for (at, _, subject), operations in sorted(found.items(), key=lambda entry: entry[0])
    ]


def _in_order(subject: str, operations: list[Operation]) -> list[Operation]:
    names = SUBJECTS.get(subject)
    return operations if names is None else sorted(operations, key=lambda operation: names.index(operation.name))


def searched_text(operation: Operation) -> str:
    """In which the words are looked for, in lower case."""
    names = " ".join(parameter.name for parameter in operation.parameters)
    return f"{operation.name} {operation.doc} {operation.permission} {names}".lower()
