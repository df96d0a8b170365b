"""IMAP servers that say what they should not, or hang up: a word comes of it, and no password goes astray."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from message_contacts.delivery.bounces import Taken
from message_contacts.delivery.return_path import ReturnPaths
from message_contacts.transports.bounce_mailbox import BounceMailbox
from message_contacts.transports.imap_server import ImapServer
from message_contacts.transports.imap_session import LEFT, ImapFault, ImapSession, MailboxFailure
from message_contacts.verification.tokens import OneKey
from tests.delivery.conftest import scripted_server, until
from tests.fakes.clock import FakeClock

LARGEST = 1000
INTERVAL = 60.0
#: What a command is answered with in place of what is usual, by its first words; None hangs up.
Special = Mapping[str, str | None]


@dataclass
class Server:
    """A mailbox with mails by their numbers, and what it was told."""

    special: Special = field(default_factory=dict)
    mails: dict[int, str] = field(default_factory=dict)
    capabilities: str = "IMAP4rev1 AUTH=PLAIN UIDPLUS"
    flags: str = r"\Seen \Deleted \Flagged \*"
    said: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _tag: str = ""

    def answer(self, number: int, said: str | None) -> str | None:
        """The script of `scripted_server`."""
        self.connections = number
        if said is None:
            return self.special.get("", "* OK ready")
        self.said.append(said)
        tag, _, command = said.partition(" ")
        if not command:  # what was asked for by "+"
            tag, command = self._tag, "secret"
        self._tag = tag
        for beginning, answer in self.special.items():
            if beginning and command.startswith(beginning):
                return answer if answer is None else answer.replace("TAG", tag)
        return self._usual(tag, command)

    def _usual(self, tag: str, command: str) -> str:
        ok = f"{tag} OK done"
        if command.startswith("CAPABILITY"):
            return f"* CAPABILITY {self.capabilities}\r\n{ok}"
        if command.startswith("AUTHENTICATE"):
            return "+ "
        if command.startswith("SELECT"):
            return (
                f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [PERMANENTFLAGS ({self.flags})] ok\r\n"
                f"{tag} OK [READ-WRITE] done"
            )
        if command.startswith("UID SEARCH"):
            return f"* SEARCH {' '.join(map(str, self.mails))}\r\n{ok}"
        if command.startswith("UID FETCH"):
            numbers = [int(number) for number in command.split()[2].split(",") if int(number) in self.mails]
            if "RFC822.SIZE" in command:
                lines = [f"* 1 FETCH (UID {number} RFC822.SIZE {len(self.mails[number])})" for number in numbers]
            else:
                lines = [f"* 1 FETCH ({literal(number, self.mails[number])})" for number in numbers]
            return "\r\n".join([*lines, ok])
        return ok


def literal(number: int, text: str) -> str:
    return f"UID {number} BODY[]<0> {{{len(text)}}}\r\n{text}"


@asynccontextmanager
async def serving(**parts):
    server = Server(**parts)
    async with scripted_server(server.answer) as port:
        server.port = port
        yield server


def session_with(server, options="", **more):
    parsed = ImapServer.parse(f"imap://tom:secret@127.0.0.1:{server.port}/{options}")
    return ImapSession(parsed, parsed.tls_context(), largest=LARGEST, **more)


async def told(session, *steps: Callable[[ImapSession], object]):
    """What opening the session and these steps come to: the last step's result, or the word of the failure."""

    def work():
        try:
            session.open()
            return [step(session) for step in steps][-1] if steps else None
        except MailboxFailure as failure:
            return failure.fault
        finally:
            session.close()

    return await asyncio.to_thread(work)


def waiting(session):
    return session.waiting(100)


@pytest.mark.parametrize(
    ("special", "fault"),
    [
        ({"": "* BYE too many"}, ImapFault.UNREACHABLE),
        ({"": "220 mail.example.com ESMTP"}, ImapFault.UNREACHABLE),
        ({"": "* OK " + "x" * 1_100_000}, ImapFault.NOT_UNDERSTOOD),
        ({"": None}, ImapFault.UNREACHABLE),
        ({"CAPABILITY": "* CAPABILITY IMAP2\r\nTAG OK done"}, ImapFault.NOT_UNDERSTOOD),
        ({"CAPABILITY": "* CAPABILITY IMAP4rev1 \xff\r\nTAG OK done"}, ImapFault.NOT_UNDERSTOOD),
        ({"CAPABILITY": "* 1 FETCH (BODY[] {99999999}\r\n"}, ImapFault.NOT_UNDERSTOOD),
        ({"secret": "TAG NO [AUTHENTICATIONFAILED] tom has another password"}, ImapFault.LOGIN_REFUSED),
        ({"secret": "TAG NO [UNAVAILABLE] come again"}, ImapFault.UNREACHABLE),
        ({"secret": None}, ImapFault.UNREACHABLE),
        ({"SELECT": "TAG NO no such mailbox"}, ImapFault.NO_SUCH_FOLDER),
        ({"SELECT": "* 1 EXISTS\r\n* OK [READ-ONLY] ok\r\nTAG OK [READ-ONLY] done"}, ImapFault.READ_ONLY),
        ({"UID SEARCH": "* SEARCH 1 two 3\r\nTAG OK done"}, ImapFault.NOT_UNDERSTOOD),
        ({"UID SEARCH": "TAG BAD what"}, ImapFault.NOT_UNDERSTOOD),
        ({"UID SEARCH": None}, ImapFault.UNREACHABLE),
    ],
)
async def test_what_a_server_says_comes_to_a_word(special, fault):
    async with serving(special=special, mails={5: "x"}) as server:
        assert await told(session_with(server), waiting) == fault


