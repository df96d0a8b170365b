"""What the audit trail asks of a store. Events of changes are written with the changes, by `changes.Committer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.audit.model import AuditEvent, Chain, Extension, KeptEvent, PartNamed, Seal, Span


class AuditStore(Protocol):
    """Events, their personal parts, and chains."""

    async def add(self, events: Sequence[AuditEvent]) -> None:
        """Keep events that go with no change."""
        ...

    async def unsealed(self, *, after: str, limit: int) -> Sequence[tuple[AuditEvent, Seal | None]]:
        """Events of any account that are not sealed yet, by id, those behind `after`.

        Each with the end of its account's chain; None where that has not begun.
        """
        ...

    async def chain(self, account_id: str) -> Chain | None:
        """The chain of an account; None where it has not begun."""
        ...

    async def seal(self, extensions: Sequence[Extension]) -> Sequence[bool]:
        """Put events behind the ends of their chains, of each account all or none; for each, whether that was done.

        It is not where the chain does not end there any more, or one of the events is sealed already.
        """
        ...

    async def events_before(self, account_id: str, *, before: str, start: str, limit: int) -> Sequence[KeptEvent]:
        """Events of an account, newest first: ids from `start` on and below `before`; without personal parts."""
        ...

    async def with_personal_parts(self, events: Sequence[KeptEvent]) -> Sequence[KeptEvent]:
        """The same events with what is left of their personal parts."""
        ...

    async def events_of_person(self, account_id: str, person_id: str, *, after: str, limit: int) -> Sequence[KeptEvent]:
        """Events that hold a personal part about a contact or RAM user, by id, those behind `after`; with that part."""
        ...

    async def sealed_events(self, account_id: str, *, after: int, until: int, limit: int) -> Span:
        """Sealed events of an account in the order of its chain, with personal parts: after one sequence up to one."""
        ...

    async def events_outside(self, account_id: str, *, limit: int) -> Sequence[KeptEvent]:
        """Events that have a place before the beginning or behind the end of their chain, as of one moment.

        There are none, whoever seals or prunes meanwhile, unless somebody was at the database.

        Args:
            limit: How many of each, at most, in the order of their places.
        """
        ...

    async def parts_named(self, account_id: str, *, after: tuple[str, str], limit: int) -> Sequence[PartNamed]:
        """Personal parts of an account, by the ids of person and event, those behind `after`.

        All are named by their events, whoever changes, erases or prunes meanwhile, unless somebody was at the database.
        """
        ...

    async def unsealed_events(self, account_id: str, *, after: str, limit: int) -> Sequence[KeptEvent]:
        """Events of an account that are not sealed yet, by id, those behind `after`; with personal parts."""
        ...

    async def accounts(self) -> Sequence[str]:
        """All accounts that have a chain, events or personal parts; as they stand there."""
        ...

    async def user_id(self, account_id: str, user_name: str) -> str | None:
        """The id of the RAM user of that name; None when there is none now."""
        ...
