"""What is known of addresses, as the rules about messages take it: settings and addresses together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from message_contacts.changes import Change
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.candidates import Candidate
from message_contacts.delivery.rules import Circumstances, Word
from message_contacts.delivery.standing import (
    NOTHING_KNOWN,
    Known,
    Place,
    Preference,
    StandingRules,
    lifted_by_confirmation,
)
from message_contacts.delivery.standing_store import StandingStore

K = TypeVar("K")

#: Addresses that are looked up one by one; for more of them it is quicker to read all that is known of a tenant.
_FEW_PLACES = 200


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

    async def objections(self, account_id: str, candidate: Candidate, message_type: MessageType) -> Sequence[Objection]:
        """Through whom a message of a type does not go to a candidate's address now."""
        places = [] if candidate.address is None else [(candidate.channel, candidate.address.key)]
        known = await self.store.known_of(account_id, places, [candidate.contact_id])
        return objections(known, candidate, message_type, self.rules, self.clock.now())

    @property
    def nothing_known(self) -> AtPlace:
        """What decides about an address of a tenant of whose addresses nothing is known."""
        return AtPlace(self.settings, {})

    async def at(self, account_id: str, place: Place, contact_ids: Sequence[str]) -> AtPlace:
        """What decides about one address that contacts share, and in which languages they want to be addressed."""
        known = await self.store.known_of(account_id, [place], contact_ids)
        return AtPlace(
            circumstances(self.settings, known, self.rules, self.clock.now()),
            {each.contact_id: each.language for each in known.preferences if (each.channel, each.address_key) == place},
        )


def circumstances(base: Circumstances, known: Known, rules: StandingRules, now: Instant) -> Circumstances:
    """Settings, and what is known of addresses, as the rules take it: of several wishes the strictest holds.

    What somebody said as a contact holds for that contact wherever it is reached, and for everybody at the address
    where it was said, as long as the contact has that address.
    """
    if known == NOTHING_KNOWN:
        return base
    unwanted: dict[Place, frozenset[MessageType]] = {}
    unwanted_by: dict[str, frozenset[MessageType]] = {}
    quiet: dict[Place, frozenset[MessageType]] = {}
    quiet_for: dict[str, frozenset[MessageType]] = {}
    ends: list[Instant] = []
    for each, counts_there in [(one, True) for one in known.preferences] + [(one, False) for one in known.elsewhere]:
        types = each.unwanted & rules.can_be_unwanted
        end = each.quiet.until(now) if each.quiet else None
        held = each.quiet.types() if each.quiet and end is not None else frozenset[MessageType]()
        if counts_there:
            _add(unwanted, (each.channel, each.address_key), types)
            _add(quiet, (each.channel, each.address_key), held)
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


@dataclass(frozen=True, slots=True)
class Objection:
    """What somebody said that keeps a message from an address, or makes it wait."""

    #: Which rule it decides: `OPTED_OUT` or `QUIET_HOURS`.
    word: Word
    said: Preference


def objections(
    known: Known, candidate: Candidate, message_type: MessageType, rules: StandingRules, now: Instant
) -> list[Objection]:
    """Through whom a message of a type does not go to an address now: what `circumstances` adds up, one by one."""
    place = candidate.channel, candidate.address.key if candidate.address is not None else ""
    own = [each for each in known.elsewhere if each.contact_id == candidate.contact_id]
    here = [
        each
        for each in known.preferences
        if (each.channel, each.address_key) == place or each.contact_id == candidate.contact_id
    ]
    found: list[Objection] = []
    for each in (*here, *own):
        if message_type in each.unwanted & rules.can_be_unwanted:
            found.append(Objection(Word.OPTED_OUT, each))
        if each.quiet is not None and each.quiet.until(now) is not None and message_type in each.quiet.types():
            found.append(Objection(Word.QUIET_HOURS, each))
    return found


def _add(found: dict[K, frozenset[MessageType]], key: K, types: frozenset[MessageType]) -> None:
    if types:
        found[key] = found.get(key, frozenset()) | types
