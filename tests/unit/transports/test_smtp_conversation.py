"""One mail on a connection that stands: what is said, when it waits, and what the answers lead to."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.transports.mail_parts import as_lines
from message_contacts.transports.smtp_answers import Step
from message_contacts.transports.smtp_conversation import ConnectionLost, Conversation, Envelope, Refused

MAIL = Envelope("us@example.com", "tom@example.com", as_lines(b"Subject: x\r\n\r\nHello\r\n.\r\n..dots\r\n"))
OPENING = [b"MAIL FROM:<us@example.com>\r\n", b"RCPT TO:<tom@example.com>\r\n", b"DATA\r\n"]
CONTENT = b"Subject: x\r\n\r\nHello\r\n..\r\n...dots\r\n.\r\n"


class Line(asyncio.Transport):
    """The other end of a connection, which says what it is told to whenever something has been written to it."""

    def __init__(self, *answers: bytes | tuple[bytes, None] | None) -> None:
        super().__init__()
        #: By what was written, in order; None: the connection ends, by itself or after some words.
        self.answers = list(answers)
        self.written: list[bytes] = []
        self.closing = False
        self.aborted = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        self.written.append(data)
        if self.answers:
            answer = self.answers.pop(0)
            for part in answer if isinstance(answer, tuple) else (answer,):
                asyncio.get_running_loop().call_soon(self.say, part)

    def say(self, answer: bytes | None) -> None:
        if answer is None:
            self.closing = True
            self.protocol.connection_lost(None)
        else:
            self.protocol.data_received(answer)

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True

    def is_closing(self) -> bool:
        return self.closing


def talk_on(line: Line, *, pipelining: bool, step_seconds: float = 5.0) -> Conversation:
    return Conversation(line, pipelining=pipelining, step_seconds=step_seconds)


async def hand_over(line: Line, *, pipelining: bool, step_seconds: float = 5.0, seconds: float = 60.0) -> None:
    """Say the mail."""
    end = asyncio.get_running_loop().time() + seconds
    await talk_on(line, pipelining=pipelining, step_seconds=step_seconds).hand_over(MAIL, end)


async def test_a_server_that_takes_commands_one_by_one_gets_them_one_by_one():
    line = Line(b"250 ok\r\n", b"251 will forward\r\n", b"354 go on\r\n", b"250 taken\r\n")
    await hand_over(line, pipelining=False)
    assert line.written == [*OPENING, CONTENT]


async def test_a_server_that_offers_it_gets_all_but_the_content_in_one_breath():
    line = Line(b"250 ok\r\n250 ok\r\n354 go on\r\n", b"250 taken\r\n")
    await hand_over(line, pipelining=True)
    assert line.written == [b"".join(OPENING), CONTENT]


@pytest.mark.parametrize("other", ["tom@example.com>\r\nRCPT TO:<eve@example.com", "a b@example.com", "", "tom"])
@pytest.mark.parametrize("whose", ["sender", "recipient"])
async def test_an_address_that_could_say_something_else_is_not_said(other, whose):
    line = Line()
    with pytest.raises(ValueError, match="mail addresses only"):
        await talk_on(line, pipelining=True).hand_over(MAIL._replace(**{whose: other}), 1e9)
    assert line.written == []


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(
    ("step", "answer"), [(Step.SENDER, b"553 no\r\n"), (Step.RECIPIENT, b"450 no\r\n"), (Step.CONTENT, b"452 no\r\n")]
)
async def test_a_refusal_tells_its_step_and_no_content_is_said(pipelining, step, answer):
    steps = [Step.SENDER, Step.RECIPIENT, Step.CONTENT]
    answers = [b"250 ok\r\n"] * steps.index(step) + [answer] + [b"503 no\r\n"] * (2 - steps.index(step))
    line = Line(b"".join(answers)) if pipelining else Line(*answers)
    with pytest.raises(Refused) as refusal:
        await hand_over(line, pipelining=pipelining)
    assert (refusal.value.step, refusal.value.answer.code) == (step, int(answer[:3]))
    assert refusal.value.usable
    assert CONTENT not in line.written


async def test_a_server_that_asks_for_the_content_of_a_mail_it_has_refused_gets_none():
    line = Line(b"250 ok\r\n550 unknown\r\n354 go on\r\n", b"554 no valid recipients\r\n")
    with pytest.raises(Refused) as refusal:
        await hand_over(line, pipelining=True)
    assert (refusal.value.step, refusal.value.answer.text, refusal.value.usable) == (Step.RECIPIENT, "unknown", True)
    assert line.written == [b"".join(OPENING), b".\r\n"]


@pytest.mark.parametrize(
    ("answers", "step_seconds"),
    [
        ([b"250 ok\r\n550 no\r\n"], 0.01),
        ([b"250 ok\r\n550 no\r\n354 go\r\n"], 0.01),
        ([(b"250 ok\r\n550 no\r\n", None)], 5.0),
        ([b"250 ok\r\n550 no\r\n354 go\r\n", None], 5.0),
    ],
    ids=["silence", "silence after the content was asked for", "the end", "the end after the content was asked for"],
)
async def test_a_refusal_outlives_the_connection(answers, step_seconds):
    with pytest.raises(Refused) as refusal:
        await hand_over(Line(*answers), pipelining=True, step_seconds=step_seconds)
    assert (refusal.value.answer.code, refusal.value.usable) == (550, False)


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("bounds", [{"step_seconds": 0.01}, {"seconds": 0.01}])
async def test_an_answer_that_does_not_come_is_waited_for_as_long_as_said(pipelining, bounds):
    with pytest.raises(TimeoutError):
        await hand_over(Line(), pipelining=pipelining, **bounds)


async def test_each_answer_has_its_own_time(monkeypatch):
    """Together they may take longer than one: the timer that is there is put off."""
    loop, now = asyncio.get_running_loop(), 100.0
    monkeypatch.setattr(loop, "time", lambda: now, raising=False)
    line = Line()
    saying = asyncio.ensure_future(talk_on(line, pipelining=False, step_seconds=5.0).hand_over(MAIL, 1000.0))
    for answer in (b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n"):
        for _ in range(3):
            await asyncio.sleep(0)
        now += 4.0
        for _ in range(3):
            await asyncio.sleep(0)
        line.say(answer)
    await saying


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize("words", [b"421 closing\r\n", b"what?\r\n", b"25\r\n", b"25x ok\r\n"])
async def test_nothing_more_is_said_after_last_words(pipelining, words):
    line = Line(words)
    with pytest.raises(Refused) as refusal:
        await hand_over(line, pipelining=pipelining)
    assert not refusal.value.usable
    assert len(line.written) == 1


@pytest.mark.parametrize("pipelining", [False, True])
async def test_a_connection_that_ends_says_so_with_what_the_network_said(pipelining):
    line = Line()
    talk = talk_on(line, pipelining=pipelining)
    saying = asyncio.ensure_future(talk.hand_over(MAIL, asyncio.get_running_loop().time() + 60))
    await asyncio.sleep(0)
    reset = ConnectionResetError()
    talk.connection_lost(reset)
    with pytest.raises(ConnectionLost) as lost:
        await saying
    assert lost.value.__cause__ is reset
    assert not talk.stands
    assert not await talk.forget()


async def test_words_that_nobody_asked_for_end_the_connection():
    """A goodbye most of all; whatever is said next would get the wrong answer."""
    line = Line()
    talk = talk_on(line, pipelining=True)
    talk.data_received(b"421 too long idle\r\n")
    assert line.closing
    assert not talk.stands


@pytest.mark.parametrize("answer", [b"250 forgotten\r\n", b"502 what?\r\n", None])
async def test_another_mail_is_said_only_when_the_refused_one_is_forgotten(answer):
    line = Line(b"553 no\r\n", answer)
    talk = talk_on(line, pipelining=False)
    with pytest.raises(Refused):
        await talk.hand_over(MAIL, asyncio.get_running_loop().time() + 60)
    assert await talk.forget() is (answer is not None and answer.startswith(b"250"))
    assert line.written[1] == b"RSET\r\n"


@pytest.mark.parametrize("answers", [[b"221 bye\r\n"], [None], []])
async def test_goodbye_ends_the_connection_whatever_the_server_says(answers):
    line = Line(*answers)
    talk = talk_on(line, pipelining=False)
    await talk.say_goodbye(0.01)
    assert line.written == [b"QUIT\r\n"]
    assert not talk.stands


async def test_a_goodbye_waits_as_long_as_said_and_not_as_long_as_the_mail_before_it():
    line = Line(b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n")
    talk = talk_on(line, pipelining=False, step_seconds=600.0)
    await talk.hand_over(MAIL, asyncio.get_running_loop().time() + 600)
    async with asyncio.timeout(5):
        await talk.say_goodbye(0.01)
    assert line.written[-1] == b"QUIT\r\n"


async def test_the_wait_behind_a_long_one_is_no_longer_than_others(monkeypatch):
    """That for the content is three times as long; the next mail's sender is not to inherit it."""
    loop, now = asyncio.get_running_loop(), 100.0
    monkeypatch.setattr(loop, "time", lambda: now, raising=False)
    line = Line()
    talk = talk_on(line, pipelining=False, step_seconds=5.0)
    first = asyncio.ensure_future(talk.hand_over(MAIL, 1000.0))
    answers = ((4.0, b"250 ok"), (4.0, b"250 ok"), (0.0, b"354 go on"), (9.0, b"250 taken"))
    for seconds, answer in answers:
        await _a_few_turns()
        now += seconds
        await _a_few_turns()
        line.say(answer + b"\r\n")
    await first

    second = asyncio.ensure_future(talk.hand_over(MAIL, 1000.0))
    await _a_few_turns()
    now += 5.0
    with pytest.raises(TimeoutError):
        await second


