"""What only one process at a time should do, without knowing the others: whoever takes a turn has it until it ends."""

from __future__ import annotations

from typing import Protocol

from message_contacts.clock import Instant


class Turns(Protocol):
    """Gives turns to processes that share a database."""

    async def take(self, what: str, *, now: Instant, until: Instant) -> bool:
        """Take the turn to do something, unless somebody has it; it is over by itself, also for whoever has it.

        Whose clock is behind may take it a little late, and whose is ahead a little early: what is done in a turn has
        to bear being done twice.

        Returns:
            Whether it was taken.
        """
        ...
