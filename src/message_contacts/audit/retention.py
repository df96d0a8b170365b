"""What retention may have taken away of a chain, for whoever verifies it."""

from __future__ import annotations

from message_contacts.clock import Instant

#: Events are kept for ever: nothing happened before this.
NEVER = Instant(0)


def due_before(now: Instant, kept: int | None) -> Instant:
    """The moment before which events are due to be taken away.

    Args:
        kept: For how long events are kept, in milliseconds; None: for ever.
    """
    return NEVER if kept is None else Instant(max(now - kept, NEVER + 1))
