"""`person export` and `person erase`, on a database of their own."""

import json

import pytest

ADDED = {
    "Name": "Erika",
    "EmailAddress": "erika@example.com",
    "Title": "CEO",
    "MessageTypes": ["SecurityMessage"],
}


@pytest.fixture
def contact(run, tmp_path):
    """Account and contact id of somebody with more audit events than a page has."""
    import asyncio  # noqa: PLC0415 - beside the commands, which run loops of their own

    from message_contacts.bootstrap import build  # noqa: PLC0415
    from message_contacts.settings import Settings  # noqa: PLC0415

    assert run("migrate").exit_code == 0
    account = json.loads(run("account", "create", "team", "--json").stdout)["AccountId"]

    async def add() -> str:
        async with await build(Settings(database_url=f"sqlite:///{tmp_path}/contacts.db")) as service:
            added = await service.invoke("AddMessageContact", "2022-04-19", account, **ADDED)
            contact_id = added["Contact"]["ContactId"]
            for number in range(120):
                title = ("Other", "CEO")[number % 2]
                await service.invoke("UpdateMessageContact", "2022-04-19", account, ContactId=contact_id, Title=title)
            return contact_id

    return account, asyncio.run(add())


def test_everything_is_exported_in_one_piece_and_erased_for_good(run, contact):
    account, contact_id = contact
    exported = run("person", "export", "--account", account, "--contact", contact_id)
    assert exported.exit_code == 0, exported.output
    found = json.loads(exported.stdout)
    assert found["Contact"]["EmailAddress"]["Target"] == "erika@example.com"
    assert len(found["AuditEvents"]) == 121

    erased = run("person", "erase", "--account", account, "--contact", contact_id, "--yes")
    assert json.loads(erased.stdout) == {
        "Contacts": 1,
        "DetachedContacts": 0,
        "Verifications": 0,
        "Evidence": 0,
        "Blocks": 0,
        "Jobs": 0,
        "Messages": 0,
        "Deliveries": 0,
        "Suspensions": 0,
        "Preferences": 0,
        "HandOvers": 0,
        "AuditEvents": 121,
    }
    again = run("person", "export", "--account", account, "--contact", contact_id)
    assert again.exit_code == 1
    assert "EntityNotExists.Contact" in again.stderr


def test_nothing_is_erased_before_it_was_asked(run, contact):
    account, contact_id = contact
    refused = run("person", "erase", "--account", account, "--contact", contact_id)
    assert refused.exit_code == 1
    assert run("person", "export", "--account", account, "--contact", contact_id).exit_code == 0
