"""Parameters that are moments: ISO 8601, in UTC where no zone is given."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from message_contacts.clock import Instant
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Rules
from message_contacts.operations.registry import Parameter

#: The first and the last moment that can be shown in every zone: the years go from 1 to 9999, in each.
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)


def read_moment(text: str, *, zone: tzinfo | None) -> Instant:
    """The moment that ISO 8601 names; before the first or behind the last that can be shown, that one.

    Args:
        zone: Where none is named; None: one has to be.

    Raises: ValueError when it names none.
    """
    if "\0" in text:  # which the reader of Python 3.11 takes for the end
        raise ValueError("NUL")
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    # Compared and subtracted, moments with a zone never overflow; converted to another zone they do.
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return Instant(round(min(max(moment, _FIRST), _LAST).timestamp() * 1000))


def moment_parameter(name: str, doc: str, invalid: ErrorDefinition) -> Parameter:
    """An optional parameter that takes a moment.

    Args:
        invalid: Error for what is none.
    """

    def parse(text: str, _rules: Rules) -> Instant:
        try:
            return read_moment(text, zone=UTC)
        except ValueError:
            raise invalid() from None

    return Parameter(name=name, parse=parse, doc=doc, example="2026-11-21T00:00:00.000Z", invalid=(invalid,))
