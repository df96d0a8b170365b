"""Looking for contacts: every combination of what can be asked, against the contacts themselves."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

from message_contacts.clock import Instant
from message_contacts.contacts.model import (
    CONTACT_CHANNELS,
    Binding,
    Channel,
    Contact,
    ContactName,
    ContactRules,
    Deletion,
    DeletionState,
    EmailAddress,
    MessageType,
    PhoneNumber,
    Slot,
    Status,
)
from message_contacts.contacts.search import STATUS_ORDER, ContactSearch, Order, SortBy
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, BY_PERSON, FROM_INBOX, make_contact
from tests.fakes.clock import START
from tests.storage.making import ROOT, make_folder, plant

FOLDER = make_folder().folder_id
TYPES = tuple(MessageType)


def people(count: int = 40) -> list[Contact]:
    """Contacts of all sorts, the same ones every time."""
    chance = random.Random(6)
    found = []
    for number in range(count):
        letters = (
            "".join(chance.choice("aAbBzZ%_!张") for _ in range(4)) + chr(97 + number % 26) + chr(97 + number // 26)
        )
        verified = chance.choice([None, BY_PERSON, FROM_INBOX])
        found.append(
            make_contact(
                contact_id=f"c-{chance.randrange(10**12):016d}",
                name=ContactName(letters),
                created_at=Instant(START + chance.randrange(5)),
                message_types=tuple(chance.sample(TYPES, chance.randrange(1, 6))),
                email=Slot(
                    shown=EmailAddress(f"P{number}@example.com"),
                    verified=verified,
                    waiting=EmailAddress(f"new{number}@Example.org") if verified and chance.random() < 0.3 else None,
                ),
                phone=Slot()
                if chance.random() < 0.5
                else Slot(
                    shown=PhoneNumber(f"86-13900{number:06d}"), verified=chance.choice([None, BY_PERSON, FROM_INBOX])
                ),
                bindings=tuple(Binding(node, START) for node in chance.sample([ROOT, FOLDER], chance.randrange(3))),
                deletion=chance.choice([None, None, Deletion(DeletionState.DELETING), Deletion(DeletionState.FAILED)]),
            )
        )
    return found


def matches(contact: Contact, asked: ContactSearch) -> bool:
    rules = ContactRules(captured_counts=asked.captured_counts)
    texts = [contact.name.text, contact.title]
    for channel in CONTACT_CHANNELS:
        slot = contact.slot(channel)
        texts += [address.text for address in (slot.shown, slot.waiting) if address is not None]
    bound = {binding.node_id for binding in contact.bindings}
    return (
        any(asked.text.lower() in text.lower() for text in texts)
        and asked.status in (None, contact.status(rules))
        and (asked.message_type is None or asked.message_type in contact.message_types)
        and (not asked.node_ids or bool(bound & set(asked.node_ids)))
        and asked.bound in (None, bool(bound))
    )


def in_order(contacts: list[Contact], order: Order, rules: ContactRules) -> list[str]:
    def place(contact: Contact) -> tuple[object, ...]:
        if order.sort_by is SortBy.NAME:
            return contact.name.text.lower().encode(), contact.contact_id
        rank = STATUS_ORDER.index(contact.status(rules)) if order.sort_by is SortBy.STATUS else 0
        return rank, contact.created_at, contact.contact_id

    return [contact.contact_id for contact in sorted(contacts, key=place, reverse=order.descending)]


QUESTIONS = [
    ContactSearch(),
    ContactSearch(text="a%"),
    ContactSearch(text="_"),
    ContactSearch(text="!"),
    ContactSearch(text="张"),
    ContactSearch(text="EXAMPLE.ORG"),
    ContactSearch(text="13900"),
    *(ContactSearch(status=status) for status in Status),
    *(ContactSearch(message_type=kind) for kind in TYPES[:2]),
    ContactSearch(node_ids=(FOLDER,)),
    ContactSearch(node_ids=(ROOT, FOLDER), status=Status.ACTIVE),
    ContactSearch(bound=True, text="z"),
    ContactSearch(bound=False, message_type=MessageType.SECURITY_MESSAGE),
    ContactSearch(node_ids=("fd-0000000009",)),
]
CAPTURED = [frozenset[Channel](), frozenset({Channel.EMAIL}), frozenset(CONTACT_CHANNELS)]


async def test_what_is_found_is_what_matches_in_the_order_wanted_page_by_page(storage: Storage) -> None:
    everybody = people()
    await plant(storage, make_folder(), *everybody)

    for asked, captured, sort_by, descending in itertools.product(QUESTIONS, CAPTURED, SortBy, (False, True)):
        question = replace(asked, captured_counts=captured)
        rules = ContactRules(captured_counts=captured)
        order = Order(sort_by=sort_by, descending=descending)
        expected = in_order([contact for contact in everybody if matches(contact, question)], order, rules)
        found: list[str] = []
        after = None
        while page := await storage.contacts.contacts_found(ACCOUNT, question, order, after=after, limit=7):
            found += [contact.contact_id for contact in page]
            after = order.place(page[-1], rules)
        assert found == expected, (question, order)
        assert await storage.contacts.count_found(ACCOUNT, question, most=1000) == len(expected)


async def test_counting_stops_where_it_is_told(storage: Storage) -> None:
    await plant(storage, make_folder(), *people())

    assert await storage.contacts.count_found(ACCOUNT, ContactSearch(), most=10) == 10


async def test_contacts_of_another_tenant_are_not_found(storage: Storage) -> None:
    await plant(storage, make_folder(), *people(3))

    order = Order(sort_by=SortBy.NAME)
    assert await storage.contacts.contacts_found("1000000000000002", ContactSearch(), order, after=None, limit=7) == []


def test_a_question_does_not_show_by_accident_whom_it_is_about() -> None:
    assert "tom@example.com" not in repr(ContactSearch(text="tom@example.com"))
