"""What is known of an address beside the contact that has it: suspended after bounces, and what its owner wants.

It is kept apart from contacts: no change of a contact undoes it, and contacts do not show it. The rules about
messages (`rules`) get it as `Circumstances`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from message_contacts.changes import Change, Delete
from message_contacts.clock import DAY, MINUTE, Clock, Instant
from message_contacts.contacts.model import Channel, EmailAddress, MessageType, PhoneNumber
from message_contacts.delivery.candidates import Candidate
from message_contacts.delivery.rules import Circumstances

ALL_TYPES = frozenset(MessageType)
#: Types that quiet hours hold back only when their owner says so.
URGENT_TYPES = frozenset({MessageType.SECURITY_MESSAGE, MessageType.FAULT_MESSAGE})
#: The type that nobody can be without, unless the operator allows it.
KEPT_TYPE = MessageType.SECURITY_MESSAGE

#: Addresses that are looked up one by one; for more of them it is quicker to read all that is known of a tenant.
_FEW_PLACES = 200

#: Where a message goes: channel, and the address in the form in which addresses are compared.
Place = tuple[Channel, str]
K = TypeVar("K")


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
    preferences: Sequence[Preference] = ()


NOTHING_KNOWN = Known()


def lifted_by_confirmation(suspension: Suspension | None) -> tuple[Change, ...]:
    """What goes with a person's confirmation of an address: mail came through, so what came back before counts no more.

    A complaint stays: it was no failure, and a code that somebody types does not take it back.
    """
    if suspension is None or suspension.reason is SuspensionReason.COMPLAINT:
        return ()
    return (Delete(suspension),)


class StandingStore(Protocol):
    """Suspensions, preferences and requests of one tenant at a time. Changes go through `changes.Committer`."""

    async def knows_any(self, account_id: str) -> bool:
        """Whether anything is known at all: of most tenants, nothing."""
        ...

    async def known(self, account_id: str) -> Known:
        """All suspensions in force and all preferences of a tenant."""
        ...

    async def known_of(self, account_id: str, places: Sequence[Place], contact_ids: Sequence[str]) -> Known:
        """Suspensions in force of these addresses, and preferences said there or by these contacts."""
        ...

    async def is_held(self, account_id: str, channel: Channel, address_key: str, contact_id: str) -> bool:
        """Whether anything is held on the contact, or with an empty id on the address: not of who was erased."""
        ...

    async def holder(self, account_id: str, address_key: str) -> str | None:
        """A contact, or who was one and left copies, that has an address; None: nobody."""
        ...

    async def suspension(self, account_id: str, channel: Channel, address_key: str) -> Suspension | None:
        """What came back from an address, in force or only counted; None when nothing did."""
        ...

    async def suspension_page(self, account_id: str, *, after: Place | None, limit: int) -> Sequence[Suspension]:
        """Suspensions in force by channel and address, those behind `after`."""
        ...

    async def preference(
        self, account_id: str, channel: Channel, address_key: str, contact_id: str
    ) -> Preference | None:
        """What was said at an address as one contact, or for the address itself (empty `contact_id`)."""
        ...

    async def hand_over(self, account_id: str, hand_over_id: str) -> HandOver | None:
        """The request, or None."""
        ...

    async def open_hand_over(self, account_id: str, contact_id: str) -> HandOver | None:
        """A contact's request that nobody has seen to, or None."""
        ...

    async def hand_over_page(
        self, account_id: str, *, only_open: bool, after: str | None, limit: int
    ) -> Sequence[HandOver]:
        """Requests by id, those behind `after`."""
        ...


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


