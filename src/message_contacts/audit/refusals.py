"""Refusals for lack of permission: kept in memory for a moment, written beside the calls, sampled when they flood.

The first refusals of a minute, account, key and operation become an event each; all others of that minute together
become one that says how many they were. What is kept in memory and what is written a minute are bounded, whatever
comes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
import structlog

from message_contacts.access.model import Caller
from message_contacts.audit.model import AuditEvent, EventKind
from message_contacts.audit.resources import kept
from message_contacts.audit.store import AuditStore
from message_contacts.clock import MINUTE, Clock, Instant
from message_contacts.ids import Ids

log = structlog.get_logger(__name__)

#: Where the refusals go that have no room of their own: instead of a key or an operation, or of all three.
OTHERS = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRules:
    """How much of a flood is written."""

    #: Events of their own, a minute, account, key and operation.
    singly: int = 10
    #: Events of their own that are kept in memory at one time.
    waiting: int = 1_000
    #: Accounts, keys and operations that are counted apart, a minute.
    apart: int = 1_000
    #: Accounts that are counted apart behind those.
    accounts_apart: int = 1_000


_Who = tuple[str, str, str]


@dataclass(slots=True)
class _Rest:
    """The refusals of one minute that are counted together."""

    times: int
    #: The last one: gives source address, request and resources for an example.
    example: AuditEvent


class Refusals:
    """Remembers refusals (`access.authorizer.RefusalObserver`) and writes them when asked to."""

    def __init__(self, store: AuditStore, clock: Clock, ids: Ids, rules: SamplingRules | None = None) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._rules = rules or SamplingRules()
        self._minute = 0
        #: Events of their own in this minute, by account, key and operation.
        self._singly: dict[_Who, int] = {}
        self._rest: dict[_Who, _Rest] = {}
        self._waiting: list[AuditEvent] = []

    def note(
        self,
        caller: Caller,
        *,
        operation_name: str,
        resources: Sequence[str],
        request_id: str,
        source_address: str,
        now: Instant,
    ) -> None:
        """Remember that a call was refused. Neither waits nor fails."""
        if now // MINUTE != self._minute:
            self._end_minute()
            self._minute = now // MINUTE
        rules = self._rules
        who = (caller.account_id, caller.access_key_id, operation_name)
        event = AuditEvent(
            account_id=caller.account_id,
            event_id=self._ids.audit_event(now),
            happened_at=now,
            kind=EventKind.REFUSAL,
            operation=operation_name,
            access_key_id=caller.access_key_id,
            user_id=caller.user_id or "",
            source_address=source_address,
            request_id=request_id,
            targets=orjson.dumps([kept(resource) for resource in resources]).decode(),
            details="[]",
            personal_digests="{}",
        )
        singly = self._singly.get(who, 0)
        knows = who in self._singly or len(self._singly) < rules.apart
        if knows and singly < rules.singly and len(self._waiting) < rules.waiting:
            self._singly[who] = singly + 1
            self._waiting.append(event)
        else:
            self._count(who if knows else (caller.account_id, OTHERS, OTHERS), event)

    async def write(self, *, everything: bool = False) -> None:
        """Write what waits, and the counts of minutes that are over.

        Args:
            everything: The counts of the present minute as well: the program ends.
        """
        if everything or self._clock.now() // MINUTE != self._minute:
            self._end_minute()
        writing, self._waiting = self._waiting, []
        if not writing:
            return
        try:
            await self._store.add(writing)
        except BaseException:
            # Again the next time. What came in meanwhile stands behind it, as far as there is room.
            self._waiting = (writing + self._waiting)[: self._most()]
            raise

    def _count(self, who: _Who, event: AuditEvent) -> None:
        rest = self._rest.get(who)
        if rest is None and len(self._rest) >= self._rules.apart + self._rules.accounts_apart:
            who = (OTHERS, OTHERS, OTHERS)
            rest = self._rest.get(who)
        if rest is None:
            self._rest[who] = _Rest(1, event)
        else:
            rest.times += 1
            rest.example = event

    def _end_minute(self) -> None:
        """Turn the counts into events."""
        for (account_id, access_key_id, _), rest in self._rest.items():
            together = replace(rest.example, account_id=account_id, times=rest.times)
            if access_key_id == OTHERS:
                together = replace(
                    together, access_key_id=OTHERS, user_id="", operation=OTHERS, source_address="", request_id="",
                    targets="[]",
                )  # fmt: skip
            if len(self._waiting) < self._most():
                self._waiting.append(together)
            else:
                log.warning("refusals_not_recorded", account_id=account_id, times=rest.times)
        self._rest.clear()
        self._singly.clear()

    def _most(self) -> int:
        """Events that wait at most, counts included: two minutes of them, should the database be away."""
        return self._rules.waiting + 2 * (self._rules.apart + self._rules.accounts_apart + 1)
