"""Looking for contacts by what is known of them. Ours, version 2026-11-01."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from message_contacts.clock import Instant
from message_contacts.contacts.model import CONTACT_ID, Channel, Contact, MessageType, Slot, Status
from message_contacts.contacts.search import ContactSearch, Order, Place, SortBy
from message_contacts.directory.model import ACCOUNT_ID, DIRECTORY_ID
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.contact_parameters import CONTACT_FIELDS, is_node_id
from message_contacts.operations.dates import utc_time
from message_contacts.operations.lookups import exists
from message_contacts.operations.message_parameters import invalid
from message_contacts.operations.own_parameters import DATE, SOURCE, VERSIONS, list_errors, text
from message_contacts.operations.reach_parameters import INVALID_MESSAGE_TYPE, MESSAGE_TYPE
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, Shape, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    decoded,
    encoded,
)
from message_contacts.operations.values import parse_boolean

#: Characters of a query: no name or address is longer.
QUERY_LENGTH = 254
#: How far matches are counted.
COUNTED_AT_MOST = 1_000

INVALID_QUERY = invalid("Query")
INVALID_STATUS = invalid("Status")
INVALID_NODE = invalid("Node")
INVALID_SORT_BY = invalid("SortBy")
NO_NODE = ErrorDefinition(404, "EntityNotExists.Node", "This Node does not exist.")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class _Page:
    """The page that a token stands for: in which order, from where, in which direction."""

    order: Order
    place: Place
    #: Those before the place instead of those behind it.
    before: bool

    def token(self) -> str:
        """As the caller gets it."""
        place = self.place
        fields = [
            self.order.sort_by,
            self.order.descending,
            self.before,
            place.status,
            place.name,
            place.created_at,
            place.contact_id,
        ]
        return encoded(orjson.dumps(fields))

    @classmethod
    def read(cls, token: str) -> _Page:
        """What `token` wrote. Raises: ValueError for anything else."""
        fields = orjson.loads(decoded(token))
        match fields:
            case [str(sort_by), bool(descending), bool(before), status, str(name), created, str(contact_id)]:
                order = Order(sort_by=SortBy(sort_by), descending=descending)
                by_name, by_status = order.sort_by is SortBy.NAME, order.sort_by is SortBy.STATUS
                if CONTACT_ID.fullmatch(contact_id) and "\x00" not in name and by_name == (created is None):
                    place = Place(
                        status=Status(status) if by_status else None,
                        name=name,
                        created_at=None if by_name else _moment(created),
                        contact_id=contact_id,
                    )
                    return cls(order, place, before)
        raise ValueError(token)


def _moment(value: object) -> Instant:
    if isinstance(value, int) and 0 <= value < 2**63:
        return Instant(value)
    raise ValueError(value)


def _parse_query(text: str, _rules: Rules) -> str:
    if len(text) > QUERY_LENGTH or _CONTROL.search(text):
        raise INVALID_QUERY()
    return text.strip()


def _parse_status(text: str, _rules: Rules) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise INVALID_STATUS() from None


def _parse_sort_by(text: str, _rules: Rules) -> SortBy:
    try:
        return SortBy(text)
    except ValueError:
        raise INVALID_SORT_BY() from None


def _parse_node(text: str, _rules: Rules) -> str:
    if not is_node_id(text):
        raise INVALID_NODE()
    return text


def _parse_page(text: str, _rules: Rules) -> _Page:
    try:
        return _Page.read(text)
    except ValueError:
        raise INVALID_NEXT_TOKEN() from None


def _boolean(name: str, doc: str, *, default: bool | None) -> Parameter:
    return Parameter(name=name, kind=Kind.BOOLEAN, parse=parse_boolean, doc=doc, example="true", default=default)


#: A contact as it is found: what Get shows, and which of its addresses are in force.
FOUND_FIELDS: Mapping[str, Shape] = {
    **{name: shape for name, shape in CONTACT_FIELDS.items() if name not in ("EmailAddress", "PhoneNumber")},
    "CreateDate": Field("string", DATE, "2026-11-21T08:15:00.000Z"),
    "EffectiveEmailAddress": Field(
        "string", "Confirmed e-mail address, which gets messages; absent when there is none.", "tom@example.com"
    ),
    "PendingEmailAddress": Field(
        "string", "E-mail address that waits for its owner to confirm it; absent when none does.", "new@example.com"
    ),
    "EffectivePhoneNumber": Field(
        "string", "Confirmed number, which gets messages; absent when there is none.", "86-13900001234"
    ),
    "PendingPhoneNumber": Field(
        "string", "Number that waits for its owner to confirm it; absent when none does.", "86-13900005678"
    ),
}


@operation(
    "SearchMessageContacts",
    versions=VERSIONS,
    access=Access.READ,
    doc="Finds contacts by a part of their name, title or address, by state, message type and binding, in the order "
    "wanted. Pages go forwards and backwards and stay in step while contacts come and go.",
    source=SOURCE,
    parameters=[
        replace(
            text(
                "Query",
                "Part of a name, title, e-mail address or phone number, pending ones included, whatever the case of "
                f"its letters: at most {QUERY_LENGTH} characters.",
                "tom@",
            ),
            parse=_parse_query,
            default="",
            invalid=(INVALID_QUERY,),
        ),
        Parameter(
            name="Status",
            parse=_parse_status,
            doc="Only contacts in this state.",
            example="Verifying",
            choices=tuple(Status),
            invalid=(INVALID_STATUS,),
        ),
        replace(MESSAGE_TYPE, doc="Only contacts that get messages of this type."),
        Parameter(
            name="Node",
            parse=_parse_node,
            doc="Only contacts bound to this directory, folder or member.",
            example="fd-ZDNPiT****",
            invalid=(INVALID_NODE,),
        ),
        _boolean("Inherited", "With Node: also those bound to something above it.", default=False),
        _boolean("Bound", "true: only contacts bound to anything; false: only those bound to nothing.", default=None),
        Parameter(
            name="SortBy",
            parse=_parse_sort_by,
            doc="Order of the list. Names are ordered whatever the case of their letters; states begin with Verifying.",
            example="Name",
            choices=tuple(SortBy),
            default=SortBy.CREATE_DATE,
            invalid=(INVALID_SORT_BY,),
        ),
        _boolean("Descending", "The same order back to front.", default=False),
        MAX_RESULTS,
        replace(
            NEXT_TOKEN,
            parse=_parse_page,
            doc="Token of the page wanted: NextToken or PreviousToken of another page of the same order.",
        ),
    ],
    raises=list_errors(INVALID_QUERY, INVALID_STATUS, INVALID_MESSAGE_TYPE, INVALID_NODE, INVALID_SORT_BY, NO_NODE),
    returns={
        "MatchCount": Field(
            "integer",
            f"Contacts on all pages; {COUNTED_AT_MOST} also when there are more.",
            2,
        ),
        **TOKEN_FIELDS,
        "PreviousToken": Field("string", "Token of the page before; absent on the first.", "Yy1xTDRIcUtPTnpPTTc"),
        "Contacts": Items(FOUND_FIELDS),
    },
    resources=["contact/*"],
)
async def search_message_contacts(
    call: Call,
    *,
    query: str,
    status: Status | None,
    message_type: MessageType | None,
    node: str | None,
    inherited: bool,
    bound: bool | None,
    sort_by: SortBy,
    descending: bool,
    max_results: int,
    next_token: _Page | None,
) -> Mapping[str, Any]:
    order = Order(sort_by=sort_by, descending=descending)
    if next_token is not None and next_token.order != order:
        raise INVALID_NEXT_TOKEN(reason="another order")
    asked = ContactSearch(
        text=query,
        status=status,
        message_type=message_type,
        node_ids=() if node is None else await _nodes(call, node, inherited=inherited),
        bound=bound,
        captured_counts=call.rules.contacts.captured_counts,
    )
    contacts, has_previous, has_next = await _page(call, asked, order, next_token, max_results)
    tokens = {}
    if has_next:
        tokens["NextToken"] = _Page(order, order.place(contacts[-1], call.rules.contacts), before=False).token()
    if has_previous:
        tokens["PreviousToken"] = _Page(order, order.place(contacts[0], call.rules.contacts), before=True).token()
    count = len(contacts)
    if has_previous or has_next:  # else all that match are here, and need not be walked through again
        count = await call.services.contacts.count_found(call.account_id, asked, most=COUNTED_AT_MOST)
    return {
        "MatchCount": count,
        **tokens,
        "Contacts": [found_fields(contact, call.rules) for contact in contacts],
    }


async def _page(
    call: Call, asked: ContactSearch, order: Order, page: _Page | None, limit: int
) -> tuple[list[Contact], bool, bool]:
    """The contacts of a page, and whether there are pages before and behind it."""
    store = call.services.contacts
    if page is not None and page.before:
        found = list(
            await store.contacts_found(call.account_id, asked, order.reversed, after=page.place, limit=limit + 1)
        )
        if len(found) > limit:
            return found[limit - 1 :: -1], True, True
        page = None  # nobody is before these: the first page, filled up
    after = page.place if page is not None else None
    found = list(await store.contacts_found(call.account_id, asked, order, after=after, limit=limit + 1))
    # What a page lies behind may be gone by now; that there is an earlier page is as good as certain.
    return found[:limit], after is not None and bool(found), len(found) > limit


async def _nodes(call: Call, node_id: str, *, inherited: bool) -> tuple[str, ...]:
    """The object, and with `inherited` all above it, from the directory down. Raises: NO_NODE."""
    if not await exists(call, node_id):
        raise NO_NODE(node_id=node_id)
    if not inherited or DIRECTORY_ID.fullmatch(node_id):
        return (node_id,)
    directories = call.services.directory
    of_member = ACCOUNT_ID.fullmatch(node_id) is not None
    folder_id = node_id
    if of_member:
        member = await directories.member(call.account_id, node_id)
        if member is None:
            raise NO_NODE(node_id=node_id)
        folder_id = member.folder_id
    lineage = await directories.lineage(call.account_id, folder_id)
    above = (call.directory.directory_id, *(folder.folder_id for folder in lineage))
    return (*above, node_id) if of_member else above


def found_fields(contact: Contact, rules: Rules) -> dict[str, Any]:
    """A contact as it is found."""
    captured = rules.contacts.captured_counts
    return {
        "ContactId": contact.contact_id,
        "Name": contact.name.text,
        "Title": contact.title,
        "MessageTypes": contact.message_types,
        "Members": [binding.node_id for binding in contact.bindings],
        "Status": contact.status(rules.contacts),
        "CreateDate": utc_time(contact.created_at),
        **_slot_fields("EmailAddress", contact.email, captured_counts=Channel.EMAIL in captured),
        **_slot_fields("PhoneNumber", contact.phone, captured_counts=Channel.SMS in captured),
    }


def _slot_fields(name: str, slot: Slot[Any], *, captured_counts: bool) -> dict[str, str]:
    pending = slot.pending(captured_counts=captured_counts)
    in_force = slot.shown if slot.in_force(captured_counts=captured_counts) else None
    return {
        **({} if in_force is None else {f"Effective{name}": in_force.text}),
        **({} if pending is None else {f"Pending{name}": pending.text}),
    }


OPERATIONS: tuple[Operation, ...] = (search_message_contacts,)
