"""A service's life in a process of its own, everything logged: `python -m tests.fakes.logged_life <database> <format>`.

Whatever any library says is logged too, from SQLite up. Standard error is the log, as an operator would have it;
standard output is JSON: every address and secret that was used.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import logging
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import apsw.ext
import orjson

from message_contacts.cli.logs import configure_logs
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.settings import Settings
from tests import signing
from tests.api.recipients import report
from tests.delivery.conftest import polite, scripted_server
from tests.fakes.http_server import Answer, Running, running
from tests.fakes.waiting_clock import WaitingClock
from tests.harness import PUBLIC_URL, Api, open_api

PATIENCE = 30
NAME = "Erika"
EMAIL = "Erika.Mustermann@example.com"
OTHER_EMAIL = "erika.zweitadresse@example.org"
PHONE = "86-13912345678"
SECRET = "kYp7QxT2mZr9LwB4nVc6HsD1"
MAIL_PASSWORD = "hunter2-mail-gateway-x9"
SMS_SECRET = base64.b64encode(b"0123456789abcdef/+0123456789abcd").decode()
BAD_ADDRESS = "erika.kaputt@@example.com"
_LINK = re.compile(rb"/verify/([0-9a-z]{10}[0-9]+-[A-Za-z0-9_\-]{22})")
_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9]{6}(?![0-9A-Za-z])")


@dataclass
class Secrets:
    """What was used and must not be found in the log."""

    texts: set[str] = field(
        default_factory=lambda: {NAME, EMAIL, OTHER_EMAIL, PHONE, SECRET, MAIL_PASSWORD, SMS_SECRET, BAD_ADDRESS}
    )

    def add_token(self, token: str) -> None:
        self.texts |= {token, token.partition("-")[2]}


async def until(condition: Callable[[], bool]) -> None:
    """Let the sockets work until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("this did not happen")
        await asyncio.sleep(0)


class MailServer:
    """Takes mails, refuses with the address in its words, or hangs up."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.answers: dict[str, str | None] = {}

    def script(self, _connection: int, said: str | None) -> str | None:
        if said is None:
            return polite(said)
        command = said.split(" ")[0].upper().split(":")[0]
        if command == "EHLO":
            return "250-mail.test\r\n250 AUTH PLAIN LOGIN"
        if command == "AUTH":
            return self.answers.get("AUTH", "235 fine")
        return self.answers.get(command, polite(said)) if command in self.answers else polite(said)


@asynccontextmanager
async def sms_gateway(answers: list[tuple[int, str]]) -> AsyncIterator[tuple[int, list[str]]]:
    """A gateway that answers each message with the next status and body; the last one again and again."""
    bodies: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = re.search(r"(?i)content-length: (\d+)", head)
        assert found is not None
        bodies.append(orjson.loads(await reader.readexactly(int(found[1])))["text"])
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        writer.write(
            f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], bodies
    server.close()
    await server.wait_closed()


@dataclass
class Life:
    """A running service and what its secrets are."""

    api: Api
    server: Running
    secrets: Secrets
    mail: MailServer
    #: Tries of jobs that the worker has recorded.
    recorded: int = 0
    awaited: int = 0

    async def sent(self, request: signing.SignedRequest) -> Answer:
        """One request over a real connection; its signature is a secret."""
        for part in re.findall(r"Signature=([^&,\s]+)", f"{request.target} {dict(request.headers)}"):
            self.secrets.texts.add(part.rstrip("'}"))
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers)
        length = f"content-length: {len(request.body)}\r\n"
        data = f"{request.method} {request.target} HTTP/1.1\r\n{head}{length}\r\n".encode() + request.body
        return await self.server.exchange(data)

    async def call(self, action: str, version: str = "2022-04-19", **parameters: Any) -> dict[str, Any]:
        """A signed call, parameters in the query."""
        request = signing.v3(
            action, parameters, key_id=self.api.key_id, secret=SECRET, now_ms=self.api.clock.now(), version=version
        )
        found: dict[str, Any] = orjson.loads((await self.sent(request)).body)
        return found

    async def page(self, path: str, method: str = "GET", **fields: str) -> Answer:
        """A page, as a browser opens it."""
        body = urlencode(fields)
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nuser-agent: Erikas Browser\r\n"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return await self.server.exchange((head + body).encode())

    async def tried(self, jobs: int = 1) -> None:
        """Let what waits be tried, and so many more tries of it be recorded than were awaited before."""
        self.awaited += jobs
        looks = 0

        def recorded() -> bool:
            nonlocal looks
            if looks % 2000 == 0:  # again and again: a claim may run out while the clock is moved
                self.api.clock.advance(3600)
            looks += 1
            return self.recorded >= self.awaited

        await until(recorded)

    def count_recorded(self) -> None:
        """Count from now on what the worker records."""
        outbox: Any = self.api.service.storage.outbox
        settle = outbox.settle

        async def counted(worker_id: str, settlements: Any) -> None:
            await settle(worker_id, settlements)
            self.recorded += len(settlements)

        outbox.settle = counted

    def remember(self, text: str) -> str:
        """Note link and codes of a message; returns the link's token."""
        found = _LINK.search(text.encode())
        assert found is not None, text
        token = found[1].decode()
        self.secrets.add_token(token)
        self.secrets.texts.update(_CODE.findall(_LINK.sub(b"", text.encode()).decode()))
        return token

    async def token(self, contact_id: str, channel: str) -> str:
        """The token of the newest link of a contact, made as the worker makes it."""
        person = await self.api.service.storage.people.person(self.api.account_id, contact_id)
        newest = [entry for entry in person.verifications if entry.channel == channel][-1]
        tokens = self.api.service.verification.tokens
        token = tokens.token(newest.verification_id, newest.generation)
        self.secrets.add_token(token)
        self.secrets.texts.add(tokens.code(newest.verification_id, newest.generation))
        return token


