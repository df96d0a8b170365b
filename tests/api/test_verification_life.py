"""Verifications from request to evidence: behaviour.md section 5."""

from __future__ import annotations

from pathlib import Path

import pytest

from message_contacts import errors
from message_contacts.contacts.model import Channel
from message_contacts.delivery.outcome import Outcome, OutgoingMessage, Verdict
from message_contacts.verification.challenge import PageState, Visitor
from tests.assertions import assert_error
from tests.harness import Api, open_api

VISITOR = Visitor("198.51.100.4", "Browser")
EMAIL = "tom@example.com"
SEND = "SendEmailVerificationForMessageContact"
OWN = "2026-11-01"


class RecordingTransport:
    """A real channel, as far as the service can tell."""

    captures = False

    def __init__(self) -> None:
        self.sent: list[OutgoingMessage] = []

    async def send(self, message: OutgoingMessage) -> Outcome:
        self.sent.append(message)
        return Outcome(Verdict.ACCEPTED, "accepted")

    async def close(self) -> None:
        """Nothing to close."""


async def sent(api: Api) -> tuple[str, str]:
    """A contact whose verification mail was sent: its id and the link's token."""
    contact_id = await api.add_contact()
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    return contact_id, await api.token_sent_to(EMAIL)


async def test_looking_changes_nothing_however_often(api: Api) -> None:
    contact_id, token = await sent(api)
    for _ in range(3):
        assert (await api.service.verification.look(token)).state is PageState.READY
    assert (await api.contact(contact_id))["Status"] == "Verifying"


async def test_page_says_who_asks_and_for_what(api: Api) -> None:
    _, token = await sent(api)
    view = await api.service.verification.look(token)
    assert (view.organisation, view.contact_name, view.channel, view.masked_address) == (
        "platform-team",
        "Tom",
        Channel.EMAIL,
        "t***@example.com",
    )


async def test_link_works_once_and_leaves_evidence(api: Api) -> None:
    contact_id, token = await sent(api)
    api.clock.advance(3600)
    assert (await api.service.verification.confirm(token, VISITOR)).state is PageState.CONFIRMED
    again = await api.service.verification.confirm(token, VISITOR)
    assert again.state is PageState.ALREADY_CONFIRMED
    (evidence,) = (await api.call("ListVerificationEvidence", OWN, ContactId=contact_id))["Evidence"]
    del evidence["VerificationId"]
    assert evidence == {
        "ContactId": contact_id,
        "Channel": "email",
        "Target": EMAIL,
        "ConfirmTime": "2026-11-21T09:00:00.000Z",
        "Way": "link",
        "SourceAddress": "198.51.100.4",
        "UserAgent": "Browser",
        "Captured": True,
    }


async def test_evidence_outlives_the_contact(api: Api) -> None:
    contact_id, token = await sent(api)
    await api.service.verification.confirm(token, VISITOR)
    await api.call("DeleteMessageContact", ContactId=contact_id)
    assert len((await api.call("ListVerificationEvidence", OWN, ContactId=contact_id))["Evidence"]) == 1


async def test_resend_voids_the_earlier_link_and_code(api: Api) -> None:
    contact_id, first = await sent(api)
    first_code = await api.code_sent_to(EMAIL)
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    assert (await api.service.verification.confirm(first, VISITOR)).state is PageState.SUPERSEDED
    reference = first[:10]
    refused = await api.service.verification.confirm_by_code(reference, first_code, VISITOR)
    assert refused.state is PageState.CODE_REFUSED
    second = await api.token_sent_to(EMAIL)
    assert (await api.service.verification.confirm(second, VISITOR)).state is PageState.CONFIRMED
    assert (await api.service.verification.look(first)).state is PageState.ALREADY_CONFIRMED


async def test_resend_before_the_worker_ran_sends_only_the_newer_message(api: Api) -> None:
    contact_id = await api.add_contact()
    for _ in range(2):
        await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    assert len(await api.inbox(EMAIL)) == 1
    confirmed = await api.service.verification.confirm(await api.token_sent_to(EMAIL), VISITOR)
    assert confirmed.state is PageState.CONFIRMED


