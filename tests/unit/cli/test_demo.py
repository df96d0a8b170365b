"""Demo data: what it shows, that it is made once, and that its key opens nothing that others can reach."""

import pytest

from message_contacts import demo
from message_contacts.bootstrap import StartError, build
from message_contacts.settings import DEMO_ACCESS_KEY_ID, load

VERSION = "2022-04-19"


@pytest.fixture
async def service(database_path):
    settings = load({"MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{database_path}"}, base=demo.SETTINGS)
    async with await build(settings) as service:
        await service.first_start()
        assert await demo.fill(service, demo.ACCOUNT_ID)
        yield service


async def listed(service):
    answer = await service.invoke("ListMessageContacts", VERSION, demo.ACCOUNT_ID, PageSize="100")
    return {contact["Name"]: contact for contact in answer["Contacts"]}


async def waiting(service, contact):
    answer = await service.invoke(
        "ListMessageContactVerifications", VERSION, demo.ACCOUNT_ID, ContactId=contact["ContactId"]
    )
    return [entry["Target"] for entry in answer["ContactVerifications"]]


async def test_there_is_a_contact_in_each_state_that_lasts(service):
    contacts = await listed(service)
    assert {name: str(contact["Status"]) for name, contact in contacts.items()} == {
        "王芳": "Verifying",
        "Lena": "Verifying",
        "Tom": "Active",
        "李雷": "Active",
        "Maya": "Verifying",
    }
    assert await waiting(service, contacts["Lena"]) == ["lena@example.com"]
    assert await waiting(service, contacts["Tom"]) == []
    assert await waiting(service, contacts["李雷"]) == ["lei.li@example.com"]
    assert await waiting(service, contacts["Maya"]) == ["86-13700005678"]


async def test_directory_folder_and_member_each_have_a_contact(service):
    bound = {node[:3] for contact in (await listed(service)).values() for node in contact["Members"]}
    assert {"rd-", "fd-"} < bound
    assert any(prefix.isdigit() for prefix in bound)


async def test_it_is_made_once(service):
    before = await listed(service)
    assert not await demo.fill(service, demo.ACCOUNT_ID)
    assert await listed(service) == before


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"MESSAGE_CONTACTS_PUBLIC_URL": "https://contacts.example.com", "MESSAGE_CONTACTS_ALLOW_CAPTURE": "true"},
        {"MESSAGE_CONTACTS_SMS_URL": "https://gateway.example.com/send"},
    ],
)
async def test_a_database_that_holds_the_demo_key_does_not_start_where_others_can_reach_it(
    service, database_path, elsewhere
):
    settings = load({"MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{database_path}", **elsewhere})
    async with await build(settings) as other:
        with pytest.raises(StartError, match=f"access-key deactivate {DEMO_ACCESS_KEY_ID}"):
            await other.first_start()
        await other.administration.delete_access_key(DEMO_ACCESS_KEY_ID)
        assert await other.first_start() is None
