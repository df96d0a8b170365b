"""What sending and guessing are counted by.

Source: contract/behaviour.md section 5; docs/adr/0008-limits-count-in-fixed-periods.md.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

from message_contacts.clock import MINUTE, Instant
from message_contacts.contacts.model import Address, Channel
from message_contacts.verification.model import Verification

#: Days of limits begin at midnight there.
_LIMITS_ZONE = timezone(timedelta(hours=8))


def sent_counter(channel: Channel) -> str:
    """Name of the counter of an account's verification messages on a channel."""
    return f"{channel} verifications"


def sent_to_counter(channel: Channel, address: Address) -> str:
    """Name of the counter of an account's verification messages to one address."""
    return f"{channel} verifications to {_digest(address.key)}"


def day(now: Instant) -> str:
    """The day that limits count in, e.g. `2026-11-21`; begins at midnight UTC+8."""
    return datetime.fromtimestamp(now / 1000, _LIMITS_ZONE).strftime("%Y-%m-%d")


def day_end(now: Instant) -> Instant:
    """When the day that limits count in ends."""
    local = datetime.fromtimestamp(now / 1000, _LIMITS_ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Instant(int(midnight.timestamp()) * 1000)


def minute(now: Instant) -> str:
    """The minute that limits count in, e.g. `2026-11-21T08:15`, UTC."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def minute_end(now: Instant) -> Instant:
    """When the minute that limits count in ends."""
    return Instant((now // MINUTE + 1) * MINUTE)


def wrong_codes_counter(verification: Verification) -> str:
    """Name of the counter of wrong codes for the verification's address."""
    return f"wrong {verification.channel} codes for {_digest(address_key(verification))}"


def address_key(verification: Verification) -> str:
    """The verification's address in the form in which addresses are compared."""
    return verification.address.lower()


def _digest(key: str) -> str:
    """Sixteen hex digits that stand for an address where the address itself is not needed."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