async def live(life: Life) -> None:
    """Everything that happens to contacts, and everything that goes wrong."""
    added = await life.call(
        "AddMessageContact",
        Name=NAME,
        EmailAddress=EMAIL,
        PhoneNumber=PHONE,
        Title="CEO",
        MessageTypes=["SecurityMessage", "ProductMessage"],
    )
    contact_id: str = added["Contact"]["ContactId"]
    await refused_calls(life)
    await messages(life, contact_id)
    await pages(life, contact_id)
    await bugs(life, contact_id)
    await published_messages(life, contact_id)
    for action in ("ExportPerson", "ErasePerson"):
        assert "Code" not in await life.call(action, "2026-11-01", ContactId=contact_id)


async def refused_calls(life: Life) -> None:
    """What the gateway refuses, and what is no request at all."""
    await life.call("AddMessageContact", Name=NAME, EmailAddress=EMAIL, Title="CEO", MessageTypes=["SecurityMessage"])
    await life.call("AddMessageContact", Name="Anna", EmailAddress=BAD_ADDRESS, Title="CEO", MessageTypes=["X"])
    await life.call("ListMessageContacts", PageNumber=EMAIL, PageSize=PHONE)
    await life.call("GetMessageContact", ContactId=EMAIL)
    await life.call(f"No{EMAIL}", EmailAddress=EMAIL)
    now = life.api.clock.now()
    given = {"EmailAddress": EMAIL, "PhoneNumber": PHONE}
    wrong = signing.v3("AddMessageContact", given, key_id=life.api.key_id, secret="wrong" + SECRET, now_ms=now)
    unknown = signing.v3("AddMessageContact", given, key_id="MCnobody", secret=SECRET, now_ms=now)
    old = signing.v1("AddMessageContact", given, key_id=life.api.key_id, secret=SECRET, now_ms=now - 3_600_000)
    form = signing.v1(
        "AddMessageContact", given, key_id=life.api.key_id, secret=SECRET, now_ms=now, method="POST", in_form=True
    )
    read = signing.v3("ListMessageContacts", {"Member": PHONE}, key_id=life.api.key_id, secret=SECRET, now_ms=now)
    for request in (wrong, unknown, old, form, read, read):
        await life.sent(request)
    address = quote(EMAIL)
    for junk in (
        f"GET /somewhere?EmailAddress={address} HTTP/1.1\r\nhost: x\r\n\r\n",
        f"DELETE /?EmailAddress={address} HTTP/1.1\r\nhost: x\r\n\r\n",
        f"GET /?EmailAddress={address}&EmailAddress={address}&Action=%FF HTTP/1.1\r\nhost: x\r\n\r\n",
        f"GET /?EmailAddress={address} HTTP/1.1\r\nhost x{EMAIL}\r\n\r\n",
        f"{EMAIL}\r\n\r\n",
        f"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{{{EMAIL!r:<39}",
    ):
        await life.server.exchange(junk.encode())


async def messages(life: Life, contact_id: str) -> None:
    """Mail and text messages: refused with the address quoted, put off, cut off, taken."""
    send_mail = {"action": "SendEmailVerificationForMessageContact", "ContactId": contact_id, "EmailAddress": EMAIL}
    send_text = {"action": "SendPhoneVerificationForMessageContact", "ContactId": contact_id, "PhoneNumber": PHONE}
    for answers in (
        {"RCPT": f"550 5.1.1 <{EMAIL}>: no such mailbox"},
        {"RCPT": f"450 {EMAIL} is busy"},
        {"DATA": f"554 will not take this for <{EMAIL}>"},
        {"MAIL": None},
        {"AUTH": f"535 {MAIL_PASSWORD} is wrong"},
        {"RCPT": f"{EMAIL} is no answer at all"},
        {},
    ):
        life.mail.answers = answers
        await life.call(**send_mail)
        await life.call(**send_text)
        await life.token(contact_id, "email")
        await life.token(contact_id, "sms")
        await life.tried(2)


