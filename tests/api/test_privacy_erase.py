"""Erasing a person: everything goes, everywhere, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import orjson
import pytest

from message_contacts.audit.exporting import export
from message_contacts.audit.verifying import verify
from message_contacts.changes import Insert
from message_contacts.clock import DAY, Instant
from message_contacts.contacts.model import Channel, EmailAddress
from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.storage import Retention
from message_contacts.verification.challenge import PageState
from message_contacts.verification.model import Block
from tests.api.directory_tree import chain as folders_in_folders
from tests.api.directory_tree import verified_contact
from tests.api.privacy_world import (
    EMAIL,
    NAME,
    OWN,
    PHONE,
    REPLACEMENT,
    SEND_EMAIL,
    TRACES,
    VISITOR,
    erase,
    leave,
    leave_traces,
    not_known,
)
from tests.api.test_races import Interruption
from tests.harness import Api, open_api


def cells(path: Path) -> Iterator[tuple[str, object]]:
    """Every value in the database with the name of its table, looked at from outside."""
    connection = apsw.Connection(str(path))
    try:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                for value in row:
                    yield table, value
    finally:
        connection.close()


def tables_with(path: Path, *texts: str) -> set[str]:
    """Tables that hold any of the texts in any letter case."""
    wanted = [text.lower() for text in texts]
    return {
        table
        for table, value in cells(path)
        if isinstance(value, str | bytes)
        and any(text.encode() in (value if isinstance(value, bytes) else value.encode()).lower() for text in wanted)
    }


async def test_nothing_of_an_erased_person_is_left_in_any_table(api: Api, database_path: Path) -> None:
    traces = await leave_traces(api)
    before = tables_with(database_path, *TRACES)
    assert before >= {
        "audit_personal",
        "block",
        "contact",
        "detached_contact",
        "evidence",
        "inbox_message",
        "verification",
    }

    erased = await erase(api, traces.contact_id)

    assert tables_with(database_path, *TRACES) == set()
    assert tables_with(database_path, traces.contact_id) == {"audit_event"}
    audit_events = erased.pop("AuditEvents")
    assert audit_events >= 8
    assert erased == {
        "Contacts": 1,
        "DetachedContacts": 1,
        "Verifications": 3,
        "Evidence": 1,
        "Blocks": 1,
        "Jobs": 1,
        "Messages": 3,
        "Deliveries": 0,
        "Suspensions": 0,
        "Preferences": 0,
        "HandOvers": 0,
    }


async def test_nothing_of_an_erased_person_is_left_in_the_files(api: Api, database_path: Path) -> None:
    """Not in free pages either, nor in the write-ahead log."""
    others = [await api.add_contact(Name=f"Other{letter}") for letter in "ab"]
    traces = await leave_traces(api)
    for contact_id in others:
        await api.call("UpdateMessageContact", ContactId=contact_id, Title="Other")
    files = [database_path, Path(f"{database_path}-wal")]
    assert any(EMAIL.encode() in file.read_bytes() for file in files)

    await erase(api, traces.contact_id)
    async with asyncio.timeout(10):
        while files[1].stat().st_size:  # noqa: ASYNC110 - emptied beside the call, by a thread
            await asyncio.sleep(0)

    for file in database_path.parent.iterdir():
        content = file.read_bytes()
        assert [trace for trace in TRACES if trace.encode() in content] == [], file


async def test_an_erased_person_can_be_erased_once(api: Api) -> None:
    traces = await leave_traces(api)
    assert (await api.answer("ExportPerson", OWN, ContactId=traces.contact_id))[0] == 200
    await erase(api, traces.contact_id)
    assert await not_known(api, "ExportPerson", traces.contact_id)
    assert await not_known(api, "ErasePerson", traces.contact_id)
    status, body = await api.error("GetMessageContact", ContactId=traces.contact_id)
    assert (status, body["Code"]) == (404, "EntityNotExists.Contact")
    assert await not_known(api, "ErasePerson", "c-0000000000000000")


async def test_a_contact_deleted_long_ago_is_erased_from_what_it_left(api: Api, database_path: Path) -> None:
    folder = await api.create_folder("Team")
    contact_id = await verified_contact(api, NAME, folder)
    await api.call("DeleteMessageContact", ContactId=contact_id)
    assert await copies(api) == 1
    erased = await erase(api, contact_id)
    assert (erased["Contacts"], erased["DetachedContacts"], erased["Evidence"], erased["Messages"]) == (0, 1, 1, 1)
    assert await copies(api) == 0
    assert tables_with(database_path, NAME) == set()
    assert await not_known(api, "ErasePerson", contact_id)


async def copies(api: Api) -> int:
    """How many copies members keep."""
    return len((await api.call("ListDetachedContacts", OWN))["DetachedContacts"])


async def test_links_and_codes_of_an_erased_person_do_nothing(api: Api) -> None:
    contact_id = await api.add_contact(EmailAddress=EMAIL)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    token, code = await api.token_sent_to(EMAIL), await api.code_sent_to(EMAIL)
    await erase(api, contact_id)
    service = api.service.verification
    assert (await service.look(token)).state is PageState.UNKNOWN
    assert (await service.confirm(token, VISITOR)).state is PageState.UNKNOWN
    assert (await service.confirm_by_code(token[:10], code, VISITOR)).state is PageState.CODE_REFUSED


async def test_waiting_work_for_an_erased_person_is_not_done(api: Api) -> None:
    contact_id = await api.add_contact(EmailAddress=EMAIL)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    assert (await erase(api, contact_id))["Jobs"] == 1
    await api.work()
    assert await api.inbox() == []


async def test_a_running_deletion_ends_with_the_erasure(api: Api) -> None:
    folder = await api.create_folder("Team")
    contact_id = await verified_contact(api, NAME, folder)
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers=False)
    assert (await erase(api, contact_id))["Jobs"] == 1
    await api.work()
    status, body = await api.error("GetMessageContactDeletionStatus", ContactId=contact_id)
    assert (status, body["Code"]) == (404, "EntityNotExists.Contact")
    assert await copies(api) == 0
    await api.call("DeleteFolder", FolderId=folder)


async def test_erasing_makes_room_for_a_new_contact(database_path: Path) -> None:
    async with open_api(database_path, {"contacts_per_directory": 1}) as api:
        await erase(api, await api.add_contact())
        contact_id = await api.add_contact()
        status, body = await api.error(
            "AddMessageContact", Name="Ann", EmailAddress=EMAIL, Title="CEO", MessageTypes=["SecurityMessage"]
        )
        assert (status, body["Code"]) == (400, "LimitExceeded.Contacts")
        assert (await api.contact(contact_id))["Name"] == "Tom"


async def test_nothing_of_anybody_else_goes(api: Api) -> None:
    folder = await api.create_folder("Team")
    other = await verified_contact(api, "Anna", folder)
    before = await api.call("ExportPerson", OWN, ContactId=other)
    traces = await leave_traces(api)
    await erase(api, traces.contact_id)
    assert await api.call("ExportPerson", OWN, ContactId=other) == before


async def test_of_a_shared_address_only_the_messages_about_the_person_go(api: Api) -> None:
    mine, theirs = [await api.add_contact(Name=name, EmailAddress=EMAIL) for name in (NAME, "Other")]
    for contact_id in (mine, theirs):
        await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    assert len(await api.inbox(EMAIL)) == 2
    assert (await erase(api, mine))["Messages"] == 1
    (left,) = await api.inbox(EMAIL)
    assert NAME not in left["Text"]
    assert (await erase(api, theirs))["Messages"] == 1
    assert await api.inbox(EMAIL) == []


async def test_an_address_that_only_a_copy_of_somebody_else_has_counts_as_shared(api: Api) -> None:
    mine, theirs = [await api.add_contact(Name=name, EmailAddress=EMAIL) for name in (NAME, "Other")]
    folder = await api.create_folder("Team")
    for contact_id in (mine, theirs):
        await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
        await api.work()
        await api.service.verification.confirm(await api.token_sent_to(EMAIL), VISITOR)
    await api.call("AssociateMembers", ContactId=theirs, Members=[folder])
    await api.call("DeleteMessageContact", ContactId=theirs)
    await erase(api, mine)
    assert len(await api.inbox(EMAIL)) == 1
    assert await copies(api) == 1


async def test_not_me_stays_in_force_without_the_address(api: Api, database_path: Path) -> None:
    contact_id = await api.add_contact(EmailAddress=EMAIL)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    await api.service.verification.refuse(await api.token_sent_to(EMAIL), VISITOR)
    await erase(api, contact_id)
    assert (await api.call("ListVerificationBlocks", OWN))["Blocks"] == [
        {"Channel": "email", "BlockTime": "2026-11-21T08:00:00.000Z"}
    ]
    assert tables_with(database_path, EMAIL, VISITOR.source_address) == set()

    again = await api.add_contact(EmailAddress=EMAIL.upper())
    status, body = await api.error(SEND_EMAIL, ContactId=again, EmailAddress=EMAIL)
    assert (status, body["Code"]) == (409, "SendValidateCodeExceedsLimitForAccount")
    other = await api.add_contact(Name="Other", EmailAddress="other@example.com")
    await api.call(SEND_EMAIL, ContactId=other, EmailAddress="other@example.com")


async def test_two_erased_persons_who_said_not_me_are_both_left_alone(api: Api) -> None:
    for address in (EMAIL, REPLACEMENT):
        contact_id = await api.add_contact(EmailAddress=address)
        await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=address)
        await api.work()
        await api.service.verification.refuse(await api.token_sent_to(address), VISITOR)
        await erase(api, contact_id)
    for name, address in (("One", EMAIL), ("Two", REPLACEMENT)):
        again = await api.add_contact(Name=name, EmailAddress=address)
        status, _ = await api.error(SEND_EMAIL, ContactId=again, EmailAddress=address)
        assert status == 409


async def test_not_me_of_an_erased_person_can_be_undone_by_whoever_knows_the_address(api: Api) -> None:
    contact_id = await api.add_contact(EmailAddress=EMAIL)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    await api.service.verification.refuse(await api.token_sent_to(EMAIL), VISITOR)
    await erase(api, contact_id)
    status, _ = await api.error("DeleteVerificationBlock", OWN, Channel="email", Target="other@example.com")
    assert status == 404
    await api.call("DeleteVerificationBlock", OWN, Channel="email", Target=EMAIL)
    assert (await api.call("ListVerificationBlocks", OWN))["Blocks"] == []


async def test_the_trail_says_that_somebody_was_erased_and_still_verifies(api: Api, database_path: Path) -> None:
    traces = await leave_traces(api)
    await api.service.sealer.seal()
    await erase(api, traces.contact_id)
    await api.service.sealer.seal()

    events = await api.service.storage.audit.events_before(api.account_id, before="~", start="", limit=99)
    (event,) = [kept.event for kept in events if kept.event.operation == "ErasePerson"]
    assert (event.access_key_id, event.source_address) == (api.key_id, "203.0.113.9")
    assert traces.contact_id in orjson.loads(event.targets)
    assert "" not in orjson.loads(event.targets)
    assert event.personal_digests == "{}"
    lines = [line async for line in export(api.service.storage.audit, api.account_id)]
    (verdict,) = verify(lines)
    assert verdict.unbroken, verdict
    assert "audit_personal" not in tables_with(database_path, traces.contact_id)


async def test_another_tenants_contact_cannot_be_erased_or_shown(api: Api) -> None:
    contact_id = await api.add_contact()
    other = await api.other_tenant()
    assert await not_known(other, "ErasePerson", contact_id)
    assert await not_known(other, "ExportPerson", contact_id)
    assert (await api.contact(contact_id))["Name"] == "Tom"


async def test_blocks_and_messages_of_other_tenants_stay(api: Api) -> None:
    other = await api.other_tenant()
    contact_id, theirs = await api.add_contact(EmailAddress=EMAIL), await other.add_contact(EmailAddress=EMAIL)
    for tenant, contact in ((api, contact_id), (other, theirs)):
        await tenant.call(SEND_EMAIL, ContactId=contact, EmailAddress=EMAIL)
    await api.work()
    await other.service.verification.refuse(await other.token_sent_to(EMAIL), VISITOR)
    await erase(api, contact_id)
    assert len(await other.inbox(EMAIL)) == 1
    (block,) = (await other.call("ListVerificationBlocks", OWN))["Blocks"]
    assert block["Target"] == EMAIL


async def test_a_directory_that_is_gone_keeps_nobody_from_being_erased(api: Api) -> None:
    member = await api.create_member("Leaving")
    contact_id = await verified_contact(api, NAME, member)
    await leave(api, member)
    await api.call("DestroyResourceDirectory")
    assert (await erase(api, contact_id))["DetachedContacts"] == 1


async def test_a_captured_message_that_was_under_way_does_not_come_back(api: Api, database_path: Path) -> None:
    """The worker had already read the address when the person was erased."""
    contact_id = await api.add_contact(EmailAddress=EMAIL)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    (message,) = await api.service.storage.inbox.messages(api.account_id, recipient=EMAIL, after=None, limit=9)
    await erase(api, contact_id)
    assert message.verification_id is not None
    await api.service.storage.inbox.put(replace(message, message_id="j-late"))
    assert await api.inbox() == []
    unrelated = CapturedMessage(
        account_id=api.account_id,
        message_id="j-other",
        channel=Channel.EMAIL,
        recipient="other@example.com",
        subject="",
        text="",
        html=None,
        captured_at=api.clock.now(),
    )
    await api.service.storage.inbox.put(unrelated)
    assert len(await api.inbox()) == 1


async def test_not_me_said_while_the_erasure_is_decided_leaves_no_address(database_path: Path) -> None:
    race = Interruption()
    async with open_api(database_path, seam=race) as api:
        contact_id = await api.add_contact(EmailAddress=EMAIL)
        await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
        await api.work()
        token = await api.token_sent_to(EMAIL)

        async def meanwhile() -> None:
            assert (await api.service.verification.refuse(token, VISITOR)).state is PageState.BLOCKED

        race.once(meanwhile)
        assert (await erase(api, contact_id))["Blocks"] == 1
        assert tables_with(database_path, EMAIL, VISITOR.source_address) == set()
        assert len((await api.call("ListVerificationBlocks", OWN))["Blocks"]) == 1


async def test_a_member_that_leaves_while_the_erasure_is_decided_keeps_no_copy(database_path: Path) -> None:
    race = Interruption()
    async with open_api(database_path, seam=race) as api:
        (folder,) = await folders_in_folders(api, 1)
        member = await api.create_member("Leaving", folder)
        contact_id = await verified_contact(api, NAME, folder)
        race.once(lambda: leave(api, member))
        await erase(api, contact_id)
        assert await copies(api) == 0
        assert tables_with(database_path, NAME) == set()


async def test_a_block_on_an_earlier_address_is_found_however_old_it_is(api: Api, database_path: Path) -> None:
    contact_id = await api.add_contact(EmailAddress=EMAIL)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    assert (await api.service.verification.refuse(await api.token_sent_to(EMAIL), VISITOR)).state is PageState.BLOCKED
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress=REPLACEMENT)
    years_later = Instant(api.clock.now() + 1000 * DAY)
    await api.service.storage.prune(years_later, Retention(verifications=90 * DAY, captured=30 * DAY))

    (shown,) = (await api.call("ExportPerson", OWN, ContactId=contact_id))["Blocks"]
    erased = await erase(api, contact_id)

    assert (shown["Target"], erased["Blocks"]) == (EMAIL, 1)
    assert tables_with(database_path, EMAIL, VISITOR.source_address) == set()
    assert await api.service.storage.verification.block(api.account_id, Channel.EMAIL, EMAIL) is not None


async def test_mail_to_a_shared_address_is_found_as_long_as_it_is_kept(api: Api, database_path: Path) -> None:
    shared = "team@example.com"
    contact_id, _other = [await api.add_contact(Name=name, EmailAddress=shared) for name in (NAME, "Other")]
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=shared)
    await api.work()
    a_week_later = Instant(api.clock.now() + 7 * DAY)
    await api.service.storage.prune(a_week_later, Retention(verifications=DAY, captured=30 * DAY))
    assert NAME in (await api.inbox(shared))[0]["Text"]

    shown = (await api.call("ExportPerson", OWN, ContactId=contact_id))["Messages"]
    erased = await erase(api, contact_id)

    assert ([message["Recipient"] for message in shown], erased["Messages"]) == ([shared], 1)
    assert tables_with(database_path, NAME) == set()


async def test_a_block_that_says_nothing_of_a_verification_is_found_by_its_address(api: Api) -> None:
    contact_id = await api.add_contact(EmailAddress=EMAIL, PhoneNumber=PHONE)
    block = Block(
        account_id=api.account_id,
        channel=Channel.SMS,
        address_key=PHONE,
        verification_id="0000000000",
        blocked_at=api.clock.now(),
        source_address="198.51.100.44",
    )
    await api.service.storage.committer.commit((Insert(block),), None)
    assert (await erase(api, contact_id))["Blocks"] == 1
    assert await api.service.storage.verification.block(api.account_id, Channel.SMS, PHONE) is not None


@pytest.mark.parametrize("text", [f"{EmailAddress(EMAIL)}", f"{EmailAddress(EMAIL)!r}"])
def test_an_address_shows_itself_masked(text: str) -> None:
    assert text == "EmailAddress('e***@example.com')"
