"""Parameters that are moments: ISO 8601, in UTC where no zone is given."""

from __future__ import annotations

from datetime import UTC, datetime

from message_contacts.clock import Instant
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Rules
from message_contacts.operations.registry import Parameter


def moment_parameter(name: str, doc: str, invalid: ErrorDefinition) -> Parameter:
    """An optional parameter that takes a moment.

    Args:
        invalid: Error for what is none.
    """

    def parse(text: str, _rules: Rules) -> Instant:
        try:
            moment = datetime.fromisoformat(text)
            return Instant(round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
        except (ValueError, OverflowError):
            raise invalid() from None

    return Parameter(name=name, parse=parse, doc=doc, example="2026-11-21T00:00:00.000Z", invalid=(invalid,))
