"""Suspensions, preferences and requests, as they are kept and found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Insert, RelyOn, Stale, Update
from message_contacts.contacts.model import Channel, Contact, DetachedContact, EmailAddress, MessageType, Slot
from message_contacts.delivery.standing import (
    HandOver,
    Known,
    Preference,
    QuietHours,
    Sign,
    Source,
    Suspension,
    SuspensionReason,
)
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, BY_PERSON, make_contact, make_directory
from tests.fakes.clock import START
from tests.storage.making import OTHER_ACCOUNT, after, commit, make_copy
from tests.unit.delivery.values import make_delivery, make_message

TOM, ANN = "tom@example.com", "ann@example.com"
CONTACT_ID = "c-0000000000000001"


def in_force_at(address: str) -> Slot[EmailAddress]:
    return Slot(shown=EmailAddress(address), verified=BY_PERSON)


def suspension(address: str = TOM, account_id: str = ACCOUNT, **fields: object) -> Suspension:
    made = Suspension(
        account_id=account_id,
        channel=Channel.EMAIL,
        address_key=address,
        address=address.capitalize(),
        reason=SuspensionReason.HARD_BOUNCE,
        suspended_at=START,
        soft_bounces=2,
        bounced_at=after(5),
        signs=(Sign(START, Source.REPORT, "d-1", "hard", "mailbox-unknown", "5.1.1", "550 «no»"),),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def preference(contact_id: str = "c-1", address: str = TOM, account_id: str = ACCOUNT, **fields: object) -> Preference:
    made = Preference(
        account_id=account_id,
        channel=Channel.EMAIL,
        address_key=address,
        contact_id=contact_id,
        unwanted=frozenset({MessageType.PRODUCT_MESSAGE, MessageType.FAULT_MESSAGE}),
        quiet=QuietHours(starts=1320, ends=420, zone="Asia/Shanghai", hold_urgent=True),
        language="en",
        changed_at=START,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def hand_over(number: int = 1, contact_id: str = "c-1", **fields: object) -> HandOver:
    made = HandOver(
        account_id=ACCOUNT,
        hand_over_id=f"h-{number}",
        contact_id=contact_id,
        channel=Channel.EMAIL,
        address=TOM,
        wish="Ann 安",
        asked_at=START,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


async def test_nothing_is_known_of_most_tenants(storage: Storage) -> None:
    await commit(storage, Insert(suspension(account_id=OTHER_ACCOUNT)), Insert(preference(account_id=OTHER_ACCOUNT)))

    assert not await storage.standing.knows_any(ACCOUNT)
    assert await storage.standing.known(ACCOUNT) == Known([], [], [])
    assert await storage.standing.known_of(ACCOUNT, [(Channel.EMAIL, TOM)], ["c-1"]) == Known([], [], [])
    assert await storage.standing.knows_any(OTHER_ACCOUNT)


async def test_an_errand_tells_whether_anything_is_known_of_addresses(storage: Storage) -> None:
    """Then what stands against an address is not asked for."""

    async def known() -> bool:
        errand = await storage.messages.errand(ACCOUNT, make_delivery().delivery_id)
        assert errand is not None
        return errand.anything_known

    counted = suspension(reason=None, suspended_at=None)
    await commit(storage, Insert(make_message()), Insert(make_delivery()), Insert(counted))
    await commit(storage, Insert(preference(account_id=OTHER_ACCOUNT)))
    assert not await known()
    suspended = suspension()
    await commit(storage, Update(counted, suspended))
    assert await known()
    await commit(storage, Delete(replace(suspended, version=2)), Insert(preference()))
    assert await known()


async def test_what_is_only_counted_is_no_suspension(storage: Storage) -> None:
    counted = suspension(reason=None, suspended_at=None)
    await commit(storage, Insert(counted))

    assert not await storage.standing.knows_any(ACCOUNT)
    assert await storage.standing.known(ACCOUNT) == Known([], [], [])
    assert await storage.standing.known_of(ACCOUNT, [(Channel.EMAIL, TOM)], []) == Known([], [], [])
    assert await storage.standing.suspension_page(ACCOUNT, after=None, limit=10) == []
    assert await storage.standing.suspension(ACCOUNT, Channel.EMAIL, TOM) == counted


async def test_all_of_it_comes_back_as_it_was_kept(storage: Storage) -> None:
    plain = preference("", quiet=None, language="", unwanted=frozenset())
    await commit(storage, Insert(suspension()), Insert(preference()), Insert(plain), Insert(hand_over()))

    assert await storage.standing.suspension(ACCOUNT, Channel.EMAIL, TOM) == suspension()
    assert await storage.standing.preference(ACCOUNT, Channel.EMAIL, TOM, "c-1") == preference()
    assert await storage.standing.preference(ACCOUNT, Channel.EMAIL, TOM, "") == plain
    assert await storage.standing.hand_over(ACCOUNT, "h-1") == hand_over()


async def test_what_matters_for_some_addresses_and_contacts_is_found_once(storage: Storage) -> None:
    here, elsewhere = preference(CONTACT_ID), preference(CONTACT_ID, "old@example.com")
    of_others = [suspension("bob@example.com"), preference("c-9", "bob@example.com")]
    await commit(storage, Insert(make_directory()), Insert(make_contact()), Insert(suspension()))
    await commit(storage, Insert(here), Insert(elsewhere), *(Insert(each) for each in of_others))

    places = [(Channel.EMAIL, TOM), (Channel.EMAIL, ANN)]
    found = await storage.standing.known_of(ACCOUNT, places, [CONTACT_ID, "c-2"])

    assert found.suspensions == [suspension()]
    assert found.preferences == [here]
    assert found.elsewhere == [elsewhere]


@pytest.mark.parametrize(
    ("has_it", "who"),
    [
        (True, make_contact(email=in_force_at("Tom@example.com"))),
        (True, make_contact(email=replace(in_force_at("new@example.com"), waiting=EmailAddress("TOM@example.com")))),
        (True, make_copy(contact_id=CONTACT_ID)),
        (False, make_contact(email=in_force_at("new@example.com"))),
        (False, make_copy(contact_id=CONTACT_ID, email=EmailAddress("new@example.com"))),
        (False, make_contact(contact_id="c-9", email=in_force_at("tom@example.com"))),
    ],
)
async def test_whether_who_said_it_still_has_the_address_is_told(
    storage: Storage, has_it: bool, who: Contact | DetachedContact
) -> None:
    """In force, waiting, or in a copy that members keep."""
    said, for_address = preference(CONTACT_ID), preference("")
    await commit(storage, Insert(make_directory()), Insert(said), Insert(for_address), Insert(who))

    for found in (
        await storage.standing.known(ACCOUNT),
        await storage.standing.known_of(ACCOUNT, [(Channel.EMAIL, TOM)], [CONTACT_ID]),
    ):
        assert {each.contact_id for each in found.preferences} == ({"", CONTACT_ID} if has_it else {""})
        assert [each.contact_id for each in found.elsewhere] == ([] if has_it else [CONTACT_ID])
    of_place = await storage.standing.known_of(ACCOUNT, [(Channel.EMAIL, TOM)], [])
    assert len(of_place.preferences) == 1 + has_it
    assert of_place.elsewhere == [], "somebody who is not asked for, and not reached there"


async def test_suspensions_are_paged_by_address(storage: Storage) -> None:
    await commit(storage, *(Insert(suspension(address)) for address in (TOM, ANN, "bob@example.com")))

    first = await storage.standing.suspension_page(ACCOUNT, after=None, limit=2)
    rest = await storage.standing.suspension_page(ACCOUNT, after=(Channel.EMAIL, "bob@example.com"), limit=2)

    assert [each.address_key for each in first] == [ANN, "bob@example.com"]
    assert [each.address_key for each in rest] == [TOM]


@pytest.mark.parametrize("row", [suspension(), preference(), hand_over()], ids=lambda row: type(row).__name__)
async def test_a_change_on_moved_ground_is_decided_again(storage: Storage, row: object) -> None:
    await commit(storage, Insert(row))
    await commit(storage, RelyOn(row), Update(row, row))

    for change in (Update(row, row), Delete(row), RelyOn(row)):
        with pytest.raises(Stale):
            await commit(storage, change)
    await commit(storage, Delete(replace(row, version=2)))  # type: ignore[type-var]


async def test_a_contact_has_one_open_request(storage: Storage) -> None:
    await commit(storage, Insert(hand_over()))
    with pytest.raises(Stale):
        await commit(storage, Insert(hand_over(2)))

    closed = hand_over(closed_at=after(1), closed_by="MCkey", note="Done")
    await commit(storage, Update(hand_over(), closed), Insert(hand_over(2)), Insert(hand_over(3, "c-2")))

    assert (await storage.standing.open_hand_over(ACCOUNT, "c-1")) == hand_over(2)
    page = await storage.standing.hand_over_page(ACCOUNT, only_open=False, after="h-1", limit=1)
    assert [each.hand_over_id for each in page] == ["h-2"]
    still_open = await storage.standing.hand_over_page(ACCOUNT, only_open=True, after=None, limit=10)
    assert [each.hand_over_id for each in still_open] == ["h-2", "h-3"]
