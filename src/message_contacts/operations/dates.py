"""Moments as answers show them.

Source: contract/behaviour.md section 1: contacts have no zone in their dates, the directory's are ISO 8601 in UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from message_contacts.clock import SECOND, Instant

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is added by hand


def utc_time(moment: Instant) -> str:
    """ISO 8601 in UTC with milliseconds: `2021-12-08T02:15:31.744Z`."""
    seconds, milliseconds = divmod(moment, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{milliseconds:03d}Z"


def utc_time_if_any(moment: Instant) -> str | None:
    """The same; None for what somebody put in place of a moment at the database."""
    try:
        return utc_time(moment)
    except (ArithmeticError, OSError, TypeError, ValueError):
        return None


def utc_seconds(moment: Instant) -> str:
    """ISO 8601 in UTC, cut to the second: `2015-01-23T12:33:18Z`. Answers of RAM show no milliseconds."""
    return f"{(_EPOCH + timedelta(seconds=moment // SECOND)).isoformat()}Z"


def contact_date(moment: Instant, zone: timezone) -> str:
    """Date and time in that zone, which is not named: `2023-03-27 17:19:21`. Cut to the second, never rounded up."""
    # Plain sums take half the time of `strftime` on a converted moment, and a list of contacts has many dates.
    return (_EPOCH + timedelta(seconds=moment // SECOND) + zone.utcoffset(None)).isoformat(" ")
