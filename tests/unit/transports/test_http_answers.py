"""What answers of HTTP servers say beside their status."""

from __future__ import annotations

import pytest

from message_contacts.clock import Instant
from message_contacts.transports.http_answers import seconds_to_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (" 30 ", 30.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 1969 23:59:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("9" * 4000, None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999", None),
    ],
)
def test_whatever_retry_after_says_is_a_wait_or_nothing(header, seconds):
    assert seconds_to_wait(header, Instant(0)) == seconds
