"""How it stands with each address of a contact, and what may still be sent to verify one. Ours, version 2026-11-01."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from message_contacts import errors
from message_contacts.clock import Instant
from message_contacts.contacts.model import CONTACT_CHANNELS, Address, Channel, Contact, MessageType, Slot
from message_contacts.delivery.standing import Known, Preference, Suspension
from message_contacts.operations.call import Call
from message_contacts.operations.contact_parameters import CONTACT_ID_PARAMETER
from message_contacts.operations.dates import utc_time
from message_contacts.operations.lookups import existing_contact
from message_contacts.operations.own_parameters import DATE, SOURCE, VERSIONS
from message_contacts.operations.registry import Access, Field, Items, Operation, Shape, operation
from message_contacts.verification import limits
from message_contacts.verification.model import Verification

_TYPE = Field("string", "Type.", "AccountExpenses")
_TIME = "2026-11-21T08:15:00.000Z"
_ADDRESS_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms.", "email"),
    "Address": Field("string", "Address.", "tom@example.com"),
    "Standing": Field(
        "string", "Effective: it gets messages; Pending: it waits for its owner to confirm it.", "Pending"
    ),
    "ConfirmTime": Field("string", f"When its owner confirmed it; absent before. {DATE}", _TIME),
    "Captured": Field("boolean", "Confirmed from the captured inbox: no proof of a person.", example=False),
    "SentMessages": Field("integer", "Verification messages sent for this pending address.", 1),
    "SendTime": Field("string", f"When the last of them was sent; absent before the first. {DATE}", _TIME),
    "ExpireTime": Field("string", f"Until when its link is good; absent likewise. {DATE}", _TIME),
    "RemainingThisMinute": Field("integer", "Verification messages that may still be sent to it this minute.", 10),
    "MinuteEndTime": Field("string", f"When that minute ends; absent unless the address is pending. {DATE}", _TIME),
    "BlockTime": Field(
        "string",
        f'When its owner said "this was not me": no verification is sent any more; absent otherwise. {DATE}',
        _TIME,
    ),
    "SuspensionReason": Field(
        "string",
        "Why messages are not sent there: hard-bounce, soft-bounces or complaint; absent otherwise.",
        "complaint",
    ),
    "SuspendTime": Field("string", f"Since when; absent likewise. {DATE}", _TIME),
    "SuspendedTypes": Items(_TYPE),
}
_PREFERENCE_FIELDS: Mapping[str, Shape] = {
    "Channel": Field("string", "email or sms: where it was said.", "email"),
    "Address": Field("string", "The address at which it was said.", "tom@example.com"),
    "ForAddress": Field("boolean", "Said for the address, whoever else has it, by one click in a mail.", example=False),
    "ContactId": Field(
        "string",
        "Contact that said it: this one, or another that has the same address, for whose sake it holds there for all; "
        "absent with ForAddress.",
        "c-qL4HqKONzOM7****",
    ),
    "UnwantedTypes": Items(_TYPE),
    "QuietHours": Field(
        "string", "When messages wait; absent when there is no such time.", "22:00-07:00 Asia/Shanghai"
    ),
    "HoldUrgent": Field("boolean", "Whether security and incident messages wait too.", example=False),
    "Language": Field("string", "Language wanted; absent when none is.", "zh"),
    "ChangeTime": Field("string", DATE, _TIME),
}


@operation(
    "GetContactStanding",
    versions=VERSIONS,
    access=Access.READ,
    doc="Tells for each address of a contact what stands for and against it: confirmed, waiting, blocked by its owner, "
    "suspended, or unwanted; and how many verification messages may still be sent.",
    source=SOURCE,
    parameters=[CONTACT_ID_PARAMETER.needed()],
    raises=[
        errors.MISSING_PARAMETER_CONTACT_ID,
        errors.INVALID_PARAMETER_CONTACT_ID,
        errors.ENTITY_NOT_EXISTS_CONTACT,
    ],
    returns={
        "Addresses": Items(_ADDRESS_FIELDS),
        "Preferences": Items(_PREFERENCE_FIELDS),
        "Quotas": Items(
            {
                "Channel": Field("string", "email or sms.", "email"),
                "Limit": Field("integer", "Verification messages a day of the whole account.", 100),
                "Remaining": Field("integer", "Those left today.", 99),
                "RenewTime": Field("string", f"When the day ends. {DATE}", _TIME),
            }
        ),
    },
    resources=["contact/{ContactId}"],
)
async def get_contact_standing(call: Call, *, contact_id: str) -> Mapping[str, Any]:
    contact = await existing_contact(call, contact_id)
    addresses = [address for channel in CONTACT_CHANNELS for address in _addresses(call, contact, channel)]
    places = sorted({address.place for address in addresses})
    known = await call.services.standing.store.known_of(call.account_id, places, [contact_id])
    return {
        "Addresses": [await _address(call, known, address) for address in addresses],
        "Preferences": [
            _preference(preference, addresses)
            for preference in (*known.preferences, *known.elsewhere)
            if not preference.says_nothing
        ],
        "Quotas": [await _quota(call, channel) for channel in CONTACT_CHANNELS],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """One address of a contact."""

    channel: Channel
    address: Address
    #: Where the contact has it.
    slot: Slot[Any]
    in_force: bool

    @property
    def place(self) -> tuple[Channel, str]:
        """Under what things are known of it."""
        return self.channel, self.address.key


def _addresses(call: Call, contact: Contact, channel: Channel) -> Iterator[_Address]:
    """The addresses of a channel, that in force first."""
    slot: Slot[Any] = contact.slot(channel)
    captured = channel in call.rules.contacts.captured_counts
    if slot.shown is not None and slot.in_force(captured_counts=captured):
        yield _Address(channel=channel, address=slot.shown, slot=slot, in_force=True)
    pending = slot.pending(captured_counts=captured)
    if pending is not None:
        yield _Address(channel=channel, address=pending, slot=slot, in_force=False)


async def _address(call: Call, known: Known, one: _Address) -> dict[str, Any]:
    channel, address, verified = one.channel, one.address, one.slot.verified
    fields: dict[str, Any] = {
        "Channel": channel,
        "Address": address.text,
        "Standing": "Effective" if one.in_force else "Pending",
    }
    if one.in_force and verified is not None:
        fields |= {"ConfirmTime": utc_time(verified.at), "Captured": verified.captured}
    if not one.in_force:
        fields |= await _pending(call, one.slot, channel, address)
    block = await call.services.verification.block(call.account_id, channel, address.key)
    if block is not None:
        fields["BlockTime"] = utc_time(block.blocked_at)
    for suspension in known.suspensions:
        if (suspension.channel, suspension.address_key) == one.place:
            fields |= _suspension(suspension)
    return fields


async def _pending(call: Call, slot: Slot[Any], channel: Channel, address: Address) -> dict[str, Any]:
    """What was sent to an address that waits, and what may still be."""
    sent: Verification | None = None
    if slot.verification_id is not None:
        sent = await call.services.verification.verification(slot.verification_id)
    used = await call.services.verification.count(
        call.account_id, limits.sent_to_counter(channel, address), limits.minute(call.now)
    )
    return {
        "SentMessages": 0 if sent is None else sent.generation,
        **({} if sent is None else {"SendTime": utc_time(sent.sent_at), "ExpireTime": utc_time(sent.expires_at)}),
        "RemainingThisMinute": max(0, call.rules.verification.per_address_and_minute - used),
        "MinuteEndTime": utc_time(limits.minute_end(call.now)),
    }


def _suspension(suspension: Suspension) -> dict[str, Any]:
    since: Instant = suspension.suspended_at or suspension.bounced_at
    return {
        "SuspensionReason": suspension.reason or "",
        "SuspendTime": utc_time(since),
        "SuspendedTypes": _in_order(suspension.types()),
    }


def _preference(preference: Preference, addresses: list[_Address]) -> dict[str, Any]:
    shown = {one.place: one.address.text for one in addresses}
    quiet = preference.quiet
    return {
        "Channel": preference.channel,
        "Address": shown.get((preference.channel, preference.address_key), preference.address_key),
        "ForAddress": not preference.contact_id,
        **({"ContactId": preference.contact_id} if preference.contact_id else {}),
        "UnwantedTypes": _in_order(preference.unwanted),
        **(
            {}
            if quiet is None
            else {
                "QuietHours": f"{_time_of_day(quiet.starts)}-{_time_of_day(quiet.ends)} {quiet.zone}",
                "HoldUrgent": quiet.hold_urgent,
            }
        ),
        **({"Language": preference.language} if preference.language else {}),
        "ChangeTime": utc_time(preference.changed_at),
    }


async def _quota(call: Call, channel: Channel) -> dict[str, Any]:
    most = call.rules.verification.per_account_and_day
    used = await call.services.verification.count(call.account_id, limits.sent_counter(channel), limits.day(call.now))
    return {
        "Channel": channel,
        "Limit": most,
        "Remaining": max(0, most - used),
        "RenewTime": utc_time(limits.day_end(call.now)),
    }


def _in_order(types: frozenset[MessageType]) -> list[MessageType]:
    return [kind for kind in MessageType if kind in types]


def _time_of_day(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


OPERATIONS: tuple[Operation, ...] = (get_contact_standing,)