async def pages(life: Life, contact_id: str) -> None:
    """The link, the code, wrong ones, and the form sent from elsewhere."""
    token = await life.token(contact_id, "email")
    life.api.clock.advance(60)
    await life.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    await life.tried()
    newest = await life.token(contact_id, "email")
    for path in (token, newest, f"{newest}/not-me", f"{newest}x", EMAIL):
        assert (await life.page(f"/verify/{path}?EmailAddress={quote(EMAIL)}")).status < 500
    await life.page(f"/verify/{newest}/not-me", "POST")
    await life.page(f"/verify/{newest}/take-back", "POST")
    await life.page("/verify/", "POST", reference=newest[:10], code=PHONE[-6:])
    await life.page("/verify/", "POST", reference=EMAIL, code=EMAIL)
    assert (await life.page(f"/verify/{newest}", "POST")).status == 200
    await life.page(f"/verify/{newest}", "PUT")
    await life.call("UpdateMessageContact", ContactId=contact_id, EmailAddress=OTHER_EMAIL)
    await life.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=OTHER_EMAIL)
    await life.tried()
    other = await life.token(contact_id, "email")
    tokens = life.api.service.verification.tokens
    read = tokens.read(other)
    assert read is not None
    await life.page("/verify/", "POST", reference=other[:10], code=tokens.code(*read))


async def bugs(life: Life, contact_id: str) -> None:
    """Exceptions that hold what must not be seen, wherever they can come up."""
    api, service = life.api, life.api.service
    store: Any = service.storage.contacts
    read_contact, prune = store.contact, service.storage.prune
    token = await life.token(contact_id, "email")
    database = service.storage._database

    def failing(failure: Callable[[Any], Exception]) -> Callable[..., Any]:
        async def fail(*arguments: Any, **_more: Any) -> Any:
            contact = await read_contact(api.account_id, contact_id)
            link = f"{PUBLIC_URL}/verify/{token}"
            address, secret = EMAIL, SECRET  # in sight of whoever looks at the variables of this frame
            assert all((contact, link, address, secret, arguments))
            raise failure(contact) from LookupError(f"for {PHONE} in {link}: {secret}")

        return fail

    async def bad_sql(*_arguments: Any) -> Any:
        return await database.rows("SELECT email FROM nowhere WHERE email = $1", (EMAIL,))

    failures: list[Callable[..., Any]] = [
        failing(lambda contact: RuntimeError(f"cannot do {contact!r} for {EMAIL}, signed {SECRET}")),
        failing(lambda _contact: KeyError(EMAIL)),
        failing(lambda contact: ValueError(contact, [PHONE], {"to": EMAIL})),
        failing(lambda _contact: ExceptionGroup(EMAIL, [ValueError(PHONE), KeyError(SECRET)])),
        bad_sql,
    ]
    for fail in failures:
        await life.call("SendPhoneVerificationForMessageContact", ContactId=contact_id, PhoneNumber=PHONE)
        store.contact = fail
        answer = await life.call("GetMessageContact", ContactId=contact_id)
        assert answer["Code"] == "InternalError", answer
        assert (await life.page(f"/verify/{token}")).status == 500
        await life.tried()
        store.contact = read_contact
    # A row that the database does not take, in a commit.
    contact = await read_contact(api.account_id, contact_id)
    store.contact = lambda *_: asyncio.sleep(0, replace(contact, name=replace(contact.name, text=None)))
    await life.call("UpdateMessageContact", ContactId=contact_id, Title="Other")
    store.contact = read_contact

    async def no_tidying(*_arguments: Any) -> None:
        tidied.set()
        raise OSError(5, f"cannot take {EMAIL} away", f"/data/{EMAIL}")

    tidied = asyncio.Event()
    service.storage.prune = no_tidying  # type: ignore[method-assign]

    def time_to_tidy() -> bool:
        api.clock.advance(60)
        return tidied.is_set()

    await until(time_to_tidy)
    service.storage.prune = prune  # type: ignore[method-assign]

    async def forgotten() -> None:
        raise ValueError(EMAIL, PHONE, SECRET)

    task = asyncio.create_task(forgotten())
    await asyncio.wait([task])
    del task
    gc.collect()
    asyncio.get_running_loop().call_exception_handler({"message": f"for {EMAIL}", "exception": KeyError(PHONE)})


