"""The whole way of a verification: signed call, waiting work, real mail server, page, contact in force."""

from __future__ import annotations

import asyncio
import re

from message_contacts.bootstrap import CHANNELS
from message_contacts.clock import Instant
from tests.delivery.conftest import mail_server, until
from tests.fakes.waiting_clock import WaitingClock
from tests.harness import PUBLIC_URL, open_api
from tests.pages.conftest import Browser


async def test_mail_from_a_running_worker_leads_to_a_confirmed_address(database_path):
    """Nothing moves the clock: the worker is woken by the commit that made the work."""
    clock = WaitingClock()
    async with mail_server() as (mailbox, port):
        mail_settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "smtp_from": "Contacts <contacts@example.com>"}
        async with open_api(database_path, mail_settings, clock=clock) as api:
            working = asyncio.ensure_future(api.service.worker.run())
            contact_id = await api.add_contact()
            await api.call(
                "SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom@example.com"
            )
            await until(lambda: bool(mailbox.mails))
            (mail,) = mailbox.mails
            assert mail["To"] == "tom@example.com"
            assert "List-Unsubscribe" not in mail
            text = mail.get_body(("plain",)).get_content()
            link = re.findall(r"https?://\S+", text)[0]
            assert link.startswith(f"{PUBLIC_URL}/verify/")
            browser = Browser(api.service.app)
            path = link.removeprefix(PUBLIC_URL)
            assert (await browser.open(path)).status == 200
            assert (await api.contact(contact_id))["Status"] == "Verifying"
            assert (await browser.open(path, "POST")).status == 200
            assert (await api.contact(contact_id))["Status"] == "Active"
            api.service.worker.stop()
            await asyncio.wait_for(working, 30)
            later = Instant(clock.now() + 3_600_000)
            left = [await api.service.storage.outbox.claim(c, "w", now=later, until=later, limit=9) for c in CHANNELS]
            assert left == [[] for _ in CHANNELS]


async def test_code_typed_on_another_device_confirms(database_path):
    async with mail_server() as (mailbox, port):
        mail_settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "smtp_from": "contacts@example.com"}
        async with open_api(database_path, mail_settings) as api:
            contact_id = await api.add_contact()
            await api.call(
                "SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom@example.com"
            )
            await api.work()
            text = mailbox.mails[0].get_body(("plain",)).get_content()
            fields = {
                "reference": re.search("Reference: (.*)", text)[1].strip(),
                "code": re.search("Code: (.*)", text)[1].strip(),
            }
            browser = Browser(api.service.app)
            wrong = {**fields, "code": "000000" if fields["code"] != "000000" else "000001"}
            assert (await browser.open("/verify/", "POST", fields=wrong)).status == 403
            assert (await browser.open("/verify/", "POST", fields=fields)).status == 200
            assert (await api.contact(contact_id))["Status"] == "Active"


async def test_not_me_stops_further_messages_until_it_is_taken_back(database_path):
    async with open_api(database_path) as api:
        contact_id = await api.add_contact()
        asked = {"ContactId": contact_id, "EmailAddress": "tom@example.com"}
        await api.call("SendEmailVerificationForMessageContact", **asked)
        await api.work()
        token = await api.token_sent_to("tom@example.com")
        browser = Browser(api.service.app)
        assert (await browser.open(f"/verify/{token}/not-me", "POST")).status == 200
        assert (await browser.open(f"/verify/{token}")).status == 403
        status, _ = await api.error("SendEmailVerificationForMessageContact", **asked)
        assert status == 409
        assert (await browser.open(f"/verify/{token}/take-back", "POST")).status == 200
        assert (await browser.open(f"/verify/{token}", "POST")).status == 200
        assert (await api.contact(contact_id))["Status"] == "Active"


async def test_text_message_in_the_inbox_has_link_and_code(database_path):
    async with open_api(database_path) as api:
        contact_id = await api.add_contact(PhoneNumber="86-13900001234")
        await api.call("SendPhoneVerificationForMessageContact", ContactId=contact_id, PhoneNumber="86-13900001234")
        await api.work()
        assert re.fullmatch("[0-9]{6}", await api.code_sent_to("86-13900001234"))
        token = await api.token_sent_to("86-13900001234")
        assert (await Browser(api.service.app).open(f"/verify/{token}")).status == 200
