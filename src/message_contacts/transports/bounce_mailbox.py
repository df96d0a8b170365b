"""Where mail that could not be delivered is fetched from: a mailbox that somebody else's server keeps, read over IMAP.

Of all processes with this mailbox one at a time reads it, as turns fall. A mail goes only after what it reports is
recorded, so what is lost in between is read again and counts nothing then. What is no report of ours stays, marked.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import structlog

from message_contacts.clock import SECOND, Clock, Instant
from message_contacts.delivery.bounces import Bounces, Taken
from message_contacts.delivery.turns import Turns
from message_contacts.errors import ApiError
from message_contacts.health import Impairment
from message_contacts.metrics import Metrics
from message_contacts.transports.bounce_intake import LARGEST_REPORT
from message_contacts.transports.imap_server import ImapServer

if TYPE_CHECKING:
    from message_contacts.transports.imap_session import ImapSession

log = structlog.get_logger()

T = TypeVar("T")

_TURN = "bounce mailbox"
#: Mails of one round; more wait for the next.
_MOST_OF_A_ROUND = 5_000
#: Mails that are marked together.
_TOGETHER = 20
#: Seconds that one command may take, whatever it is.
_PATIENCE_SECONDS = 30.0
#: Share of a turn that is read in; what was begun by then has the rest to end.
_READING = 0.75
#: Seconds at most until a mailbox that failed, or a mail that could not be recorded, is tried again.
_LONGEST_PAUSE = 600.0
#: Seconds for which a failure is told when this process has had no turn since.
_TOLD_SECONDS = 1_800.0
#: Bytes of a mail's head in which its recipient is looked for.
_HEAD = 64 * 1024
#: What becomes of mails beside what `Taken` says.
_TOO_LARGE = "too-large"
_FAILED = "failed"

_IMPAIRMENTS = {
    "login-refused": Impairment.BOUNCE_MAILBOX_LOGIN_REFUSED,
    "unreachable": Impairment.BOUNCE_MAILBOX_UNREACHABLE,
    "certificate-refused": Impairment.BOUNCE_MAILBOX_UNREACHABLE,
    "not-encrypted": Impairment.BOUNCE_MAILBOX_UNREACHABLE,
}
#: Outcomes of rounds.
READ, BROKEN = "read", "internal-error"


class BounceMailbox:
    """Reads the mailbox again and again."""

    def __init__(
        self,
        *,
        bounces: Bounces,
        turns: Turns,
        server: ImapServer,
        context: ssl.SSLContext | None,
        interval: float,
        clock: Clock,
        metrics: Metrics | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take what it needs; nothing is opened before `run`.

        Args:
            context: How the server's certificate is checked; None when nothing is encrypted.
            interval: Seconds between two rounds, the same in all processes.
            metrics: Counts rounds and mails; None: nobody asks.
            jitter: A number between 0 and 1.
        """
        self._bounces = bounces
        self._turns = turns
        self._server = server
        self._context = context
        self._interval = interval
        self._clock = clock
        self._metrics = metrics
        self._jitter = jitter
        self._failures = 0
        self._failed_as: str | None = None
        self._failed_at = 0.0
        self._numbering = b""
        #: Mails that are to be tried again: how often they were, and when they are due on the monotonic clock.
        self._put_off: dict[int, tuple[int, float]] = {}

    @property
    def impairment(self) -> Impairment | None:
        """Why reports do not come in, as far as this process knows."""
        if self._failed_as is None or self._clock.monotonic() - self._failed_at > _TOLD_SECONDS:
            return None
        return _IMPAIRMENTS.get(self._failed_as, Impairment.BOUNCE_MAILBOX_UNUSABLE)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            await self._clock.sleep(await self.turn())

    async def turn(self) -> float:
        """Read what there is, if it is this process's turn. Returns the seconds until the next look."""
        now = self._clock.now()
        until = Instant(now + round(self._interval * SECOND))
        try:
            is_ours = await self._turns.take(_TURN, now=now, until=until)
        except ApiError:  # the log of the store says why
            is_ours = False
        if not is_ours:
            return self._interval * (0.5 + self._jitter() / 2)
        await self._read()
        # A little later than the turn ends, so that it is free again, and others have their chance.
        pause = self._interval + self._jitter()
        if self._failures:
            grown = min(self._interval * 2.0 ** min(self._failures - 1, 10), _LONGEST_PAUSE)
            pause = max(pause, grown * (0.5 + self._jitter() / 2))
        return pause

    async def _read(self) -> None:
        # Only who has a mailbox pays for it.
        from message_contacts.transports.imap_session import ImapSession, MailboxFailure  # noqa: PLC0415

        session = ImapSession(self._server, self._context, largest=LARGEST_REPORT)
        why = READ
        try:
            await self._round(session)
        except MailboxFailure as failure:
            why = failure.fault.value
        except Exception:  # a bug here must not stop the worker beside it
            log.exception("bounce_mailbox_broken")
            why = BROKEN
        if self._metrics is not None:
            self._metrics.mailbox_read(why)
        if why == READ:
            if self._failed_as is not None:
                log.info("bounce_mailbox_works_again")
            self._failures, self._failed_as = 0, None
        else:
            self._failures += 1
            self._failed_as, self._failed_at = why, self._clock.monotonic()
            log.warning("bounce_mailbox_failed", why=why, times=self._failures)

    async def _round(self, session: ImapSession) -> None:
        """Deal with the mails that wait, oldest first, while there is time. Raises: MailboxFailure."""
        ends_at = self._clock.monotonic() + self._interval * _READING
        counts: Counter[str] = Counter()
        try:
            await _in_thread(session, session.open)
            numbers = await _in_thread(session, session.waiting, _MOST_OF_A_ROUND)
            self._forget_gone(session.numbering, numbers)
            now = self._clock.monotonic()
            due = iter([number for number in numbers if self._put_off.get(number, (0, now))[1] <= now])
            while self._clock.monotonic() < ends_at and (some := list(itertools.islice(due, _TOGETHER))):
                await self._deal_with(session, some, counts)
            await _in_thread(session, session.close)
        finally:
            session.abandon()
            session.close()
            if counts:
                log.info("bounce_mailbox_read", **{name.replace("-", "_"): count for name, count in counts.items()})

    async def _deal_with(self, session: ImapSession, numbers: Sequence[int], counts: Counter[str]) -> None:
        sizes = await _in_thread(session, session.sizes, numbers)
        done: list[int] = []
        left: list[int] = []
        for number in numbers:
            if number not in sizes:  # somebody else took it away
                continue
            word = await self._take(session, number, sizes[number])
            if word is None:
                continue
            counts[word] += 1
            if self._metrics is not None:
                self._metrics.mailbox_mail(word)
            if word in (Taken.NOT_A_REPORT, Taken.NOT_OURS, _TOO_LARGE):
                left.append(number)
            elif word not in (Taken.TOO_EARLY, _FAILED):
                done.append(number)
        # Only now: what is marked here has been recorded.
        if done:
            await _in_thread(session, session.remove, done)
        if left:
            await _in_thread(session, session.leave, left)
        for number in (*done, *left):
            self._put_off.pop(number, None)

    async def _take(self, session: ImapSession, number: int, size: int) -> str | None:
        """Record what one mail reports: what became of it; None when it is gone."""
        if size > LARGEST_REPORT:
            return _TOO_LARGE
        # Before it is fetched: should the connection break over it each time, the others come first.
        times = self._put_off.get(number, (0, 0.0))[0] + 1
        pause = min(self._interval * 2.0 ** min(times - 1, 10), _LONGEST_PAUSE)
        self._put_off[number] = (times, self._clock.monotonic() + pause)
        content = await _in_thread(session, session.content, number)
        if content is None:
            return None
        try:
            return (await self._bounces.take(content, self._recipients(content))).value
        except ApiError as refusal:
            log.warning("bounce_not_recorded", code=refusal.definition.code)
        except Exception:  # one report's bug must not stop the others, and the report must come again
            log.exception("bounce_failed")
        return _FAILED

    def _recipients(self, content: bytes) -> Sequence[str]:
        """Our addresses in a mail's head: servers write the one it came for into one field or another."""
        paths = self._bounces.return_paths
        head = content[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        return () if paths is None else paths.named_in(head.decode("latin-1"))

    def _forget_gone(self, numbering: bytes, numbers: Sequence[int]) -> None:
        if numbering != self._numbering:
            self._numbering = numbering
            self._put_off.clear()
        still_there = set(numbers)
        self._put_off = {number: entry for number, entry in self._put_off.items() if number in still_there}


async def _in_thread(session: ImapSession, do: Callable[..., T], *arguments: object) -> T:
    """Do something with a session in a thread, for so long at most; hang up when nobody waits for it any more.

    Raises: MailboxFailure.
    """
    from message_contacts.transports.imap_session import ImapFault, MailboxFailure  # noqa: PLC0415

    doing = asyncio.ensure_future(asyncio.to_thread(do, *arguments))
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await asyncio.shield(doing)
    except TimeoutError:
        raise MailboxFailure(ImapFault.UNREACHABLE) from None
    finally:
        if not doing.done():
            session.abandon()
            await asyncio.wait([doing])
            doing.exception()
