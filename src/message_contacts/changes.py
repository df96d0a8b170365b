"""What a rule decides and a store commits: all of it, on the ground it was decided on, or nothing.

A rule is a pure function from what was read to a `Decision`. The store commits its changes in order, in one
transaction; the database checks what the decision relied on. When only that ground has moved, `settle` reads and
decides again for a while. See docs/adr/0002-decide-then-commit.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from message_contacts import errors
from message_contacts.clock import Clock, Instant
from message_contacts.errors import ErrorDefinition
from message_contacts.quick import quickly_made

T = TypeVar("T")
S = TypeVar("S")


class Stale(Exception):  # noqa: N818 - not an error: the decision has to be made again
    """The commit was refused because a row that the decision read, or drew an id for, is no longer as it was."""


@quickly_made
@dataclass(frozen=True, slots=True)
class Insert:
    """A row that must not exist yet.

    A unique rule with an error of its own (a name already used) raises that error; an id already drawn, or a row this
    one points to that is gone, is `Stale`.
    """

    row: object


@quickly_made
@dataclass(frozen=True, slots=True)
class Update:
    """A row changed; `Stale` if anybody else changed it since `before` was read. The store raises its version."""

    before: object
    after: object


@quickly_made
@dataclass(frozen=True, slots=True)
class Delete:
    """A row that goes, as it was read; `Stale` if it changed meanwhile or other rows still point to it."""

    row: object


@quickly_made
@dataclass(frozen=True, slots=True)
class RelyOn:
    """A row that stays as it is, but on which the decision relied; `Stale` if it changed meanwhile."""

    row: object


@quickly_made
@dataclass(frozen=True, slots=True)
class CountUp:
    """Raise a tenant's counter by one, or fail with `error` when it already stands at `limit`."""

    account_id: str
    #: What is counted, e.g. `contacts` or `email verifications`.
    counter: str
    #: Day, minute or other stretch the count belongs to; empty for a count that never starts anew.
    period: str
    limit: int
    error: ErrorDefinition


@quickly_made
@dataclass(frozen=True, slots=True)
class CountDown:
    """Lower a tenant's counter by one. Used where a counted thing goes away."""

    account_id: str
    counter: str
    period: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Waiting work: done after the commit that caused it, by any worker, at least once."""

    job_id: str
    account_id: str
    #: Which worker function does it, e.g. `send-verification`.
    kind: str
    #: The queue it stands in: that of a channel, that of a channel's messages, or `internal`. One that is slow never
    #: holds up another.
    channel: str
    #: What the worker function needs: ids, never addresses, tokens or codes.
    payload: Mapping[str, str | int]
    due_at: Instant
    created_at: Instant
    #: Tries so far.
    attempts: int = 0
    #: Why the last try failed, as a word of `delivery.outcome`; empty before the first.
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Waiting work that comes with this change."""

    job: Job
    #: It does not wait, but lies with the work that was given up until somebody asks for it again.
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Requeue:
    """Work that was given up waits again, as if it were new; `Stale` if it does not lie there any more."""

    job: Job
    due_at: Instant


@dataclass(frozen=True, slots=True)
class DueNow:
    """Work that waits for another try is due at once, and the wait counts as no try.

    Nothing happens to work that is done, given up, due already, or at a worker.
    """

    account_id: str
    job_id: str
    #: The queue it stands in.
    channel: str
    now: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseTraces:
    """Everything kept about a person beside the rows that have versions goes, as it is found at the commit.

    Copies that members keep, evidence, waiting work, captured messages, addresses in notes and in what was told about
    others, and the personal parts of audit events; those of the event about this very change are not even made. Whoever
    is just working out who gets a message decides again, without the person.
    """

    account_id: str
    #: The contact that was erased.
    person_id: str
    job_ids: tuple[str, ...]
    verification_ids: tuple[str, ...]
    #: Captured messages to these go; addresses in the form in which they are compared.
    own_addresses: tuple[str, ...]
    #: Captured messages to these go if they carry one of the verifications.
    shared_addresses: tuple[str, ...]
    #: Captured messages that name the person and went to shared addresses.
    message_ids: tuple[str, ...] = ()
    #: Changes of rows with versions that no event may tell of, since their keys are addresses.
    untold: tuple[Insert | Update | Delete, ...] = ()
    #: How much went, by kind: for the audit trail.
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ClearInbox:
    """Captured messages of a tenant go, as they are found at the commit, up to one."""

    account_id: str
    #: In the form in which addresses are compared; None: whoever they went to.
    recipient_key: str | None
    #: Id of the last one that goes: what comes later stays.
    last: str