async def _a_few_turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_an_answer_without_end_is_cut():
    line = Line(b"250-" + b"x" * 40_000)
    with pytest.raises(Refused) as refusal:
        await hand_over(line, pipelining=False)
    assert not refusal.value.usable


@given(st.lists(st.integers(0, 60), max_size=8))
def test_answers_are_the_same_however_they_are_cut(cuts):
    said = b"250-first\r\n250-\r\n250 last\r\n550 5.1.1 no\xff\r\n354 go on\r\n"

    async def heard() -> tuple[list[bytes], Step, tuple[int, str]]:
        line = Line()
        talk = talk_on(line, pipelining=True)
        saying = asyncio.ensure_future(talk.hand_over(MAIL, asyncio.get_running_loop().time() + 60))
        await asyncio.sleep(0)
        places = sorted({0, len(said), *cuts})
        for start, end in itertools.pairwise(places):
            line.say(said[start:end])
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        line.say(b"554 no valid recipients\r\n")
        with pytest.raises(Refused) as refusal:
            await saying
        return line.written[1:], refusal.value.step, tuple(refusal.value.answer)

    assert asyncio.run(heard()) == ([b".\r\n"], Step.RECIPIENT, (550, "5.1.1 no\ufffd"))


@pytest.mark.parametrize("code", [200, 250, 252, 299])
async def test_a_server_that_says_yes_in_other_words_has_the_mail(code):
    await hand_over(Line(b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"%d queued\r\n" % code), pipelining=False)


async def test_a_server_that_does_not_take_the_content_does_not_keep_the_connection():
    line = Line(b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")
    talk = talk_on(line, pipelining=False, step_seconds=0.01)
    with pytest.raises(TimeoutError):
        await talk.hand_over(MAIL, asyncio.get_running_loop().time() + 60)
    talk.close()
    assert line.aborted  # what is written and not sent would hold it open


async def test_a_goodbye_that_is_answered_ends_in_order():
    line = Line(b"221 bye\r\n")
    await talk_on(line, pipelining=False).say_goodbye(1.0)
    assert line.closing
    assert not line.aborted


async def test_a_goodbye_that_is_broken_off_leaves_no_connection():
    line = Line()
    saying = asyncio.ensure_future(talk_on(line, pipelining=False).say_goodbye(60.0))
    await _a_few_turns()
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    assert line.aborted
