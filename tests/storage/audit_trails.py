"""Events that are written and verified at the store, also while something else happens there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from message_contacts.audit.checking import Place, check
from message_contacts.audit.exporting import export
from message_contacts.audit.store import AuditStore
from message_contacts.audit.trail import AuditTrail
from message_contacts.audit.verifying import Head, Reader, Verdict
from message_contacts.changes import Cause, Change
from message_contacts.clock import Instant
from message_contacts.ids import RandomIds
from message_contacts.storage import Storage
from tests.factories import ACCOUNT
from tests.fakes.clock import START, FakeClock
from tests.storage.making import commit


async def change(storage: Storage, clock: FakeClock, *changes: Change) -> None:
    """Commit changes with their event, as `changes.Settler` does."""
    trail = AuditTrail(clock, RandomIds())
    await commit(storage, *changes, *trail.event(Cause(operation="Test"), changes))


async def verdict_on(
    storage: Storage, *heads: Head, account_id: str = ACCOUNT, due_before: Instant | None = None
) -> Verdict:
    reader = Reader({account_id: heads}, due_before)
    async for line in export(storage.audit, account_id):
        reader.take(line)
    verdict = reader.end()
    assert verdict is not None
    return verdict


async def sealed_places(storage: Storage, account_id: str = ACCOUNT) -> Sequence[tuple[str, int]]:
    _, kept = await storage.audit.sealed_events(account_id, after=0, until=2**62, limit=1_000)
    return [(entry.event.event_id, entry.seal.sequence) for entry in kept if entry.seal is not None]


class Meanwhile:
    """The store, with something that happens after each thing that is asked."""

    def __init__(self, storage: Storage, happens: Callable[[], Awaitable[object]]) -> None:
        self._storage = storage
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        async def asked(*args: Any, **options: Any) -> Any:
            found = await getattr(self._storage.audit, name)(*args, **options)
            await self._happens()
            return found

        return asked


async def verdicts_meanwhile(
    storage: Storage, happens: Callable[[], Awaitable[object]], *heads: Head, by_calls: bool, limit: int = 3
) -> tuple[Verdict, list[str]]:
    """The last verdict, and the breaks of all parts; everything that can be due is."""
    store, due_before = cast("AuditStore", Meanwhile(storage, happens)), Instant(START + 1_000)
    if not by_calls:
        reader = Reader({ACCOUNT: heads}, due_before)
        async for line in export(store, ACCOUNT):
            reader.take(line)
        verdict = reader.end()
        assert verdict is not None
        return verdict, verdict.breaks
    breaks: list[str] = []
    part = await check(store, ACCOUNT, None, heads, due_before, limit=limit)
    while not part.is_last:
        breaks += part.verdict.breaks
        part = await check(store, ACCOUNT, Place.parse(part.place.written), heads, due_before, limit=limit)
    return part.verdict, breaks + part.verdict.breaks