async def test_link_expires_after_a_day_and_can_be_sent_again(api: Api) -> None:
    contact_id, token = await sent(api)
    api.clock.advance(24 * 3600)
    assert (await api.service.verification.confirm(token, VISITOR)).state is PageState.EXPIRED
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    confirmed = await api.service.verification.confirm(await api.token_sent_to(EMAIL), VISITOR)
    assert confirmed.state is PageState.CONFIRMED


async def test_code_confirms_where_the_link_does(api: Api) -> None:
    contact_id, token = await sent(api)
    typed = f"{token[:5]}-{token[5:10]}".upper()
    view = await api.service.verification.confirm_by_code(typed, await api.code_sent_to(EMAIL), VISITOR)
    assert view.state is PageState.CONFIRMED
    (evidence,) = (await api.call("ListVerificationEvidence", OWN, ContactId=contact_id))["Evidence"]
    assert evidence["Way"] == "code"


async def wrong_codes(api: Api, reference: str, count: int) -> None:
    """Enter that many wrong codes."""
    right = await api.code_sent_to(EMAIL)
    for number in range(count):
        wrong = f"{(int(right) + 1 + number) % 1_000_000:06}"
        view = await api.service.verification.confirm_by_code(reference, wrong, VISITOR)
        assert view.state is PageState.CODE_REFUSED


async def test_code_is_void_after_five_wrong_ones_but_the_link_is_not(api: Api) -> None:
    _, token = await sent(api)
    await wrong_codes(api, token[:10], 5)
    right = await api.service.verification.confirm_by_code(token[:10], await api.code_sent_to(EMAIL), VISITOR)
    assert right.state is PageState.CODE_REFUSED
    assert (await api.service.verification.confirm(token, VISITOR)).state is PageState.CONFIRMED


async def test_ten_wrong_codes_a_day_survive_resends_until_the_next_day(api: Api) -> None:
    contact_id, token = await sent(api)
    await wrong_codes(api, token[:10], 5)
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    await wrong_codes(api, token[:10], 5)
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    refused = await api.service.verification.confirm_by_code(token[:10], await api.code_sent_to(EMAIL), VISITOR)
    assert refused.state is PageState.CODE_REFUSED
    api.clock.advance(9 * 3600)  # midnight UTC+8 has passed
    confirmed = await api.service.verification.confirm_by_code(token[:10], await api.code_sent_to(EMAIL), VISITOR)
    assert confirmed.state is PageState.CONFIRMED


async def test_stranger_with_a_made_up_reference_learns_what_one_with_a_wrong_code_learns(api: Api) -> None:
    _, token = await sent(api)
    unknown = await api.service.verification.confirm_by_code("0123456789", "000000", VISITOR)
    right = await api.code_sent_to(EMAIL)
    wrong = await api.service.verification.confirm_by_code(token[:10], f"{(int(right) + 1) % 1_000_000:06}", VISITOR)
    assert unknown == wrong


async def test_not_me_stops_messages_until_the_recipient_takes_it_back(api: Api) -> None:
    contact_id, token = await sent(api)
    assert (await api.service.verification.refuse(token, VISITOR)).state is PageState.BLOCKED
    assert (await api.service.verification.confirm(token, VISITOR)).state is PageState.BLOCKED
    assert_error(
        await api.error(SEND, ContactId=contact_id, EmailAddress=EMAIL),
        errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT,
    )
    assert (await api.service.verification.take_back(token, VISITOR)).state is PageState.READY
    assert (await api.service.verification.confirm(token, VISITOR)).state is PageState.CONFIRMED


async def test_not_me_can_be_undone_by_the_operator(api: Api) -> None:
    contact_id, token = await sent(api)
    await api.service.verification.refuse(token, VISITOR)
    assert (await api.call("ListVerificationBlocks", OWN))["Blocks"] == [
        {
            "Channel": "email",
            "Target": EMAIL,
            "BlockTime": "2026-11-21T08:00:00.000Z",
            "SourceAddress": "198.51.100.4",
        }
    ]
    await api.call("DeleteVerificationBlock", OWN, Channel="email", Target="TOM@example.com")
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    status, body = await api.error("DeleteVerificationBlock", OWN, Channel="email", Target=EMAIL)
    assert (status, body["Code"]) == (404, "EntityNotExists.VerificationBlock")


