"""For how many contacts each member counts on, and who they are. Ours, version 2026-11-01."""

from __future__ import annotations

import asyncio
import heapq
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.coverage import TYPES, Coverage, MemberCoverage
from message_contacts.delivery.ground import Ground
from message_contacts.delivery.rules import Circumstances, Severity
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.own_parameters import SOURCE, VERSIONS, list_errors
from message_contacts.operations.paging import integer_between
from message_contacts.operations.reach_parameters import (
    FOLDER,
    INVALID_FOLDER,
    INVALID_MESSAGE_TYPE,
    INVALID_SEVERITY,
    MESSAGE_TYPE,
    SEVERITY,
)
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, operation
from message_contacts.operations.token_paging import (
    INVALID_NEXT_TOKEN,
    MAX_RESULTS,
    NEXT_TOKEN,
    TOKEN_FIELDS,
    next_token,
    read_token,
)

INVALID_AT_LEAST = ErrorDefinition(400, "InvalidParameter.AtLeast", "The AtLeast is invalid.")

#: Contacts named for each member and type, at most: what matters is that there are some.
NAMED_CONTACTS = 20
_MOST_ASKED_FOR = 100
_PLACE = re.compile(r"([0-9]{1,4}):([0-9]{16})")
_number = integer_between(1, _MOST_ASKED_FOR)


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """Where a member stands in the list: the less it is covered, the earlier."""

    #: Falls with every type for which there is nobody, and a little with every one for which there are too few.
    covered: int
    member_id: str


def _parse_at_least(text: str, rules: Rules) -> int:
    try:
        return _number(text, rules)
    except ValueError:
        raise INVALID_AT_LEAST() from None


AT_LEAST = Parameter(
    name="AtLeast",
    kind=Kind.INTEGER,
    parse=_parse_at_least,
    doc=f"Contacts that each member should have for each type, 1 to {_MOST_ASKED_FOR}: who has fewer counts as below.",
    example="2",
    default=1,
    invalid=(INVALID_AT_LEAST,),
)


