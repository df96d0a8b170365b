"""What one step of a message's way comes to: deliveries, and how far it has come. Collected, then committed at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from message_contacts.changes import Change, Delete, Enqueue, Insert, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.candidates import Candidate
from message_contacts.delivery.messages import (
    ALWAYS,
    MEMBERS_NAMED,
    NOT_REACHED,
    Delivery,
    DeliveryState,
    FallbackAddress,
    Message,
    Named,
    Progress,
    Reach,
    Route,
    Stage,
    delivery_id,
)
from message_contacts.delivery.publishing import next_step
from message_contacts.delivery.rules import Asked, Circumstances, Word, judge_standing
from message_contacts.delivery.tally import Happening
from message_contacts.ids import Ids

#: Deliveries in one commit, about.
AT_ONCE = 500
#: Contacts, copies or members looked at for one commit, about.
LOOKED_AT_ONCE = 2_000
#: Stands among the objects whose contacts are asked, and has none.
_NO_OBJECT = ""
#: Words that are not worth a row beside that of the contact's mail: they say the same of every address, or nothing of
#: the contact.
_SAID_BY_MAIL = frozenset({Word.NOT_SUBSCRIBED, Word.BEING_DELETED, Word.CHANNEL_NOT_ALLOWED})


@dataclass(frozen=True, slots=True)
class Considered:
    """What became of a contact's addresses."""

    #: Whether the message goes to one.
    subscribed: bool
    #: Whether it would, if the contact had the type.
    anybody: bool


