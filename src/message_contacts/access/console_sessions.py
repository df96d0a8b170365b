"""Signing in to the console: sessions and one-time links, each the access key of somebody for a while.

A session holds a key's id, never its secret, and whoever uses it is asked for the key's state and policies each time.
What the browser keeps and what a link says is `<account id>.<token>`; the store has only a digest of the token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from message_contacts.access.keys import KeyRing
from message_contacts.access.model import Caller, KeyStatus
from message_contacts.access.store import AccessStore
from message_contacts.access.throttle import Throttle
from message_contacts.changes import Cause, Change, Decision, Delete, Insert, Settler
from message_contacts.clock import HOUR, MINUTE, Clock, Instant

_TOKEN_BYTES = 32
#: Longer texts are no session's and no link's.
_LONGEST = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession:
    """Somebody signed in with an access key."""

    account_id: str
    #: SHA-256 of the token that the browser has.
    digest: bytes
    access_key_id: str
    opened_at: Instant
    #: When it was last used; up to `SessionRules.noted_every` behind.
    seen_at: Instant
    expires_at: Instant
    #: IP address it was opened from.
    source_address: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleTicket:
    """A one-time link: whoever follows it first is signed in."""

    account_id: str
    #: SHA-256 of the token in the link.
    digest: bytes
    access_key_id: str
    made_at: Instant
    expires_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """For how long people are signed in, in milliseconds, and how many with one key."""

    #: Since they signed in.
    lasts: int = 12 * HOUR
    #: Since they did anything.
    idle: int = 2 * HOUR
    #: How often it is noted that they did.
    noted_every: int = 5 * MINUTE
    #: Since a link was made.
    ticket: int = 10 * MINUTE
    #: Open sessions of one key; the oldest ends when another one begins.
    most: int = 50


class ConsoleSessionStore(Protocol):
    """What signing in asks of a store. Changes go through `changes.Committer`, but for the note of use."""

    async def session(self, account_id: str, digest: bytes) -> ConsoleSession | None:
        """By its key; ended ones may still be there."""
        ...

    async def sessions(self, account_id: str, access_key_id: str) -> Sequence[ConsoleSession]:
        """All of one access key, newest first."""
        ...

    async def ticket(self, account_id: str, digest: bytes) -> ConsoleTicket | None:
        """By its key; ended ones may still be there."""
        ...

    async def note_seen(self, session: ConsoleSession, now: Instant) -> None:
        """Keep when a session was last used."""
        ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and what its browser keeps."""

    session: ConsoleSession
    #: `<account id>.<token>`: whoever has it is signed in.
    cookie: str


