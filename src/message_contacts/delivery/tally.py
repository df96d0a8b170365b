"""How often something happened in this process, for the operator's metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum


class Happening(StrEnum):
    """What is counted."""

    #: A message went to the fallback address, since nobody could be reached for some members.
    FALLBACK_USED = "message_fallback_used"
    #: A message reached nobody where it should have.
    INCIDENT_OPENED = "message_incident_opened"
    #: A text message was not sent because the tenant's day was used up.
    TEXT_MESSAGES_USED_UP = "text_messages_used_up"
    #: Nothing more is sent to an address, after bounces or a complaint.
    ADDRESS_SUSPENDED = "address_suspended"
    #: Somebody asked the operator to have a colleague get the messages.
    HAND_OVER_ASKED = "hand_over_asked"


class Tally:
    """Counts, from nought at the start of the process."""

    def __init__(self) -> None:
        self._counts: Counter[Happening] = Counter()

    def add(self, happening: Happening) -> None:
        """It happened once more."""
        self._counts[happening] += 1

    def counts(self) -> Mapping[Happening, int]:
        """How often each has happened; what never did is left out."""
        return dict(self._counts)