@dataclass(slots=True, kw_only=True)
class Batch:
    """One step, as it grows. Not frozen: it lives for one commit only."""

    message: Message
    #: As it was read.
    before: Progress
    circumstances: Circumstances
    now: Instant
    stage: Stage = field(init=False)
    node: str = field(init=False)
    after: tuple[str, ...] = field(init=False)
    numbers: int = field(init=False)
    reaches_somebody: bool = field(init=False)
    unreached: int = field(init=False)
    unreached_members: list[str] = field(init=False)
    reach: dict[str, Reach] = field(init=False)
    wanted: dict[str, int] = field(init=False)
    deliveries: list[Delivery] = field(default_factory=list)
    #: Further changes, in the order in which they are made.
    changes: list[Change] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    #: Addresses that do not get it, by channel and word.
    skipped: Counter[tuple[Channel, str]] = field(default_factory=Counter)
    looked_at: int = 0
    finished: bool = False

    def __post_init__(self) -> None:
        before = self.before
        self.stage, self.node, self.after = before.stage, before.node, before.after
        self.numbers, self.reaches_somebody = before.numbers, before.reaches_somebody
        self.unreached, self.unreached_members = before.unreached, list(before.unreached_members)
        self.reach, self.wanted = dict(before.reach), dict(before.wanted)

    @property
    def asked(self) -> Asked:
        """The message, as the rules see it."""
        return Asked(message_type=self.message.message_type, severity=self.message.severity)

    @property
    def is_full(self) -> bool:
        """Whether it is time to commit."""
        return len(self.deliveries) + len(self.changes) >= AT_ONCE or self.looked_at >= LOOKED_AT_ONCE

    @property
    def room(self) -> int:
        """How many more to look at, at least one."""
        return max(1, min(AT_ONCE, LOOKED_AT_ONCE - self.looked_at))

    def go_to(self, stage: Stage) -> None:
        """Begin with the next stage."""
        self.stage, self.node, self.after = stage, "", ()

    def consider(self, candidates: Sequence[Candidate], node_name: str) -> Considered:
        """Make the deliveries of a contact's addresses: to be sent, or skipped and why."""
        subscribed = anybody = False
        for candidate in candidates:
            if candidate.address is None:
                continue
            word = judge_standing(candidate, self.asked, self.circumstances)
            if word is Word.PASSED:
                subscribed = True
                self._add(candidate, DeliveryState.PENDING, Route.SUBSCRIBED, word, node_name)
                continue
            anybody = anybody or self._reaches_anyhow(candidate)
            if candidate.channel is Channel.EMAIL or word not in _SAID_BY_MAIL:
                self._add(candidate, DeliveryState.SKIPPED, Route.SUBSCRIBED, word, node_name)
        return Considered(subscribed, subscribed or anybody)

    def consider_anybody(self, candidates: Sequence[Candidate], node_name: str) -> bool:
        """Make deliveries to those addresses against which nothing stands but the type; whether there are any."""
        found = False
        for candidate in candidates:
            if (
                candidate.address is not None
                and judge_standing(candidate, self.asked, self.circumstances) is Word.NOT_SUBSCRIBED
                and self._reaches_anyhow(candidate)
            ):
                found = True
                route = Route.NOBODY_SUBSCRIBED
                self._add(candidate, DeliveryState.PENDING, route, route, node_name)
        return found

    def to_fallback(self, fallback: FallbackAddress) -> None:
        """Make the delivery to the tenant's fallback address."""
        named = Named("", None, "", None, "", "", Route.FALLBACK)
        self._deliver((Channel.EMAIL, fallback.address), DeliveryState.PENDING, Route.FALLBACK, "", named)

    def reached_through(self, node_id: str, considered: Considered, until: int = ALWAYS) -> None:
        """Note that members placed until then are reached through an object."""
        known = self.reach.get(node_id, NOT_REACHED)
        self.reach[node_id] = Reach(
            max(known.subscribed, until if considered.subscribed else 0),
            max(known.anybody, until if considered.anybody else 0),
        )

    def nobody_subscribed(self, placed_at: Instant) -> None:
        """Note that there is a member for whom others than those with the type are asked; said once of a message."""
        if not self.wanted:
            self.happenings.append(Happening.NOBODY_SUBSCRIBED)
            # Remembered with the progress, also when only the member's own contacts are asked.
            self.wanted[_NO_OBJECT] = placed_at

    def left_out(self, member_id: str) -> None:
        """Note a member for whom nobody can be reached."""
        self.unreached += 1
        if len(self.unreached_members) < MEMBERS_NAMED:
            self.unreached_members.append(member_id)

    def all_changes(self, ids: Ids) -> tuple[Change, ...]:
        """The change set: progress first, so that a step that was done already is noticed before anything else."""
        rows = [Insert(delivery) for delivery in self.deliveries]
        if self.finished:
            return (Delete(self.before), *rows, *self.changes)
        after = self.progress()
        job = next_step(after, now=self.now, ids=ids)
        return (Update(self.before, after), *rows, *self.changes, Enqueue(job))

    def progress(self) -> Progress:
        """How far the message has come with this step."""
        return replace(
            self.before,
            step=self.before.step + 1,
            stage=self.stage,
            node=self.node,
            after=self.after,
            numbers=self.numbers,
            reaches_somebody=self.reaches_somebody,
            reach=self.reach,
            wanted=self.wanted,
            unreached=self.unreached,
            unreached_members=tuple(self.unreached_members),
        )

    def _reaches_anyhow(self, candidate: Candidate) -> bool:
        asked = replace(self.asked, to_any_subscriber=True)
        return judge_standing(candidate, asked, self.circumstances) is Word.PASSED

    def _add(self, candidate: Candidate, state: DeliveryState, route: Route, word: str, node_name: str) -> None:
        if candidate.address is None:
            raise ValueError("a candidate without an address gets no delivery")
        (reason,) = candidate.reasons
        named = Named(
            candidate.contact_id,
            candidate.detached_id,
            candidate.name,
            reason.because,
            reason.node_id,
            node_name,
            word,
        )
        said = word if state is DeliveryState.SKIPPED else ""
        if said:
            self.skipped[candidate.channel, said] += 1
        self._deliver((candidate.channel, candidate.address.text), state, route, said, named)

    def _deliver(
        self, place: tuple[Channel, str], state: DeliveryState, route: Route, reason: str, named: Named
    ) -> None:
        channel, address = place
        self.numbers += 1
        self.reaches_somebody = self.reaches_somebody or state is DeliveryState.PENDING
        self.deliveries.append(
            Delivery(
                account_id=self.message.account_id,
                delivery_id=delivery_id(self.message.message_id, self.numbers),
                message_id=self.message.message_id,
                channel=channel,
                address=address,
                address_key=address.lower(),
                state=state,
                route=route,
                reason=reason,
                contacts=(named,),
                contact_count=1,
                created_at=self.now,
                updated_at=self.now,
            )
        )
