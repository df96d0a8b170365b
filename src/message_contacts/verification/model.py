"""A verification, what confirmed it, and what stops it.

Source: contract/behaviour.md section 5; docs/adr for tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from message_contacts.clock import DAY, Instant
from message_contacts.contacts.model import Channel


class VerificationState(StrEnum):
    """Whether it was used. That it was replaced or cancelled shows in the contact: its slot no longer names it."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"


class Way(StrEnum):
    """How a person confirmed."""

    LINK = "link"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One pending address of one contact, since the first verification message was asked for."""

    account_id: str
    #: Public id: in links and mails, opens nothing by itself.
    verification_id: str
    contact_id: str
    channel: Channel
    #: The address as sent to.
    address: str = field(repr=False)
    #: How often it was asked for; links and codes of earlier generations are void.
    generation: int
    state: VerificationState
    sent_at: Instant
    expires_at: Instant
    #: Its message went to the captured inbox: confirming it counts only while the channel is captured.
    captured: bool
    #: Wrong codes entered for this generation.
    wrong_codes: int = 0
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """That, when, from where and how an address was confirmed. Kept when the contact is gone."""

    account_id: str
    verification_id: str
    contact_id: str
    channel: Channel
    address: str = field(repr=False)
    confirmed_at: Instant
    way: Way
    #: IP address of the person, as far as trusted proxies tell.
    source_address: str
    #: Browser's own description, cut to 200 characters.
    user_agent: str
    captured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """ "This was not me": no further verification messages from this account to this address."""

    account_id: str
    channel: Channel
    #: The address in the form in which addresses are compared; of an erased person: `erased_addresses.erased_key`.
    address_key: str = field(repr=False)
    verification_id: str
    blocked_at: Instant
    source_address: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRules:
    """What the operator may set about verifications."""

    #: Milliseconds for which a link and its code are good.
    valid_for: int = DAY
    #: Verification messages a day, account and channel.
    per_account_and_day: int = 100
    #: Verification messages a minute to one address.
    per_address_and_minute: int = 10
    #: Wrong codes after which the code of this message is void (its link is not).
    wrong_codes_per_message: int = 5
    #: Wrong codes a day and address after which no code is accepted, however often it is sent again.
    wrong_codes_per_address_and_day: int = 10
