"""What other people's texts look like in the log."""

import dataclasses

import orjson
import pytest

from message_contacts.cli.logs import _json_line, masked_text
from tests.factories import make_contact, make_verification


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 5.1.1 <tom@example.com>: no such mailbox", "550 5.1.1 <***@example.com>: no such mailbox"),
        ("to=tom%40example.com", "to=***@example.com"),
        ("86-13900001234 and +8613900001234", "*** and ***"),
        ("code 123456 is wrong", "code *** is wrong"),
        ('GET /?EmailAddress=tom%40example.com HTTP/1.1"', 'GET /?*** HTTP/1.1"'),
        ("GET /verify/3zzbpbhjfx1-AAAAAAAAAAAAAAAAAAAAAA/not-me", "GET /verify/***"),
        ("signed kYp7QxT2mZr9LwB4nVc6HsD1", "signed ***"),
        ("Signature=0aF9+/3kLmNoPqRsTuVwXyZ1234=", "***"),
    ],
)
def test_what_looks_personal_or_secret_is_masked(text, shown):
    assert masked_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "UNIQUE constraint failed: contact.account_id, contact.name",
        "message_contacts.storage.sqlite_writer",
        "/usr/lib/python3.11/site-packages/uvicorn/server.py",
        "[Errno 111] Connect call failed ('127.0.0.1', 2525)",
        "Task exception was never retrieved",
        "cannot schedule new futures after shutdown",
    ],
)
def test_what_an_operator_needs_stays(text):
    assert masked_text(text) == text


def test_values_in_events_show_themselves_masked():
    line = orjson.loads(_json_line(None, "info", {"event": "x", "contact": make_contact(), "at": make_verification()}))
    assert "t***@example.com" in line["contact"]
    assert "tom@example.com" not in str(line)


def fail(address):
    failure = KeyError(address, "86-13900001234")
    failure.add_note(f"while looking for {address}")
    raise failure from ExceptionGroup(f"all of {address}", [ValueError(address)])


def test_a_trace_shows_places_and_no_values():
    with pytest.raises(KeyError) as failed:
        fail("tom@example.com")
    line = _json_line(None, "exception", {"event": "x", "exc_info": failed.value}).decode()
    assert "tom@example.com" not in line
    assert "13900001234" not in line
    assert '"name":"fail"' in line


def test_no_record_shows_an_address_by_accident():
    """Whatever a log, a trace or a debugger prints of a record."""
    for record in (make_contact(), make_verification()):
        assert "tom@example.com" not in repr(record)
        assert "tom@example.com" not in repr(dataclasses.replace(record))
