"""Where messages go that would reach nobody. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.changes import Change
from message_contacts.contacts.model import Channel, EmailAddress
from message_contacts.delivery import fallback
from message_contacts.delivery.fallback import CODE_REFUSED, NO_FALLBACK
from message_contacts.delivery.messages import FallbackAddress
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import EMAIL_ADDRESS
from message_contacts.operations.dates import utc_time
from message_contacts.operations.own_parameters import DATE, SOURCE, VERSIONS, missing_parameter, needed_text
from message_contacts.operations.registry import Access, Field, Operation, operation
from message_contacts.verification.model import Block

_FIELDS = {
    "EmailAddress": Field("string", "Address in force; absent when there is none.", "duty@example.com"),
    "ConfirmTime": Field("string", f"{DATE} Absent when there is none.", "2026-11-21T08:15:00.000Z"),
    "WaitingEmailAddress": Field("string", "Address that waits for its code, if one does.", "duty@example.org"),
}
_RESOURCES = ("fallbackaddress/*",)


@operation(
    "SetFallbackAddress",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Names the address for messages that would reach nobody and sends it a code. It is in force once "
    "ConfirmFallbackAddress is given the code; an earlier one stays in force until then.",
    source=SOURCE,
    parameters=[EMAIL_ADDRESS.needed()],
    raises=[
        errors.MISSING_PARAMETER_EMAIL_ADDRESS,
        *EMAIL_ADDRESS.invalid,
        errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT,
    ],
    returns={"FallbackAddress": _FIELDS},
    resources=_RESOURCES,
)
async def set_fallback_address(call: Call, *, email_address: EmailAddress) -> Mapping[str, Any]:
    services = call.services
    captured = Channel.EMAIL in call.rules.contacts.captured_counts

    async def read() -> tuple[FallbackAddress | None, Block | None]:
        return (
            await services.messages.fallback(call.account_id),
            await services.verification.block(call.account_id, Channel.EMAIL, email_address.key),
        )

    changed = await call.change(
        read,
        lambda found: fallback.set_address(
            found[0],
            found[1],
            email_address,
            account_id=call.account_id,
            captured=captured,
            now=call.now,
            rules=call.rules.verification,
            ids=call.ids,
        ),
    )
    return {"FallbackAddress": _shown(changed, captured_counts=captured)}


@operation(
    "ConfirmFallbackAddress",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Puts the fallback address that waits in force, with the code from the mail to it.",
    source=SOURCE,
    parameters=[needed_text("Code", "The six digits.", "123456")],
    raises=[missing_parameter("Code"), NO_FALLBACK, CODE_REFUSED],
    returns={"FallbackAddress": _FIELDS},
    resources=_RESOURCES,
    needs_directory=False,
)
async def confirm_fallback_address(call: Call, *, code: str) -> Mapping[str, Any]:
    services, rules = call.services, call.rules.verification

    async def read() -> tuple[FallbackAddress | None, int, tuple[Change, ...]]:
        found = await services.messages.fallback(call.account_id)
        waiting = "" if found is None else found.waiting.lower()
        return (
            found,
            await services.verification.count(*fallback.wrong_codes(call.account_id, call.now)),
            await services.standing.along_confirmation(call.account_id, Channel.EMAIL, waiting),
        )

    confirmed = await call.change(
        read,
        lambda found: fallback.confirm(
            found[0],
            is_right=found[0] is not None
            and services.fallback_codes.is_code(code.strip(), found[0].reference, found[0].generation),
            wrong_today=found[1],
            along=found[2],
            now=call.now,
            rules=rules,
        ),
    )
    if confirmed is None:
        raise CODE_REFUSED()
    captured = Channel.EMAIL in call.rules.contacts.captured_counts
    return {"FallbackAddress": _shown(confirmed, captured_counts=captured)}


@operation(
    "GetFallbackAddress",
    versions=VERSIONS,
    access=Access.READ,
    doc="Shows the address for messages that would reach nobody.",
    source=SOURCE,
    raises=[NO_FALLBACK],
    returns={"FallbackAddress": _FIELDS},
    resources=_RESOURCES,
    needs_directory=False,
)
async def get_fallback_address(call: Call) -> Mapping[str, Any]:
    found = await call.services.messages.fallback(call.account_id)
    if found is None:
        raise NO_FALLBACK()
    captured = Channel.EMAIL in call.rules.contacts.captured_counts
    return {"FallbackAddress": _shown(found, captured_counts=captured)}


@operation(
    "DeleteFallbackAddress",
    versions=VERSIONS,
    access=Access.WRITE,
    doc="Takes the fallback address away, and one that waits.",
    source=SOURCE,
    raises=[NO_FALLBACK],
    resources=_RESOURCES,
    needs_directory=False,
)
async def delete_fallback_address(call: Call) -> Mapping[str, Any]:
    await call.change(lambda: call.services.messages.fallback(call.account_id), fallback.delete)
    return {}


def _shown(found: FallbackAddress, *, captured_counts: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if found.confirmed_at is not None and found.in_force(captured_counts=captured_counts):
        shown = {"EmailAddress": found.address, "ConfirmTime": utc_time(found.confirmed_at)}
    if found.waiting:
        shown["WaitingEmailAddress"] = found.waiting
    return shown


OPERATIONS: tuple[Operation, ...] = (
    set_fallback_address,
    confirm_fallback_address,
    get_fallback_address,
    delete_fallback_address,
)