@dataclass(frozen=True, slots=True)
class AtPlace:
    """What is to be known before something is sent to an address."""

    circumstances: Circumstances
    #: By contact, the language it wants.
    languages: Mapping[str, str]

    def language(self, contact_ids: Iterable[str]) -> str:
        """The language that all of them want; empty when they want none, or not the same."""
        wanted = {self.languages.get(contact_id, "") for contact_id in contact_ids}
        return wanted.pop() if len(wanted) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rules about messages have to know, settings and addresses together."""

    store: StandingStore
    clock: Clock
    #: What settings say.
    settings: Circumstances = field(default_factory=Circumstances)
    rules: StandingRules = field(default_factory=StandingRules)

    async def along_confirmation(self, account_id: str, channel: Channel, address_key: str) -> tuple[Change, ...]:
        """What changes when a person confirms an address."""
        return lifted_by_confirmation(await self.store.suspension(account_id, channel, address_key))

    async def of_tenant(self, account_id: str) -> Circumstances:
        """What decides about every address of a tenant."""
        if not await self.store.knows_any(account_id):
            return self.settings
        return circumstances(self.settings, await self.store.known(account_id), self.rules, self.clock.now())

    async def of_places(self, account_id: str, places: Sequence[Place], contact_ids: Sequence[str]) -> Circumstances:
        """What decides about some addresses of some contacts."""
        if not await self.store.knows_any(account_id):
            return self.settings
        few = len(places) <= _FEW_PLACES
        known = await (self.store.known_of(account_id, places, contact_ids) if few else self.store.known(account_id))
        return circumstances(self.settings, known, self.rules, self.clock.now())

    async def of_candidates(self, account_id: str, candidates: Iterable[Candidate]) -> Circumstances:
        """What decides about some contacts."""
        found = list(candidates)
        places = {(one.channel, one.address.key) for one in found if one.address is not None}
        return await self.of_places(account_id, sorted(places), sorted({one.contact_id for one in found}))

    async def at(self, account_id: str, place: Place, contact_ids: Sequence[str]) -> AtPlace:
        """What decides about one address that contacts share, and in which languages they want to be addressed."""
        if not await self.store.knows_any(account_id):
            return AtPlace(self.settings, {})
        known = await self.store.known_of(account_id, [place], contact_ids)
        return AtPlace(
            circumstances(self.settings, known, self.rules, self.clock.now()),
            {each.contact_id: each.language for each in known.preferences if (each.channel, each.address_key) == place},
        )


def circumstances(base: Circumstances, known: Known, rules: StandingRules, now: Instant) -> Circumstances:
    """Settings, and what is known of addresses, as the rules take it: of several wishes the strictest holds.

    What somebody said as a contact holds for that contact wherever it is reached, and for everybody at the address
    where it was said.
    """
    if known == NOTHING_KNOWN:
        return base
    unwanted: dict[Place, frozenset[MessageType]] = {}
    unwanted_by: dict[str, frozenset[MessageType]] = {}
    quiet: dict[Place, frozenset[MessageType]] = {}
    quiet_for: dict[str, frozenset[MessageType]] = {}
    ends: list[Instant] = []
    for each in known.preferences:
        place = each.channel, each.address_key
        types = each.unwanted & rules.can_be_unwanted
        _add(unwanted, place, types)
        end = each.quiet.until(now) if each.quiet else None
        held = each.quiet.types() if each.quiet and end is not None else frozenset[MessageType]()
        _add(quiet, place, held)
        if each.contact_id:
            _add(unwanted_by, each.contact_id, types)
            _add(quiet_for, each.contact_id, held)
        if end is not None:
            ends.append(end)
    return replace(
        base,
        suppressed={(each.channel, each.address_key): each.types() for each in known.suspensions if each.types()},
        opted_out=unwanted,
        opted_out_contacts=unwanted_by,
        quiet=quiet,
        quiet_contacts=quiet_for,
        quiet_until=max(ends, default=None),
    )


def zone_named(name: str) -> tzinfo:
    """The zone of that name; UTC when the machine does not know it (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def masked(channel: Channel, address: str) -> str:
    """An address as pages and logs may show it."""
    return (EmailAddress(address) if channel is Channel.EMAIL else PhoneNumber(address)).masked()


def _add(found: dict[K, frozenset[MessageType]], key: K, types: frozenset[MessageType]) -> None:
    if types:
        found[key] = found.get(key, frozenset()) | types
