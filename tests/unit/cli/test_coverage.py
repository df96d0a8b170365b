"""`coverage`: a table of what is missing, and an exit status for CI."""

import pytest

from message_contacts.cli.api_client import Endpoint

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}


def member(number, *counts):
    return {
        "MemberId": f"20000000000000{number:02d}",
        "DisplayName": f"Shop {number}",
        "MessageTypes": [
            {
                "MessageType": message_type,
                "ContactCount": count,
                "Contacts": [{"ContactId": f"c-{one}", "Name": f"Name{one}"} for one in range(count)],
            }
            for message_type, count in zip(("FaultMessage", "SecurityMessage"), counts, strict=False)
        ],
    }


def answer(*members, below=0, without=0, token=None):
    return {
        "Summary": {
            "MemberCount": 7,
            "MembersBelow": below,
            "MembersWithout": without,
            "MessageTypes": [{"MessageType": "FaultMessage", "MembersBelow": below, "MembersWithout": without}],
        },
        "Members": list(members),
        **({"NextToken": token} if token else {}),
    }


@pytest.fixture
def answers(monkeypatch):
    """Answers of GetCoverage, one a call, and what was asked for."""
    given, asked = [], []

    def call(_endpoint, version, action, parameters):
        assert (version, action) == ("2026-11-01", "GetCoverage")
        asked.append(dict(parameters))
        return given.pop(0)

    monkeypatch.setattr(Endpoint, "call", call)
    return given, asked


def lines(result):
    return [" ".join(line.split()) for line in result.stdout.splitlines() if line]


def test_members_below_the_threshold_are_shown_and_fail_the_command(run, answers):
    answers[0].append(answer(member(1, 0, 2), member(2, 5, 5), below=1, without=1))
    result = run("coverage", **KEY)
    assert result.exit_code == 1
    assert lines(result) == [
        "member name type contacts who",
        "2000000000000001 Shop 1 FaultMessage 0 nobody",
        "FaultMessage: 1 of 7 members have fewer than 1, 1 have nobody.",
    ]


def test_a_directory_that_is_covered_succeeds(run, answers):
    answers[0].append(answer(member(1, 1, 1), token="T"))
    result = run("coverage", **KEY)
    assert result.exit_code == 0
    assert lines(result) == ["All 7 members have at least 1 for each type."]


def test_pages_are_read_until_the_members_are_covered(run, answers):
    answers[0].extend(
        (
            answer(member(1, 1), below=2, token="A"),
            answer(member(2, 0), member(3, 2), below=2, token="B"),
        )
    )
    result = run("coverage", "--at-least", "2", "--type", "FaultMessage", "--folder", "fd-1", **KEY)
    assert result.exit_code == 1
    assert answers[1] == [
        {"MessageType": "FaultMessage", "Folder": "fd-1", "AtLeast": "2", "MaxResults": "100"},
        {"MessageType": "FaultMessage", "Folder": "fd-1", "AtLeast": "2", "MaxResults": "100", "NextToken": "A"},
    ]
    assert [line.split()[0] for line in lines(result)[1:3]] == ["2000000000000001", "2000000000000002"]


def test_all_members_are_shown_when_asked_for_with_the_first_names(run, answers):
    answers[0].extend((answer(member(1, 5), token="A"), answer(member(2, 1))))
    result = run("coverage", "--all", "--severity", "Normal", **KEY)
    assert result.exit_code == 0
    assert lines(result)[1:3] == [
        "2000000000000001 Shop 1 FaultMessage 5 Name0, Name1, Name2 and 2 more",
        "2000000000000002 Shop 2 FaultMessage 1 Name0",
    ]
    assert answers[1][0]["Severity"] == "Normal"


@pytest.mark.parametrize("wrong", [("--type", "Gossip"), ("--at-least", "0"), ("--severity", "Loud")])
def test_a_command_called_wrongly_ends_with_2(run, wrong):
    assert run("coverage", *wrong, **KEY).exit_code == 2
