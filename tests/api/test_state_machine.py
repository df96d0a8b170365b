"""Contacts driven at random through the public API, held against a model of a few dictionaries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from message_contacts.verification.challenge import PageState, Visitor
from tests.harness import Api, open_api
from tests.postgres import PostgresDatabases

NAMES = st.sampled_from(["Tom", "Jerry", "汤姆", "Spike"])
EMAILS = st.sampled_from(["a@example.com", "b@example.com", "A@example.com", "c@example.org"])
PHONES = st.sampled_from(["86-13900000001", "86-13900000002", "86-13900000003"])
VISITOR = Visitor("198.51.100.4", "")
LIMIT = 3


@dataclass
class ModelSlot:
    """One kind of address, as a person would describe it."""

    shown: str = ""
    verified: bool = False
    waiting: str = ""
    added: bool = False

    def update(self, new: str) -> None:
        """A new value was given."""
        if self.shown and same(new, self.shown):
            self.shown, self.waiting = new, ""
        elif (self.waiting and same(new, self.waiting)) or self.verified:
            self.waiting = new
        else:
            self.added = self.added or not self.shown
            self.shown = new

    @property
    def pending(self) -> str:
        return self.waiting or ("" if self.verified else self.shown)

    def confirm(self) -> None:
        """Its owner confirmed the pending value."""
        self.shown, self.waiting, self.verified, self.added = self.pending, "", True, False


@dataclass
class ModelContact:
    """A contact, as a person would describe it."""

    name: str
    email: ModelSlot
    phone: ModelSlot
    members: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return "Active" if all(slot.verified for slot in (self.email, self.phone) if slot.shown) else "Verifying"


def same(one: str, other: str) -> bool:
    """Whether two addresses are the same."""
    return one.lower() == other.lower()


class ContactLife(RuleBasedStateMachine):
    """What callers and recipients can do, in any order."""

    contacts = Bundle("contacts")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = AsyncExitStack()
        self.model: dict[str, ModelContact] = {}
        self.gone: set[str] = set()

    def run(self, awaitable: Any) -> Any:
        return self.runner.run(awaitable)

    def teardown(self) -> None:
        self.run(self.opened.aclose())
        self.runner.close()

    @initialize()
    def start(self) -> None:
        opening = open_api(NEW_DATABASE[0](), {"contacts_per_directory": LIMIT, "verifications_per_minute": 10_000})
        self.api: Api = self.run(self.opened.enter_async_context(opening))
        self.nodes = [self.run(self.api.create_folder(name)) for name in ("One", "Two")]

    def answer(self, action: str, **parameters: Any) -> tuple[int, str]:
        """Status and code ("" for success)."""
        status, body = self.run(self.api.answer(action, **parameters))
        self.last = body
        return status, body.get("Code", "")

    def name_taken(self, name: str, contact_id: str | None = None) -> bool:
        return any(contact.name == name for key, contact in self.model.items() if key != contact_id)

    @rule(target=contacts, name=NAMES, email=EMAILS, phone=st.none() | PHONES)
    def add(self, name: str, email: str, phone: str | None) -> Any:
        status, code = self.answer(
            "AddMessageContact",
            Name=name,
            EmailAddress=email,
            PhoneNumber=phone,
            Title="CEO",
            MessageTypes=["FaultMessage"],
        )
        if self.name_taken(name):
            assert code == "InvalidParameter.Name.AlreadyUsed"
        elif len(self.model) == LIMIT:
            assert code == "LimitExceeded.Contacts"
        else:
            assert status == 200
            contact_id = self.last["Contact"]["ContactId"]
            self.model[contact_id] = ModelContact(name, ModelSlot(email), ModelSlot(phone or ""))
            return contact_id
        return multiple()

    @rule(
        contact_id=contacts,
        name=st.none() | NAMES,
        email=st.none() | EMAILS,
        phone=st.none() | st.just("") | PHONES,
    )
    def update(self, contact_id: str, name: str | None, email: str | None, phone: str | None) -> None:
        _, code = self.answer(
            "UpdateMessageContact", ContactId=contact_id, Name=name, EmailAddress=email, PhoneNumber=phone
        )
        contact = self.model.get(contact_id)
        if contact is None:
            assert code == "EntityNotExists.Contact"
        elif name and self.name_taken(name, contact_id):
            assert code == "InvalidParameter.Name.AlreadyUsed"
        else:
            assert code == ""
            contact.name = name or contact.name
            if email:
                contact.email.update(email)
            if phone:
                contact.phone.update(phone)
            elif phone == "":
                contact.phone = ModelSlot()

    @rule(contact_id=contacts, is_email=st.booleans(), by_code=st.booleans())
    def verify(self, contact_id: str, is_email: bool, by_code: bool) -> None:
        contact = self.model.get(contact_id)
        slot = None if contact is None else (contact.email if is_email else contact.phone)
        target = (slot.pending if slot else "") or ("nobody@example.com" if is_email else "86-13900000009")
        action, name = (
            ("SendEmailVerificationForMessageContact", "EmailAddress")
            if is_email
            else ("SendPhoneVerificationForMessageContact", "PhoneNumber")
        )
        _, code = self.answer(action, ContactId=contact_id, **{name: target})
        if contact is None:
            assert code == "EntityNotExists.Contact"
        elif not slot or not slot.pending:
            assert code == "EntityNotExists.Contact.Verification"
        else:
            assert code == ""
            self.run(self.api.work())
            token = self.run(self.api.token_sent_to(target))
            if by_code:
                sent = self.run(self.api.code_sent_to(target))
                view = self.run(self.api.service.verification.confirm_by_code(token[:10], sent, VISITOR))
            else:
                view = self.run(self.api.service.verification.confirm(token, VISITOR))
            assert view.state is PageState.CONFIRMED
            slot.confirm()

    @rule(contact_id=contacts)
    def cancel(self, contact_id: str) -> None:
        _, code = self.answer("CancelMessageContactUpdate", ContactId=contact_id)
        contact = self.model.get(contact_id)
        if contact is None:
            assert code == "EntityNotExists.Contact"
            return
        phone_added = contact.phone.added
        if not (contact.email.waiting or contact.phone.waiting or phone_added):
            assert code == "ContactStatusMismatchAction"
            return
        assert code == ""
        contact.email.waiting = contact.phone.waiting = ""
        if phone_added:
            contact.phone = ModelSlot()

    @rule(contact_id=contacts, which=st.integers(0, 1), bind=st.booleans())
    def bind(self, contact_id: str, which: int, bind: bool) -> None:
        node = self.nodes[which]
        _, code = self.answer(
            "AssociateMembers" if bind else "DisassociateMembers", ContactId=contact_id, Members=[node]
        )
        contact = self.model.get(contact_id)
        if contact is None:
            assert code == "EntityNotExists.Contact"
            return
        assert code == ""
        if bind and node not in contact.members:
            contact.members.append(node)
        elif not bind and node in contact.members:
            contact.members.remove(node)

    @rule(contact_id=contacts, retain=st.booleans())
    def delete(self, contact_id: str, retain: bool) -> None:
        _, code = self.answer("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=retain)
        if contact_id not in self.model:
            assert code == "EntityNotExists.Contact"
            return
        assert self.last["Status"] == ("Deleted" if retain else "Deleting")
        self.run(self.api.work())
        del self.model[contact_id]

    @invariant()
    def shows_what_the_model_says(self) -> None:
        if not hasattr(self, "api"):
            return
        status, _ = self.answer("ListMessageContacts", PageSize=100)
        assert status == 200
        assert {
            entry["ContactId"]: (
                entry["Name"],
                entry["EmailAddress"],
                entry["PhoneNumber"],
                entry["Status"],
                entry["Members"],
            )
            for entry in self.last["Contacts"]
        } == {
            contact_id: (contact.name, contact.email.shown, contact.phone.shown, contact.status, contact.members)
            for contact_id, contact in self.model.items()
        }
        for contact_id, contact in self.model.items():
            self.answer("ListMessageContactVerifications", ContactId=contact_id)
            assert [entry["Target"] for entry in self.last["ContactVerifications"]] == [
                slot.pending for slot in (contact.email, contact.phone) if slot.pending
            ]


class ContactLifeOnPostgres(ContactLife):
    """The same; hypothesis wants a machine of its own for each test."""


#: Makes the database of each run; set by the fixture, since hypothesis makes the machines itself.
NEW_DATABASE: list[Callable[[], str]] = []


@pytest.fixture(autouse=True)
def _new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    made: list[str] = []
    if request.cls is TestContactLife:
        template: Path = request.getfixturevalue("database_path")

        def copy() -> str:
            path = tmp_path / f"{len(made)}.db"
            path.write_bytes(template.read_bytes())
            made.append(f"sqlite:///{path}")
            return made[-1]

        NEW_DATABASE[:] = [copy]
        yield
    else:
        databases: PostgresDatabases = request.getfixturevalue("postgres_databases")

        def create() -> str:
            made.append(databases.new())
            return made[-1]

        NEW_DATABASE[:] = [create]
        yield
        for url in made:
            databases.drop(url)


_SETTINGS = settings(
    max_examples=25,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TestContactLife = ContactLife.TestCase
TestContactLife.settings = _SETTINGS
TestContactLifeOnPostgres = ContactLifeOnPostgres.TestCase
TestContactLifeOnPostgres.settings = settings(_SETTINGS, max_examples=10)
