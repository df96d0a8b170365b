"""A member: who is reached for it, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.directory_nodes import (
    Node,
    bound_to,
    existing_directory,
    member_named,
    place_of,
)
from message_contacts.console.site.message_words import TYPES, spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Attempt, Visit
from message_contacts.console.site.words import mark
from message_contacts.errors import ApiError

#: What the rules that decide about an address are called.
RULES: Mapping[str, str] = {
    "exists": mark("There is such a contact"),
    "in-effect": mark("Bound to the member, or to something above it"),
    "not-being-deleted": mark("Not being deleted"),
    "subscribed": mark("Gets messages of this type"),
    "has-address": mark("Has an address on this channel"),
    "address-in-force": mark("The address was confirmed"),
    "not-suppressed": mark("The address is not suspended"),
    "not-opted-out": mark("Its owner has not said no to this type"),
    "channel-allowed": mark("The channel is open to this severity"),
    "country-allowed": mark("Text messages go to this country"),
    "not-quiet": mark("No quiet hours now"),
}
#: What is told beyond the rules of a message that might be published.
BEYOND_RULES: Mapping[str, str] = {
    "route": mark("It goes out another way"),
    "within-daily-limit": mark("The text messages of the day are not used up"),
}
#: Contacts shown for each type of message.
_MOST_OF_TYPE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeReach:
    """Who gets messages of one type about a member."""

    message_type: str
    contacts: Sequence[Mapping[str, Any]]
    #: How many of them are reached at one address or more; webhooks are nobody.
    reached: int
    has_more: bool


async def show_member(visit: Visit) -> Response:
    """Who is reached for a member, type by type, and through what."""
    directory = await existing_directory(visit)
    member = await member_named(visit, visit.path["member_id"])
    place = await place_of(visit, directory, member["AccountId"])
    here = Node(node_id=member["AccountId"], kind="member", name=member["DisplayName"])
    reach, webhooks, refusal = await _who_is_reached(visit, here.node_id)
    own, *above = await bound_to(visit, [here, *place.inherited(visit)])
    names = {node.node_id: node.name for node in [*place.inherited(visit), here]}
    return visit.page(
        "directory/member.html",
        title=member["DisplayName"],
        member=member,
        spot=here,
        above=place.above,
        reach=reach,
        refusal=refusal,
        covered=sum(each.reached > 0 for each in reach),
        own=own,
        inherited=above,
        webhooks=webhooks,
        names=names,
        **spoken(visit),
    )


async def _who_is_reached(
    visit: Visit, member_id: str
) -> tuple[list[TypeReach], Sequence[Mapping[str, Any]], ApiError | None]:
    """Who is reached type by type, webhooks, and what stands against telling."""
    everybody = await visit.attempt("ListEffectiveContacts", {"Member": member_id, "MaxResults": 100})
    if everybody.fields is None:
        return [], [], everybody.refusal
    # Whether an address is reached may differ from type to type; but of types that nobody has, nothing is to be asked.
    has_more = "NextToken" in everybody.fields
    types = {kind for contact in everybody.fields["EffectiveContacts"] for kind in contact["MessageTypes"]}
    asked = [message_type for message_type in TYPES if has_more or message_type in types]
    attempts = await asyncio.gather(*(_effective(visit, member_id, message_type) for message_type in asked))
    answers = dict(zip(asked, attempts, strict=True))
    reach = []
    for message_type in TYPES:
        answer = answers.get(message_type)
        if answer is not None and answer.refusal is not None:
            return [], [], answer.refusal
        reach.append(_reach(message_type, {"EffectiveContacts": []} if answer is None else answer.fields or {}))
    return reach, everybody.fields["Webhooks"], None


async def _effective(visit: Visit, member_id: str, message_type: str) -> Attempt:
    asked = {"Member": member_id, "MessageType": message_type, "MaxResults": _MOST_OF_TYPE}
    return await visit.attempt("ListEffectiveContacts", asked)


def _reach(message_type: str, answer: Mapping[str, Any]) -> TypeReach:
    contacts = answer["EffectiveContacts"]
    return TypeReach(
        message_type=message_type,
        contacts=contacts,
        reached=sum(any(address["Outcome"] == "passed" for address in contact["Addresses"]) for contact in contacts),
        has_more="NextToken" in answer,
    )


async def explain(visit: Visit) -> Response:
    """Why a message of a type would reach somebody for a member, or why not: rule by rule."""
    directory = await existing_directory(visit)
    member = await member_named(visit, visit.path["member_id"])
    place = await place_of(visit, directory, member["AccountId"])
    asked = visit.query.text("who")
    message_type = visit.query.text("type", "SecurityMessage")
    severity = visit.query.text("severity", "Normal")
    attempt = Attempt(None, None)
    if asked:
        who = {"ContactId": asked} if asked.startswith("c-") else {"Address": asked}
        given = {"MessageType": message_type, "Severity": severity, "Target": member["AccountId"], **who}
        attempt = await visit.attempt("ExplainDelivery", given)
    names = {node.node_id: node.name for node in place.inherited(visit)}
    return visit.page(
        "directory/explain.html",
        title=visit._("Why, or why not"),
        member=member,
        above=place.above,
        asked=asked,
        message_type=message_type,
        severity=severity,
        explanations=None if attempt.fields is None else attempt.fields["Explanations"],
        refusal=attempt.refusal,
        names={**names, member["AccountId"]: member["DisplayName"]},
        rule_names={rule: visit._(name) for rule, name in (*RULES.items(), *BEYOND_RULES.items())},
        **spoken(visit),
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/directory/members/{member_id}", show_member),
    Route("GET", "/directory/members/{member_id}/explain", explain),
)
