"""Quiet hours, and how wishes of several people at one address come together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.clock import DAY, HOUR, MINUTE, Instant
from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.circumstances import AtPlace, circumstances
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.standing import (
    ALL_TYPES,
    Known,
    Preference,
    QuietHours,
    StandingRules,
    Suspension,
    SuspensionReason,
)

FAULT, PRODUCT, SECURITY = MessageType.FAULT_MESSAGE, MessageType.PRODUCT_MESSAGE, MessageType.SECURITY_MESSAGE
NIGHT = QuietHours(starts=22 * 60, ends=7 * 60, zone="Asia/Shanghai")
PLACE = Channel.EMAIL, "tom@example.com"


def at(text: str, zone: str = "Asia/Shanghai") -> Instant:
    return Instant(round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-21 21:59:59", None),
        ("2026-11-21 22:00:00", "2026-11-22 07:00"),
        ("2026-11-22 00:00:00", "2026-11-22 07:00"),
        ("2026-11-22 06:59:59", "2026-11-22 07:00"),
        ("2026-11-22 07:00:00", None),
    ],
)
def test_quiet_hours_over_midnight(now, until):
    ends = NIGHT.until(at(now))
    if until is None:
        assert ends is None
    else:
        # Within the last minute before the end, the end is a minute from now.
        assert ends == max(at(until), at(now) + MINUTE)


def test_quiet_hours_within_a_day():
    noon = QuietHours(starts=12 * 60, ends=13 * 60 + 30, zone="Europe/Berlin")
    assert noon.until(at("2026-07-01 11:59", "Europe/Berlin")) is None
    assert noon.until(at("2026-07-01 12:00", "Europe/Berlin")) == at("2026-07-01 13:30", "Europe/Berlin")
    assert noon.until(at("2026-07-01 13:30", "Europe/Berlin")) is None


def test_an_hour_that_is_missing_in_spring_ends_nothing_early():
    quiet = QuietHours(starts=23 * 60, ends=2 * 60 + 30, zone="Europe/Berlin")
    now = at("2026-03-28 23:30", "Europe/Berlin")
    ends = quiet.until(now)
    assert ends is not None
    assert 2 * HOUR <= ends - now <= 4 * HOUR
    assert quiet.until(ends) is None


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(0, 3 * 365 * DAY),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_quiet_ends_later_than_now_and_within_a_day(starts, ends, later, zone):
    now = Instant(at("2026-01-01 00:00") + later)
    until = QuietHours(starts=starts, ends=ends, zone=zone).until(now)
    assert until is None or now < until <= now + DAY


def test_a_zone_that_the_machine_does_not_know_is_utc():
    assert replace(NIGHT, zone="Mars/Olympus").until(at("2026-11-21 23:00", "UTC")) == at("2026-11-22 07:00", "UTC")


def said(contact_id: str, *unwanted: MessageType, quiet: QuietHours | None = None, language: str = "") -> Preference:
    return Preference(
        account_id="1",
        channel=PLACE[0],
        address_key=PLACE[1],
        contact_id=contact_id,
        unwanted=frozenset(unwanted),
        quiet=quiet,
        language=language,
        changed_at=Instant(0),
    )


def suspension(reason: SuspensionReason | None) -> Suspension:
    return Suspension(
        account_id="1",
        channel=PLACE[0],
        address_key=PLACE[1],
        address=PLACE[1],
        reason=reason,
        suspended_at=Instant(0),
        soft_bounces=0,
        bounced_at=Instant(0),
        signs=(),
    )


def made(*preferences: Preference, suspensions: tuple[Suspension, ...] = (), **rules: bool) -> Circumstances:
    now = at("2026-11-21 23:00")
    return circumstances(Circumstances(), Known(suspensions, preferences), StandingRules(**rules), now)


def test_of_several_wishes_at_an_address_the_strictest_holds():
    found = made(said("c-1", FAULT), said("c-2", PRODUCT), said(""))
    assert found.opted_out == {PLACE: {FAULT, PRODUCT}}
    assert found.opted_out_contacts == {"c-1": {FAULT}, "c-2": {PRODUCT}}


def test_what_was_said_for_the_address_follows_no_contact():
    found = made(said("", FAULT))
    assert found.opted_out == {PLACE: {FAULT}}
    assert found.opted_out_contacts == {}


def test_security_is_left_out_unless_the_operator_allows_it():
    assert made(said("c-1", SECURITY)).opted_out == {}
    assert made(said("c-1", SECURITY), security_unwanted=True).opted_out == {PLACE: {SECURITY}}


def test_quiet_hours_hold_back_what_is_not_urgent_until_the_last_of_them_ends():
    longer = replace(NIGHT, ends=8 * 60, hold_urgent=True)
    found = made(said("c-1", quiet=NIGHT), said("c-2", quiet=longer))
    assert found.quiet == {PLACE: ALL_TYPES}
    assert found.quiet_contacts["c-1"] == ALL_TYPES - {FAULT, SECURITY}
    assert found.quiet_until == at("2026-11-22 08:00")


def test_suspensions_bar_all_but_a_complaint_leaves_security():
    assert made(suspensions=(suspension(SuspensionReason.HARD_BOUNCE),)).suppressed == {PLACE: ALL_TYPES}
    assert made(suspensions=(suspension(SuspensionReason.COMPLAINT),)).suppressed == {PLACE: ALL_TYPES - {SECURITY}}
    assert made(suspensions=(suspension(None),)).suppressed == {}


def test_a_language_counts_when_all_who_share_an_address_want_it():
    place = AtPlace(Circumstances(), {"c-1": "en", "c-2": "zh", "c-3": "en"})
    assert place.language(["c-1"]) == "en"
    assert place.language(["c-1", "c-3"]) == "en"
    assert place.language(["c-1", "c-2"]) == ""
    assert place.language(["c-1", "c-9"]) == ""
    assert place.language([]) == ""
