"""Deliveries of a message into a mail server that keeps nothing, beside aiosmtplib alone sending prepared bytes.

Ours is a worker as it is by default, on a database with a message to many contacts: it works out who gets it, words
each mail, hands it over and records it durably. The rate is told by the mail server, from the first mail to the last.
`python -m bench.deliveries [ROUNDS] [MAILS]` measures only this.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from bench import servers
from bench.databases import KEY_TEXT
from bench.figures import short
from message_contacts.access.model import Account
from message_contacts.changes import Change, Decision, Insert
from message_contacts.clock import Instant, SystemClock
from message_contacts.contacts.model import (
    Binding,
    Channel,
    Contact,
    ContactName,
    EmailAddress,
    MessageType,
    Slot,
    Title,
    Verified,
)
from message_contacts.delivery import publishing
from message_contacts.delivery.candidates import Because
from message_contacts.delivery.messages import Message, Named
from message_contacts.delivery.outcome import OutgoingMessage
from message_contacts.delivery.publishing import Desk, Wording
from message_contacts.delivery.rules import Severity
from message_contacts.delivery.texts.message_texts import MessageTexts
from message_contacts.directory.model import ROOT_NAME, Folder, ResourceDirectory
from message_contacts.ids import RandomIds
from message_contacts.settings import Settings
from message_contacts.storage import migrate, open_sqlite
from message_contacts.transports.mail import MailComposer, Sender

MAILS = 10_000
WANTED = 0.4
_ACCOUNT = "1000000000000001"
_ROOT = "r-AbCdEf"
_TEXT = "The databases of the region restart on Sunday between 02:00 and 03:00. Connections are cut for a minute.\n" * 4
_SECONDS = 300.0


def prepared(mails: int) -> Path:
    """A database with a tenant that has so many contacts, and a message to all of them that waits."""
    path = servers.WORK / "deliveries.db"
    servers.WORK.mkdir(parents=True, exist_ok=True)
    for old in servers.WORK.glob("deliveries.db*"):
        old.unlink()
    migrate(f"sqlite:///{path}")
    asyncio.run(_filled(path, mails))
    servers.write_out(path)
    return path


async def _filled(path: Path, mails: int) -> None:
    clock = SystemClock()
    now = Instant(clock.now() - 1_000)
    with open_sqlite(path, clock) as storage:
        directory = ResourceDirectory(
            account_id=_ACCOUNT,
            directory_id="rd-AbCdEf",
            root_folder_id=_ROOT,
            account_name="platform-team",
            created_at=now,
        )
        root = Folder(account_id=_ACCOUNT, folder_id=_ROOT, parent_id=None, name=ROOT_NAME, created_at=now)
        account = Account(account_id=_ACCOUNT, name="platform-team", created_at=now)
        await storage.committer.commit((Insert(account), Insert(directory), Insert(root)), None)
        for start in range(0, mails, 500):
            contacts: tuple[Change, ...] = tuple(
                Insert(_contact(number, now)) for number in range(start, min(start + 500, mails))
            )
            await storage.committer.commit(contacts, None)
        await storage.committer.commit(_published(now).changes, None)


def _published(now: Instant) -> Decision[Message]:
    return publishing.publish(
        Desk(same_token=None, known_targets=frozenset({_ROOT})),
        Wording(
            message_type=MessageType.FAULT_MESSAGE,
            severity=Severity.NORMAL,
            subject="Databases restart on Sunday",
            text=_TEXT,
            html=None,
            markdown=None,
            targets=(_ROOT,),
            expires_at=None,
        ),
        account_id=_ACCOUNT,
        client_token=None,
        published_by="",
        now=now,
        ids=RandomIds(),
    )


def _contact(number: int, now: Instant) -> Contact:
    return Contact(
        account_id=_ACCOUNT,
        contact_id=f"c-{number:016}",
        name=ContactName(f"contact {number}"),
        title=Title.OTHER,
        message_types=(MessageType.FAULT_MESSAGE,),
        email=Slot(shown=EmailAddress(f"{number}@example.com"), verified=Verified(now, captured=False)),
        phone=Slot(),
        created_at=Instant(now + number),
        bindings=(Binding(_ROOT, now),),
    )


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    port = servers.free_port()
    with subprocess.Popen([sys.executable, "-m", "bench.smtp_sink", str(port)], cwd=servers.ROOT) as process:
        while True:
            with contextlib.suppress(OSError):
                _asked(port)
                break
            time.sleep(0.02)  # another process starts; there is nothing to wait on but time
        yield port
        process.terminate()


def _asked(port: int) -> tuple[int, float]:
    """Mails taken since the last question, and the seconds from the first to the last."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection, connection.makefile("rwb") as file:
        file.readline()
        file.write(b"XCOUNT\r\n")
        file.flush()
        _, mails, first, last = file.readline().split()
        return int(mails), float(last) - float(first)


