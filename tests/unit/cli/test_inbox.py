"""`inbox`: links and codes at a glance."""

import json

import pytest

from message_contacts.cli import inbox as inbox_command
from message_contacts.cli.api_client import Endpoint

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}


def message(number, *, recipient="tom@example.com", text="Open https://a.example/verify/x1-123456 or type 654321."):
    return {
        "MessageId": f"j-{number}",
        "Channel": "email",
        "Recipient": recipient,
        "Subject": "Confirm",
        "Text": text,
        "CaptureTime": "2026-11-21T08:15:00.000Z",
    }


@pytest.fixture
def pages(monkeypatch):
    """Answers of ListInboxMessages, one a call; each call is checked to ask for what the answer before told it to."""
    answers = []
    asked = []

    def call(_endpoint, version, action, parameters):
        assert (version, action) == ("2026-11-01", "ListInboxMessages")
        asked.append(dict(parameters))
        return answers.pop(0)

    monkeypatch.setattr(Endpoint, "call", call)
    monkeypatch.setattr(inbox_command, "_SECONDS_BETWEEN_LOOKS", 0)
    return answers, asked


def test_each_message_is_shown_with_its_link_and_its_code(run, pages):
    pages[0].append({"Messages": [message(1)]})
    result = run("inbox", **KEY)
    assert result.exit_code == 0
    assert [line.strip() for line in result.stdout.splitlines() if line] == [
        "2026-11-21T08:15:00.000Z  email to tom@example.com",
        "subject  Confirm",
        "link     https://a.example/verify/x1-123456",
        "code     654321",
    ]


def test_all_pages_are_read(run, pages):
    pages[0].extend(({"Messages": [message(1)], "NextToken": "T"}, {"Messages": [message(2)]}))
    result = run("inbox", "--json", "--to", "tom@example.com", **KEY)
    assert [json.loads(line)["MessageId"] for line in result.stdout.splitlines()] == ["j-1", "j-2"]
    assert pages[1] == [
        {"MaxResults": "100", "Recipient": "tom@example.com"},
        {"MaxResults": "100", "Recipient": "tom@example.com", "NextToken": "T"},
    ]


def test_the_whole_text_is_shown_when_asked_for(run, pages):
    pages[0].append({"Messages": [message(1, text="First line\nhttps://a.example/verify/x")]})
    assert "\n  First line\n" in run("inbox", "--full", **KEY).stdout


def test_an_empty_inbox_is_said_where_it_does_not_disturb_data(run, pages):
    pages[0].append({"Messages": []})
    result = run("inbox", "--to", "tom@example.com", **KEY)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "Nothing was captured for tom@example.com.\n"


def test_waiting_shows_only_what_comes_after_the_command_was_started(run, pages):
    pages[0].extend(({"Messages": [message(1)]}, {"Messages": [message(1)]}, {"Messages": [message(1), message(2)]}))
    result = run("inbox", "--wait", "--json", **KEY)
    assert [json.loads(line)["MessageId"] for line in result.stdout.splitlines()] == ["j-2"]


def test_waiting_in_vain_ends_with_one(run, pages):
    pages[0].extend([{"Messages": []}] * 1000)
    monotonic = iter(range(1000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox_command.time, "monotonic", lambda: next(monotonic))
        result = run("inbox", "--wait", "--timeout", "3", **KEY)
    assert result.exit_code == 1
    assert "no message came within 3 seconds" in result.stderr