class ConsoleSessions:
    """Opens, knows and ends sessions."""

    def __init__(
        self,
        *,
        store: ConsoleSessionStore,
        access: AccessStore,
        keys: KeyRing,
        settler: Settler,
        clock: Clock,
        throttle: Throttle | None = None,
        rules: SessionRules | None = None,
        token: Callable[[], str] = lambda: secrets.token_urlsafe(_TOKEN_BYTES),
    ) -> None:
        self._store = store
        self._access = access
        self._keys = keys
        self._settler = settler
        self._clock = clock
        self._throttle = throttle
        self._token = token
        self.rules = rules or SessionRules()

    async def sign_in(self, access_key_id: str, secret: str, source_address: str) -> SignedIn | None:
        """Open a session for whoever knows an active key's secret; None for everybody else, whatever is wrong.

        Raises: THROTTLING_USER when the key has used up its calls: a session that is opened counts as one.
        """
        key = await self._keys.find(access_key_id) if len(access_key_id) <= _LONGEST else None
        known = secrets.token_urlsafe(_TOKEN_BYTES) if key is None else key.secret
        fits = hmac.compare_digest(known.encode(), secret.encode())
        if key is None or not fits or not key.is_active:
            return None
        caller = Caller(key.account_id, key.access_key_id, key.user_id)
        if self._throttle is not None:
            self._throttle.admit(caller, self._clock.monotonic())
        return await self._open(caller, "console:SignIn", source_address)

    async def issue_ticket(self, account_id: str) -> str | None:
        """The secret part of a new one-time link for an account's own, oldest active key; None if it has none."""
        keys = await self._access.access_keys(account_id)
        key = next((key for key in keys if key.user_id is None and key.status is KeyStatus.ACTIVE), None)
        if key is None:
            return None
        token, now = self._token(), self._clock.now()
        ticket = ConsoleTicket(
            account_id=account_id,
            digest=_digest(token),
            access_key_id=key.access_key_id,
            made_at=now,
            expires_at=Instant(now + self.rules.ticket),
        )
        await self._settler.settle(
            _nothing, lambda _: Decision((Insert(ticket),), None), cause=Cause(operation="operator:console-link")
        )
        return f"{account_id}.{token}"

    async def redeem(self, text: str, source_address: str) -> SignedIn | None:
        """Use a one-time link up and open a session; None when it is unknown, used or too old."""
        named = _named(text)
        if named is None:
            return None

        async def read() -> tuple[ConsoleTicket, Caller, Sequence[ConsoleSession]] | None:
            ticket = await self._store.ticket(*named)
            if ticket is None or self._clock.now() >= ticket.expires_at:
                return None
            caller = await self._caller(ticket.access_key_id, ticket.account_id)
            return None if caller is None else (ticket, caller, await self.of_key(caller))

        found = await read()
        if found is None:
            return None
        opening, cookie = self._new(found[1], source_address)

        def decide(
            ground: tuple[ConsoleTicket, Caller, Sequence[ConsoleSession]] | None,
        ) -> Decision[SignedIn | None]:
            # Whoever comes second finds the ticket gone, even if both have read it.
            if ground is None:
                return Decision((), None)
            ticket, _, others = ground
            return Decision((Delete(ticket), *self._begun(opening, others)), SignedIn(opening, cookie))

        return await self._settler.settle(
            read, decide, cause=_cause("console:SignInWithLink", found[1], source_address)
        )

    async def find(self, cookie: str) -> tuple[ConsoleSession, Caller] | None:
        """Whose session a browser has, if it is still open and its key still calls."""
        named = _named(cookie)
        session = None if named is None else await self._store.session(*named)
        now = self._clock.now()
        if session is None or now >= session.expires_at or now >= session.seen_at + self.rules.idle:
            return None
        caller = await self._caller(session.access_key_id, session.account_id)
        if caller is None:
            return None
        if now - session.seen_at >= self.rules.noted_every:
            await self._store.note_seen(session, now)
        return session, caller

    async def of_key(self, caller: Caller) -> Sequence[ConsoleSession]:
        """The open sessions of a caller's key, newest first."""
        now = self._clock.now()
        return [
            session
            for session in await self._store.sessions(caller.account_id, caller.access_key_id)
            if now < session.expires_at and now < session.seen_at + self.rules.idle
        ]

    async def sign_out(self, session: ConsoleSession, caller: Caller, source_address: str) -> None:
        """End one session; nothing happens when it has ended."""

        async def read() -> Sequence[ConsoleSession]:
            found = await self._store.session(session.account_id, session.digest)
            return [] if found is None else [found]

        await self._end(read, _cause("console:SignOut", caller, source_address))

    async def sign_out_everywhere(self, caller: Caller, source_address: str) -> int:
        """End all sessions of a caller's key; how many there were."""

        async def read() -> Sequence[ConsoleSession]:
            return await self._store.sessions(caller.account_id, caller.access_key_id)

        return await self._end(read, _cause("console:SignOutEverywhere", caller, source_address))

    async def _end(self, read: Callable[[], Awaitable[Sequence[ConsoleSession]]], cause: Cause) -> int:
        def decide(sessions: Sequence[ConsoleSession]) -> Decision[int]:
            return Decision(tuple(Delete(session) for session in sessions), len(sessions))

        return await self._settler.settle(read, decide, cause=cause)

    async def _open(self, caller: Caller, operation: str, source_address: str) -> SignedIn:
        session, cookie = self._new(caller, source_address)
        await self._settler.settle(
            lambda: self.of_key(caller),
            lambda others: Decision(self._begun(session, others), None),
            cause=_cause(operation, caller, source_address),
        )
        return SignedIn(session, cookie)

    def _begun(self, session: ConsoleSession, others: Sequence[ConsoleSession]) -> tuple[Change, ...]:
        """A session beside the open ones of its key, newest first: those that are too many for it end.

        Of several that begin at the same moment none sees the others. What is too many then ends with the next one.
        """
        return (*(Delete(other) for other in others[self.rules.most - 1 :]), Insert(session))

    def _new(self, caller: Caller, source_address: str) -> tuple[ConsoleSession, str]:
        token, now = self._token(), self._clock.now()
        session = ConsoleSession(
            account_id=caller.account_id,
            digest=_digest(token),
            access_key_id=caller.access_key_id,
            opened_at=now,
            seen_at=now,
            expires_at=Instant(now + self.rules.lasts),
            source_address=source_address,
        )
        return session, f"{caller.account_id}.{token}"

    async def _caller(self, access_key_id: str, account_id: str) -> Caller | None:
        key = await self._access.access_key(access_key_id)
        if key is None or key.account_id != account_id or key.status is not KeyStatus.ACTIVE:
            return None
        return Caller(key.account_id, key.access_key_id, key.user_id)


async def _nothing() -> None:
    """There is nothing to read."""


def _cause(operation: str, caller: Caller, source_address: str) -> Cause:
    return Cause(
        operation=operation,
        access_key_id=caller.access_key_id,
        user_id=caller.user_id or "",
        source_address=source_address,
    )


def _named(text: str) -> tuple[str, bytes] | None:
    """Account and digest that a cookie or link names."""
    account_id, _, token = text.partition(".")
    return (account_id, _digest(token)) if account_id and token and len(text) <= _LONGEST else None


def _digest(token: str) -> bytes:
    # A plain hash will do: the token is random and long.
    return hashlib.sha256(token.encode()).digest()
