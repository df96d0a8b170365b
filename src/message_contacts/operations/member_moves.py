"""Members that change their place: move, remove. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts import errors
from message_contacts.changes import Decision
from message_contacts.contacts import detachment
from message_contacts.contacts.detachment import Place
from message_contacts.directory import tree
from message_contacts.directory.model import Folder
from message_contacts.operations.call import Call
from message_contacts.operations.directory_parameters import (
    ACCOUNT_ID_PARAMETER,
    ACCOUNT_RESOURCE,
    DESTINATION_FOLDER_ID,
)
from message_contacts.operations.registry import (
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    Access,
    Operation,
    operation,
)
from message_contacts.webhooks.model import Webhook
from message_contacts.webhooks.rules import unbound

_BOTH = (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)


@operation(
    "MoveAccount",
    access=Access.WRITE,
    doc="Moves a member to another folder of the directory.",
    source="API reference, MoveAccount, 2026-07-04",
    parameters=[ACCOUNT_ID_PARAMETER.needed(), DESTINATION_FOLDER_ID.needed()],
    raises=[
        errors.MISSING_PARAMETER_ACCOUNT_ID,
        errors.INVALID_PARAMETER_ACCOUNT_ID,
        errors.MISSING_PARAMETER_DESTINATION_FOLDER_ID,
        errors.INVALID_PARAMETER_DESTINATION_FOLDER_ID,
        errors.ENTITY_NOT_EXISTS_ACCOUNT,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
        errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH,
    ],
    resources=[ACCOUNT_RESOURCE, "folder/{DestinationFolderId}"],
    versions=_BOTH,
)
async def move_account(call: Call, *, account_id: str, destination_folder_id: str) -> Mapping[str, Any]:
    async def read() -> tuple[Place, Folder | None]:
        place = await place_of(call, account_id)
        return place, await call.services.directory.folder(call.account_id, destination_folder_id)

    await call.change(read, lambda found: detachment.move_member(*found, now=call.now))
    return {}


@operation(
    "RemoveCloudAccount",
    access=Access.WRITE,
    doc="Takes a member of type cloud account out of the directory. It keeps copies of the contacts in effect for it.",
    source="API reference, RemoveCloudAccount, 2026-07-04",
    parameters=[ACCOUNT_ID_PARAMETER.needed()],
    raises=[
        errors.MISSING_PARAMETER_ACCOUNT_ID,
        errors.INVALID_PARAMETER_ACCOUNT_ID,
        errors.ENTITY_NOT_EXISTS_ACCOUNT,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH,
    ],
    never={"Deny.TrustedService": "There are no trusted services that could use the member."},
    resources=[ACCOUNT_RESOURCE],
    versions=_BOTH,
)
async def remove_cloud_account(call: Call, *, account_id: str) -> Mapping[str, Any]:
    async def read() -> tuple[Place, Sequence[Webhook]]:
        bound = await call.services.webhooks.webhooks_bound_to(call.account_id, account_id)
        return await place_of(call, account_id), bound

    def decide(found: tuple[Place, Sequence[Webhook]]) -> Decision[None]:
        place, bound = found
        gone = detachment.remove_member(place, now=call.now, ids=call.ids)
        # A webhook is the organisation's: unlike contacts, it leaves no copy with the member.
        return Decision((*unbound(bound, account_id), *gone.changes), None)

    await call.change(read, decide)
    return {}


async def place_of(call: Call, member_id: str) -> Place:
    """The member and all that reaches it where it is."""
    directory = await call.services.directory.directory(call.account_id)
    member = await call.services.directory.member(call.account_id, member_id)
    if directory is None or member is None:
        return Place(directory=directory, member=member, lineage=(), contacts=(), detached=())
    lineage = await call.services.directory.lineage(call.account_id, member.folder_id)
    inherited = tree.node_ids(directory, lineage)
    return Place(
        directory=directory,
        member=member,
        lineage=lineage,
        contacts=await call.services.contacts.contacts_bound_to(call.account_id, [*inherited, member_id]),
        detached=await call.services.contacts.detached_contacts(call.account_id, inherited),
    )


OPERATIONS: tuple[Operation, ...] = (move_account, remove_cloud_account)
