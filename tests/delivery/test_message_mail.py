"""The whole way of a message: signed call, running worker, real mail server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from tests.api.publishing import publish, states
from tests.delivery.conftest import mail_server, until
from tests.delivery.messages import becomes, plant_contacts
from tests.fakes.waiting_clock import WaitingClock
from tests.harness import open_api


async def test_mail_of_a_message_over_smtp(database_path):
    async with mail_server() as (mailbox, port):
        settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "smtp_from": "Contacts <contacts@example.com>"}
        async with open_api(database_path, settings, clock=WaitingClock()) as api:
            root = await api.root_folder()
            await plant_contacts(api, root, "tom@example.com", "ann@example.com")
            async with _running(api.service.worker):
                message_id = await publish(
                    api, root, Severity="Critical", Subject="磁盘已满 / Disk full", Markdown="**Full**"
                )
                await until(lambda: len(mailbox.mails) == 2)
                await becomes(lambda: _all_sent(api, message_id))

    by_recipient = {mail["To"]: mail for mail in mailbox.mails}
    mail = by_recipient["tom@example.com"]
    assert mail["Subject"] == "磁盘已满 / Disk full"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == f"<faultmessage.{api.account_id}.127.0.0.1>"
    assert mail["Importance"] == "high"
    assert mail["Message-ID"] == f"<j-{message_id[2:]}000001@example.com>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert text.startswith("The disk of the database is full.")
    assert "This notice is critical" in text
    assert "<strong>Full</strong>" in html
    assert "contact 1 of all accounts in the folder root" in text
    assert "contact 2" in by_recipient["ann@example.com"].get_body(("plain",)).get_content()


async def _all_sent(api, message_id):
    return {state for state, _ in (await states(api, message_id)).values()} == {"sent"}


@asynccontextmanager
async def _running(worker):
    """A worker that runs beside the test."""
    task = asyncio.ensure_future(worker.run())
    yield
    worker.stop()
    await task


async def test_a_link_to_unsubscribe_stands_in_mail_and_headers(database_path):
    async with mail_server() as (mailbox, port):
        settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "smtp_from": "contacts@example.com"}
        async with open_api(database_path, settings, clock=WaitingClock()) as api:
            root = await api.root_folder()
            await plant_contacts(api, root, "tom@example.com")
            await publish(api, root)
            await api.work()

    (mail,) = mailbox.mails
    link = mail["List-Unsubscribe"].removeprefix("<").removesuffix(">")
    assert "/unsubscribe/" in link
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"open: {link}" in mail.get_body(("plain",)).get_content()
