"""Messages driven at random, held against a plain model of who may get which and what becomes of those who do not.

Workers claim, send, fail and die; addresses stop to exist, their owners say no, contacts go, messages are cancelled or
run out of time - in any order. Whatever happens: an address gets one copy of a message and another one only when a
worker died between sending and recording it; nothing goes where it must not; and in the end everybody who should have
got a message has, or it is said why not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from message_contacts.changes import Insert, Job
from message_contacts.clock import MINUTE, Instant
from message_contacts.contacts.model import Binding, Channel, ContactName, EmailAddress, MessageType, Slot
from message_contacts.delivery.messages import FallbackAddress
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.operations.dates import utc_time
from tests.api.publishing import OURS, deliveries, publish
from tests.conftest import ENGINES
from tests.delivery.messages import sending_api
from tests.factories import BY_PERSON, make_contact
from tests.fakes.clock import START, FakeClock
from tests.harness import Api
from tests.postgres import PostgresDatabases
from tests.storage.making import make_member

T = TypeVar("T")
QUEUE = "email-messages"
ADDRESSES = [f"{name}@example.com" for name in ("anna", "ben", "cleo", "dora")]
FALLBACK = "desk@example.com"
PICK = st.integers(0, 1_000)
HARD_BOUNCE = Outcome(Verdict.NEVER, "mailbox-unknown", status="5.1.1")
LATER = Outcome(Verdict.TRY_AGAIN, "connection-lost")
FINAL = {"sent", "failed", "expired", "skipped"}


@dataclass
class Person:
    """A contact, as the model has it."""

    address: str
    subscribed: bool
    nodes: list[str]


@dataclass
class Sent:
    """A message, as the model has it."""

    targets: list[str]
    expires_at: int | None
    cancelled: bool = False
    #: None: who gets it is not worked out yet.
    expected: set[str] | None = None
    #: Of those, who gets it although it is of a type they do not have.
    anyhow: set[str] = field(default_factory=set)
    unreached: set[str] = field(default_factory=set)
    #: Whether an incident has to say at once that there are such.
    told_at_once: bool = False
    #: By member for whom somebody should get it, at which addresses.
    stands: dict[str, set[str]] = field(default_factory=dict)
    #: And at which else it has people, who may get it for others.
    around: dict[str, set[str]] = field(default_factory=dict)
    #: Tells mails apart that are copies of one.
    mails: dict[str, Counter[str]] = field(default_factory=dict)


class Messages(RuleBasedStateMachine):
    """A directory with two folders, four members and people who come and go."""

    database: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.people: dict[str, Person] = {}
        self.messages: dict[str, Sent] = {}
        #: Addresses that do not exist (any more).
        self.gone: set[str] = set()
        #: Addresses to which nothing is sent: they came back, or their owner said no.
        self.closed: set[str] = set()
        self.trouble = False
        #: Copies that nobody could know of, by message and address.
        self.unrecorded: Counter[tuple[str, str]] = Counter()
        self.came = 0
        self.worker = 0

    def run(self, awaitable: Awaitable[T]) -> T:
        return self.runner.run(awaitable)  # type: ignore[arg-type]

    def teardown(self) -> None:
        try:
            if hasattr(self, "api"):
                self.everything_has_an_end()
        finally:
            self.run(self.opened.aclose())
            self.runner.close()

    @initialize(has_fallback=st.booleans())
    def start(self, has_fallback: bool) -> None:
        opened = self.run(self.opened.enter_async_context(sending_api(self.database(), FakeClock())))
        self.api: Api = opened[0]
        self.mail = opened[1]
        self.mail.send = self.send  # type: ignore[method-assign]
        self.has_fallback = has_fallback
        directory = self.run(self.api.call("GetResourceDirectory"))["ResourceDirectory"]
        self.directory, self.root = directory["ResourceDirectoryId"], directory["RootFolderId"]
        self.folders = {self.root: "", **{self.run(self.api.create_folder(name)): self.root for name in ("one", "two")}}
        self.members = {}
        for number, folder in enumerate([self.root, *list(self.folders)[1:], list(self.folders)[1]]):
            member = f"2{number:015}"
            self.members[member] = folder
            self.plant(make_member(member, account_id=self.api.account_id, folder_id=folder, placed_at=START,
                                   account_name=f"{member}@x.aliyunid.com"))  # fmt: skip
        if has_fallback:
            self.plant(FallbackAddress(account_id=self.api.account_id, address=FALLBACK, confirmed_at=START))
        for number in range(2):
            self.person_comes(number, number % 2 == 0, number)

    def plant(self, *rows: object) -> None:
        self.run(self.api.service.storage.committer.commit(tuple(Insert(row) for row in rows), None))

    # What happens.

    @rule(address=PICK, subscribed=st.booleans(), node=PICK)
    @precondition(lambda self: len(self.people) < 8)
    def person_comes(self, address: int, subscribed: bool, node: int) -> None:
        nodes = [self.directory, *self.folders, *self.members]
        person = Person(ADDRESSES[address % len(ADDRESSES)], subscribed, [nodes[node % len(nodes)]])
        self.came += 1
        contact_id = f"c-{self.came:016}"
        self.people[contact_id] = person
        self.plant(
            make_contact(
                account_id=self.api.account_id,
                contact_id=contact_id,
                name=ContactName(f"contact{self.came}"),
                message_types=(MessageType.FAULT_MESSAGE if subscribed else MessageType.SERVICE_MESSAGE,),
                email=Slot(shown=EmailAddress(person.address), verified=BY_PERSON),
                bindings=tuple(Binding(node, START) for node in person.nodes),
                created_at=START + self.came,
            )
        )

    @rule(who=PICK)
    @precondition(lambda self: self.people)
    def person_goes(self, who: int) -> None:
        contact_id = self.pick(self.people, who)
        self.run(self.api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers="false"))
        del self.people[contact_id]
        self.work_inside()

    @rule(about=PICK, expires=st.booleans())
    def message_is_published(self, about: int, expires: bool) -> None:
        targets = [self.pick([self.directory, *self.folders, *self.members], about)]
        expires_at = Instant(self.api.clock.now() + 20 * MINUTE) if expires else None
        given = {} if expires_at is None else {"ExpiresAt": utc_time(expires_at)}
        message_id = self.run(publish(self.api, *targets, **given))
        self.messages[message_id] = Sent(targets, expires_at)

    @rule()
    def work_inside(self) -> None:
        """Who gets the messages is worked out, all of it."""
        self.run(self.work_out_all())

    @rule(which=PICK)
    @precondition(lambda self: self.messages)
    def message_is_cancelled(self, which: int) -> None:
        message_id = self.pick(self.messages, which)
        self.run(self.api.call("CancelMessage", OURS, MessageId=message_id))
        self.messages[message_id].cancelled = True

    @rule(which=PICK)
    def address_stops_to_exist(self, which: int) -> None:
        self.gone.add(self.pick([*ADDRESSES, FALLBACK], which))

    @rule(which=PICK)
    def owner_says_no(self, which: int) -> None:
        address = self.pick(ADDRESSES, which)
        if not any(person.address == address for person in self.people.values()):
            return  # nobody has a link
        links, preferences = self.api.service.recipients.links, self.api.service.recipients.preferences
        link = links.unsubscribe(self.api.account_id, Channel.EMAIL, address, MessageType.FAULT_MESSAGE)
        assert link is not None
        view = self.run(preferences.unsubscribe(link.rpartition("/")[2], "203.0.113.9"))
        assert view is not None
        assert view.unsubscribed
        self.closed.add(address)

    @rule(trouble=st.booleans())
    def mail_server_has_trouble(self, trouble: bool) -> None:
        self.trouble = trouble

    @rule(minutes=st.sampled_from([1, 6, 30]))
    def time_passes(self, minutes: int) -> None:
        self.api.clock.advance(minutes * 60)

    @rule(count=st.integers(1, 4))
    def worker_works(self, count: int) -> None:
        self.run(self.work_on(count))

    @rule()
    def worker_dies_before_it_begins(self) -> None:
        self.run(self.claim(1))

    @rule()
    def worker_dies_before_it_records(self) -> None:
        async def die() -> None:
            for job in await self.claim(1):
                before = Counter({key: sum(found.values()) for key, found in self.copies().items()})
                await self.api.service.handlers[job.kind](job)
                after = Counter({key: sum(found.values()) for key, found in self.copies().items()})
                self.unrecorded += after - before

        self.run(die())

    # What the worker does.

    async def claim(self, count: int) -> list[Job]:
        self.worker += 1
        now = self.api.clock.now()
        until = Instant(now + 5 * MINUTE)
        outbox = self.api.service.storage.outbox
        return list(await outbox.claim(QUEUE, f"w{self.worker}", now=now, until=until, limit=count))

    async def work_on(self, count: int) -> int:
        jobs = await self.claim(count)
        lane = self.api.service.worker._lanes[QUEUE]
        for job in jobs:
            outcome = await self.api.service.handlers[job.kind](job)
            settlement = lane._settlement(job, outcome, duration_ms=0.0)
            await self.api.service.storage.outbox.settle(f"w{self.worker}", [settlement])
        return len(jobs)

    async def send(self, mail: OutgoingMessage) -> Outcome:
        """The mail server, which looks whether this may be sent at all."""
        assert mail.delivery_id is not None
        message_id = f"m-{mail.delivery_id[2:-6]}"
        message, address = self.messages[message_id], mail.recipient
        assert message.expected is not None
        assert address in message.expected or (address == FALLBACK and self.has_fallback)
        assert not message.cancelled
        assert message.expires_at is None or self.api.clock.now() < message.expires_at
        assert address not in self.closed
        if address != FALLBACK:
            assert any(
                person.address == address and (person.subscribed or address in message.anyhow)
                for person in self.people.values()
            )
        if self.trouble:
            return LATER
        if address in self.gone:
            self.closed.add(address)
            return HARD_BOUNCE
        message.mails.setdefault(address, Counter())[mail.message_id] += 1
        assert len(message.mails[address]) == 1
        return Outcome(Verdict.ACCEPTED, "accepted")

    def copies(self) -> dict[tuple[str, str], Counter[str]]:
        return {
            (message_id, address): found
            for message_id, message in self.messages.items()
            for address, found in message.mails.items()
        }

    # What the model says.

    def above(self, node: str) -> set[str]:
        """The object and all around it."""
        found = {node, self.directory}
        folder = self.members.get(node, node)
        while folder:
            found.add(folder)
            folder = self.folders.get(folder, "")
        return found

    def work_out(self, message: Sent) -> None:
        """Who gets a message as things are now."""
        message.expected = set()
        if message.cancelled:
            return
        reachable = [person for person in self.people.values() if person.address not in self.closed]
        about = {folder for folder in self.folders if self.above(folder) & set(message.targets)}
        members = {member for member in self.members if self.above(member) & set(message.targets)}
        around = set().union(*(self.above(folder) for folder in about))
        subscribed = {person.address for person in reachable if person.subscribed and around & set(person.nodes)}
        for member in members:
            effective = [person for person in reachable if self.above(member) & set(person.nodes)]
            with_type = {person.address for person in effective if person.subscribed}
            subscribed |= with_type
            if not effective:
                message.unreached.add(member)
            elif not with_type:
                message.anyhow |= {person.address for person in effective}
            if effective:
                message.around[member] = {person.address for person in effective}
                message.stands[member] = with_type or message.around[member]
        message.expected = subscribed | message.anyhow
        usable = self.has_fallback and FALLBACK not in self.closed
        if message.unreached or not message.expected:
            message.told_at_once = not usable
            if usable:
                message.expected.add(FALLBACK)

    @staticmethod
    def pick(things: Any, number: int) -> Any:
        found = list(things)
        return found[number % len(found)]

    # What has to be so in the end.

    def everything_has_an_end(self) -> None:
        self.trouble = False
        self.run(self.until_nothing_waits())
        incidents: dict[str, dict[str, Any]] = {}
        for each in self.run(self.api.call("ListIncidents", OURS, MaxResults=100))["Incidents"]:
            incidents.setdefault(each["MessageId"], {})[each["Kind"]] = each
        for message_id, message in self.messages.items():
            self.check(message_id, message, incidents.get(message_id, {}))

    async def until_nothing_waits(self) -> None:
        for _ in range(300):
            await self.work_out_all()
            while await self.work_on(50):
                pass
            ((waiting,),) = await self.api.service.storage.outbox._database.rows(
                "SELECT count(*) FROM job WHERE account_id = $1 AND ready_at IS NOT NULL", (self.api.account_id,)
            )
            if not waiting:
                return
            self.api.clock.advance(31 * 60)
        raise AssertionError("the work has no end")

    async def work_out_all(self) -> None:
        for message in self.messages.values():
            if message.expected is None:
                self.work_out(message)
        await self.api.work("internal")

    def check(self, message_id: str, message: Sent, incidents: dict[str, Any]) -> None:
        assert message.expected is not None
        found = {each["Address"]: each for each in self.run(deliveries(self.api, message_id))}
        assert {each["State"] for each in found.values()} <= FINAL
        for address, mails in message.mails.items():
            copies = sum(mails.values())
            assert copies <= 1 + self.unrecorded[message_id, address]
            # When it is too late for a further try, nobody knows of a copy that was not recorded.
            assert found[address]["State"] == "sent" or copies <= self.unrecorded[message_id, address]
        sent = {address for address, each in found.items() if each["State"] == "sent"}
        assert sent <= set(message.mails)
        if message.cancelled:
            return
        assert message.expected <= set(found)
        for address in message.expected - sent:
            each = found[address]
            why = each["State"], each["Reason"]
            if each["State"] == "failed":
                assert address in self.gone
            elif each["State"] == "expired":
                assert message.expires_at is not None
            elif each["Reason"] in ("suppressed", "opted-out"):
                assert address in self.closed
            else:
                assert why == ("skipped", "address-gone")
        # Never silent.
        if message.told_at_once:
            assert set(incidents["nobody-reachable"]["Members"]) == message.unreached
        else:
            assert "nobody-reachable" not in incidents
        doubtful = {member for member, addresses in message.stands.items() if not addresses & sent}
        missed = {member for member in doubtful if not message.around[member] & sent}
        fallback_failed = FALLBACK in set(found) - sent
        if FALLBACK in message.expected and fallback_failed:
            missed |= message.unreached
        kind = "members-missed" if sent else "nothing-sent"
        if FALLBACK in sent or not message.expected or not (doubtful or not sent or fallback_failed):
            assert not {"nothing-sent", "members-missed"} & set(incidents)
            return
        assert kind in incidents or not (missed or not sent or fallback_failed)
        if kind not in incidents:
            return
        assert missed <= set(incidents[kind]["Members"]) <= doubtful | message.unreached
        # The fallback address got it if it could.
        if self.has_fallback and FALLBACK not in found:
            assert FALLBACK in self.closed or message.expires_at is not None


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes a new database each time."""
    made: list[str] = []
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("database_path")

        def new() -> str:
            path = tmp_path / f"{len(made)}.db"
            path.write_bytes(template.read_bytes())
            made.append(str(path))
            return f"sqlite:///{path}"

        yield new
        return

    server: PostgresDatabases = request.getfixturevalue("postgres_databases")

    def new_there() -> str:
        made.append(server.new())
        return made[-1]

    yield new_there
    for url in made:
        server.drop(url)


def test_messages_reach_whom_they_should_once_or_say_why_not(databases: Callable[[], str]) -> None:
    class OnThese(Messages):
        database = staticmethod(databases)

    run_state_machine_as_test(
        OnThese,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
