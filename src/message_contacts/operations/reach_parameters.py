"""What the operations about who is reached have in common. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from message_contacts import errors
from message_contacts.delivery.candidates import Reason
from message_contacts.directory.model import ACCOUNT_ID, FOLDER_ID
from message_contacts.operations import message_parameters
from message_contacts.operations.call import Rules
from message_contacts.operations.message_parameters import invalid
from message_contacts.operations.registry import Field, Items, Parameter, Shape

INVALID_FOLDER = invalid("Folder")
INVALID_MESSAGE_TYPE = invalid("MessageType")
INVALID_SEVERITY = invalid("Severity")


def _parse_member(text: str, _rules: Rules) -> str:
    if not ACCOUNT_ID.fullmatch(text):
        raise errors.INVALID_PARAMETER_MEMBER()
    return text


def _parse_folder(text: str, _rules: Rules) -> str:
    if not FOLDER_ID.fullmatch(text):
        raise INVALID_FOLDER()
    return text


MESSAGE_TYPE = replace(message_parameters.MESSAGE_TYPE, doc="Type of the message.", required=False)
SEVERITY = replace(
    message_parameters.SEVERITY,
    doc="Severity of the message: unless set otherwise, only critical ones go out as text messages. "
    "Without it, a channel counts that is open to messages of any severity.",
    required=False,
    default=None,
)
MEMBER = Parameter(
    name="Member",
    parse=_parse_member,
    doc="Member: 16 digits.",
    example="181761095690****",
    invalid=(errors.INVALID_PARAMETER_MEMBER,),
)
FOLDER = Parameter(
    name="Folder",
    parse=_parse_folder,
    doc="Folder; Root is one.",
    example="fd-Jyl5U7****",
    invalid=(INVALID_FOLDER,),
)

REASON_FIELDS: Mapping[str, Shape] = {
    "Reasons": Items(
        {
            "Because": Field("string", "Own, Folder, Directory, or Retained: a copy of a deleted contact.", "Folder"),
            "ObjectId": Field(
                "string", "Directory, folder or member it is bound to, or whose members keep the copy.", "fd-ZDNPiT****"
            ),
        }
    )
}


def reason_fields(reasons: Iterable[Reason]) -> dict[str, Any]:
    """Reasons as answers show them."""
    return {"Reasons": [{"Because": reason.because, "ObjectId": reason.node_id} for reason in reasons]}