Change = Insert | Update | Delete | RelyOn | CountUp | CountDown | Enqueue | Requeue | DueNow | EraseTraces | ClearInbox


@quickly_made
@dataclass(frozen=True, slots=True)
class Nonce:
    """What keeps a signed request from being carried out twice."""

    #: 16 bytes of a hash over access key and nonce.
    digest: bytes
    #: From then on the request's timestamp alone refuses it.
    expires_at: Instant


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who makes a change and by what, for the audit trail. Which account it is about, the changed records tell."""

    #: Name of the operation, or of what else there is: `first-start`, `operator:...`, `page:...`, `worker:...`.
    operation: str
    #: Empty when nobody signed: the program itself, its operator, or a person at a page.
    access_key_id: str = ""
    #: RAM user; empty: the account itself, or nobody who signed.
    user_id: str = ""
    #: IP address of who called the API.
    source_address: str = ""
    #: Empty when it was no call.
    request_id: str = ""
    #: IP address of the person at a page: personal, and kept as such.
    visitor_address: str = ""
    #: Ids of what it is about besides the records that it changes.
    about: tuple[str, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """What a rule decided: changes, in the order in which their refusals count, and the answer once they are made."""

    changes: tuple[Change, ...]
    result: T


class Committer(Protocol):
    """The store's side of a change."""

    async def commit(self, changes: tuple[Change, ...], nonce: Nonce | None) -> None:
        """Carry out all changes, durably, or none.

        Raises:
            Stale: The ground has moved; read and decide again.
            ApiError: A unique rule, a counter's limit, or `SIGNATURE_NONCE_USED` (which outranks all others).
        """
        ...


class Trail(Protocol):
    """What is kept about changes, beside them."""

    def event(self, cause: Cause, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """What has to be committed along with these changes; nothing when they describe no change."""
        ...


class Seam:
    """A place where a test makes a race happen: between a decision and its commit. Does nothing in service."""

    async def decided(self) -> None:
        """Called after each decision, before its commit."""


@dataclass(frozen=True, slots=True)
class Settler:
    """Carries decisions through: read, decide, commit, and again when the ground moved, until patience ends."""

    committer: Committer
    clock: Clock
    #: Seconds of deciding again before the caller is told that others are in the way.
    patience: float = 3.0
    seam: Seam | None = None
    #: Keeps an event with each change; None: nobody asks afterwards.
    trail: Trail | None = None

    async def settle(
        self,
        read: Callable[[], Awaitable[S]],
        decide: Callable[[S], Decision[T]],
        *,
        cause: Cause,
        nonce: Nonce | None = None,
    ) -> T:
        """Commit what `decide` makes of what `read` finds and return its result.

        Args:
            cause: Who changes it and by what: committed along, as the trail tells it.
        Raises:
            ApiError: The rule's own refusal, or `CONCURRENT_CALL_NOT_SUPPORTED` after `patience` seconds of losing.
        """
        deadline: float | None = None
        tries = 0
        while True:
            decision = decide(await read())
            if not decision.changes and nonce is None:
                return decision.result
            if self.seam is not None:
                await self.seam.decided()
            changes = decision.changes
            if changes and self.trail is not None:
                changes += self.trail.event(cause, changes)
            try:
                await self.committer.commit(changes, nonce)
            except Stale:
                tries += 1
                now = self.clock.monotonic()
                if deadline is None:
                    deadline = now + self.patience
                if now >= deadline:
                    raise errors.CONCURRENT_CALL_NOT_SUPPORTED(tries=tries) from None
                await self.clock.sleep(min(0.001 * 2 ** min(tries, 6), 0.05))
            else:
                return decision.result
