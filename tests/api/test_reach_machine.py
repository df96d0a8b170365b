"""Who is reached for each member, driven at random through the public API and held against a plain model.

The model gives every member a list of what it keeps of deleted contacts, so it needs none of the rules about copies:
what ListEffectiveContacts, GetCoverage and PreviewChange work out from bindings and folders has to come to the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from message_contacts.contacts.model import MessageType
from message_contacts.verification.challenge import PageState, Visitor
from tests.harness import Api, open_api

OURS = "2026-11-01"
TYPES = [message_type.value for message_type in MessageType]
SOME_TYPES = st.lists(st.sampled_from(TYPES[:3]), min_size=1, max_size=3, unique=True)
PICK = st.integers(0, 1_000)
NAMES = ["Anna", "Ben", "Cleo", "Dora", "Emil", "Fred"]

#: Contact or copy -> types and addresses.
Effective = dict[str, tuple[tuple[str, ...], str]]


@dataclass
class Person:
    """A contact, as the model has it."""

    name: str
    types: list[str]
    verified: bool = False
    bound_to: list[str] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@example.com"


@dataclass
class Site:
    """A member, as the model has it."""

    folder: str
    #: What it keeps of deleted contacts: contact id -> types and address.
    kept: Effective = field(default_factory=dict)


class Reach(RuleBasedStateMachine):
    """Members and contacts that come, go, move and change."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.opened = AsyncExitStack()
        #: Folder -> parent.
        self.folders: dict[str, str | None] = {}
        self.members: dict[str, Site] = {}
        self.contacts: dict[str, Person] = {}
        self.made = 0

    def run(self, awaitable: Any) -> Any:
        return self.runner.run(awaitable)

    def teardown(self) -> None:
        self.run(self.opened.aclose())
        self.runner.close()
        self.folder.cleanup()

    @initialize()
    def start(self) -> None:
        path = Path(self.folder.name) / "contacts.db"
        path.write_bytes(TEMPLATE[0].read_bytes())
        self.api: Api = self.run(self.opened.enter_async_context(open_api(path, {"verifications_per_day": 10_000})))
        shown = self.call("GetResourceDirectory")["ResourceDirectory"]
        self.directory, root = shown["ResourceDirectoryId"], shown["RootFolderId"]
        self.folders[root] = None
        for parent in (root, root):
            self.create_folder_in(parent)
        self.create_folder_in(list(self.folders)[1])
        for folder in list(self.folders)[1:]:
            self.create_member_in(folder)
        for node in (self.directory, list(self.folders)[1], next(iter(self.members))):
            contact_id = self.add_contact_of(["FaultMessage", "SecurityMessage"])
            self.confirm(contact_id)
            self.bind_to(contact_id, node)

    def call(self, action: str, version: str = "2022-04-19", **parameters: Any) -> dict[str, Any]:
        # What happens, happens at a moment of its own.
        self.api.clock.advance(0.001)
        answer: dict[str, Any] = self.run(self.api.call(action, version, **parameters))
        return answer

    def create_folder_in(self, parent: str) -> None:
        self.made += 1
        created = self.call("CreateFolder", FolderName=f"folder{self.made}", ParentFolderId=parent)
        self.folders[created["Folder"]["FolderId"]] = parent

    def create_member_in(self, folder: str) -> None:
        self.made += 1
        created = self.call("CreateResourceAccount", DisplayName=f"member{self.made}", ParentFolderId=folder)
        self.members[created["Account"]["AccountId"]] = Site(folder)

    def add_contact_of(self, types: list[str]) -> str:
        name = next(name for name in NAMES if name not in {person.name for person in self.contacts.values()})
        person = Person(name, types)
        added = self.call("AddMessageContact", Name=name, EmailAddress=person.email, Title="CEO", MessageTypes=types)
        contact_id: str = added["Contact"]["ContactId"]
        self.contacts[contact_id] = person
        return contact_id

    def confirm(self, contact_id: str) -> None:
        person = self.contacts[contact_id]
        self.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=person.email)
        self.run(self.api.work())
        token = self.run(self.api.token_sent_to(person.email))
        view = self.run(self.api.service.verification.confirm(token, Visitor("198.51.100.4", "")))
        assert view.state is PageState.CONFIRMED
        person.verified = True

    def bind_to(self, contact_id: str, node: str) -> None:
        self.call("AssociateMembers", ContactId=contact_id, Members=[node])
        person = self.contacts[contact_id]
        if node not in person.bound_to:
            person.bound_to.append(node)

    # What the model says.

    def above(self, member_id: str) -> list[str]:
        """Everything through which a member has contacts, the member itself included."""
        found, folder = [member_id], self.members[member_id].folder
        while folder:
            found.append(folder)
            folder = self.folders[folder] or ""
        return [*found, self.directory]

    def effective(self, member_id: str) -> Effective:
        nodes = set(self.above(member_id))
        bound = {
            contact_id: (tuple(person.types), person.email)
            for contact_id, person in self.contacts.items()
            if person.verified and not nodes.isdisjoint(person.bound_to)
        }
        return bound | self.members[member_id].kept

    def counts(self) -> dict[str, dict[str, int]]:
        return {
            member_id: {
                message_type: sum(message_type in types for types, _ in self.effective(member_id).values())
                for message_type in TYPES
            }
            for member_id in self.members
        }

    # What is done. Each change that can take somebody away is previewed first.

    def previewed(self, act: Callable[[], None], change: str, **parameters: Any) -> None:
        answer = self.call("PreviewChange", OURS, Change=change, MaxResults=100, **parameters)
        foretold = {entry["MemberId"]: set(entry["MessageTypes"]) for entry in answer["Members"]}
        before = self.counts()
        act()
        after = self.counts()
        lost = {
            member_id: {name for name in TYPES if before[member_id][name] and not after[member_id][name]}
            for member_id in after
        }
        assert foretold == {member_id: types for member_id, types in lost.items() if types}
        assert answer["Summary"]["MembersLeftWithout"] == len(foretold)

    def contact(self, which: int) -> str:
        return list(self.contacts)[which % len(self.contacts)]

    def node(self, which: int) -> str:
        nodes = [self.directory, *self.folders, *self.members]
        return nodes[which % len(nodes)]

    @precondition(lambda self: len(self.folders) < 6)
    @rule(which=PICK)
    def create_folder(self, which: int) -> None:
        parents = [folder for folder, parent in self.folders.items() if parent is None or self.folders[parent] is None]
        self.create_folder_in(parents[which % len(parents)])

    @rule(which=PICK)
    def delete_empty_folder(self, which: int) -> None:
        used = {site.folder for site in self.members.values()} | set(self.folders.values())
        empty = [folder for folder, parent in self.folders.items() if parent and folder not in used]
        if empty:
            folder = empty[which % len(empty)]
            self.call("DeleteFolder", FolderId=folder)
            del self.folders[folder]
            for person in self.contacts.values():
                person.bound_to = [node for node in person.bound_to if node != folder]

    @precondition(lambda self: len(self.members) < 6)
    @rule(which=PICK)
    def create_member(self, which: int) -> None:
        self.create_member_in(list(self.folders)[which % len(self.folders)])

    @precondition(lambda self: self.members)
    @rule(which=PICK, to=PICK)
    def move_member(self, which: int, to: int) -> None:
        member_id = list(self.members)[which % len(self.members)]
        folder = list(self.folders)[to % len(self.folders)]

        def move() -> None:
            self.call("MoveAccount", AccountId=member_id, DestinationFolderId=folder)
            self.members[member_id].folder = folder

        self.previewed(move, "MoveMember", AccountId=member_id, DestinationFolderId=folder)

    @precondition(lambda self: len(self.members) > 1)
    @rule(which=PICK)
    def remove_member(self, which: int) -> None:
        member_id = list(self.members)[which % len(self.members)]
        self.call("UpdateAccount", AccountId=member_id, NewAccountType="CloudAccount")

        def remove() -> None:
            self.call("RemoveCloudAccount", AccountId=member_id)
            del self.members[member_id]
            for person in self.contacts.values():
                person.bound_to = [node for node in person.bound_to if node != member_id]

        self.previewed(remove, "RemoveMember", AccountId=member_id)

    @precondition(lambda self: len(self.members) > 1)
    @rule(which=PICK)
    def delete_member(self, which: int) -> None:
        member_id = list(self.members)[which % len(self.members)]

        def delete() -> None:
            self.call("DeleteAccount", AccountId=member_id)
            del self.members[member_id]
            for person in self.contacts.values():
                person.bound_to = [node for node in person.bound_to if node != member_id]

        self.previewed(delete, "DeleteMember", AccountId=member_id)

    @precondition(lambda self: len(self.contacts) < 4)
    @rule(types=SOME_TYPES, verified=st.sampled_from([True, True, False]), to=PICK)
    def add_contact(self, types: list[str], verified: bool, to: int) -> None:
        contact_id = self.add_contact_of(types)
        self.bind_to(contact_id, self.node(to))
        if verified:
            self.confirm(contact_id)

    @precondition(lambda self: any(not person.verified for person in self.contacts.values()))
    @rule()
    def verify(self) -> None:
        self.confirm(next(key for key, person in self.contacts.items() if not person.verified))

    @precondition(lambda self: self.contacts)
    @rule(which=PICK, to=PICK)
    def bind(self, which: int, to: int) -> None:
        self.bind_to(self.contact(which), self.node(to))

    @precondition(lambda self: any(person.bound_to for person in self.contacts.values()))
    @rule(which=PICK)
    def unbind(self, which: int) -> None:
        bindings = [(key, node) for key, person in self.contacts.items() for node in person.bound_to]
        contact_id, node = bindings[which % len(bindings)]

        def unbind() -> None:
            self.call("DisassociateMembers", ContactId=contact_id, Members=[node])
            self.contacts[contact_id].bound_to.remove(node)

        self.previewed(unbind, "Unbind", ContactId=contact_id, Members=[node])

    @precondition(lambda self: self.contacts)
    @rule(which=PICK, types=SOME_TYPES)
    def change_types(self, which: int, types: list[str]) -> None:
        contact_id = self.contact(which)

        def change() -> None:
            self.call("UpdateMessageContact", ContactId=contact_id, MessageTypes=types)
            self.contacts[contact_id].types = types

        self.previewed(change, "ChangeTypes", ContactId=contact_id, MessageTypes=types)

    @precondition(lambda self: self.contacts)
    @rule(which=PICK, retain=st.booleans())
    def delete_contact(self, which: int, retain: bool) -> None:
        contact_id = self.contact(which)

        def delete() -> None:
            having = [member_id for member_id in self.members if contact_id in self.effective(member_id)]
            self.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=retain)
            person = self.contacts.pop(contact_id)
            for member_id in having if retain else ():
                self.members[member_id].kept[contact_id] = tuple(person.types), person.email

        self.previewed(delete, "DeleteContact", ContactId=contact_id, RetainContactInMembers=retain)
        self.everyone_is_reached_as_the_model_says()  # also while the contact is being taken out of the members
        self.run(self.api.work())

    @precondition(lambda self: any(site.kept for site in self.members.values()))
    @rule(which=PICK)
    def delete_copies(self, which: int) -> None:
        """Of one contact: there may be one for each member that left, and one for those that stayed."""
        kept = sorted({contact_id for site in self.members.values() for contact_id in site.kept})
        contact_id = kept[which % len(kept)]
        copies = self.call("ListDetachedContacts", OURS, MaxResults=100)["DetachedContacts"]
        (copy_id,) = [
            copy["DetachedContactId"]
            for copy in copies
            if copy["ContactId"] == contact_id and self.holds_for_somebody(copy["Members"])
        ] or [None]
        if copy_id is None:
            return

        def delete() -> None:
            self.call("DeleteDetachedContact", OURS, DetachedContactId=copy_id)
            for site in self.members.values():
                site.kept.pop(contact_id, None)

        self.previewed(delete, "DeleteCopy", DetachedContactId=copy_id)

    def holds_for_somebody(self, nodes: list[str]) -> bool:
        """Whether a copy is one of members that stayed: those of one that left name that one only."""
        return not all(node.isdigit() and node not in self.members for node in nodes)

    # What has to hold.

    @invariant()
    def everyone_is_reached_as_the_model_says(self) -> None:
        if not hasattr(self, "api"):
            return
        for member_id in self.members:
            expected = self.effective(member_id)
            assert self.listed(member_id) == expected
            of_type = self.listed(member_id, MessageType="FaultMessage")
            assert of_type == {key: value for key, value in expected.items() if "FaultMessage" in value[0]}
        answer = self.call("GetCoverage", OURS, MaxResults=100)
        assert {
            entry["MemberId"]: {item["MessageType"]: item["ContactCount"] for item in entry["MessageTypes"]}
            for entry in answer["Members"]
        } == self.counts()

    def listed(self, member_id: str, **filters: str) -> Effective:
        """What ListEffectiveContacts says, read in small pages."""
        found: Effective = {}
        nodes = set(self.above(member_id))
        token: str | None = None
        while True:
            page = self.call("ListEffectiveContacts", OURS, Member=member_id, MaxResults=2, NextToken=token, **filters)
            for entry in page["EffectiveContacts"]:
                assert entry["ContactId"] not in found
                (address,) = entry["Addresses"]
                found[entry["ContactId"]] = tuple(entry["MessageTypes"]), address["Address"]
                reasons = [(reason["Because"], reason["ObjectId"]) for reason in entry["Reasons"]]
                if "DetachedContactId" in entry:
                    assert reasons
                    assert all(because == "Retained" and node in nodes for because, node in reasons)
                else:
                    bound_to = self.contacts[entry["ContactId"]].bound_to
                    assert reasons == [(self.because(node), node) for node in bound_to if node in nodes]
            if "NextToken" not in page:
                return found
            token = page["NextToken"]

    def because(self, node: str) -> str:
        return "Directory" if node == self.directory else "Own" if node.isdigit() else "Folder"


#: The migrated database that every run copies; set by the fixture, since hypothesis makes the machines itself.
TEMPLATE: list[Path] = []


@pytest.fixture(autouse=True)
def _template(database_path: Path) -> None:
    TEMPLATE[:] = [database_path]


TestReach = Reach.TestCase
TestReach.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