async def test_not_me_holds_for_this_account_only(api: Api) -> None:
    _, token = await sent(api)
    await api.service.verification.refuse(token, VISITOR)
    other = await api.other_tenant()
    contact_id = await other.add_contact()
    await other.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)


async def test_eleventh_message_to_an_address_in_a_minute_is_refused_and_not_counted(api: Api) -> None:
    contact_id = await api.add_contact()
    for _ in range(10):
        await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    refused = await api.error(SEND, ContactId=contact_id, EmailAddress=EMAIL)
    assert_error(refused, errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT)
    storage = api.service.storage
    assert await storage.verification.count(api.account_id, "email verifications", "2026-11-21") == 10
    api.clock.advance(60)
    await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)


async def test_messages_of_an_account_are_limited_a_day_across_contacts(database_path: Path) -> None:
    async with open_api(database_path, {"verifications_per_day": 3}) as api:
        contacts = [
            await api.add_contact(Name=f"Tom{letter}", EmailAddress=f"{letter}@example.com") for letter in "abcd"
        ]
        for contact_id, letter in zip(contacts[:3], "abc", strict=True):
            await api.call(SEND, ContactId=contact_id, EmailAddress=f"{letter}@example.com")
        refused = await api.error(SEND, ContactId=contacts[3], EmailAddress="d@example.com")
        assert_error(refused, errors.SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT)
        api.clock.advance(8 * 3600)
        await api.call(SEND, ContactId=contacts[3], EmailAddress="d@example.com")


async def test_what_was_captured_does_not_count_once_the_channel_is_real(database_path: Path) -> None:
    async with open_api(database_path) as api:
        contact_id, token = await sent(api)
        await api.service.verification.confirm(token, VISITOR)
        assert (await api.contact(contact_id))["Status"] == "Active"
        clock = api.clock
    real = {"smtp_url": "smtp://mail.example.com", "smtp_from": "contacts@example.com", "allow_capture": True}
    transports = {Channel.EMAIL: RecordingTransport(), Channel.SMS: RecordingTransport()}
    async with open_api(database_path, real, clock=clock, transports=transports) as api:
        assert (await api.contact(contact_id))["Status"] == "Verifying"
        listed = await api.call("ListMessageContactVerifications", ContactId=contact_id)
        assert [entry["Target"] for entry in listed["ContactVerifications"]] == [EMAIL]
        await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
        await api.work()
        (message,) = transports[Channel.EMAIL].sent
        link = message.text.split("/verify/", 1)[1].split()[0]
        assert (await api.service.verification.confirm(link, VISITOR)).state is PageState.CONFIRMED
        assert (await api.contact(contact_id))["Status"] == "Active"


async def test_captured_work_is_never_sent_later(database_path: Path) -> None:
    async with open_api(database_path) as api:
        contact_id = await api.add_contact()
        await api.call(SEND, ContactId=contact_id, EmailAddress=EMAIL)
        clock = api.clock
    real = {"smtp_url": "smtp://mail.example.com", "smtp_from": "contacts@example.com", "allow_capture": True}
    transports = {Channel.EMAIL: RecordingTransport(), Channel.SMS: RecordingTransport()}
    async with open_api(database_path, real, clock=clock, transports=transports) as api:
        await api.work()
        assert transports[Channel.EMAIL].sent == []


@pytest.mark.parametrize("token", ["", "nonsense", "3zzbpbhjfx1-AAAAAAAAAAAAAAAAAAAAAA"])
async def test_links_that_are_not_ours_are_unknown(api: Api, token: str) -> None:
    for act in (api.service.verification.confirm, api.service.verification.refuse, api.service.verification.take_back):
        view = await act(token, VISITOR)
        assert view.state is PageState.UNKNOWN
        assert view.organisation == ""
