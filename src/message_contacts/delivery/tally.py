"""What happened to messages in this process, counted for the operator's metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import DeliveryState, Message
from message_contacts.metrics import Metrics, families


class Happening(StrEnum):
    """What the operator should look at."""

    #: A message went to contacts that do not have its type, since nobody who has it could be reached for some members.
    NOBODY_SUBSCRIBED = "message_nobody_subscribed"
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


_FAMILIES = {
    Happening.NOBODY_SUBSCRIBED: families.MESSAGES_NOBODY_SUBSCRIBED,
    Happening.FALLBACK_USED: families.MESSAGE_FALLBACKS,
    Happening.INCIDENT_OPENED: families.INCIDENTS,
    Happening.TEXT_MESSAGES_USED_UP: families.TEXT_MESSAGES_USED_UP,
    Happening.ADDRESS_SUSPENDED: families.SUSPENSIONS,
    Happening.HAND_OVER_ASKED: families.HAND_OVERS,
}


class Tally:
    """Counts, from nought at the start of the process."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        """Begin; `metrics` tells the operator, None: nobody asks."""
        self._metrics = metrics or Metrics()
        self._counts: Counter[Happening] = Counter()

    def add(self, happening: Happening) -> None:
        """It happened once more."""
        self._counts[happening] += 1
        self._metrics.happened(_FAMILIES[happening])

    def counts(self) -> Mapping[Happening, int]:
        """How often each has happened; what never did is left out."""
        return dict(self._counts)

    def worked_out(self, message: Message) -> None:
        """Who gets a message is known, and its deliveries are let go."""
        self._metrics.happened(families.MESSAGES, message.message_type.value, message.severity.value)

    def became(self, channel: Channel, state: DeliveryState) -> None:
        """A delivery has become something."""
        self._metrics.happened(families.DELIVERIES, channel.value, state.value)

    def skipped(self, channel: Channel, word: str, times: int = 1) -> None:
        """Addresses do not get a message; `word` is that of the rule, or why a delivery ended without a try."""
        self._metrics.happened(families.DELIVERIES_SKIPPED, channel.value, word, times=times)
