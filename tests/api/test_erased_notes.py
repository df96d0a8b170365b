"""What people noted and mail servers told: the address of somebody erased goes from it, and nothing else does."""

from __future__ import annotations

import pytest

from message_contacts.changes import Insert
from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import Incident, IncidentKind
from message_contacts.delivery.standing import Sign, Source, Suspension, SuspensionReason
from tests.api.privacy_world import OWN, erase
from tests.api.recipients import suspensions
from tests.conftest import ENGINES
from tests.harness import Api, open_api

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

ADDRESS = "a.b+c@example.com"
PHONE = "86-13900001234"
#: What is noted, and what is left of it.
NOTES = {
    f"Asked {ADDRESS}. He is Away": "Asked ***. He is Away",
    f"<{ADDRESS.upper()}>,{ADDRESS}": "<***>,***",
    f"联系{ADDRESS}。": "联系***。",
    f"{ADDRESS}.Then nothing": "***.Then nothing",
    f"mailto:{ADDRESS}?x='{ADDRESS}'": "mailto:***?x='***'",
    f"call +{PHONE}, {PHONE}\nnot {PHONE}5": f"call +***, ***\nnot {PHONE}5",
    f"maria.{ADDRESS} is another": f"maria.{ADDRESS} is another",
    f"Anna{ADDRESS} too": f"Anna{ADDRESS} too",
    f"as is {ADDRESS}munity": f"as is {ADDRESS}munity",
    "aXb+c@example.com": "aXb+c@example.com",
}


@pytest.fixture
async def api(database_url):
    async with open_api(database_url) as api:
        yield api


async def note(api: Api, incident_id: str, text: str) -> None:
    incident = Incident(
        account_id=api.account_id,
        incident_id=incident_id,
        message_id=incident_id.replace("i", "m"),
        kind=IncidentKind.NOTHING_SENT,
        members=0,
        member_ids=(),
        opened_at=api.clock.now(),
    )
    await api.service.storage.committer.commit((Insert(incident),), None)
    await api.call("CloseIncident", OWN, IncidentId=incident_id, Note=text)


async def test_whole_addresses_go_and_what_is_no_address_of_hers_stays(api):
    contact_id = await api.add_verified_contact(await api.root_folder(), EmailAddress=ADDRESS, PhoneNumber=PHONE)
    for number, text in enumerate(NOTES):
        await note(api, f"i-{number}", text)

    await erase(api, contact_id)

    incidents = (await api.call("ListIncidents", OWN, MaxResults=100))["Incidents"]
    left = {each["IncidentId"]: each["Note"] for each in incidents}
    assert left == {f"i-{number}": text for number, text in enumerate(NOTES.values())}


#: What a mail server told about another mailbox that forwards to the address, and what is left of it.
TOLD = {
    f"550 5.1.1 <{ADDRESS.upper()}>: has left": "550 5.1.1 <***>: has left",
    f'"{ADDRESS}" via +{PHONE} «unknown»': '"***" via +*** «unknown»',
    f"not {PHONE}5, nor \\maria.{ADDRESS}": f"not {PHONE}5, nor \\maria.{ADDRESS}",
}


async def test_what_was_told_about_others_names_her_no_more(api):
    contact_id = await api.add_verified_contact(await api.root_folder(), EmailAddress=ADDRESS, PhoneNumber=PHONE)
    for number, told in enumerate(TOLD):
        await suspend(api, f"other{number}@example.com", told)

    await erase(api, contact_id)

    left = {each["Address"]: [sign["Told"] for sign in each["Evidence"]] for each in await suspensions(api)}
    assert left == {f"other{number}@example.com": [told] for number, told in enumerate(TOLD.values())}


async def suspend(api: Api, address: str, told: str) -> None:
    now = api.clock.now()
    suspension = Suspension(
        account_id=api.account_id,
        channel=Channel.EMAIL,
        address_key=address,
        address=address,
        reason=SuspensionReason.HARD_BOUNCE,
        suspended_at=now,
        soft_bounces=0,
        bounced_at=now,
        signs=(Sign(now, Source.REPORT, "d-1", "hard", "mailbox-unknown", "5.1.1", told),),
    )
    await api.service.storage.committer.commit((Insert(suspension),), None)
