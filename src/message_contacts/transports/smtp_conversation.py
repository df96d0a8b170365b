"""What is said about a mail on a connection to a mail server that stands: aiosmtplib has greeted and logged in.

A server that offers it (RFC 2920) is told sender, recipient and that the content follows in one breath: two waits for
answers a mail instead of four. aiosmtplib cannot do that, since it drops an answer that comes together with the one
before it, so each mail is said here, over the connection that it has opened. See docs/adr/0024-mail-by-pipelining.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

from message_contacts.transports.mail import is_mail_address
from message_contacts.transports.mail_parts import Lines
from message_contacts.transports.smtp_answers import Step

#: Bytes of an answer, at most: more is nonsense.
_LONGEST_ANSWER = 32 * 1024
#: Answers by which a server takes a sender or a recipient.
_AGREED = frozenset({250, 251})
#: Answers by which it takes the content: any that says yes (RFC 5321, section 4.2.1), else it would get it again.
_TAKEN = frozenset(range(200, 300))
#: Answer by which a server asks for the content.
_GO_ON = 354
#: Answers after which a mail goes on.
_OPENED: Mapping[Step, Set[int]] = {
    Step.SENDER: _AGREED,
    Step.RECIPIENT: _AGREED,
    Step.CONTENT: frozenset({_GO_ON}),
}
#: Stands for the code of an answer that has none.
_NO_CODE = -1
#: Codes after which nothing more is said: closing down, and an answer that was no answer.
_LAST_WORDS = frozenset({421, _NO_CODE})
#: Answer to `RSET`.
_FORGOTTEN = 250
_END = b".\r\n"
#: How many times as long to wait for the answer to a mail's content as for others: servers that look through it take
#: their time, and each answer that is not waited for costs a copy.
_CONTENT_STEPS = 3


class Answer(NamedTuple):
    """What a server says to a command."""

    code: int
    #: Without the codes; lines parted by a line feed.
    text: str


class ConnectionLost(Exception):  # noqa: N818 - an event, not a mistake
    """The connection has ended; its cause, if there is one, is what the network said."""


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """The server does not take a mail."""

    def __init__(self, step: Step, answer: Answer) -> None:
        """Tell where and by which answer."""
        super().__init__(f"{step}: {answer.code}")
        self.step = step
        self.answer = answer
        #: Whether another mail can be said on the connection.
        self.usable = answer.code not in _LAST_WORDS


class Envelope(NamedTuple):
    """A mail, and from whom to whom it goes."""

    sender: str
    recipient: str
    #: The first of them is a header field, which does not begin with a dot.
    content: Lines


class Conversation(asyncio.Protocol):
    """One connection, from the login on: it belongs to this object then."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool, step_seconds: float) -> None:
        """Take the connection over.

        Args:
            pipelining: Whether the server has offered it.
            step_seconds: How long to wait for an answer; three times that for the one to a mail's content.
        """
        #: What the last wait was for.
        self.step = Step.SENDER
        self._transport = transport
        self._pipelining = pipelining
        self._step_seconds = step_seconds
        self._loop = asyncio.get_running_loop()
        #: Until when to wait for an answer, and for all of a mail, in the loop's time.
        self._until = self._end = 0.0
        self._timer: asyncio.TimerHandle | None = None
        #: Lines of the answer that is coming in, and what follows the last whole one.
        self._lines: list[bytes] = []
        self._unread = b""
        self._answers: deque[Answer] = deque()
        #: Answers that the server owes.
        self._owed = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._ended = False
        transport.set_protocol(self)

    @property
    def stands(self) -> bool:
        """Whether something can be said."""
        return not (self._ended or self._transport.is_closing())

    async def hand_over(self, mail: Envelope, end: float) -> None:
        """Say one mail; afterwards the server has it.

        Args:
            end: When it must be done, in the loop's time.
        Raises:
            Refused: The server does not take it.
            TimeoutError, ConnectionLost: No telling whether the server has it, if it was the content that waited for
                its answer. Nothing more can be said then.
            ValueError: An address is none and could say something else: a bug of the caller.
        """
        if not (is_mail_address(mail.sender) and is_mail_address(mail.recipient)):
            raise ValueError("an envelope has mail addresses only")
        opening = (
            (Step.SENDER, b"MAIL FROM:<" + mail.sender.encode("ascii") + b">\r\n"),
            (Step.RECIPIENT, b"RCPT TO:<" + mail.recipient.encode("ascii") + b">\r\n"),
            (Step.CONTENT, b"DATA\r\n"),
        )
        self._end = end
        if self._pipelining:
            await self._open_at_once(opening)
        else:
            for step, command in opening:
                self._say(command)
                _expect(step, await self._answer(step), _OPENED[step])
        self._say(mail.content.replace(b"\r\n.", b"\r\n..") + _END)
        _expect(Step.CONTENT, await self._answer(Step.CONTENT), _TAKEN)

    async def _open_at_once(self, opening: Sequence[tuple[Step, bytes]]) -> None:
        """All commands in one breath; the first refusal counts, and what is said to the others is only taken in."""
        self._say(b"".join([command for _, command in opening]), answers=len(opening))
        refused: Refused | None = None
        code = _NO_CODE
        try:
            for step, _ in opening:
                answer = await self._answer(step)
                code = answer.code
                if refused is None and code not in _OPENED[step]:
                    refused = Refused(step, answer)
                    if not refused.usable:
                        break
            else:
                if refused is None:
                    return
                if code == _GO_ON:  # though it has refused the recipient: nothing is what it gets, and refuses
                    self._say(_END)
                    await self._answer(Step.CONTENT)
        except (ConnectionLost, TimeoutError):
            if refused is None:
                raise
            refused.usable = False
        raise refused

    async def forget(self) -> bool:
        """Have the server forget a mail that it has refused; whether another can be said then."""
        try:
            self._say(b"RSET\r\n")
            return (await self._answer(Step.SENDER)).code == _FORGOTTEN
        except (ConnectionLost, TimeoutError):
            return False

    async def say_goodbye(self, seconds: float) -> None:
        """Say that this is all, and wait so long for the server to say so too; then hang up."""
        self._end = self._loop.time() + seconds
        try:
            self._say(b"QUIT\r\n")
            await self._answer(Step.SENDER)
            self._ended = True
            self._transport.close()
        except (ConnectionLost, TimeoutError):
            pass  # goodbye all the same
        finally:
            self.close()

    def close(self) -> None:
        """Hang up at once: a server that does not take what is said to it would keep the connection for ever."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._ended:
            self._ended = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take in what the server says."""
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._lines.append(line)
            if line[3:4] != b"-":
                self._answered(_answer_of(self._lines))
                self._lines = []
        if len(self._unread) + sum(map(len, self._lines)) > _LONGEST_ANSWER:
            self._answered(Answer(_NO_CODE, "too long"))
            self._lines, self._unread = [], b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._ended = True
        self._lost = exc
        self._wake()

    def _say(self, what: bytes, answers: int = 1) -> None:
        if not self.stands:
            raise ConnectionLost from self._lost
        self._owed += answers
        self._transport.write(what)

    async def _answer(self, step: Step) -> Answer:
        """The next answer, which is to this step."""
        self.step = step
        if not self._answers:
            if self._ended:
                raise ConnectionLost from self._lost
            patience = self._step_seconds * _CONTENT_STEPS if step is Step.CONTENT else self._step_seconds
            self._until = min(self._loop.time() + patience, self._end)
            if self._timer is not None and self._timer.when() > self._until:
                self._timer.cancel()
                self._timer = None
            if self._timer is None:
                self._timer = self._loop.call_at(self._until, self._look_at_the_time)
            self._waiter = self._loop.create_future()
            await self._waiter
            if not self._answers:
                raise ConnectionLost from self._lost
        return self._answers.popleft()

    def _look_at_the_time(self) -> None:
        """One timer that is put off when it rings too early: one per answer would cost more than the answer."""
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._until:
            self._timer = self._loop.call_at(self._until, self._look_at_the_time)
        else:
            self._waiter.set_exception(TimeoutError())

    def _answered(self, answer: Answer) -> None:
        if not self._owed:
            # Nobody has asked: the server says goodbye, and whatever is said next would get the wrong answer.
            self.close()
            return
        self._owed -= 1
        self._answers.append(answer)
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


def _expect(step: Step, answer: Answer, codes: Set[int]) -> None:
    if answer.code not in codes:
        raise Refused(step, answer)


def _answer_of(lines: list[bytes]) -> Answer:
    if len(lines) == 1:
        return _answer_in_a_line(lines[0])
    return _answer(lines)


@lru_cache(maxsize=64)
def _answer_in_a_line(line: bytes) -> Answer:
    """The same few come again and again."""
    return _answer([line])


def _answer(lines: Sequence[bytes]) -> Answer:
    code = lines[-1][:3]
    if len(code) < 3 or not code.isdigit():
        return Answer(_NO_CODE, "no code")
    return Answer(int(code), b"\n".join([line[4:].strip() for line in lines]).decode("utf-8", "replace"))
