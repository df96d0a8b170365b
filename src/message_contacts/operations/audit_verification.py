"""Whether anybody has changed the audit trail afterwards. Ours, version 2026-11-01."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from message_contacts.audit import checking
from message_contacts.audit.checking import LOOKED_AT, Place
from message_contacts.audit.retention import due_before
from message_contacts.audit.verifying import Head
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.own_parameters import VERSIONS
from message_contacts.operations.registry import Access, Field, Items, Kind, Operation, Parameter, Shape, operation
from message_contacts.operations.token_paging import INVALID_NEXT_TOKEN, NEXT_TOKEN, TOKEN_FIELDS, decoded, encoded

INVALID_HEADS = ErrorDefinition(400, "InvalidParameter.Heads", "The Heads are invalid.")

_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9A-Fa-f]{64})")
#: Heads that one call compares, at most.
_MOST_HEADS = 100
_HEAD_FIELDS: Mapping[str, Shape] = {
    "Sequence": Field("integer", "Its place in the chain; 0 when there is no event.", 6093),
    "Hash": Field("string", "SHA-256 that seals it and all before it, in hexadecimal.", "9d1be0f3..."),
}


def _parse_heads(texts: Sequence[str], _rules: Rules) -> Sequence[Head]:
    found = [_HEAD.fullmatch(text) for text in texts]
    if len(found) > _MOST_HEADS:
        raise INVALID_HEADS()
    heads = [Head(int(match[1]), match[2].lower()) for match in found if match is not None]
    if len(heads) < len(found):
        raise INVALID_HEADS()
    return heads


def _parse_place(text: str, _rules: Rules) -> Place:
    try:
        return Place.parse(decoded(text))
    except ValueError:
        raise INVALID_NEXT_TOKEN() from None


@operation(
    "VerifyAuditTrail",
    versions=VERSIONS,
    access=Access.READ,
    doc="Goes along the chain of audit events, then through all personal parts, and tells where something was changed, "
    f"taken away or put in. Looks at {LOOKED_AT:,} of them for an answer; `NextToken` goes on. Counts and breaks are "
    "of this part only: the trail is unbroken when every part is.",
    source="Ours, 2026-11-22",
    parameters=[
        Parameter(
            name="Heads",
            kind=Kind.TEXTS,
            parse=_parse_heads,
            doc="Heads of the chain that were noted elsewhere, `<sequence>:<hash>`: the chain must go through them. "
            "The same for every part.",
            example=["6093:9d1be0f36f1d3c5e8a8d6a55b7e8c1d0a4f2b3c6d7e8f90123456789abcdef01"],
            default=(),
            invalid=(INVALID_HEADS,),
        ),
        replace(NEXT_TOKEN, parse=_parse_place, doc="Token of the part wanted, from the part before."),
    ],
    raises=[INVALID_HEADS, INVALID_NEXT_TOKEN],
    returns={
        **TOKEN_FIELDS,
        "Unbroken": Field("boolean", "Whether nothing in this part shows a change.", example=True),
        "Breaks": Items(Field("string", "What was changed, as a sentence; the first 20.", "missing: sequence 41")),
        "Events": Field("integer", "Sealed events looked at.", 1000),
        "Unsealed": Field("integer", "Events that wait to be sealed: nothing proves anything about them yet.", 1),
        "ErasedPersonalParts": Field(
            "integer", "Personal parts that are gone since their persons were erased or their time was up.", 0
        ),
        "PrunedSequence": Field("integer", "Sequence of the last event that retention took away; 0 for none.", 880),
        "Head": _HEAD_FIELDS,
        "EndSequence": Field("integer", "Sequence of the last event there was when the first part began.", 6093),
    },
    resources=["auditevent/*"],
    needs_directory=False,
)
async def verify_audit_trail(call: Call, *, heads: Sequence[Head], next_token: Place | None) -> Mapping[str, Any]:
    due = due_before(call.now, call.services.rules.audit_kept)
    part = await checking.check(call.services.audit, call.account_id, next_token, heads, due)
    verdict = part.verdict
    more = {} if part.is_last else {"NextToken": encoded(part.place.written)}
    return {
        "Unbroken": verdict.unbroken,
        "Breaks": verdict.breaks,
        "Events": verdict.events,
        "Unsealed": verdict.unsealed,
        "ErasedPersonalParts": verdict.erased,
        "PrunedSequence": verdict.pruned,
        "Head": {"Sequence": verdict.head.sequence, "Hash": verdict.head.hash},
        "EndSequence": part.place.end.sequence,
        **more,
    }


OPERATIONS: tuple[Operation, ...] = (verify_audit_trail,)