async def test_who_hung_up_before_there_was_a_connection_waits_for_nothing():
    async with serving(mails={5: "x"}) as server:
        session = session_with(server)
        session.abandon()
        assert await told(session, waiting) == ImapFault.UNREACHABLE
        await until(lambda: server.connections == 1)


async def test_a_server_that_falls_silent_is_left():
    async with serving(special={"SELECT": ""}) as server:
        session = session_with(server, silence_seconds=0.05)
        assert await told(session, waiting) == ImapFault.UNREACHABLE


async def test_nobody_at_that_port():
    async with serving() as server:
        pass
    assert await told(session_with(server)) == ImapFault.UNREACHABLE


@pytest.mark.parametrize("special", [{}, {"": "* PREAUTH you are tom"}])
async def test_a_server_that_does_not_encrypt_never_hears_the_password(special):
    async with serving(special=special) as server:
        assert await told(session_with(server, "?starttls=require")) == ImapFault.NOT_ENCRYPTED
        assert [line.partition(" ")[2] for line in server.said] == ["CAPABILITY", "LOGOUT"]


async def test_a_server_that_takes_no_passwords_like_this_does_not_hear_it():
    async with serving(capabilities="IMAP4rev1 STARTTLS LOGINDISABLED") as server:
        assert await told(session_with(server)) == ImapFault.LOGIN_REFUSED
        assert not any("secret" in line for line in server.said)


async def test_an_old_server_is_logged_in_to_by_the_old_command():
    async with serving(capabilities="IMAP4rev1") as server:
        assert await told(session_with(server), waiting) == []
        assert 'LOGIN "tom" "secret"' in [line.partition(" ")[2] for line in server.said]


async def test_the_password_goes_whole_where_the_server_takes_it_so():
    async with serving() as server:
        assert await told(session_with(server), waiting) == []
        assert base64.b64encode(b"\0tom\0secret").decode() in server.said


@pytest.mark.parametrize(
    ("flags", "asked", "marked"),
    [
        (r"\Seen \*", f"UNKEYWORD {LEFT}", LEFT),
        (f"\\Seen {LEFT}", f"UNKEYWORD {LEFT}", LEFT),
        (r"\Seen \Flagged", "UNFLAGGED", r"\Flagged"),
    ],
)
async def test_a_mail_that_stays_is_marked_as_the_server_can(flags, asked, marked):
    async with serving(flags=flags, mails={5: "x"}) as server:
        assert await told(session_with(server), waiting, lambda session: session.leave([5])) is None
        commands = [line.partition(" ")[2] for line in server.said]
        assert f"UID SEARCH 1:1 UNDELETED {asked}" in commands
        assert f"UID STORE 5 +FLAGS.SILENT ({marked})" in commands


async def test_a_server_that_keeps_no_marks_is_not_read():
    async with serving(flags=r"\Seen", mails={5: "x"}) as server:
        assert await told(session_with(server), waiting) == ImapFault.READ_ONLY


async def test_without_removal_of_single_mails_the_mark_is_all():
    async with serving(capabilities="IMAP4rev1 AUTH=PLAIN", mails={5: "x", 6: "y"}) as server:
        await told(session_with(server), waiting, lambda session: session.remove([5, 6]))
        commands = [line.partition(" ")[2] for line in server.said]
        assert r"UID STORE 5,6 +FLAGS.SILENT (\Seen \Deleted)" in commands
        assert not any("EXPUNGE" in command for command in commands)


@pytest.mark.parametrize("command", ["remove", "leave"])
async def test_a_mark_that_is_refused_is_not_taken_for_one(command):
    async with serving(special={"UID STORE": "TAG NO [NOPERM] not yours"}, mails={5: "x"}) as server:
        assert await told(session_with(server), waiting, lambda session: getattr(session, command)([5])) == (
            ImapFault.READ_ONLY
        )


