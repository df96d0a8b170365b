"""What a change would leave members without, before it is made. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from message_contacts import errors
from message_contacts.changes import Change, Decision
from message_contacts.contacts import bindings, deletion, detachment, lifecycle
from message_contacts.contacts.lifecycle import ContactUpdate
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.coverage import TYPES, Coverage, Loss, changed, losses
from message_contacts.delivery.ground import Ground
from message_contacts.delivery.rules import Circumstances
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER, MEMBERS_TO_UNBIND, MESSAGE_TYPES
from message_contacts.operations.copies import NO_DETACHED_CONTACT
from message_contacts.operations.coverage import existing_ground
from message_contacts.operations.deletions import RETAIN_CONTACT_IN_MEMBERS
from message_contacts.operations.directory_parameters import ACCOUNT_ID_PARAMETER, DESTINATION_FOLDER_ID
from message_contacts.operations.lookups import existing
from message_contacts.operations.member_deletions import belongings_of
from message_contacts.operations.member_moves import place_of
from message_contacts.operations.own_parameters import (
    SOURCE,
    VERSIONS,
    deleted,
    list_errors,
    missing_parameter,
    text,
)
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS, next_token
from message_contacts.operations.values import parse_boolean

MISSING_CHANGE = missing_parameter("Change")
INVALID_CHANGE = ErrorDefinition(400, "InvalidParameter.Change", "The Change is invalid.")
INVALID_DRY_RUN = ErrorDefinition(
    400,
    "InvalidParameter.DryRun",
    "PreviewChange changes nothing, so DryRun can only be true. Make the change with the operation it previews.",
)


class PreviewedChange(StrEnum):
    """A change that may leave members without contacts."""

    DELETE_CONTACT = "DeleteContact"
    UNBIND = "Unbind"
    CHANGE_TYPES = "ChangeTypes"
    MOVE_MEMBER = "MoveMember"
    REMOVE_MEMBER = "RemoveMember"
    DELETE_MEMBER = "DeleteMember"
    DELETE_COPY = "DeleteCopy"


Values = Mapping[str, Any]


async def _delete_contact(call: Call, values: Values) -> Decision[Any]:
    contact = await call.services.contacts.contact(call.account_id, values["contact_id"])
    return deletion.delete(
        contact, call.directory, retain=values["retain_contact_in_members"], now=call.now, ids=call.ids
    )


async def _unbind(call: Call, values: Values) -> Decision[Any]:
    contact = await call.services.contacts.contact(call.account_id, values["contact_id"])
    node_ids = values["members"]
    return bindings.disassociate(contact, node_ids, await existing(call, node_ids), call.now)


async def _change_types(call: Call, values: Values) -> Decision[Any]:
    contact = await call.services.contacts.contact(call.account_id, values["contact_id"])
    return lifecycle.update(contact, ContactUpdate(message_types=values["message_types"]), call.rules.contacts)


async def _move_member(call: Call, values: Values) -> Decision[Any]:
    place = await place_of(call, values["account_id"])
    folder = await call.services.directory.folder(call.account_id, values["destination_folder_id"])
    return detachment.move_member(place, folder, now=call.now)


async def _remove_member(call: Call, values: Values) -> Decision[Any]:
    return detachment.remove_member(await place_of(call, values["account_id"]), now=call.now, ids=call.ids)


async def _delete_member(call: Call, values: Values) -> Decision[Any]:
    return detachment.delete_member(await belongings_of(call, values["account_id"]), now=call.now)


async def _delete_copy(call: Call, values: Values) -> Decision[Any]:
    copy = await call.services.contacts.detached_contact(call.account_id, values["detached_contact_id"])
    return deleted(copy, NO_DETACHED_CONTACT)


_CONTACT_ID = replace(CONTACT_ID_PARAMETER, doc="DeleteContact, Unbind, ChangeTypes: the contact.")
_MEMBERS = replace(
    MEMBERS_TO_UNBIND, doc="Unbind: directory, folders or members, at most five.", required=False, missing=None
)
_TYPES = replace(MESSAGE_TYPES, doc="ChangeTypes: the types the contact would get instead.")
_ACCOUNT_ID = replace(ACCOUNT_ID_PARAMETER, doc="MoveMember, RemoveMember, DeleteMember: the member.")
_DESTINATION = replace(DESTINATION_FOLDER_ID, doc="MoveMember: the folder it would move to.")
_COPY_ID = text("DetachedContactId", "DeleteCopy: the copy.", "dc-4fXkPq9LmZ2aB7cD")
_RETAIN = replace(RETAIN_CONTACT_IN_MEMBERS, doc="DeleteContact: whether members would keep their copy.")


@dataclass(frozen=True, slots=True)
class _Preview:
    """One kind of change: the rule that the real operation follows, and the parameters that it needs."""

    decide: Callable[[Call, Values], Awaitable[Decision[Any]]]
    needs: Sequence[Parameter]


_PREVIEWS: Mapping[PreviewedChange, _Preview] = {
    PreviewedChange.DELETE_CONTACT: _Preview(_delete_contact, [_CONTACT_ID]),
    PreviewedChange.UNBIND: _Preview(_unbind, [_CONTACT_ID, _MEMBERS]),
    PreviewedChange.CHANGE_TYPES: _Preview(_change_types, [_CONTACT_ID, _TYPES]),
    PreviewedChange.MOVE_MEMBER: _Preview(_move_member, [_ACCOUNT_ID, _DESTINATION]),
    PreviewedChange.REMOVE_MEMBER: _Preview(_remove_member, [_ACCOUNT_ID]),
    PreviewedChange.DELETE_MEMBER: _Preview(_delete_member, [_ACCOUNT_ID]),
    PreviewedChange.DELETE_COPY: _Preview(_delete_copy, [_COPY_ID]),
}


def _parse_change(text: str, _rules: Rules) -> PreviewedChange:
    try:
        return PreviewedChange(text)
    except ValueError:
        raise INVALID_CHANGE() from None


def _parse_dry_run(text: str, rules: Rules) -> bool:
    try:
        dry_run = parse_boolean(text, rules)
    except ValueError:
        dry_run = False
    if not dry_run:
        raise INVALID_DRY_RUN()
    return dry_run


@operation(
    "PreviewChange",
    versions=VERSIONS,
    access=Access.READ,
    doc="Tells which members a change would leave with nobody for which types. It decides as the real operation does, "
    "fails as that would, and changes nothing.",
    source=SOURCE,
    parameters=[
        Parameter(
            name="Change",
            parse=_parse_change,
            doc="The change, whose other parameters are those of the operation it previews: DeleteContact of "
            "DeleteMessageContact, Unbind of DisassociateMembers, ChangeTypes of UpdateMessageContact, MoveMember of "
            "MoveAccount, RemoveMember of RemoveCloudAccount, DeleteMember of DeleteAccount, DeleteCopy of "
            "DeleteDetachedContact.",
            example="Unbind",
            choices=tuple(PreviewedChange),
            required=True,
            missing=MISSING_CHANGE,
            invalid=(INVALID_CHANGE,),
        ),
        Parameter(
            name="DryRun",
            kind=Kind.BOOLEAN,
            parse=_parse_dry_run,
            doc="Only true, which it is when absent: a preview changes nothing.",
            example="true",
            default=True,
            invalid=(INVALID_DRY_RUN,),
        ),
        _CONTACT_ID,
        _RETAIN,
        _MEMBERS,
        _TYPES,
        _ACCOUNT_ID,
        _DESTINATION,
        _COPY_ID,
        MAX_RESULTS,
        NEXT_TOKEN,
    ],
    raises=list_errors(
        MISSING_CHANGE,
        INVALID_CHANGE,
        INVALID_DRY_RUN,
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        missing_parameter("Members"),
        errors.INVALID_PARAMETER_MEMBERS,
        errors.INVALID_PARAMETER_MEMBERS_DUPLICATE,
        errors.INVALID_PARAMETER_MEMBERS_LENGTH,
        errors.MISSING_PARAMETER_MESSAGE_TYPES,
        errors.INVALID_PARAMETER_MESSAGE_TYPES,
        errors.MISSING_PARAMETER_ACCOUNT_ID,
        errors.INVALID_PARAMETER_ACCOUNT_ID,
        errors.MISSING_PARAMETER_DESTINATION_FOLDER_ID,
        errors.INVALID_PARAMETER_DESTINATION_FOLDER_ID,
        missing_parameter("DetachedContactId"),
        errors.INVALID_MEMBER,
        errors.CONTACT_STATUS_MISMATCH_ACTION,
        errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH,
        errors.ENTITY_NOT_EXISTS_CONTACT,
        errors.ENTITY_NOT_EXISTS_ACCOUNT,
        errors.ENTITY_NOT_EXISTS_FOLDER,
        NO_DETACHED_CONTACT,
    ),
    returns={
        **TOKEN_FIELDS,
        "Summary": {
            "MembersLeftWithout": Field("integer", "Members with nobody left for some type, on all pages.", 2),
            "MessageTypes": Items(
                {
                    "MessageType": Field("string", "Type that somebody would be left without.", "SecurityMessage"),
                    "MembersLeftWithout": Field("integer", "Members with nobody left for it.", 2),
                }
            ),
        },
        "Members": Items(
            {
                "MemberId": Field("string", "Member.", "181761095690****"),
                "DisplayName": Field("string", "Name it is shown under.", "Dev"),
                "MessageTypes": Items(
                    Field("string", "Type for which it has somebody now, and would have nobody.", "SecurityMessage")
                ),
            }
        ),
    },
    resources=["coverage/*"],
    deniable_on=["contact/{ContactId}", "detachedcontact/{DetachedContactId}"],
)
async def preview_change(
    call: Call, *, change: PreviewedChange, dry_run: bool, max_results: int, next_token: str | None, **values: Any
) -> Mapping[str, Any]:
    preview = _PREVIEWS[change]
    for parameter in preview.needs:
        if values[parameter.keyword] is None:
            raise (parameter.missing or missing_parameter(parameter.name))()
    decision = await preview.decide(call, values)
    ground = await existing_ground(call)
    circumstances = await call.services.standing.of_tenant(call.account_id)
    found = await asyncio.to_thread(_losses, ground, decision.changes, circumstances)
    page = [loss for loss in found if next_token is None or loss.member_id > next_token][: max_results + 1]
    names = await call.services.routing.display_names(call.account_id, [loss.member_id for loss in page])
    return {
        "Summary": {
            "MembersLeftWithout": len(found),
            "MessageTypes": [
                {"MessageType": message_type, "MembersLeftWithout": members}
                for message_type in TYPES
                if (members := _left_without(found, message_type))
            ],
        },
        "Members": [
            {
                "MemberId": loss.member_id,
                "DisplayName": names.get(loss.member_id, ""),
                "MessageTypes": loss.message_types,
            }
            for loss in page[:max_results]
        ],
        **_next(page, max_results),
    }


def _next(page: Sequence[Loss], limit: int) -> dict[str, Any]:
    return next_token(page, limit, lambda loss: loss.member_id)


def _losses(ground: Ground, changes: Sequence[Change], circumstances: Circumstances) -> list[Loss]:
    return losses(Coverage(ground, circumstances), Coverage(changed(ground, changes), circumstances))


def _left_without(found: Sequence[Loss], message_type: MessageType) -> int:
    return sum(message_type in loss.message_types for loss in found)


OPERATIONS: tuple[Operation, ...] = (preview_change,)
