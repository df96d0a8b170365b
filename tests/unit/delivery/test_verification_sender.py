"""When a verification message is sent, and what is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from message_contacts.changes import Job
from message_contacts.clock import DAY, Instant
from message_contacts.contacts.model import Channel, ContactRules, Slot
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.delivery.verification_sender import VerificationSender
from message_contacts.verification.model import Block, Verification, VerificationState
from message_contacts.verification.texts.verification_texts import VerificationTexts
from message_contacts.verification.tokens import Tokens
from tests.factories import ACCOUNT, BY_PERSON, EMAIL, OTHER_EMAIL, PHONE, make_contact, make_directory
from tests.fakes.clock import START, FakeClock

TOKENS = Tokens(b"k" * 32)
TEXTS = VerificationTexts(("zh", "en"), UTC)
ID = "abcdefghjk"


class RecordingTransport:
    """Keeps what it is given."""

    def __init__(self, *, captures: bool = False) -> None:
        self.captures = captures
        self.sent: list[OutgoingMessage] = []
        self.outcome = Outcome(Verdict.ACCEPTED, "accepted")

    async def send(self, message: OutgoingMessage) -> Outcome:
        self.sent.append(message)
        return self.outcome

    async def close(self) -> None:
        """Nothing to close."""


class Stores:
    """One verification, its contact, its directory, maybe a block."""

    def __init__(self, **fields: object) -> None:
        self.stored: Verification | None = Verification(
            **{
                "account_id": ACCOUNT,
                "verification_id": ID,
                "contact_id": "c-0000000000000001",
                "channel": Channel.EMAIL,
                "address": EMAIL.text,
                "generation": 1,
                "state": VerificationState.WAITING,
                "sent_at": START,
                "expires_at": Instant(START + DAY),
                "captured": False,
                **fields,
            }
        )
        self.known = make_contact(email=Slot(shown=EMAIL, verification_id=ID))
        self.home = make_directory()
        self.blocked: Block | None = None

    async def verification(self, verification_id: str) -> Verification | None:
        assert verification_id == ID
        return self.stored

    async def contact(self, account_id: str, contact_id: str) -> object:
        assert (account_id, contact_id) == (ACCOUNT, "c-0000000000000001")
        return self.known

    async def directory(self, account_id: str) -> object:
        return self.home

    async def block(self, account_id: str, channel: Channel, address_key: str) -> Block | None:
        assert address_key == EMAIL.key or channel is Channel.SMS
        return self.blocked


@pytest.fixture
def stores() -> Stores:
    return Stores()


@pytest.fixture
def transport() -> RecordingTransport:
    return RecordingTransport()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sender(stores: Stores, transport: RecordingTransport, clock: FakeClock) -> VerificationSender:
    return VerificationSender(
        verifications=stores,
        contacts=stores,
        directories=stores,
        tokens=TOKENS,
        texts=lambda: TEXTS,
        transports={Channel.EMAIL: transport, Channel.SMS: transport},
        contact_rules=ContactRules(),
        clock=clock,
        public_url="https://contacts.example.com/",
    )


def make_job(generation: int = 1, *, captured: int = 0, channel: str = "email") -> Job:
    return Job(
        job_id="j-00000000000a",
        account_id=ACCOUNT,
        kind="send-verification",
        channel=channel,
        payload={"verification_id": ID, "generation": generation, "captured": captured},
        due_at=START,
        created_at=START,
    )


async def test_mail_carries_link_and_code_of_its_generation(sender, transport):
    assert await sender(make_job()) == Outcome(Verdict.ACCEPTED, "accepted")
    (message,) = transport.sent
    assert message.recipient == "tom@example.com"
    assert message.channel is Channel.EMAIL
    assert f"https://contacts.example.com/verify/{TOKENS.token(ID, 1)}" in message.text
    assert TOKENS.code(ID, 1) in message.text
    assert message.html
    assert "platform-team" in message.subject
    assert message.headers == ()


async def test_retry_repeats_the_message_and_its_id(sender, transport):
    await sender(make_job())
    await sender(make_job())
    assert transport.sent[0] == transport.sent[1]
    assert transport.sent[0].message_id == "j-00000000000a"


async def test_text_message_has_neither_subject_nor_html(stores, sender, transport):
    stores.stored = replace(stores.stored, channel=Channel.SMS, address=PHONE.text)
    stores.known = make_contact(
        email=Slot(shown=EMAIL, verified=BY_PERSON), phone=Slot(shown=PHONE, verification_id=ID)
    )
    await sender(make_job(channel="sms"))
    (message,) = transport.sent
    assert (message.recipient, message.subject, message.html) == (PHONE.text, "", None)
    assert TOKENS.token(ID, 1) in message.text


async def test_outcome_of_the_transport_is_handed_on(sender, transport):
    transport.outcome = Outcome(Verdict.TRY_AGAIN, "server-busy", 5.0)
    assert await sender(make_job()) == transport.outcome


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        (lambda s: setattr(s, "stored", None), "superseded"),
        (lambda s: setattr(s, "known", None), "superseded"),
        (lambda s: setattr(s, "home", None), "superseded"),
        (lambda s: setattr(s, "stored", replace(s.stored, generation=2)), "superseded"),
        (lambda s: setattr(s, "stored", replace(s.stored, state=VerificationState.CONFIRMED)), "superseded"),
        (lambda s: setattr(s, "known", make_contact(email=Slot(shown=OTHER_EMAIL))), "superseded"),
        (lambda s: setattr(s, "stored", replace(s.stored, expires_at=START)), "expired"),
        (
            lambda s: setattr(
                s,
                "blocked",
                Block(
                    account_id=ACCOUNT,
                    channel=Channel.EMAIL,
                    address_key=EMAIL.key,
                    verification_id=ID,
                    blocked_at=START,
                    source_address="198.51.100.7",
                ),
            ),
            "blocked",
        ),
    ],
)
async def test_message_that_is_not_wanted_any_more_is_not_sent(stores, sender, transport, situation, reason):
    situation(stores)
    assert await sender(make_job()) == Outcome(Verdict.ACCEPTED, reason)
    assert transport.sent == []


async def test_message_asked_for_under_capture_never_reaches_a_real_transport(sender, transport):
    assert await sender(make_job(captured=1)) == Outcome(Verdict.ACCEPTED, "captured-before")
    assert transport.sent == []


async def test_message_asked_for_under_capture_is_captured(sender, transport):
    transport.captures = True
    assert await sender(make_job(captured=1)) == Outcome(Verdict.ACCEPTED, "accepted")
    assert len(transport.sent) == 1
