"""`explain`: each rule on a line."""

import pytest

from message_contacts.cli.api_client import Endpoint

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
ABOUT = ("--type", "FaultMessage", "--about", "fd-1")


@pytest.fixture
def explanations(monkeypatch):
    """What ExplainDelivery answers, and what it was asked."""
    given, asked = [], []

    def call(_endpoint, version, action, parameters):
        assert (version, action) == ("2026-11-01", "ExplainDelivery")
        asked.append(dict(parameters))
        return {"Explanations": given}

    monkeypatch.setattr(Endpoint, "call", call)
    return given, asked


def test_the_rule_that_decides_is_told_with_all_others(run, explanations):
    explanations[0].append(
        {
            "Outcome": "not-verified",
            "ContactId": "c-1",
            "DetachedContactId": "dc-1",
            "Name": "Anna",
            "Channel": "email",
            "Address": "anna@example.com",
            "Reasons": [{"Because": "Folder", "ObjectId": "fd-1"}],
            "Rules": [
                {"Rule": "in-effect", "Outcome": "passed"},
                {"Rule": "address-in-force", "Outcome": "not-verified"},
            ],
            "HeldBackBy": [
                {"Outcome": "opted-out", "ForAddress": False, "ContactId": "c-2"},
                {"Outcome": "opted-out", "ForAddress": True},
            ],
            "SharesAddressWith": ["c-2"],
        }
    )
    result = run("explain", *ABOUT, "--contact", "c-1", **KEY)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Anna c-1 email anna@example.com: does not get it: not-verified",
        "  a copy that members keep of a deleted contact, dc-1",
        "  in effect: Folder fd-1",
        "  + in-effect",
        "  - address-in-force: not-verified",
        "  opted-out: said by c-2",
        "  opted-out: said by one click, for the address",
        "  one copy, shared with c-2",
        "",
    ]
    assert explanations[1] == [
        {"MessageType": "FaultMessage", "Severity": "Normal", "Target": "fd-1", "ContactId": "c-1"}
    ]


def test_what_was_decided_is_told_beside_what_holds_now(run, explanations):
    explanations[0].append(
        {
            "Outcome": "passed",
            "OutcomeNow": "not-subscribed",
            "Delivery": {"DeliveryId": "d-1", "State": "sent", "Route": "nobody-subscribed", "Reason": ""},
            "ContactId": "c-1",
            "Name": "Anna",
            "Channel": "email",
            "Address": "anna@example.com",
            "Reasons": [],
            "Rules": [
                {"Rule": "subscribed", "Outcome": "not-subscribed"},
                {"Rule": "route", "Outcome": "nobody-subscribed"},
                {"Rule": "taken-over", "Outcome": "passed"},
            ],
            "SharesAddressWith": [],
        }
    )
    result = run("explain", "--message", "m-1", "--contact", "c-1", **KEY)
    assert result.stdout.splitlines() == [
        "Anna c-1 email anna@example.com: gets it",
        "  - subscribed: not-subscribed",
        "  + route: nobody-subscribed",
        "  + taken-over",
        "  delivery d-1: sent",
        "  the rules alone say now: not-subscribed",
        "",
    ]


def test_a_published_message_is_named_by_its_id(run, explanations):
    explanations[0].append({"Outcome": "no-such-contact", "Reasons": [], "Rules": [], "SharesAddressWith": []})
    result = run("explain", "--message", "m-1", "--address", "a@example.com", **KEY)
    assert result.stdout.splitlines()[0] == "Nobody: does not get it: no-such-contact"
    assert explanations[1] == [{"MessageId": "m-1", "Address": "a@example.com"}]


@pytest.mark.parametrize(
    "wrong",
    [
        (*ABOUT,),
        (*ABOUT, "--contact", "c-1", "--address", "a@example.com"),
        ("--contact", "c-1"),
        ("--contact", "c-1", "--type", "FaultMessage"),
        ("--contact", "c-1", "--message", "m-1", *ABOUT),
    ],
)
def test_a_command_called_wrongly_ends_with_2(run, wrong):
    assert run("explain", *wrong, **KEY).exit_code == 2
