"""Taking a contact out of the members in the background."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Change, Delete, Job, Nonce, Settler, Stale, Update
from message_contacts.contacts.model import (
    Binding,
    Contact,
    Deletion,
    DeletionState,
    MessageType,
    WithdrawalFailure,
)
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.withdrawal import ContactWithdrawal, NoMemberSettings
from tests.factories import ACCOUNT, make_contact
from tests.fakes.clock import START, FakeClock

BINDINGS = (Binding("fd-AAAAAAAAAA", START), Binding("2000000000000001", START))
FAILURE = WithdrawalFailure("2000000000000001", (MessageType.ACCOUNT_EXPENSES,))
JOB = Job(
    job_id="j-1",
    account_id=ACCOUNT,
    kind="withdraw-contact",
    channel="internal",
    payload={"contact_id": "c-0000000000000001"},
    due_at=START,
    created_at=START,
)


class OneContact:
    """A store of one contact."""

    def __init__(self, contact: Contact | None) -> None:
        self.stored = contact
        self.lost_races = 0

    async def contact(self, account_id: str, contact_id: str) -> Contact | None:
        return self.stored

    async def commit(self, changes: tuple[Change, ...], nonce: Nonce | None) -> None:
        if self.lost_races:
            self.lost_races -= 1
            raise Stale
        for change in changes:
            if isinstance(change, Delete):
                self.stored = None
            elif isinstance(change, Update):
                self.stored = change.after


class Members:
    """Members of which some keep the contact."""

    def __init__(self, **failures: list[WithdrawalFailure]) -> None:
        self.failures = failures
        self.asked: list[str] = []

    async def withdraw(self, contact: Contact, node_id: str) -> list[WithdrawalFailure]:
        self.asked.append(node_id)
        return self.failures.get(node_id.replace("-", "_"), [])


@pytest.fixture
def store() -> OneContact:
    return OneContact(make_contact(bindings=BINDINGS, deletion=Deletion(DeletionState.DELETING)))


def make_withdrawal(store: OneContact, members: object) -> ContactWithdrawal:
    return ContactWithdrawal(contacts=store, members=members, settler=Settler(store, FakeClock()))


async def test_contact_is_gone_when_every_object_let_go_of_it(store):
    members = Members()
    assert await make_withdrawal(store, members)(JOB) == Outcome(Verdict.ACCEPTED, "withdrawn")
    assert store.stored is None
    assert members.asked == ["fd-AAAAAAAAAA", "2000000000000001"]


async def test_contact_stays_with_the_bindings_that_failed(store):
    members = Members(**{"2000000000000001": [FAILURE]})
    assert await make_withdrawal(store, members)(JOB) == Outcome(Verdict.ACCEPTED, "withdrawn-in-part")
    assert store.stored.bindings == (BINDINGS[1],)
    assert store.stored.deletion == Deletion(DeletionState.FAILED, (FAILURE,))


async def test_without_settings_in_members_everything_succeeds(store):
    assert (await make_withdrawal(store, NoMemberSettings())(JOB)).reason == "withdrawn"
    assert store.stored is None


async def test_lost_race_is_decided_again(store):
    store.lost_races = 2
    assert (await make_withdrawal(store, NoMemberSettings())(JOB)).reason == "withdrawn"


@pytest.mark.parametrize("found", [None, make_contact(bindings=BINDINGS)])
async def test_second_try_of_a_deletion_that_ended_does_nothing(found):
    store, members = OneContact(found), Members()
    assert await make_withdrawal(store, members)(JOB) == Outcome(Verdict.ACCEPTED, "gone-already")
    assert members.asked == []
    assert store.stored == found


async def test_bindings_of_this_moment_are_what_is_withdrawn(store):
    store.stored = replace(store.stored, bindings=())
    assert (await make_withdrawal(store, Members())(JOB)).reason == "withdrawn"
    assert store.stored is None
