"""What holds for change sets as a whole: all or nothing, whose refusal counts, counters and nonces."""

from __future__ import annotations

import asyncio

import pytest

from message_contacts import errors
from message_contacts.changes import Change, CountDown, CountUp, Insert, Stale
from message_contacts.clock import MINUTE
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from tests.factories import ACCOUNT
from tests.fakes.clock import FakeClock
from tests.storage.making import OTHER_ACCOUNT, after, commit, make_account, named_contact, nonce, plant


def count_up(limit: int, *, account_id: str = ACCOUNT, period: str = "") -> CountUp:
    return CountUp(account_id, "contacts", period, limit, errors.LIMIT_EXCEEDED_CONTACTS)


async def refusal(storage: Storage, *changes: Change, number: int | None = None) -> str:
    """The code with which a change set is refused."""
    with pytest.raises(ApiError) as refused:
        await commit(storage, *changes, with_nonce=None if number is None else nonce(number))
    return refused.value.definition.code


async def test_a_refused_change_set_leaves_nothing_behind(storage: Storage) -> None:
    await plant(storage, named_contact(1))
    taken = named_contact(3, name=named_contact(1).name)

    code = await refusal(storage, Insert(named_contact(2)), count_up(9), Insert(taken), number=1)

    assert code == "InvalidParameter.Name.AlreadyUsed"
    assert await storage.contacts.contact(ACCOUNT, named_contact(2).contact_id) is None
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 0
    assert not await storage.access.nonce_used(nonce(1).digest)


async def test_the_first_refusal_in_the_order_of_the_changes_counts(storage: Storage) -> None:
    await plant(storage, named_contact(1))
    taken = Insert(named_contact(2, name=named_contact(1).name))

    assert await refusal(storage, taken, count_up(0)) == "InvalidParameter.Name.AlreadyUsed"
    assert await refusal(storage, count_up(0), taken) == "LimitExceeded.Contacts"


async def test_a_used_nonce_outranks_every_other_refusal(storage: Storage) -> None:
    await commit(storage, with_nonce=nonce(1))

    assert await refusal(storage, count_up(0), number=1) == "SignatureNonceUsed"
    with pytest.raises(ApiError, match="SignatureNonceUsed"):
        await commit(storage, Insert(named_contact(1)), with_nonce=nonce(1))  # stale without the nonce


async def test_a_nonce_is_used_from_its_commit_until_it_expires(storage: Storage, clock: FakeClock) -> None:
    used = nonce(1, expires_at=after(15 * MINUTE))
    assert not await storage.access.nonce_used(used.digest)

    await commit(storage, with_nonce=used)
    assert await storage.access.nonce_used(used.digest)
    assert not await storage.access.nonce_used(nonce(2).digest)

    clock.advance(15 * 60)
    assert not await storage.access.nonce_used(used.digest)
    await commit(storage, with_nonce=nonce(1, expires_at=after(30 * MINUTE)))  # not pruned yet, but free again
    assert await refusal(storage, number=1) == "SignatureNonceUsed"


async def test_a_counter_stops_at_its_limit_and_goes_on_when_lowered(storage: Storage) -> None:
    await commit(storage, count_up(2))
    await commit(storage, count_up(2))

    assert await refusal(storage, count_up(2)) == "LimitExceeded.Contacts"
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 2

    await commit(storage, CountDown(ACCOUNT, "contacts"))
    await commit(storage, count_up(2))
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 2


async def test_a_limit_of_nought_lets_nothing_through(storage: Storage) -> None:
    assert await refusal(storage, count_up(0)) == "LimitExceeded.Contacts"
    assert await storage.verification.count(ACCOUNT, "contacts", "") == 0


async def test_counters_of_other_tenants_and_periods_count_apart(storage: Storage) -> None:
    await commit(storage, count_up(1), count_up(1, period="2026-11-21"), count_up(1, account_id=OTHER_ACCOUNT))

    assert await storage.verification.count(ACCOUNT, "contacts", "2026-11-21") == 1
    assert await storage.verification.count(ACCOUNT, "contacts", "2026-11-22") == 0
    assert await storage.verification.count(OTHER_ACCOUNT, "contacts", "") == 1


async def test_a_counter_is_never_lowered_below_nought(storage: Storage) -> None:
    await commit(storage, CountDown(ACCOUNT, "contacts"))
    await commit(storage, count_up(5), CountDown(ACCOUNT, "contacts"), CountDown(ACCOUNT, "contacts"))

    assert await storage.verification.count(ACCOUNT, "contacts", "") == 0


async def test_refusals_within_one_commit_do_not_touch_their_neighbours(storage: Storage) -> None:
    """Many change sets share a commit; each has its own fate."""
    await plant(storage)
    changes = [(Insert(named_contact(number)), count_up(10)) for number in range(30)]

    results = await asyncio.gather(*(commit(storage, *change) for change in changes), return_exceptions=True)

    added = [result for result in results if result is None]
    refused = [result.definition.code for result in results if isinstance(result, ApiError)]
    _, total = await storage.contacts.contact_page(ACCOUNT, contact_id=None, node_id=None, offset=0, limit=1)
    assert (len(added), total) == (10, 10)
    assert refused == ["LimitExceeded.Contacts"] * 20


async def test_what_cannot_be_written_is_a_bug_that_surfaces_and_harms_nobody_else(storage: Storage) -> None:
    unwritable = make_account(name=object())
    later = make_account("1000000000000003")

    results = await asyncio.gather(
        commit(storage, Insert(make_account("1000000000000002"))),
        commit(storage, Insert(unwritable)),
        commit(storage, Insert(later)),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [type(None), TypeError, type(None)]
    assert await storage.access.account("1000000000000003") == later
    with pytest.raises(TypeError, match="object"):
        await commit(storage, Insert(object()))


async def test_the_same_id_twice_in_one_commit_is_stale(storage: Storage) -> None:
    with pytest.raises(Stale):
        await commit(storage, Insert(make_account()), Insert(make_account(name="other")))

    assert await storage.access.accounts() == []