def ours(mails: int) -> float:
    """Deliveries a second by one worker."""
    path = prepared(mails)
    with _sink() as port:
        command = [servers.PROGRAM, "worker"]
        environment = {
            "MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{path}",
            "MESSAGE_CONTACTS_ENCRYPTION_KEY": KEY_TEXT,
            "MESSAGE_CONTACTS_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "MESSAGE_CONTACTS_SMTP_FROM": "contacts@example.com",
        }
        with servers.Server("worker", command, port, environment):
            _until_sent(path, mails)
        taken, seconds = _asked(port)
    if taken != mails:
        raise SystemExit(f"void: {taken} mails instead of {mails}")
    return (mails - 1) / seconds


def _until_sent(path: Path, mails: int) -> None:
    """Wait until every delivery is recorded as sent."""
    end = time.monotonic() + _SECONDS
    connection = apsw.Connection(str(path))
    while time.monotonic() < end:
        ((sent,),) = connection.execute(
            "SELECT count(*) FROM delivery WHERE account_id = ? AND state = 'sent'", (_ACCOUNT,)
        )
        if sent == mails:
            connection.close()
            return
        time.sleep(0.2)  # another process works; looking more often would slow it down
    raise SystemExit(f"void: {sent} of {mails} were sent within {_SECONDS:.0f} s")


def alone(mails: int) -> float:
    """Mails a second by aiosmtplib, which sends the same bytes each time and records nothing."""
    servers.WORK.mkdir(parents=True, exist_ok=True)
    content = servers.WORK / "mail.eml"
    content.write_bytes(_mail())
    with _sink() as port:
        command = [sys.executable, "-m", "bench.smtp_alone", str(port), str(mails), str(content)]
        subprocess.run(command, cwd=servers.ROOT, check=True)
        taken, seconds = _asked(port)
    if taken != mails:
        raise SystemExit(f"void: {taken} mails instead of {mails}")
    return (mails - 1) / seconds


def _mail() -> bytes:
    """One of the mails that we send."""
    settings, now = Settings(), SystemClock().now()
    texts = MessageTexts(settings.language, settings.contact_date_zone)
    worded = texts.worded(_published(now).result, "platform-team")
    named = Named("c-0000000000000001", None, "contact 1", Because.FOLDER, _ROOT, ROOT_NAME, "passed")
    text, html = texts.mail(worded, [named], None)
    outgoing = OutgoingMessage(
        account_id=_ACCOUNT,
        channel=Channel.EMAIL,
        recipient="1@example.com",
        message_id="j-0123456789abcdef",
        subject="Databases restart on Sunday",
        text=text,
        html=html,
        headers=(("List-Id", f"<faultmessage.{_ACCOUNT}.127.0.0.1>"),),
    )
    return MailComposer(Sender.parse("contacts@example.com")).compose(outgoing, now=now)


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    mails = int(sys.argv[2]) if len(sys.argv) > 2 else MAILS
    ratios = []
    for number in range(1, rounds + 1):
        other, mine = alone(mails), ours(mails)
        ratios.append(mine / other)
        print(f"round {number}: ours {mine:,.0f}/s, aiosmtplib alone {other:,.0f}/s, ratio {short(mine / other)}")
    print(f"deliveries / aiosmtplib alone: {short(statistics.median(ratios))} (wanted: {WANTED})")


if __name__ == "__main__":
    main()
