"""Who gets a message in trees drawn at random, held against a model that looks at every member by itself.

Steps are cut to a few rows, so that every stage is left and taken up again in the middle.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from message_contacts.changes import Insert
from message_contacts.contacts.model import Binding, ContactName, EmailAddress, MessageType, Slot
from message_contacts.delivery import batch, expansion
from tests.api.publishing import OURS, deliveries, publish
from tests.conftest import ENGINES
from tests.delivery.messages import sending_api
from tests.factories import BY_PERSON, make_contact
from tests.fakes.clock import START, FakeClock
from tests.storage.making import make_copy, make_folder, make_member

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

FAULT, OTHER = MessageType.FAULT_MESSAGE, MessageType.SERVICE_MESSAGE


@dataclass
class Reached:
    """What the model expects."""

    subscribed: set[str] = field(default_factory=set)
    anybody: set[str] = field(default_factory=set)
    unreached: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Person:
    """A contact, or a copy of one."""

    email: str
    subscribed: bool
    verified: bool
    node_ids: tuple[str, ...]
    #: None: a contact; else when the copy was made.
    detached_at: int | None


class World:
    """A tree with people, and who gets a message there."""

    def __init__(self, seed: int, account_id: str, directory_id: str, root: str) -> None:
        self.account_id, self.directory_id, self.root = account_id, directory_id, root
        draw = random.Random(seed)
        self.parents: dict[str, str | None] = {root: None}
        for number in range(draw.randrange(1, 7)):
            self.parents[f"fd-{number:010}"] = draw.choice(list(self.parents))
        #: Folder and moment of placing.
        self.members = {f"2{number:015}": (draw.choice(list(self.parents)), draw.randrange(10)) for number in range(12)}
        nodes = [directory_id, *self.parents, *self.members]
        self.people = [
            Person(
                email=f"{draw.randrange(14)}@example.com",
                subscribed=draw.random() < 0.35,
                verified=draw.random() < 0.7,
                node_ids=tuple(draw.sample(nodes, draw.randrange(3))),
                detached_at=draw.randrange(10) if draw.random() < 0.3 else None,
            )
            for _ in range(draw.randrange(14))
        ]
        kinds = [[directory_id], [root], list(self.parents), list(self.members)]
        self.targets = sorted({draw.choice(draw.choice(kinds)) for _ in range(draw.randrange(1, 4))})

    def rows(self):
        """What to store."""
        for folder_id, parent_id in self.parents.items():
            if parent_id is not None:
                yield make_folder(folder_id, account_id=self.account_id, parent_id=parent_id)
        for number, (member_id, (folder_id, placed_at)) in enumerate(self.members.items()):
            yield make_member(
                member_id,
                account_id=self.account_id,
                folder_id=folder_id,
                placed_at=START + placed_at,
                joined_at=START + number % 3,
                account_name=f"{member_id}@x.aliyunid.com",
            )
        for number, person in enumerate(self.people):
            types = (FAULT,) if person.subscribed else (OTHER,)
            if person.detached_at is None:
                yield make_contact(
                    account_id=self.account_id,
                    contact_id=f"c-{number:016}",
                    name=ContactName(f"contact {number}"),
                    message_types=types,
                    email=Slot(shown=EmailAddress(person.email), verified=BY_PERSON if person.verified else None),
                    bindings=tuple(Binding(node_id, START) for node_id in person.node_ids),
                    created_at=START + number % 4,
                )
            elif person.verified:
                yield make_copy(
                    f"dc-{number:016}",
                    account_id=self.account_id,
                    contact_id=f"c-{number:016}",
                    message_types=types,
                    email=EmailAddress(person.email),
                    node_ids=person.node_ids,
                    detached_at=START + person.detached_at,
                )

    def lineage(self, folder_id):
        found = [self.directory_id]
        while folder_id is not None:
            found.append(folder_id)
            folder_id = self.parents[folder_id]
        return set(found)

    def expected(self) -> Reached:
        reached = Reached()
        about = {
            member_id
            for member_id, (folder_id, _) in self.members.items()
            if not set(self.targets).isdisjoint({member_id, *self.lineage(folder_id)})
        }
        for member_id in about:
            folder_id, placed_at = self.members[member_id]
            inherited = self.lineage(folder_id)
            effective = [
                person
                for person in self.people
                if person.verified
                and (
                    member_id in person.node_ids
                    or (
                        not inherited.isdisjoint(person.node_ids)
                        and (person.detached_at is None or person.detached_at >= placed_at)
                    )
                )
            ]
            with_type = {person.email for person in effective if person.subscribed}
            reached.subscribed |= with_type
            if not with_type:
                if effective:
                    reached.anybody |= {person.email for person in effective}
                else:
                    reached.unreached.add(member_id)
        # Contacts of an object that a message is about hear of it, also while nobody is in there.
        folders = {folder_id for folder_id in self.parents if not self.lineage(folder_id).isdisjoint(self.targets)}
        nodes = {node for folder_id in folders for node in self.lineage(folder_id)}
        reached.subscribed |= {
            person.email
            for person in self.people
            if person.verified
            and person.subscribed
            and person.detached_at is None
            and not nodes.isdisjoint(person.node_ids)
        }
        return reached


@pytest.mark.parametrize("seed", range(40))
async def test_fan_out_reaches_whom_the_model_reaches(database_url, monkeypatch, seed):
    for module in (batch, expansion):
        monkeypatch.setattr(module, "AT_ONCE", 3)
    monkeypatch.setattr(batch, "LOOKED_AT_ONCE", 4)
    async with sending_api(database_url, FakeClock()) as (api, mail, _):
        directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]
        world = World(seed, api.account_id, directory["ResourceDirectoryId"], directory["RootFolderId"])
        await api.service.storage.committer.commit(tuple(Insert(row) for row in world.rows()), None)

        message_id = await publish(api, *world.targets)
        await api.work()

        found = await deliveries(api, message_id)
        incidents = (await api.call("ListIncidents", OURS))["Incidents"]
        expected = world.expected()
        sent = {each["Address"]: each["Route"] for each in found if each["State"] == "sent"}
        assert set(sent) == expected.subscribed | expected.anybody
        assert {address for address, route in sent.items() if route == "subscribed"} == expected.subscribed
        assert {each["State"] for each in found} <= {"sent", "skipped"}
        assert sorted(message.recipient for message in mail.sent) == sorted(sent)
        if expected.unreached or not sent:
            (incident,) = incidents
            assert set(incident["Members"]) == expected.unreached
        else:
            assert incidents == []