def _parse_place(text: str, _rules: Rules) -> _Place:
    try:
        found = _PLACE.fullmatch(read_token(text))
    except ValueError:
        found = None
    if found is None:
        raise INVALID_NEXT_TOKEN()
    return _Place(int(found[1]), found[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What was asked."""

    types: Sequence[MessageType]
    folder_id: str | None
    severity: Severity | None
    at_least: int
    after: _Place | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """One page, and the sums over all pages."""

    summary: dict[str, Any]
    members: Sequence[dict[str, Any]]
    places: Sequence[_Place]


@operation(
    "GetCoverage",
    versions=VERSIONS,
    access=Access.READ,
    doc="Tells for every member and message type how many contacts would be reached, and who; members with nobody "
    "come first.",
    source=SOURCE,
    parameters=[
        replace(MESSAGE_TYPE, doc="Only this type; all types when absent."),
        replace(FOLDER, doc="Only members in this folder and the folders in it; all members when absent."),
        SEVERITY,
        AT_LEAST,
        MAX_RESULTS,
        replace(NEXT_TOKEN, parse=_parse_place),
    ],
    raises=list_errors(
        INVALID_MESSAGE_TYPE, INVALID_FOLDER, INVALID_SEVERITY, INVALID_AT_LEAST, errors.ENTITY_NOT_EXISTS_FOLDER
    ),
    returns={
        **TOKEN_FIELDS,
        "Summary": {
            "MemberCount": Field("integer", "Members looked at, on all pages.", 200),
            "MembersBelow": Field("integer", "Those with fewer than AtLeast contacts for some type.", 3),
            "MembersWithout": Field("integer", "Those with no contact for some type.", 1),
            "MessageTypes": Items(
                {
                    "MessageType": Field("string", "Type.", "SecurityMessage"),
                    "MembersBelow": Field("integer", "Members with fewer than AtLeast contacts for it.", 3),
                    "MembersWithout": Field("integer", "Members with no contact for it.", 1),
                }
            ),
        },
        "Members": Items(
            {
                "MemberId": Field("string", "Member.", "181761095690****"),
                "DisplayName": Field("string", "Name it is shown under.", "Dev"),
                "MessageTypes": Items(
                    {
                        "MessageType": Field("string", "Type.", "SecurityMessage"),
                        "ContactCount": Field("integer", "Contacts that would be reached.", 2),
                        "Contacts": Items(
                            {
                                "ContactId": Field("string", "One of them.", "c-qL4HqKONzOM7****"),
                                "DetachedContactId": Field(
                                    "string", "The copy, if it is one of a deleted contact.", "dc-4fXkPq9LmZ2aB7cD"
                                ),
                                "Name": Field("string", "Name.", "tom"),
                            }
                        ),
                    }
                ),
            }
        ),
    },
    resources=["coverage/*"],
)
async def get_coverage(
    call: Call,
    *,
    message_type: MessageType | None,
    folder: str | None,
    severity: Severity | None,
    at_least: int,
    max_results: int,
    next_token: _Place | None,
) -> Mapping[str, Any]:
    ground = await existing_ground(call)
    if folder is not None and folder not in ground.tree.lineages:
        raise errors.ENTITY_NOT_EXISTS_FOLDER(folder_id=folder)
    question = _Question(
        types=TYPES if message_type is None else (message_type,),
        folder_id=folder,
        severity=severity,
        at_least=at_least,
        after=next_token,
        limit=max_results,
    )
    # Sums over all members: worked out beside the event loop, which has other calls to answer.
    circumstances = await call.services.standing.of_tenant(call.account_id)
    answer = await asyncio.to_thread(_answer, ground, circumstances, question)
    names = await call.services.routing.display_names(call.account_id, [entry["MemberId"] for entry in answer.members])
    return {
        "Summary": answer.summary,
        "Members": [
            {"MemberId": entry["MemberId"], "DisplayName": names.get(entry["MemberId"], ""), **entry}
            for entry in answer.members
        ],
        **_next(answer.places, max_results),
    }


async def existing_ground(call: Call) -> Ground:
    """All of the caller's directory that decides who is reached. Raises: ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY."""
    ground = await call.services.routing.ground(call.account_id)
    if ground is None:
        raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY(account_id=call.account_id)
    return ground


def _next(places: Sequence[_Place], limit: int) -> dict[str, Any]:
    return next_token(places, limit, lambda place: f"{place.covered}:{place.member_id}")


def _answer(ground: Ground, circumstances: Circumstances, question: _Question) -> _Answer:
    coverage = Coverage(ground, circumstances, question.severity)
    positions = [TYPES.index(message_type) for message_type in question.types]
    without, below = [0] * len(positions), [0] * len(positions)
    members = members_without = members_below = 0
    places: dict[_Place, MemberCoverage] = {}
    for entry in coverage.members(question.folder_id):
        members += 1
        missing = short = 0
        for index, position in enumerate(positions):
            count = entry.counts[position]
            if count < question.at_least:
                short += 1
                below[index] += 1
                if not count:
                    missing += 1
                    without[index] += 1
        members_without += bool(missing)
        members_below += bool(short)
        places[_Place(_COVERED - missing * _WITHOUT - short, entry.member_id)] = entry
    behind = places if question.after is None else (place for place in places if place > question.after)
    page = heapq.nsmallest(question.limit + 1, behind)
    return _Answer(
        summary={
            "MemberCount": members,
            "MembersBelow": members_below,
            "MembersWithout": members_without,
            "MessageTypes": [
                {"MessageType": message_type, "MembersBelow": too_few, "MembersWithout": nobody}
                for message_type, too_few, nobody in zip(question.types, below, without, strict=True)
            ],
        },
        members=[_entry(coverage, places[place], question.types) for place in page[: question.limit]],
        places=page,
    )


#: A type without anybody weighs more than all types with too few together.
_WITHOUT = len(TYPES) + 1
_COVERED = len(TYPES) * (_WITHOUT + 1)


def _entry(coverage: Coverage, entry: MemberCoverage, types: Sequence[MessageType]) -> dict[str, Any]:
    return {
        "MemberId": entry.member_id,
        "MessageTypes": [
            {
                "MessageType": message_type,
                "ContactCount": entry.counts[TYPES.index(message_type)],
                "Contacts": [
                    {
                        "ContactId": reached.contact_id,
                        **({"DetachedContactId": reached.detached_id} if reached.detached_id else {}),
                        "Name": reached.name,
                    }
                    for reached in islice(coverage.reached(entry.member_id, message_type), NAMED_CONTACTS)
                ],
            }
            for message_type in types
        ],
    }


OPERATIONS: tuple[Operation, ...] = (get_coverage,)