async def published_messages(life: Life, contact_id: str) -> None:
    """Messages that are sent, refused and come back, what people say of them, and requests to the operator."""
    api, ours = life.api, "2026-11-01"
    root = (await life.call("GetResourceDirectory"))["ResourceDirectory"]["RootFolderId"]
    await life.call("AssociateMembers", ContactId=contact_id, Members=[root])
    recipients = api.service.recipients
    return_paths = recipients.bounces.return_paths
    assert return_paths is not None
    # The changed address, unless its confirmation was late.
    key = (await life.call("GetMessageContact", ContactId=contact_id))["Contact"]["EmailAddress"].lower()
    page = recipients.links.preferences(api.account_id, Channel.EMAIL, key, contact_id)
    one_click = recipients.links.unsubscribe(api.account_id, Channel.EMAIL, key, MessageType.PRODUCT_MESSAGE)
    assert one_click is not None
    paths = [link.removeprefix(PUBLIC_URL) for link in (page, one_click)]
    life.secrets.texts.update(path.rpartition("/")[2] for path in paths)
    refusals: tuple[dict[str, str | None], ...] = (
        {},
        {"RCPT": f"450 4.2.2 {EMAIL} is full"},
        {"RCPT": f"550 5.1.1 <{EMAIL}>: no such mailbox"},
    )
    for answers in refusals:
        life.mail.answers = answers
        published = await life.call(
            "PublishMessage",
            ours,
            MessageType="ProductMessage",
            Severity="Critical",
            Subject=f"For {NAME}",
            Text=f"Call {PHONE}, or write to {OTHER_EMAIL}",
            Targets=[root],
        )
        delivery_id = await tried_by_mail(life, published["MessageId"])
        life.secrets.texts.add(return_paths.address(api.account_id, delivery_id))
        back = return_paths.address(api.account_id, delivery_id)
        await recipients.bounces.take(report(EMAIL, told=f"smtp; 550 5.1.1 <{EMAIL}>: no such mailbox"), [back])
        await recipients.bounces.take(report(EMAIL), [EMAIL])
        await life.call("DeleteSuspension", ours, Address=EMAIL)
    fields = {"type-SecurityMessage": "on", "language": "en", "wish": f"{NAME} at {OTHER_EMAIL}", "zone": EMAIL}
    for path in paths:
        for method in ("GET", "POST", "PUT"):
            assert (await life.page(f"{path}?EmailAddress={quote(EMAIL)}", method, **fields)).status < 500
    await life.page(f"{paths[0]}/hand-over", "POST", **fields)
    await life.page(f"{paths[0]}/hand-over", "POST", wish=PHONE * 30)
    await life.page(f"{paths[0]}x")
    await life.page(f"{paths[1]}/undo", "POST")
    await life.call("SetFallbackAddress", ours, EmailAddress=OTHER_EMAIL)
    await life.call("ListDeliveries", ours, Address=EMAIL)
    await life.call("CloseHandOver", ours, HandOverId=EMAIL, Note=PHONE)
    await life.call("CloseIncident", ours, IncidentId=EMAIL, Note=PHONE)


async def tried_by_mail(life: Life, message_id: str) -> str:
    """Let a message go out until its mail was tried; the id of that delivery."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = await life.call("ListDeliveries", "2026-11-01", MessageId=message_id)
        for delivery in found["Deliveries"]:
            if delivery["Channel"] == "email" and delivery["Attempts"]:
                delivery_id: str = delivery["DeliveryId"]
                return delivery_id
        life.api.clock.advance(1)
    raise TimeoutError("no mail was tried")


async def main(database: Path, log_format: str) -> None:
    secrets, mail = Secrets(), MailServer()
    refusals = [
        (400, f"bad number {PHONE}"),
        (503, f"+{PHONE.replace('-', '')} later"),
        (302, EMAIL),
        (200, "{}"),
    ]
    async with scripted_server(mail.script) as mail_port, sms_gateway(refusals) as (sms_port, texts):
        settings = {
            "smtp_url": f"smtp://mailer:{MAIL_PASSWORD}@127.0.0.1:{mail_port}",
            "smtp_from": "Contacts <contacts@example.com>",
            "sms_url": f"http://:whsec_{quote(SMS_SECRET, safe='')}@127.0.0.1:{sms_port}/send",
            "root_access_key_secret": SECRET,
            "bounce_domain": "bounces.example.com",
        }
        configure_logs(Settings(log_level="debug", log_format=log_format))
        logging.getLogger().setLevel(1)
        async with open_api(database, settings, clock=WaitingClock()) as api:
            working = asyncio.create_task(api.service.work())
            async with running(api.service.app) as server:
                life = Life(replace(api, secret=SECRET), server, secrets, mail)
                life.count_recorded()
                await live(life)
            working.cancel()
            await asyncio.wait([working])
        for text in texts:
            life.remember(text)
    sys.stdout.write(orjson.dumps(sorted(secrets.texts)).decode())


if __name__ == "__main__":
    apsw.ext.log_sqlite(level=logging.DEBUG)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]), debug=True)