async def test_a_mailbox_of_many_mails_is_searched_in_parts():
    special = {"SELECT": "* 25000 EXISTS\r\nTAG OK done"}
    async with serving(special=special, mails={5: "x", 3: "y"}) as server:
        assert await told(session_with(server), waiting) == [3, 5, 3, 5, 3, 5]
        windows = [line.split()[3] for line in server.said if "SEARCH" in line]
        assert windows == ["1:10000", "10001:20000", "20001:25000"]


@pytest.mark.parametrize(
    "answer",
    [
        "* 1 FETCH (UID 5 BODY[]<0> {4}\r\nmail)\r\nTAG OK done",
        "* 1 FETCH (BODY[]<0> {4}\r\nmail UID 5)\r\nTAG OK done",
        "* 9 EXISTS\r\n* 1 FETCH (UID 5 BODY[]<0> {4}\r\nmail FLAGS ())\r\n* 2 FETCH (FLAGS (\\Seen))\r\nTAG OK done",
        "* 2 FETCH (UID 6 BODY[]<0> {5}\r\nother)\r\n* 1 FETCH (UID 5 BODY[]<0> {4}\r\nmail)\r\nTAG OK done",
    ],
)
async def test_a_mail_is_found_however_the_answer_is_arranged(answer):
    async with serving(special={"UID FETCH": answer}, mails={5: "mail"}) as server:
        assert await told(session_with(server), waiting, lambda session: session.content(5)) == b"mail"


@pytest.mark.parametrize(
    "answer",
    ["TAG OK done", "* 2 FETCH (UID 6 BODY[]<0> {5}\r\nother)\r\nTAG OK done", "* 1 FETCH (UID 5)\r\nTAG OK ok"],
)
async def test_a_mail_that_went_away_meanwhile_is_not_mixed_up_with_another(answer):
    async with serving(special={"UID FETCH": answer}, mails={5: "mail"}) as server:
        assert await told(session_with(server), waiting, lambda session: session.content(5)) is None


class Recording:
    """Takes whatever is handed in."""

    def __init__(self):
        self.contents: list[bytes] = []
        self.return_paths = ReturnPaths(OneKey(b"k" * 32), "bounces.example.com")

    async def take(self, content, _recipients):
        self.contents.append(content)
        return Taken.RECORDED


class AlwaysOurs:
    async def take(self, _what, *, now, until):
        return True


def mailbox_of(server):
    parsed = ImapServer.parse(f"imap://tom:secret@127.0.0.1:{server.port}")
    clock, taken = FakeClock(), Recording()
    mailbox = BounceMailbox(
        bounces=taken, turns=AlwaysOurs(), server=parsed, context=None, interval=INTERVAL, clock=clock
    )
    return mailbox, clock, taken


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "* 1 FETCH (UID 5 BODY[]<0> {99999999}\r\nmail",
        "* 1 FETCH (UID 5 BODY[]<0> {4}\r\n",
        "TAG BAD I fell over this mail",
    ],
)
async def test_a_mail_over_which_the_connection_breaks_each_time_holds_no_other_up(answer):
    special = {"UID FETCH 5 (UID BODY": answer}
    if answer and answer.endswith("{4}\r\n"):
        special["UID FETCH 5 (UID BODY"] = None
    async with serving(special=special, mails={5: "first", 6: "second"}) as server:
        mailbox, clock, taken = mailbox_of(server)
        with capture_logs() as logged:
            await mailbox.turn()
            assert taken.contents == []
            clock.advance(INTERVAL / 2)
            await mailbox.turn()
        assert taken.contents == [b"second"]
        assert [entry["event"] for entry in logged] == [
            "bounce_mailbox_failed",
            "bounce_mailbox_read",
            "bounce_mailbox_works_again",
        ]
        assert any(re.search(r"UID EXPUNGE 6$", line) for line in server.said)


async def test_mails_with_new_numbers_are_all_new():
    async with serving(special={"UID FETCH 5 (UID BODY": None}, mails={5: "first"}) as server:
        mailbox, _, taken = mailbox_of(server)
        with capture_logs():
            await mailbox.turn()
            server.special = {"SELECT": "* 1 EXISTS\r\n* OK [UIDVALIDITY 8] ok\r\nTAG OK done"}
            await mailbox.turn()
        assert taken.contents == [b"first"]


async def test_a_round_ends_before_the_turn_does():
    async with serving(mails=dict.fromkeys(range(1, 101), "x")) as server:
        mailbox, clock, taken = mailbox_of(server)
        take = taken.take

        async def slowly(content, recipients):
            clock.advance(1)
            return await take(content, recipients)

        taken.take = slowly
        with capture_logs():
            await mailbox.turn()
        assert len(taken.contents) == 60  # the third batch of twenty was begun in time, at 40 of 45 seconds
