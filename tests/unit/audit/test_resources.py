"""Of the resources of a refused call only ids and names of ours are kept."""

from __future__ import annotations

import pytest

from message_contacts.audit.resources import kept
from message_contacts.delivery.messages import delivery_id, job_id
from message_contacts.ids import RandomIds
from tests.fakes.clock import START

IDS = RandomIds()
MADE = [
    ("messagecontact", IDS.contact()),
    ("contact", IDS.contact()),
    ("detachedcontact", IDS.detached()),
    ("folder", IDS.folder()),
    ("folder", IDS.root_folder()),
    ("folder", IDS.directory()),
    ("account", IDS.account()),
    ("user", IDS.user()),
    ("user", IDS.access_key()),
    ("webhook", IDS.webhook()),
    ("message", IDS.message(START)),
    ("incident", IDS.incident(START)),
    ("handover", IDS.hand_over(START)),
    ("job", IDS.job(START)),
    ("auditevent", IDS.audit_event(START)),
    ("delivery", delivery_id(IDS.message(START), 1)),
    ("job", job_id(delivery_id(IDS.message(START), 1))),
    ("messagecontact", "*"),
    ("user", "alice.b_c-d"),
    ("policy", "readers-2"),
]


@pytest.mark.parametrize(("kind", "named"), MADE, ids=range(len(MADE)))  # the ids are others in each process
def test_ids_and_names_are_kept(kind: str, named: str) -> None:
    resource = f"acs:resourcemanager:*:1000000000000001:{kind}/{named}"
    assert kept(resource) == resource
    assert kept(f"acs:ram:*:system:policy/{'Reader'}") == "acs:ram:*:system:policy/Reader"


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("messagecontact", "wilhelmina.q@erase-me.example"),
        ("messagecontact", "c-wilhelmina.q@erase-me.example"),
        ("messagecontact", "c-8613900001234"),
        ("messagecontact", "13900001234"),
        ("messagecontact", "c-qL4HqKONzOM7abcd\nlena@example.com"),
        ("messagecontact", "c-qL4HqKONzOM7abcd/lena@example.com"),
        ("messagecontact", "\u738b\u5c0f\u660e"),
        ("messagecontact", "Wilhelmina"),
        ("folder", "+8613900001234"),
        ("account", "8613900001234"),
        ("job", "j-lena"),
        ("user", "lena@example.com"),
        ("user", "86-13900001234"),
        ("user", "a" * 65),
        ("policy", "lena@example.com"),
        ("policy", "13900001234"),
    ],
)
def test_whatever_else_was_given_is_not(kind: str, named: str) -> None:
    assert kept(f"acs:ram:*:1000000000000001:{kind}/{named}") == f"acs:ram:*:1000000000000001:{kind}/***"


@pytest.mark.parametrize("resource", ["lena@example.com", "", "acs:ram:*:x@example.com:user/alice"])
def test_what_is_no_resource_is_not_kept_at_all(resource: str) -> None:
    assert kept(resource) == "***"
