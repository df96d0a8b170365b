"""The whole service before a mail server of the tests."""

from __future__ import annotations

from contextlib import asynccontextmanager

from message_contacts.contacts.model import Channel
from message_contacts.transports.mail import Sender
from message_contacts.transports.smtp import SmtpTransport
from message_contacts.transports.smtp_server import SmtpServer
from tests.fakes.transport import ScriptedTransport
from tests.harness import open_api

TOM = "tom@example.com"


@asynccontextmanager
async def service(database_path, clock, port, options="", **seconds):
    """A service that mails to this port, and whose text messages go to a scripted transport."""
    mail = SmtpTransport(
        SmtpServer.parse(f"smtp://127.0.0.1:{port}{options}"), Sender.parse("contacts@example.com"), clock, **seconds
    )
    sms = ScriptedTransport()
    settings = {
        "smtp_url": f"smtp://127.0.0.1:{port}",
        "sms_url": "https://sms.example.com/",
        "bounce_domain": "bounces.example.com",
    }
    transports = {Channel.EMAIL: mail, Channel.SMS: sms}
    async with open_api(database_path, settings, clock=clock, transports=transports) as api:
        yield api, sms
    await mail.close()
