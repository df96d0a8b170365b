"""One tenant's message to very many holds up neither verifications nor what other tenants send."""

from __future__ import annotations

import pytest

from message_contacts.changes import Enqueue, Job
from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import DELIVER
from message_contacts.delivery.outbox import messages_queue
from tests.api.publishing import counts, publish
from tests.conftest import ENGINES
from tests.delivery.messages import becomes, plant_contacts, sending_api, working
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.parametrize("engine", ENGINES, indirect=True)

MANY = 10_000


async def crowd(api):
    """Very many deliveries of a tenant that wait to be sent."""
    for start in range(0, MANY, 500):
        jobs = (
            Job(
                job_id=f"j-{number:012}",
                account_id=api.account_id,
                kind=DELIVER,
                channel=messages_queue(Channel.EMAIL),
                payload={"delivery_id": f"d-{number:012}", "captured": 0},
                due_at=Instant(api.clock.now() - 1),
                created_at=api.clock.now(),
            )
            for number in range(start, start + 500)
        )
        await api.service.storage.committer.commit(tuple(Enqueue(job) for job in jobs), None)


async def left(api):
    ((number,),) = await api.service.storage.outbox._database.rows(
        "SELECT count(*) FROM job WHERE channel = $1 AND account_id = $2", ("email-messages", api.account_id)
    )
    return number


async def test_a_verification_and_a_message_of_another_tenant_go_out_among_the_first(database_url):
    async with sending_api(database_url, FakeClock()) as (api, mail, _):
        other = await api.other_tenant()
        await crowd(api)
        root = await other.root_folder()
        await plant_contacts(other, root, "ann@example.com")
        message_id = await publish(other, root)
        asked = await other.add_contact(Name="Bob", EmailAddress="bob@example.com")
        await other.call("SendEmailVerificationForMessageContact", ContactId=asked, EmailAddress="bob@example.com")

        async with working(api):
            await becomes(lambda: _sent(other, message_id, mail))
            assert await left(api) > MANY // 2

        assert {each.recipient for each in mail.sent} == {"ann@example.com", "bob@example.com"}


async def _sent(api, message_id, mail):
    return await counts(api, message_id) == {"Sent": 1} and len(mail.sent) == 2
