"""Parameters and answer fields that several contact operations share, each once.

Source: contract/operations.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import (
    CONTACT_ID,
    Binding,
    Contact,
    ContactName,
    EmailAddress,
    MessageType,
    PhoneNumber,
    Status,
    Title,
)
from message_contacts.directory.model import ACCOUNT_ID, DIRECTORY_ID, FOLDER_ID
from message_contacts.errors import ApiError
from message_contacts.operations.call import Rules
from message_contacts.operations.dates import contact_date
from message_contacts.operations.registry import Field, Items, Kind, Parameter, Shape

#: Objects that one call may bind or unbind.
MAX_MEMBERS_PER_CALL = 5
CONTACT = "messagecontact/{ContactId}"
ANY_CONTACT = "messagecontact/*"

_TITLES = {title.value: title for title in Title}
_MESSAGE_TYPES = {each.value: each for each in MessageType}


def parse_contact_id(text: str, _rules: Rules) -> str:
    """A well-formed contact id. Raises: INVALID_PARAMETER_CONTACT_ID."""
    if not CONTACT_ID.fullmatch(text):
        raise errors.INVALID_PARAMETER_CONTACT_ID()
    return text


def is_node_id(text: str) -> bool:
    """Whether it has the form of a directory, folder or member id."""
    return any(form.fullmatch(text) for form in (DIRECTORY_ID, FOLDER_ID, ACCOUNT_ID))


def _parse_pending_email(text: str, _rules: Rules) -> EmailAddress:
    """An address that a contact may wait for; the operations that name one list no code for its length."""
    try:
        return EmailAddress.parse(text)
    except ApiError as refusal:
        raise errors.INVALID_PARAMETER_EMAIL_ADDRESS(reason=refusal.definition.code) from None


def _parse_title(text: str, _rules: Rules) -> Title:
    title = _TITLES.get(text)
    if title is None:
        raise errors.INVALID_PARAMETER_TITLE()
    return title


def _parse_message_types(texts: list[str], _rules: Rules) -> tuple[MessageType, ...]:
    try:
        types = tuple([_MESSAGE_TYPES[text] for text in texts])
    except KeyError:
        raise errors.INVALID_PARAMETER_MESSAGE_TYPES() from None
    if len(set(texts)) < len(texts):
        raise errors.INVALID_PARAMETER_MESSAGE_TYPES(reason="duplicate")
    return types


def _parse_member(text: str, _rules: Rules) -> str:
    if not is_node_id(text):
        raise errors.INVALID_PARAMETER_MEMBER()
    return text


def _parse_members(texts: list[str], _rules: Rules) -> list[str]:
    if not all(is_node_id(text) for text in texts):
        raise errors.INVALID_PARAMETER_MEMBERS()
    if len(set(texts)) < len(texts):
        raise errors.INVALID_PARAMETER_MEMBERS_DUPLICATE()
    return texts


def _parse_members_to_bind(texts: list[str], rules: Rules) -> list[str]:
    members = _parse_members(texts, rules)
    if len(members) > MAX_MEMBERS_PER_CALL:
        raise errors.INVALID_PARAMETER_MEMBERS(count=len(members))  # this operation lists no code for the length
    return members


def _parse_members_to_unbind(texts: list[str], rules: Rules) -> list[str]:
    members = _parse_members(texts, rules)
    if len(members) > MAX_MEMBERS_PER_CALL:
        raise errors.INVALID_PARAMETER_MEMBERS_LENGTH(count=len(members))
    return members


CONTACT_ID_PARAMETER = Parameter(
    name="ContactId",
    parse=parse_contact_id,
    doc="Contact.",
    example="c-qL4HqKONzOM7****",
    missing=errors.MISSING_PARAMETER_CONTACT_ID,
    invalid=(errors.INVALID_PARAMETER_CONTACT_ID,),
)
NAME = Parameter(
    name="Name",
    parse=lambda text, _rules: ContactName.parse(text),
    doc="Name of the contact: 2 to 12 English letters or Chinese characters, unique in the directory.",
    example="tom",
    missing=errors.MISSING_PARAMETER_NAME,
    invalid=(errors.INVALID_PARAMETER_NAME, errors.INVALID_PARAMETER_NAME_LENGTH),
)
EMAIL_ADDRESS = Parameter(
    name="EmailAddress",
    parse=lambda text, _rules: EmailAddress.parse(text),
    doc="E-mail address; takes effect after it is verified.",
    example="someone***@example.com",
    missing=errors.MISSING_PARAMETER_EMAIL_ADDRESS,
    invalid=(errors.INVALID_PARAMETER_EMAIL_ADDRESS, errors.INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH),
)
PENDING_EMAIL_ADDRESS = Parameter(
    name="EmailAddress",
    parse=_parse_pending_email,
    doc="The e-mail address that waits for verification.",
    example="someone***@example.com",
    missing=errors.MISSING_PARAMETER_EMAIL_ADDRESS,
    invalid=(errors.INVALID_PARAMETER_EMAIL_ADDRESS,),
)
PHONE_NUMBER = Parameter(
    name="PhoneNumber",
    parse=lambda text, rules: PhoneNumber.parse(text, rules.contacts.phone_country_codes),
    doc="Mobile number, `<country code>-<number>`; takes effect after it is verified.",
    example="86-139****1234",
    missing=errors.MISSING_PARAMETER_PHONE_NUMBER,
    invalid=(errors.INVALID_PARAMETER_PHONE_NUMBER, errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE),
)
TITLE = Parameter(
    name="Title",
    parse=_parse_title,
    doc="Job title.",
    example="TechnicalDirector",
    choices=tuple(Title),
    missing=errors.MISSING_PARAMETER_TITLE,
    invalid=(errors.INVALID_PARAMETER_TITLE,),
)
MESSAGE_TYPES = Parameter(
    name="MessageTypes",
    kind=Kind.TEXTS,
    parse=_parse_message_types,
    doc="Types of messages the contact gets, without duplicates; the order is kept.",
    example=["AccountExpenses"],
    choices=tuple(MessageType),
    missing=errors.MISSING_PARAMETER_MESSAGE_TYPES,
    invalid=(errors.INVALID_PARAMETER_MESSAGE_TYPES,),
)
MEMBER = Parameter(
    name="Member",
    parse=_parse_member,
    doc="Only contacts bound directly to this directory, folder or member.",
    example="fd-ZDNPiT****",
    invalid=(errors.INVALID_PARAMETER_MEMBER,),
)
MEMBERS_TO_BIND = Parameter(
    name="Members",
    kind=Kind.TEXTS,
    parse=_parse_members_to_bind,
    doc="Directory, folders or members: at most five.",
    example=["fd-ZDNPiT****"],
    required=True,
    missing=errors.INVALID_PARAMETER_MEMBERS,  # no Missing code is listed
    invalid=(errors.INVALID_PARAMETER_MEMBERS, errors.INVALID_PARAMETER_MEMBERS_DUPLICATE),
)
MEMBERS_TO_UNBIND = Parameter(
    name="Members",
    kind=Kind.TEXTS,
    parse=_parse_members_to_unbind,
    doc="Directory, folders or members: at most five.",
    example=["fd-ZDNPiT****"],
    required=True,
    missing=errors.INVALID_PARAMETER_MEMBERS,
    invalid=(
        errors.INVALID_PARAMETER_MEMBERS,
        errors.INVALID_PARAMETER_MEMBERS_DUPLICATE,
        errors.INVALID_PARAMETER_MEMBERS_LENGTH,
    ),
)

CONTACT_FIELDS: Mapping[str, Shape] = {
    "ContactId": Field("string", "Contact.", "c-qL4HqKONzOM7****"),
    "Name": Field("string", "Name.", "tom"),
    "EmailAddress": Field("string", "E-mail address shown; in force once verified.", "someone***@example.com"),
    "PhoneNumber": Field("string", "Mobile number shown; empty when there is none.", "86-139****1234"),
    "Title": Field("string", "Job title.", "TechnicalDirector"),
    "MessageTypes": Items(Field("string", "Type, in the order set.", "AccountExpenses")),
    "Members": Items(Field("string", "Object the contact is bound to directly, oldest first.", "fd-ZDNPiT****")),
    "Status": Field("string", f"One of {', '.join(Status)}.", "Active"),
    "CreateDate": Field("string", "yyyy-MM-dd HH:mm:ss, UTC+8 unless set otherwise.", "2023-03-27 17:19:21"),
}


def contact_fields(contact: Contact, rules: Rules) -> dict[str, Any]:
    """A contact as Get and List show it."""
    return {
        "ContactId": contact.contact_id,
        "Name": contact.name.text,
        "EmailAddress": contact.email.shown.text if contact.email.shown else "",
        "PhoneNumber": contact.phone.shown.text if contact.phone.shown else "",
        "Title": contact.title,
        "MessageTypes": contact.message_types,
        "Members": [binding.node_id for binding in contact.bindings],
        "Status": contact.status(rules.contacts),
        "CreateDate": contact_date(contact.created_at, rules.contact_dates),
    }


def binding_fields(contact_id: str, binding: Binding, rules: Rules) -> dict[str, str]:
    """A binding as AssociateMembers and DisassociateMembers show it."""
    return {
        "ContactId": contact_id,
        "MemberId": binding.node_id,
        "ModifyDate": contact_date(binding.bound_at, rules.contact_dates),
    }
