"""Moments as answers show them."""

from datetime import UTC, timedelta, timezone

import pytest

from message_contacts.clock import Instant
from message_contacts.operations.dates import contact_date, utc_time


@pytest.mark.parametrize(
    ("moment", "text"),
    [(1_638_929_731_744, "2021-12-08T02:15:31.744Z"), (0, "1970-01-01T00:00:00.000Z"), (7, "1970-01-01T00:00:00.007Z")],
)
def test_the_directorys_times_are_utc_with_milliseconds(moment, text):
    assert utc_time(Instant(moment)) == text


def test_a_contacts_date_is_in_the_zone_set_and_not_rounded_up():
    moment = Instant(1_679_908_761_999)
    assert contact_date(moment, timezone(timedelta(hours=8))) == "2023-03-27 17:19:21"
    assert contact_date(moment, UTC) == "2023-03-27 09:19:21"
