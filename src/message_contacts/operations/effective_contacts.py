"""Who would be reached. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import MessageType
from message_contacts.delivery import routing
from message_contacts.delivery.candidates import Candidate, contact_candidates, copy_candidates, webhook_candidate
from message_contacts.delivery.ground import InEffect
from message_contacts.delivery.routing import Scope
from message_contacts.delivery.rules import Asked, Circumstances, Severity, Word, judge_standing
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call
from message_contacts.operations.own_parameters import SOURCE, VERSIONS, list_errors
from message_contacts.operations.reach_parameters import (
    FOLDER,
    INVALID_FOLDER,
    INVALID_MESSAGE_TYPE,
    INVALID_SEVERITY,
    MEMBER,
    MESSAGE_TYPE,
    REASON_FIELDS,
    SEVERITY,
    reason_fields,
)
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.operations.token_paging import MAX_RESULTS, NEXT_TOKEN, TOKEN_FIELDS, next_token

MISSING_MEMBER_OR_FOLDER = ErrorDefinition(
    400, "MissingParameter.MemberOrFolder", "You must specify either Member or Folder."
)
INVALID_MEMBER_AND_FOLDER = ErrorDefinition(
    400, "InvalidParameter.MemberAndFolder", "You can specify either Member or Folder, not both."
)

#: What stands against an address without making it any less the contact's address in force.
_IN_FORCE = frozenset(
    {Word.PASSED, Word.SUPPRESSED, Word.OPTED_OUT, Word.CHANNEL_NOT_ALLOWED, Word.COUNTRY_NOT_ALLOWED}
)
#: Contacts looked at in one step, at most: filters may leave few of them.
_MOST_AT_ONCE = 1_000


@operation(
    "ListEffectiveContacts",
    versions=VERSIONS,
    access=Access.READ,
    doc="Lists who would be reached for a member, at which addresses and through which binding; for a folder, who "
    "would be for every member that joins it.",
    source=SOURCE,
    parameters=[
        replace(MEMBER, doc="Member: 16 digits. Either this or Folder."),
        replace(FOLDER, doc="Folder, Root being one. Either this or Member."),
        replace(MESSAGE_TYPE, doc="Only contacts that get messages of this type."),
        SEVERITY,
        MAX_RESULTS,
        NEXT_TOKEN,
    ],
    raises=list_errors(
        MISSING_MEMBER_OR_FOLDER,
        errors.INVALID_PARAMETER_MEMBER,
        INVALID_FOLDER,
        INVALID_MEMBER_AND_FOLDER,
        INVALID_MESSAGE_TYPE,
        INVALID_SEVERITY,
        errors.ENTITY_NOT_EXISTS_MEMBER,
        errors.ENTITY_NOT_EXISTS_FOLDER,
    ),
    returns={
        **TOKEN_FIELDS,
        "EffectiveContacts": Items(
            {
                "ContactId": Field("string", "Contact; of a copy, the contact it was.", "c-qL4HqKONzOM7****"),
                "DetachedContactId": Field(
                    "string", "The copy of a deleted contact; absent when it is none.", "dc-4fXkPq9LmZ2aB7cD"
                ),
                "Name": Field("string", "Name.", "tom"),
                "MessageTypes": Items(Field("string", "Type it gets.", "SecurityMessage")),
                "Addresses": Items(
                    {
                        "Channel": Field("string", "email or sms.", "email"),
                        "Address": Field("string", "Verified address, in force.", "tom@example.com"),
                        "Outcome": Field(
                            "string", "passed: it is reached; else the word of the rule against it.", "passed"
                        ),
                    }
                ),
                **REASON_FIELDS,
            }
        ),
        "Webhooks": Items(
            {
                "WebhookId": Field(
                    "string",
                    "Webhook in effect and confirmed; all of them on the first page, none on others.",
                    "wh-4fxkpq9tmz2ab7cd",
                ),
                "Name": Field("string", "Name.", "duty chat"),
                "MessageTypes": Items(Field("string", "Type it gets.", "FaultMessage")),
                "Outcome": Field("string", "passed: it is posted to; else the word of the rule against it.", "passed"),
                **REASON_FIELDS,
            }
        ),
    },
    resources=["effectivecontact/*"],
)
async def list_effective_contacts(
    call: Call,
    *,
    member: str | None,
    folder: str | None,
    message_type: MessageType | None,
    severity: Severity | None,
    max_results: int,
    next_token: str | None,
) -> Mapping[str, Any]:
    node_id = _one_of(member, folder)
    question = Asked(message_type=message_type, severity=severity)
    entries: list[dict[str, Any]] = []
    after, looked_at = next_token, max_results + 1
    while True:
        found = await call.services.routing.in_effect(call.account_id, node_id, after=after, limit=looked_at)
        if found is None:
            raise (errors.ENTITY_NOT_EXISTS_MEMBER if member else errors.ENTITY_NOT_EXISTS_FOLDER)(node_id=node_id)
        candidates = list(_candidates(found, scope_of(found, node_id)))
        circumstances = await call.services.standing.of_candidates(call.account_id, chain.from_iterable(candidates))
        entries += _entries(candidates, question, circumstances)
        after = found.next_after
        if after is None or len(entries) > max_results:
            return {
                "EffectiveContacts": entries[:max_results],
                **_next(entries, max_results),
                "Webhooks": [] if next_token else await _webhooks(call, scope_of(found, node_id), question),
            }
        looked_at = min(2 * looked_at, _MOST_AT_ONCE)


async def _webhooks(call: Call, scope: Scope, question: Asked) -> list[dict[str, Any]]:
    """The webhooks in effect; a directory has few."""
    entries: list[dict[str, Any]] = []
    after: str | None = None
    while webhooks := await call.services.webhooks.webhook_page(call.account_id, after=after, limit=_MOST_AT_ONCE):
        for webhook in webhooks:
            candidate = webhook_candidate(webhook, routing.binding_reasons(scope, webhook.bindings, {}))
            word = judge_standing(candidate, question, call.rules.circumstances)
            if word in _IN_FORCE:
                entries.append(
                    {
                        "WebhookId": webhook.webhook_id,
                        "Name": candidate.name,
                        "MessageTypes": candidate.message_types,
                        "Outcome": word,
                        **reason_fields(candidate.reasons),
                    }
                )
        after = webhooks[-1].webhook_id
    return entries


def _next(entries: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return next_token(entries, limit, lambda entry: str(entry.get("DetachedContactId", entry["ContactId"])))


def _one_of(member: str | None, folder: str | None) -> str:
    if member is not None and folder is not None:
        raise INVALID_MEMBER_AND_FOLDER()
    node_id = member or folder
    if node_id is None:
        raise MISSING_MEMBER_OR_FOLDER()
    return node_id


def _entries(
    found: Sequence[Sequence[Candidate]], question: Asked, circumstances: Circumstances
) -> Iterator[dict[str, Any]]:
    for candidates in found:
        words = [(candidate, judge_standing(candidate, question, circumstances)) for candidate in candidates]
        in_force = [(candidate, word) for candidate, word in words if word in _IN_FORCE]
        if in_force:
            yield _entry(in_force)


def scope_of(found: InEffect, node_id: str) -> Scope:
    """The member, or what every member of the folder inherits."""
    if found.placed_at is None:
        return routing.scope_within_folder(found.inherited)
    return routing.scope_of_member(found.inherited, node_id, found.placed_at)


def _candidates(found: InEffect, scope: Scope) -> Iterator[Sequence[Candidate]]:
    for contact in found.contacts:
        yield contact_candidates(contact, routing.contact_reasons(scope, contact, {}))
    for copy in found.copies:
        yield copy_candidates(copy, routing.copy_reasons(scope, copy, {}))


def _entry(in_force: Sequence[tuple[Candidate, Word]]) -> dict[str, Any]:
    first = in_force[0][0]
    return {
        "ContactId": first.contact_id,
        **({"DetachedContactId": first.detached_id} if first.detached_id else {}),
        "Name": first.name,
        "MessageTypes": first.message_types,
        "Addresses": [
            {"Channel": candidate.channel, "Address": candidate.address.text, "Outcome": word}
            for candidate, word in in_force
            if candidate.address is not None
        ],
        **reason_fields(first.reasons),
    }


OPERATIONS: tuple[Operation, ...] = (list_effective_contacts,)
