"""A mail server that does at each stage what a test says: answers, waits, hangs up; and tells what mail it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum

from tests.delivery.conftest import greeting, until


class Stage(StrEnum):
    """Where in a conversation; the word is what a client says there, if it says one."""

    BANNER = "banner"
    GREETING = "EHLO"
    TLS = "STARTTLS"
    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"
    #: A part of the content has come, the end has not.
    CONTENT = "content"
    #: All of it has come.
    FINAL_DOT = "final dot"
    RESET = "RSET"
    GOODBYE = "QUIT"


class HangUp(Exception):  # noqa: N818 - what happens
    """Raised by a behaviour that ends the connection without a word."""


@dataclass(slots=True)
class Conversation:
    """One connection, as far as it has come."""

    #: From 1.
    number: int
    line: str = ""
    sender: str = ""
    recipient: str = ""
    content: bytes = b""


#: What to answer at a stage; None: what is usual.
Behaviour = Callable[[Stage, Conversation], Awaitable[str | None]]

_USUAL = {
    Stage.BANNER: "220 awkward.test",
    Stage.TLS: "502 5.5.1 Not here",
    Stage.DATA: "354 Go on",
    Stage.FINAL_DOT: "250 2.0.0 Taken",
    Stage.GOODBYE: "221 2.0.0 Bye",
}
_END = b"\r\n.\r\n"


async def nothing_special(_stage: Stage, _conversation: Conversation) -> None:
    """Behave as servers should."""


@dataclass(slots=True)
class AwkwardServer:
    """What the server has seen. A mail counts as kept once it answered 250 or a test has said `keep`."""

    behaviour: Behaviour = nothing_special
    port: int = 0
    connections: int = 0
    kept: list[Conversation] = field(default_factory=list)

    def keep(self, conversation: Conversation) -> None:
        """Have the mail that just came, whatever will be answered."""
        self.kept.append(
            Conversation(conversation.number, "", conversation.sender, conversation.recipient, conversation.content)
        )

    def mails(self) -> list[EmailMessage]:
        """The mails it has kept."""
        return [message_from_bytes(each.content, policy=policy.default) for each in self.kept]

    def message_ids(self) -> list[str]:
        """Of each mail it has kept."""
        return [str(mail["Message-ID"]) for mail in self.mails()]

    async def answer(self, stage: Stage, conversation: Conversation) -> str:
        """What is said at a stage."""
        special = await self.behaviour(stage, conversation)
        if special is not None:
            return special
        if stage is Stage.GREETING:
            return greeting("awkward.test", "ENHANCEDSTATUSCODES")
        if stage is Stage.DATA and not conversation.recipient:
            return "503 5.5.1 No recipient"
        return _USUAL.get(stage, "250 2.0.0 OK")

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from the banner to its end."""
        self.connections += 1
        conversation = Conversation(self.connections)

        async def say(stage: Stage) -> str:
            answer = await self.answer(stage, conversation)
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
            return answer

        answer = await say(Stage.BANNER)
        while not answer.startswith("421"):
            conversation.line = (await reader.readline()).decode().strip()
            if not conversation.line:
                return
            stage = Stage(conversation.line[:4].upper().replace("STAR", "STARTTLS"))
            address = conversation.line.partition("<")[2].partition(">")[0]
            if stage is Stage.SENDER:
                conversation.sender, conversation.recipient = address, ""
            elif stage is Stage.RECIPIENT:
                conversation.recipient = address
            answer = await say(stage)
            if stage is Stage.GOODBYE:
                return
            if stage is Stage.RECIPIENT and not answer.startswith("25"):
                conversation.recipient = ""
            if answer.startswith("354"):
                conversation.content = await reader.read(100)
                await self.answer(Stage.CONTENT, conversation)
                while not conversation.content.endswith(_END):
                    more = await reader.read(65536)
                    if not more:
                        return
                    conversation.content += more
                conversation.content = conversation.content.replace(b"\r\n..", b"\r\n.")[: -len(_END) + 2]
                answer = await self.answer(Stage.FINAL_DOT, conversation)
                if answer.startswith("250"):
                    self.keep(conversation)
                writer.write(answer.encode() + b"\r\n")
                await writer.drain()


@asynccontextmanager
async def awkward_server(behaviour: Behaviour = nothing_special) -> AsyncIterator[AwkwardServer]:
    """Serve on a port of loopback until the block ends."""
    awkward = AwkwardServer(behaviour)
    talking: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await awkward.converse(reader, writer)
        except (HangUp, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            # Whatever has not been read is thrown away with it, as by a machine that fails.
            writer.transport.abort()
            talking.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    awkward.port = server.sockets[0].getsockname()[1]
    try:
        yield awkward
    finally:
        server.close()
        for task in list(talking):
            task.cancel()
        await until(lambda: not talking)
        await server.wait_closed()
