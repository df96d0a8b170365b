"""Whether a message goes to an address, and if not, why not.

One ordered list of rules decides about every address of every contact: `judge` asks it for the word that counts,
`findings` for the word of each rule. Fan-out, lists, coverage and explanations ask the same list, so what is explained
is what is done.

Source: contract/behaviour.md sections 4, 7 and 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.candidates import Candidate


class Severity(StrEnum):
    """How urgent a message is."""

    NORMAL = "Normal"
    CRITICAL = "Critical"


class Word(StrEnum):
    """What a rule says of an address. The same words stand in deliveries, explanations, logs and metrics."""

    PASSED = "passed"
    #: It was not asked, since there is no address.
    NOT_ASKED = "not-asked"
    NO_SUCH_CONTACT = "no-such-contact"
    NOT_IN_EFFECT = "not-in-effect"
    BEING_DELETED = "being-deleted"
    NOT_SUBSCRIBED = "not-subscribed"
    NO_ADDRESS = "no-address"
    NOT_VERIFIED = "not-verified"
    #: Verified from the captured inbox only, and the channel is not captured any more.
    VERIFIED_IN_CAPTURE = "verified-in-capture"
    SUPPRESSED = "suppressed"
    OPTED_OUT = "opted-out"
    CHANNEL_NOT_ALLOWED = "channel-not-allowed"
    COUNTRY_NOT_ALLOWED = "country-not-allowed"
    QUIET_HOURS = "quiet-hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The message, as far as it matters to who gets it."""

    #: None: of any type the contact has.
    message_type: MessageType | None = None
    #: None: of whichever severity reaches most.
    severity: Severity | None = None
    #: Whether contacts that do not have the type come into question too: the last resort of a message that would
    #: reach nobody.
    to_any_subscriber: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What else decides: settings, and what became of addresses and was said about them."""

    #: Channels on which a verification from the captured inbox counts.
    captured_counts: frozenset[Channel] = frozenset()
    #: Severities of messages that go out as text messages.
    text_messages_for: frozenset[Severity] = frozenset({Severity.CRITICAL})
    #: Country codes to which text messages go; None: to all that contacts may have.
    text_message_countries: frozenset[str] | None = None
    #: Addresses, by channel and key, that are suspended after bounces or complaints, with the types not sent there.
    suppressed: Mapping[tuple[Channel, str], frozenset[MessageType]] = field(default_factory=dict)
    #: Types that the owner of an address does not want there, and those that a contact does not want anywhere.
    opted_out: Mapping[tuple[Channel, str], frozenset[MessageType]] = field(default_factory=dict)
    opted_out_contacts: Mapping[str, frozenset[MessageType]] = field(default_factory=dict)
    #: Addresses and contacts that want quiet at this hour, with the types that wait.
    quiet: Mapping[tuple[Channel, str], frozenset[MessageType]] = field(default_factory=dict)
    quiet_contacts: Mapping[str, frozenset[MessageType]] = field(default_factory=dict)
    #: When the last of these quiet hours ends.
    quiet_until: Instant | None = None


ANY_MESSAGE = Asked()
_NO_TYPES: frozenset[MessageType] = frozenset()

Decide = Callable[[Candidate, Asked, Circumstances], Word]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, and how explanations call it."""

    name: str
    decide: Decide
    #: Whether it looks at the address, and cannot be asked without one.
    needs_address: bool = False
    #: Whether it depends on the hour: lists and coverage, which hold for longer, leave it out.
    of_the_hour: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule said."""

    rule: str
    #: A `Word`, or what was said when a delivery was made or sent.
    word: str


def _in_effect(candidate: Candidate, _asked: Asked, _circumstances: Circumstances) -> Word:
    return Word.PASSED if candidate.reasons else Word.NOT_IN_EFFECT


def _staying(candidate: Candidate, _asked: Asked, _circumstances: Circumstances) -> Word:
    """From the answer `Deleting` on nothing more is sent: that is what was asked for. A failed deletion ends that."""
    return Word.BEING_DELETED if candidate.deleting else Word.PASSED


def _subscribed(candidate: Candidate, asked: Asked, _circumstances: Circumstances) -> Word:
    if asked.message_type is None or asked.to_any_subscriber or asked.message_type in candidate.message_types:
        return Word.PASSED
    return Word.NOT_SUBSCRIBED


def _has_address(candidate: Candidate, _asked: Asked, _circumstances: Circumstances) -> Word:
    return Word.PASSED if candidate.address is not None else Word.NO_ADDRESS


def _in_force(candidate: Candidate, _asked: Asked, circumstances: Circumstances) -> Word:
    if candidate.verified is None:
        return Word.NOT_VERIFIED
    if candidate.verified.captured and candidate.channel not in circumstances.captured_counts:
        return Word.VERIFIED_IN_CAPTURE
    return Word.PASSED


def _not_suppressed(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    barred = circumstances.suppressed.get(_key(candidate)) if circumstances.suppressed else None
    return Word.SUPPRESSED if barred and _all_among(candidate, asked, barred) else Word.PASSED


def _not_opted_out(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    unwanted = _said(candidate, circumstances.opted_out, circumstances.opted_out_contacts)
    return Word.OPTED_OUT if unwanted and _all_among(candidate, asked, unwanted) else Word.PASSED


def _channel_allowed(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    if candidate.channel is not Channel.SMS:
        return Word.PASSED
    allowed = circumstances.text_messages_for
    return Word.PASSED if (asked.severity in allowed if asked.severity else allowed) else Word.CHANNEL_NOT_ALLOWED


def _country_allowed(candidate: Candidate, _asked: Asked, circumstances: Circumstances) -> Word:
    countries = circumstances.text_message_countries
    if candidate.channel is not Channel.SMS or countries is None or candidate.address is None:
        return Word.PASSED
    return Word.PASSED if candidate.address.text.partition("-")[0] in countries else Word.COUNTRY_NOT_ALLOWED


def _not_quiet(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    waiting = _said(candidate, circumstances.quiet, circumstances.quiet_contacts)
    return Word.QUIET_HOURS if waiting and _all_among(candidate, asked, waiting) else Word.PASSED


#: In this order; the first that does not pass decides.
RULES: tuple[Rule, ...] = (
    Rule("in-effect", _in_effect),
    Rule("not-being-deleted", _staying),
    Rule("subscribed", _subscribed),
    Rule("has-address", _has_address),
    Rule("address-in-force", _in_force, needs_address=True),
    Rule("not-suppressed", _not_suppressed, needs_address=True),
    Rule("not-opted-out", _not_opted_out, needs_address=True),
    Rule("channel-allowed", _channel_allowed, needs_address=True),
    Rule("country-allowed", _country_allowed, needs_address=True),
    Rule("not-quiet", _not_quiet, needs_address=True, of_the_hour=True),
)
_DECIDING: tuple[Decide, ...] = tuple(rule.decide for rule in RULES)
_STANDING: tuple[Decide, ...] = tuple(rule.decide for rule in RULES if not rule.of_the_hour)


def judge(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    """`PASSED` when the message goes to this address now, else the word of the first rule that stands against it."""
    return _first_refusal(_DECIDING, candidate, asked, circumstances)


def judge_standing(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    """The same, the hour of the day aside: whether such messages reach this address as things are."""
    return _first_refusal(_STANDING, candidate, asked, circumstances)


def types_reached(
    candidate: Candidate, severity: Severity | None, circumstances: Circumstances
) -> tuple[MessageType, ...]:
    """The types of the contact's messages that reach this address, the hour of the day aside.

    What `judge_standing` says for each of them, at the price of one question where nothing was said of the address.
    """
    if judge_standing(candidate, Asked(severity=severity), circumstances) is not Word.PASSED:
        return ()  # a message of any of its types: what stands against that stands against each
    key = _key(candidate)
    if (
        key not in circumstances.suppressed
        and key not in circumstances.opted_out
        and candidate.contact_id not in circumstances.opted_out_contacts
    ):
        return candidate.message_types
    return tuple(
        message_type
        for message_type in candidate.message_types
        if judge_standing(candidate, Asked(message_type=message_type, severity=severity), circumstances) is Word.PASSED
    )


def findings(candidate: Candidate, asked: Asked, circumstances: Circumstances) -> list[Finding]:
    """What each rule says, in order; the first that does not pass is the one that decides."""
    return [
        Finding(
            rule.name,
            Word.NOT_ASKED
            if rule.needs_address and candidate.address is None
            else rule.decide(candidate, asked, circumstances),
        )
        for rule in RULES
    ]


def _first_refusal(rules: Sequence[Decide], candidate: Candidate, asked: Asked, circumstances: Circumstances) -> Word:
    for decide in rules:
        word = decide(candidate, asked, circumstances)
        if word is not Word.PASSED:
            return word
    return Word.PASSED


def _said(
    candidate: Candidate,
    of_places: Mapping[tuple[Channel, str], frozenset[MessageType]],
    of_contacts: Mapping[str, frozenset[MessageType]],
) -> frozenset[MessageType]:
    """Types of which something was said, at the address or by the contact: the strictest holds."""
    if not of_places and not of_contacts:
        return _NO_TYPES
    return of_places.get(_key(candidate), _NO_TYPES) | of_contacts.get(candidate.contact_id, _NO_TYPES)


def _key(candidate: Candidate) -> tuple[Channel, str]:
    return candidate.channel, candidate.address.key if candidate.address is not None else ""


def _all_among(candidate: Candidate, asked: Asked, types: frozenset[MessageType]) -> bool:
    """Whether the message's type is among these; of a message of any type, all that the contact has."""
    return asked.message_type in types if asked.message_type else types.issuperset(candidate.message_types)
