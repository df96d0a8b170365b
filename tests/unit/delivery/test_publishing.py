"""The rules of publishing, cancelling and closing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Enqueue, Insert, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery import publishing
from message_contacts.delivery.messages import (
    EXPAND_MESSAGE,
    Incident,
    IncidentKind,
    Message,
    MessageState,
    Progress,
    Stage,
    delivery_id,
    job_id,
)
from message_contacts.delivery.publishing import (
    IDEMPOTENT_PARAMETER_MISMATCH,
    NO_INCIDENT,
    NO_MESSAGE,
    NO_TARGET,
    Desk,
    Wording,
)
from message_contacts.delivery.rules import Severity
from message_contacts.errors import ApiError
from tests.factories import ACCOUNT
from tests.fakes.clock import START
from tests.fakes.ids import CountingIds
from tests.unit.delivery.values import MESSAGE_ID, make_message

LATER = Instant(START + 1)
WORDING = Wording(
    message_type=MessageType.FAULT_MESSAGE,
    severity=Severity.NORMAL,
    subject="Disk full",
    text="The disk is full.",
    html=None,
    markdown=None,
    targets=("r-AbCdEf", "fd-1"),
    expires_at=None,
)
EMPTY = Desk(same_token=None, known_targets=frozenset(WORDING.targets))


def publish(desk=EMPTY, wording=WORDING, **fields):
    return publishing.publish(
        desk,
        wording,
        **{
            "account_id": ACCOUNT,
            "client_token": "once",
            "published_by": "MCkey",
            "now": START,
            "ids": CountingIds(),
            **fields,
        },
    )


def refusal(decide):
    with pytest.raises(ApiError) as raised:
        decide()
    return raised.value.definition


def test_publishing_stores_the_message_and_one_piece_of_work_whatever_the_targets():
    decision = publish()

    message, progress, enqueued = (getattr(change, "row", None) or change.job for change in decision.changes)
    assert isinstance(message, Message)
    assert message == decision.result
    assert (message.state, message.client_token, message.published_at) == (MessageState.EXPANDING, "once", START)
    assert isinstance(progress, Progress)
    assert (progress.message_id, progress.step, progress.stage) == (message.message_id, 1, Stage.NODES)
    assert (enqueued.kind, enqueued.channel) == (EXPAND_MESSAGE, "internal")
    assert enqueued.payload == {"message_id": message.message_id, "step": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"message_type": MessageType.SECURITY_MESSAGE},
        {"severity": Severity.CRITICAL},
        {"subject": "Disk"},
        {"text": "Full."},
        {"html": "<p>Full</p>"},
        {"markdown": "Full"},
        {"targets": ("r-AbCdEf",)},
        {"expires_at": LATER},
    ],
)
def test_everything_that_the_caller_says_tells_a_repeated_call_from_another(other):
    first = publish().result
    desk = replace(EMPTY, same_token=first)

    assert publish(desk).changes == ()
    assert publish(desk).result is first
    assert refusal(lambda: publish(desk, replace(WORDING, **other))) is IDEMPOTENT_PARAMETER_MISMATCH


def test_a_repeated_call_does_not_ask_for_targets_that_are_gone_since():
    desk = Desk(same_token=publish().result, known_targets=frozenset())
    assert publish(desk).changes == ()


def test_a_target_that_is_not_there_is_refused():
    assert refusal(lambda: publish(replace(EMPTY, known_targets=frozenset({"fd-1"})))) is NO_TARGET


def test_cancelling_while_it_expands_turns_the_next_step_into_withdrawing():
    progress = Progress(
        account_id=ACCOUNT, message_id=MESSAGE_ID, step=3, stage=Stage.MEMBERS, node="fd-1", after=("1",)
    )

    decision = publishing.cancel(make_message(), progress, now=LATER, ids=CountingIds())

    moved, message = decision.changes  # in the order of an expansion
    assert isinstance(message, Update)
    assert message.after.state is MessageState.CANCELLED
    assert isinstance(moved, Update)
    assert (moved.after.step, moved.after.stage, moved.after.node, moved.after.after) == (3, Stage.WITHDRAW, "", ())


def test_cancelling_what_was_let_go_begins_to_withdraw():
    message = make_message(state=MessageState.PUBLISHED)

    decision = publishing.cancel(message, None, now=LATER, ids=CountingIds())

    begun, enqueued, _ = decision.changes
    assert isinstance(begun, Insert)
    assert begun.row.stage is Stage.WITHDRAW
    assert isinstance(enqueued, Enqueue)


def test_cancelling_again_changes_nothing_and_what_is_not_there_is_refused():
    cancelled = make_message(state=MessageState.CANCELLED)
    assert publishing.cancel(cancelled, None, now=LATER, ids=CountingIds()).changes == ()
    assert refusal(lambda: publishing.cancel(None, None, now=LATER, ids=CountingIds())) is NO_MESSAGE


def test_closing_keeps_who_said_what_first():
    incident = Incident(
        account_id=ACCOUNT,
        incident_id="i-1",
        message_id=MESSAGE_ID,
        kind=IncidentKind.NOBODY_REACHABLE,
        members=1,
        member_ids=("2000000000000001",),
        opened_at=START,
    )
    closed = publishing.close(incident, "seen to", closed_by="MCkey", now=LATER).result
    again = publishing.close(closed, "other", closed_by="MCother", now=Instant(LATER + 1))

    assert (closed.closed_at, closed.closed_by, closed.note) == (LATER, "MCkey", "seen to")
    assert (again.changes, again.result) == ((), closed)
    assert refusal(lambda: publishing.close(None, "x", closed_by="", now=LATER)) is NO_INCIDENT


def test_ids_of_deliveries_sort_by_message_then_number_and_name_their_job():
    ids = [delivery_id("m-01", number) for number in (1, 15, 16, 0x123456)]
    assert ids == sorted(ids)
    assert ids[1:3] == ["d-0100000f", "d-01000010"]
    assert job_id(ids[0]) == "j-01000001"
