"""Why a message reaches somebody, or not. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from message_contacts import errors
from message_contacts.contacts.model import Contact, DetachedContact, MessageType
from message_contacts.delivery import explanation, routing
from message_contacts.delivery.candidates import Candidate, contact_candidates, copy_candidates, webhook_candidate
from message_contacts.delivery.circumstances import Objection
from message_contacts.delivery.explanation import NO_SUCH_CONTACT, Explanation
from message_contacts.delivery.messages import Message, MessageState
from message_contacts.delivery.publishing import NO_MESSAGE, NO_TARGET
from message_contacts.delivery.routing import Scope
from message_contacts.delivery.rules import Asked, Severity, Word
from message_contacts.directory.model import ACCOUNT_ID
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER, is_node_id
from message_contacts.operations.explained_deliveries import as_delivered, as_it_would_be
from message_contacts.operations.explanation_fields import EXPLANATION_FIELDS, explanation_fields
from message_contacts.operations.lookups import exists
from message_contacts.operations.message_parameters import MESSAGE_ID_EXAMPLE, invalid
from message_contacts.operations.own_parameters import SOURCE, VERSIONS, missing_parameter, text
from message_contacts.operations.reach_parameters import (
    INVALID_MESSAGE_TYPE,
    INVALID_SEVERITY,
    MESSAGE_TYPE,
    SEVERITY,
)
from message_contacts.operations.registry import Access, Items, Operation, Parameter, operation
from message_contacts.webhooks.model import WEBHOOK_ID

MISSING_CONTACT_OR_ADDRESS = ErrorDefinition(
    400, "MissingParameter.ContactIdOrAddress", "You must specify either ContactId or Address."
)
INVALID_CONTACT_AND_ADDRESS = ErrorDefinition(
    400, "InvalidParameter.ContactIdAndAddress", "You can specify either ContactId or Address, not both."
)
MISSING_MESSAGE_TYPE = missing_parameter("MessageType")
MISSING_TARGET = missing_parameter("Target")
INVALID_TARGET = invalid("Target")
INVALID_MESSAGE_ID = ErrorDefinition(
    400, "InvalidParameter.MessageId", "You can specify either MessageId, or MessageType and Target."
)

#: Words of the rules that ask what people said they want.
_SAID = frozenset({Word.OPTED_OUT, Word.QUIET_HOURS})
#: Contacts or copies read in one step.
_AT_ONCE = 200


def _parse_target(text: str, _rules: Rules) -> str:
    if not is_node_id(text):
        raise INVALID_TARGET()
    return text


@operation(
    "ExplainDelivery",
    versions=VERSIONS,
    access=Access.READ,
    doc="Tells, rule by rule, why a message reaches a contact or an address, or why it does not: a message that was "
    "published, with what was decided then and what the rules say now, or one of a type about a member, a folder or "
    "the directory, as it would be now.",
    source=SOURCE,
    parameters=[
        text("MessageId", "A published message. Either this, or MessageType and Target.", MESSAGE_ID_EXAMPLE),
        MESSAGE_TYPE,
        replace(SEVERITY, doc="Severity of the message; Normal when absent."),
        Parameter(
            name="Target",
            parse=_parse_target,
            doc="Whom the message is about: directory, folder or member.",
            example="fd-ZDNPiT****",
            invalid=(INVALID_TARGET,),
        ),
        replace(
            CONTACT_ID_PARAMETER,
            doc="Contact; a deleted one only if members keep copies of it. Either this or Address.",
        ),
        text(
            "Address",
            "E-mail address, phone number, or webhook by its id. Either this or ContactId.",
            "tom@example.com",
        ),
    ],
    raises=[
        MISSING_MESSAGE_TYPE,
        MISSING_TARGET,
        MISSING_CONTACT_OR_ADDRESS,
        INVALID_MESSAGE_ID,
        INVALID_MESSAGE_TYPE,
        INVALID_SEVERITY,
        INVALID_TARGET,
        errors.INVALID_PARAMETER_CONTACT_ID,
        INVALID_CONTACT_AND_ADDRESS,
        NO_TARGET,
        NO_MESSAGE,
    ],
    returns={"Explanations": Items(EXPLANATION_FIELDS)},
    resources=["effectivecontact/*"],
    deniable_on=["contact/{ContactId}", "message/{MessageId}"],
)
async def explain_delivery(
    call: Call,
    *,
    message_id: str | None,
    message_type: MessageType | None,
    severity: Severity | None,
    target: str | None,
    contact_id: str | None,
    address: str | None,
) -> Mapping[str, Any]:
    if contact_id is not None and address is not None:
        raise INVALID_CONTACT_AND_ADDRESS()
    if contact_id is None and address is None:
        raise MISSING_CONTACT_OR_ADDRESS()
    if message_id is None:
        message = await _hypothetical(call, message_type, severity, target)
    elif (message_type, severity, target) == (None, None, None):
        message = await _published(call, message_id)
    else:
        raise INVALID_MESSAGE_ID()
    question = Asked(message_type=message.message_type, severity=message.severity)
    found = await _explanations(call, question, message.targets, contact_id=contact_id, address=address)
    is_made = message_id is not None and message.state is not MessageState.EXPANDING
    decided = as_delivered if is_made else as_it_would_be
    return {
        "Explanations": [
            explanation_fields(entry, await _objections(call, question, entry), is_made=is_made)
            for entry in await decided(call, message, found, address)
        ]
    }


async def _hypothetical(
    call: Call, message_type: MessageType | None, severity: Severity | None, target: str | None
) -> Message:
    if message_type is None:
        raise MISSING_MESSAGE_TYPE()
    if target is None:
        raise MISSING_TARGET()
    if not await exists(call, target):
        raise NO_TARGET(target=target)
    return Message(
        account_id=call.account_id,
        message_id=call.ids.message(call.now),
        message_type=message_type,
        severity=severity or Severity.NORMAL,
        subject="",
        text="",
        html=None,
        markdown=None,
        targets=(target,),
        client_token=None,
        content_digest=b"",
        state=MessageState.EXPANDING,
        published_at=call.now,
        expires_at=None,
        published_by="",
    )


async def _published(call: Call, message_id: str) -> Message:
    message = await call.services.messages.message(call.account_id, message_id)
    if message is None:
        raise NO_MESSAGE()
    return message


async def _explanations(
    call: Call, question: Asked, targets: Sequence[str], *, contact_id: str | None, address: str | None
) -> Sequence[Explanation]:
    """Why a message about these targets reaches a contact, or an address, or not.

    It looks at all contacts and copies of the tenant, to find those that share an address.

    Args:
        contact_id, address: One of the two.
    """
    scope = await _scope(call, targets)
    if address is not None and WEBHOOK_ID.fullmatch(address):
        return await _of_webhook(call, question, scope, address)
    search = _Search(contact_id, address.lower() if address else None)
    async for records in _all_records(call):
        placed = await call.services.routing.placed(
            call.account_id,
            [node_id for node_id in explanation.member_ids(records) if ACCOUNT_ID.fullmatch(node_id)],
        )
        for record in records:
            search.look_at(record, scope, placed)
    circumstances = await call.services.standing.of_tenant(call.account_id)
    found = explanation.explain(search.found, search.others(), question, circumstances)
    return found or [NO_SUCH_CONTACT]


async def _of_webhook(call: Call, question: Asked, scope: Scope, webhook_id: str) -> Sequence[Explanation]:
    webhook = await call.services.webhooks.webhook(call.account_id, webhook_id)
    if webhook is None:
        return [NO_SUCH_CONTACT]
    members = [tie.node_id for tie in webhook.bindings if ACCOUNT_ID.fullmatch(tie.node_id)]
    placed = await call.services.routing.placed(call.account_id, members)
    candidate = webhook_candidate(webhook, routing.binding_reasons(scope, webhook.bindings, placed))
    return explanation.explain([candidate], [], question, call.rules.circumstances)


@dataclass(slots=True)
class _Search:
    """Collects what an explanation is about, and all that shares addresses with something."""

    contact_id: str | None
    address_key: str | None
    found: list[Candidate] = field(default_factory=list)
    _in_effect: list[Candidate] = field(default_factory=list)

    def look_at(self, record: Contact | DetachedContact, scope: Scope, placed: Mapping[str, routing.Placed]) -> None:
        """Take a contact or copy into account."""
        if isinstance(record, Contact):
            candidates = contact_candidates(record, routing.contact_reasons(scope, record, placed))
            wanted = [*candidates, *explanation.waiting_candidates(record, candidates)]
        else:
            candidates = wanted = copy_candidates(record, routing.copy_reasons(scope, record, placed))
        self._in_effect += [one for one in candidates if one.reasons and one.address is not None]
        if self.contact_id is not None:
            if record.contact_id == self.contact_id:
                self.found += candidates
        else:
            self.found += [one for one in wanted if one.address is not None and one.address.key == self.address_key]

    def others(self) -> list[Candidate]:
        """Those that are in effect at an address that the explanation is about."""
        keys = {one.address.key for one in self.found if one.address is not None}
        return [one for one in self._in_effect if one.address is not None and one.address.key in keys]


async def _scope(call: Call, targets: Sequence[str]) -> Scope:
    tree = await call.services.routing.folder_tree(call.account_id)
    if tree is None:
        raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY(account_id=call.account_id)
    members = [target for target in targets if ACCOUNT_ID.fullmatch(target)]
    return routing.scope_of_targets(tree, targets, await call.services.routing.placed(call.account_id, members))


async def _all_records(call: Call) -> AsyncIterator[Sequence[Contact | DetachedContact]]:
    """All contacts of the tenant, then all copies, some at a time."""
    after: str | None = None
    while contacts := await call.services.routing.contacts_after(call.account_id, after, limit=_AT_ONCE):
        yield contacts
        after = contacts[-1].contact_id
    after = None
    while copies := await call.services.contacts.detached_page(call.account_id, after=after, limit=_AT_ONCE):
        yield copies
        after = copies[-1].detached_id


async def _objections(call: Call, question: Asked, entry: Explanation) -> Sequence[Objection]:
    """Through whom the address does not get it, or not now; asked for only where that is what stands against it."""
    words = {finding.word for finding in entry.findings}
    if entry.candidate is None or question.message_type is None or words.isdisjoint(_SAID):
        return []
    return await call.services.standing.objections(call.account_id, entry.candidate, question.message_type)


OPERATIONS: tuple[Operation, ...] = (explain_delivery,)
