"""What is known of an address beside the contact that has it: suspended after bounces, and what its owner wants.

It is kept apart from contacts: no change of a contact undoes it, and contacts do not show it. The rules about
messages (`rules`) get it as `Circumstances`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from message_contacts.changes import Change, Delete
from message_contacts.clock import DAY, MINUTE, Instant
from message_contacts.contacts.model import Channel, EmailAddress, MessageType, PhoneNumber

ALL_TYPES = frozenset(MessageType)
#: Types that quiet hours hold back only when their owner says so.
URGENT_TYPES = frozenset({MessageType.SECURITY_MESSAGE, MessageType.FAULT_MESSAGE})
#: The type that nobody can be without, unless the operator allows it.
KEPT_TYPE = MessageType.SECURITY_MESSAGE


#: Where a message goes: channel, and the address in the form in which addresses are compared.
Place = tuple[Channel, str]


class SuspensionReason(StrEnum):
    """Why nothing is sent to an address."""

    #: A server said for good that there is no such mailbox.
    HARD_BOUNCE = "hard-bounce"
    #: Several messages in a row came back.
    SOFT_BOUNCES = "soft-bounces"
    #: Its owner reported a message as unwanted.
    COMPLAINT = "complaint"


class Source(StrEnum):
    """Who told."""

    #: The mail server that was handed the mail, at once.
    SMTP = "smtp"
    #: A delivery report that came later.
    REPORT = "report"
    #: A feedback report of the mailbox provider.
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was told about an address."""

    at: Instant
    source: Source
    #: The delivery it was about.
    delivery_id: str
    #: `hard`, `soft` or `complaint`.
    weight: str
    #: What it means, as a word.
    word: str
    #: Enhanced status code (RFC 3463); empty when there was none.
    status: str
    #: What the other side said, cut; for the operator's eyes only.
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """What came back from an address, and whether that is enough to send nothing more."""

    account_id: str
    channel: Channel
    address_key: str
    address: str
    #: None while bounces are only counted.
    reason: SuspensionReason | None
    suspended_at: Instant | None
    #: Messages in a row that came back.
    soft_bounces: int
    #: When the last sign came.
    bounced_at: Instant
    #: The last signs, oldest first.
    signs: tuple[Sign, ...]
    version: int = 1

    def types(self) -> frozenset[MessageType]:
        """Types that are not sent there. A complaint is no reason to keep security messages from anybody."""
        if self.reason is None:
            return frozenset()
        return ALL_TYPES - {KEPT_TYPE} if self.reason is SuspensionReason.COMPLAINT else ALL_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When somebody wants no messages, in minutes of the day where that person is."""

    starts: int
    ends: int
    #: Name of the zone, such as `Asia/Shanghai`.
    zone: str
    #: Whether security and incident messages wait too.
    hold_urgent: bool = False

    def until(self, now: Instant) -> Instant | None:
        """When the quiet that rules now ends; None when none does."""
        local = datetime.fromtimestamp(now / 1000, zone_named(self.zone))
        minute = local.hour * 60 + local.minute
        over_midnight = self.starts > self.ends
        quiet = minute >= self.starts or minute < self.ends if over_midnight else self.starts <= minute < self.ends
        if not quiet:
            return None
        day = local.date() + timedelta(days=1 if over_midnight and minute >= self.starts else 0)
        end = datetime(day.year, day.month, day.day, self.ends // 60, self.ends % 60, tzinfo=local.tzinfo)
        # Where clocks are put forward or back, an hour may be missing or come twice.
        return Instant(min(max(round(end.timestamp() * 1000), now + MINUTE), now + DAY))

    def types(self) -> frozenset[MessageType]:
        """Types that wait."""
        return ALL_TYPES if self.hold_urgent else ALL_TYPES - URGENT_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What the owner of an address wants, as a contact or, by one click in a mail, for the address as such."""

    account_id: str
    #: Where it was said.
    channel: Channel
    address_key: str
    #: As whom; empty: for the address, whoever else has it.
    contact_id: str
    unwanted: frozenset[MessageType] = frozenset()
    quiet: QuietHours | None = None
    #: Language of what stands around messages; empty: as the operator set.
    language: str = ""
    changed_at: Instant
    version: int = 1

    @property
    def says_nothing(self) -> bool:
        """Whether it could as well not be there."""
        return not self.unwanted and self.quiet is None and not self.language


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Somebody asks the operator to have a colleague get the messages instead."""

    account_id: str
    #: `h-`, ascends with time.
    hand_over_id: str
    contact_id: str
    channel: Channel
    address: str
    #: Who should get them, in that person's words.
    wish: str
    asked_at: Instant
    #: None while it is open.
    closed_at: Instant | None = None
    closed_by: str = ""
    note: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What was found about some addresses and contacts."""

    suspensions: Sequence[Suspension] = ()
    #: Said for an address, or by a contact that has it: these count for everybody who is reached there.
    preferences: Sequence[Preference] = ()
    #: Said by contacts at addresses that they do not have any more: these count for the contact alone.
    elsewhere: Sequence[Preference] = ()


NOTHING_KNOWN = Known()


def lifted_by_confirmation(suspension: Suspension | None) -> tuple[Change, ...]:
    """What goes with a person's confirmation of an address: mail came through, so what came back before counts no more.

    A complaint stays: it was no failure, and a code that somebody types does not take it back.
    """
    if suspension is None or suspension.reason is SuspensionReason.COMPLAINT:
        return ()
    return (Delete(suspension),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRules:
    """What the operator may set about it."""

    #: Messages in a row that may come back before nothing more is sent.
    soft_bounces: int = 5
    #: Whether people may do without security messages.
    security_unwanted: bool = False

    @property
    def can_be_unwanted(self) -> frozenset[MessageType]:
        """Types that people may do without."""
        return ALL_TYPES if self.security_unwanted else ALL_TYPES - {KEPT_TYPE}


def zone_named(name: str) -> tzinfo:
    """The zone of that name; UTC when the machine does not know it (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def masked(channel: Channel, address: str) -> str:
    """An address as pages and logs may show it."""
    return (EmailAddress(address) if channel is Channel.EMAIL else PhoneNumber(address)).masked()
