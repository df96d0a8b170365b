"""Samples run against the service: each gets the answer, or the refusal, that a direct call gets."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from message_contacts.cli.api_client import CallRefusedError
from message_contacts.cli.api_client import Endpoint as Client
from message_contacts.console.site.samples.call import Argument, SampleCall
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Access
from tests.conformance.confirming import visit
from tests.conformance.roster import CLI, GO, JAVA, Toolchain
from tests.conformance.service import RunningService, running_service
from tests.console.sample_runs import Outcome, Place, call_of, run_all, run_script, text_of

LANGUAGES = ("python", "python-common", "node", "curl", *(("cli",) if CLI.absence() is None else ()))
#: Operations whose answer is another one each time, or that wait.
_NEVER_THE_SAME = {"ListAuditEvents", "VerifyAuditTrail"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def place(service: RunningService) -> Place:
    assert service.key.access_key_id
    assert service.key.access_key_secret
    return Place(service.base_url, service.key.access_key_id, service.key.access_key_secret)


@pytest.fixture(scope="module")
def direct(place: Place) -> Client:
    return Client(url=place.url, access_key_id=place.key_id, access_key_secret=place.key_secret)


@pytest.fixture(scope="module")
def ids(direct: Client) -> dict[str, str]:
    """A directory with something in it."""
    folder = direct.call("2022-04-19", "CreateFolder", {"FolderName": "研发", "Tag.1.Key": "k", "Tag.1.Value": "v"})
    member = direct.call(
        "2022-04-19",
        "CreateResourceAccount",
        {"DisplayName": "Dev", "ParentFolderId": folder["Folder"]["FolderId"], "Tag.1.Key": "k1", "Tag.1.Value": "v1"},
    )
    contact = direct.call(
        "2022-04-19",
        "AddMessageContact",
        {
            "Name": "王小明",
            "EmailAddress": "ming@example.com",
            "Title": "CEO",
            "MessageTypes.1": "SecurityMessage",
            "MessageTypes.2": "FaultMessage",
        },
    )
    # Somebody gets what is published: a message that reaches nobody would be an incident.
    bound = {"ContactId": contact["Contact"]["ContactId"], "Members.1": folder["Folder"]["FolderId"]}
    direct.call("2022-04-19", "AssociateMembers", bound)
    address = {"ContactId": contact["Contact"]["ContactId"], "EmailAddress": "ming@example.com"}
    direct.call("2022-04-19", "SendEmailVerificationForMessageContact", address)
    [mail] = direct.call("2026-11-01", "ListInboxMessages", {"WaitSeconds": "20"})["Messages"]
    link = re.search(r"https?://\S+/verify/\S+", mail["Text"])
    assert link
    assert visit("POST", link[0], "")[0] == 200
    direct.call("2015-05-01", "CreateUser", {"UserName": "alice", "Comments": "\"'$(id) <王>"})
    return {
        "FolderId": folder["Folder"]["FolderId"],
        "AccountId": member["Account"]["AccountId"],
        "ContactId": contact["Contact"]["ContactId"],
    }


def asked_directly(direct: Client, call: SampleCall) -> Outcome:
    """What a call of our own gets."""
    try:
        return Outcome(direct.call(call.version, call.action, call.flat))
    except CallRefusedError as refusal:
        return Outcome(None, refusal.code)


def comparable(outcome: Outcome) -> Any:
    """The answer without what differs from call to call."""
    if outcome.answer is None:
        return outcome.code
    return {name: value for name, value in outcome.answer.items() if name != "RequestId"}


def reading_calls(url: str, ids: dict[str, str]) -> Iterator[SampleCall]:
    """Every operation that reads, with its examples, and many with things that exist."""
    for version, operation in REGISTRY.all():
        if operation.access is Access.READ and operation.name not in _NEVER_THE_SAME:
            given: dict[str, Argument] = {}
            for parameter in operation.parameters:
                if parameter.required:
                    given[parameter.name] = parameter.example
            yield call_of(url, version, operation.name, **given)
    existing: list[tuple[str, str, dict[str, Argument]]] = [
        ("2022-04-19", "GetMessageContact", {"ContactId": ids["ContactId"]}),
        ("2022-04-19", "ListMessageContacts", {"ContactId": ids["ContactId"], "PageSize": "5", "PageNumber": "1"}),
        ("2022-04-19", "GetAccount", {"AccountId": ids["AccountId"], "IncludeTags": "true"}),
        ("2022-04-19", "ListAccounts", {"Tag": [{"Key": "k1", "Value": "v1"}], "IncludeTags": "true"}),
        ("2022-04-19", "ListAccounts", {"Tag": [{"Key": "k1", "Value": "other"}]}),
        ("2022-04-19", "ListAncestors", {"ChildId": ids["AccountId"]}),
        ("2022-04-19", "ListFoldersForParent", {"QueryKeyword": "研"}),
        ("2020-03-31", "GetFolder", {"FolderId": ids["FolderId"]}),
        ("2020-03-31", "ListTagResources", {"ResourceType": "Account", "ResourceId": [ids["AccountId"]]}),
        ("2015-05-01", "GetUser", {"UserName": "alice"}),
        ("2015-05-01", "ListUsers", {"MaxItems": "1"}),
        ("2026-11-01", "ListEffectiveContacts", {"Member": ids["AccountId"]}),
        ("2026-11-01", "GetCoverage", {"Folder": ids["FolderId"], "AtLeast": "2", "MessageType": "SecurityMessage"}),
        (
            "2026-11-01",
            "PreviewChange",
            {
                "Change": "ChangeTypes",
                "ContactId": ids["ContactId"],
                "MessageTypes": ["FaultMessage", "ProductMessage"],
            },
        ),
    ]
    for version, name, arguments in existing:
        yield call_of(url, version, name, **arguments)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sample_that_reads_gets_what_a_direct_call_gets(
    place: Place, direct: Client, ids: dict[str, str], tmp_path: Path, language: str
) -> None:
    calls = list(reading_calls(place.url, ids))
    outcomes = run_all(place, language, calls, tmp_path)
    for call, outcome in zip(calls, outcomes, strict=True):
        assert comparable(outcome) == comparable(asked_directly(direct, call)), f"{call.version} {call.action}"
    assert sum(outcome.answer is not None for outcome in outcomes) > 40


def changing_calls(url: str, ids: dict[str, str]) -> list[SampleCall]:
    """Changes with lists, objects, line breaks and what is not ASCII; new names each time."""
    tail = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid.uuid4().hex[:8])
    name = f"王{tail}"
    document = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ram:Get*", "Resource": "*"}]}'
    return [
        call_of(
            url,
            "2022-04-19",
            "AddMessageContact",
            Name=name,
            EmailAddress=f"{tail}+x@example.com",
            PhoneNumber="86-13900001234",
            Title="FinanceDirector",
            MessageTypes=["ProductMessage", "SecurityMessage"],
        ),
        call_of(
            url,
            "2022-04-19",
            "CreateResourceAccount",
            DisplayName=f"成员 {tail}",
            ParentFolderId=ids["FolderId"],
            Tag=[{"Key": "阶段", "Value": "测试 & <x>"}, {"Key": tail, "Value": "2"}],
        ),
        call_of(url, "2020-03-31", "CreateFolder", FolderName=f"资源夹_{tail}", ParentFolderId=ids["FolderId"]),
        call_of(url, "2015-05-01", "CreateUser", UserName=tail, DisplayName="爱丽丝", Comments='it\'s "$(id)" `x` \\'),
        call_of(url, "2015-05-01", "CreatePolicy", PolicyName=tail, PolicyDocument=document, Description="第一\n第二"),
        call_of(
            url,
            "2026-11-01",
            "PublishMessage",
            MessageType="FaultMessage",
            Subject=f"数据库维护 {tail} 'x' \"y\" $z",
            Text="第一行\n第二行 😀 \\n %s ${x}",
            Targets=[ids["AccountId"], ids["FolderId"]],
            Severity="Critical",
        ),
    ]


@pytest.mark.parametrize("language", [*LANGUAGES, "own"])
def test_sample_that_changes_does_what_it_says(
    place: Place, direct: Client, ids: dict[str, str], tmp_path: Path, language: str
) -> None:
    calls = changing_calls(place.url, ids)
    outcomes = run_all(place, language, calls, tmp_path)
    answers = []
    for call, outcome in zip(calls, outcomes, strict=True):
        assert outcome.answer is not None, (call.action, outcome.code)
        answers.append(outcome.answer)
    added, member, folder, user, policy, message = answers
    contact_id = added["Contact"]["ContactId"]
    contact = direct.call("2022-04-19", "GetMessageContact", {"ContactId": contact_id})["Contact"]
    assert {name: contact[name] for name in calls[0].arguments} == calls[0].arguments

    account_id = member["Account"]["AccountId"]
    account = direct.call("2022-04-19", "GetAccount", {"AccountId": account_id, "IncludeTags": "true"})["Account"]
    assert account["DisplayName"] == calls[1].arguments["DisplayName"]
    assert sorted(map(str, account["Tags"])) == sorted(map(str, calls[1].arguments["Tag"]))

    found = direct.call("2020-03-31", "GetFolder", {"FolderId": folder["Folder"]["FolderId"]})["Folder"]
    assert found["FolderName"] == calls[2].arguments["FolderName"]

    name = user["User"]["UserName"]
    assert (
        direct.call("2015-05-01", "GetUser", {"UserName": name})["User"]["Comments"] == calls[3].arguments["Comments"]
    )

    shown = direct.call(
        "2015-05-01", "GetPolicy", {"PolicyName": policy["Policy"]["PolicyName"], "PolicyType": "Custom"}
    )
    assert shown["Policy"]["Description"] == calls[4].arguments["Description"]

    published = direct.call("2026-11-01", "GetMessage", {"MessageId": message["MessageId"]})["Message"]
    assert published["Subject"] == calls[5].arguments["Subject"]
    assert published["Text"] == calls[5].arguments["Text"]

    # An empty value that means something takes the number away.
    emptied = call_of(place.url, "2022-04-19", "UpdateMessageContact", ContactId=contact_id, PhoneNumber="")
    [outcome] = run_all(place, language, [emptied], tmp_path)
    assert outcome.answer is not None
    contact = direct.call("2022-04-19", "GetMessageContact", {"ContactId": contact_id})["Contact"]
    assert contact["PhoneNumber"] == ""


def test_samples_run_on_their_own_as_somebody_would_run_them(place: Place, ids: dict[str, str], tmp_path: Path) -> None:
    call = call_of(place.url, "2022-04-19", "GetMessageContact", ContactId=ids["ContactId"])
    for key in ("curl", "own"):
        answer = run_script(place, text_of(call, key), tmp_path).answer
        assert answer is not None
        assert answer["Contact"]["Name"] == "王小明"
    refused = call_of(place.url, "2022-04-19", "GetMessageContact", ContactId="nonsense")
    assert run_script(place, text_of(refused, "curl"), tmp_path).code == "InvalidParameter.ContactId"
    assert run_script(place, text_of(refused, "own"), tmp_path).code == "InvalidParameter.ContactId"


def test_script_says_that_the_key_is_missing(place: Place, tmp_path: Path) -> None:
    text = text_of(call_of(place.url, "2022-04-19", "GetResourceDirectory"), "curl")
    path = tmp_path / "sample.sh"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(["bash", str(path)], env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"ALIBABA_CLOUD_ACCESS_KEY_ID: is not set" in done.stderr


def test_compiled_samples_do_what_they_say_where_their_toolchains_take_part(
    place: Place, direct: Client, ids: dict[str, str], tmp_path: Path
) -> None:
    for toolchain in (GO, JAVA):
        if toolchain.absence() is None:
            compiled_sample_adds_a_contact(place, direct, ids, tmp_path, toolchain)


def compiled_sample_adds_a_contact(
    place: Place, direct: Client, ids: dict[str, str], tmp_path: Path, toolchain: Toolchain
) -> None:
    toolchain.make_ready()
    call = changing_calls(place.url, ids)[0]
    text = text_of(call, toolchain.name)
    if toolchain is GO:
        for name in ("go.mod", "go.sum"):
            shutil.copy(toolchain.folder / name, tmp_path)
        (tmp_path / "main.go").write_text(text, encoding="utf-8")
        command = ["go", "run", "-mod=mod", "main.go"]
    else:
        (tmp_path / "Sample.java").write_text(text, encoding="utf-8")
        classes = str(toolchain.folder / "target" / "dependency" / "*")
        command = ["java", "-Dfile.encoding=UTF-8", "-XX:TieredStopAtLevel=1", "-cp", classes, "Sample.java"]
    done = subprocess.run(command, cwd=tmp_path, env=place.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    contact_id = json.loads(done.stdout)["Contact"]["ContactId"]
    contact = direct.call("2022-04-19", "GetMessageContact", {"ContactId": contact_id})["Contact"]
    assert {name: contact[name] for name in call.arguments} == call.arguments


@pytest.mark.parametrize("tool", [name for name in ("gofmt", "terraform") if shutil.which(name)])
def test_formatters_have_nothing_to_change(tmp_path: Path, tool: str) -> None:
    for call in itertools.islice(changing_calls("http://127.0.0.1:8080", {"FolderId": "fd-1", "AccountId": "1"}), 5):
        if tool == "gofmt":
            (tmp_path / "main.go").write_text(text_of(call, "go"), encoding="utf-8")
            command = ["gofmt", "-l", "main.go"]
        else:
            (tmp_path / "main.tf").write_text(text_of(call, "terraform"), encoding="utf-8")
            command = ["terraform", "fmt", "-check", "-diff"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
