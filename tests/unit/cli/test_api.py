"""`api`: options to parameters, answers and errors to the terminal."""

import json
import shlex

import click
import pytest
from click.shell_completion import ShellComplete

from message_contacts.cli import api_client
from message_contacts.cli.api import example_call
from message_contacts.cli.api_client import CallRefusedError, Endpoint, EndpointFailedError
from message_contacts.cli.main import commands
from message_contacts.operations.catalogue import REGISTRY

KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret"}
OPERATIONS = sorted({operation.name for _, operation in REGISTRY.all()})


@pytest.fixture
def calls(monkeypatch):
    """What commands call instead of the network."""
    made = []

    def call(endpoint, version, action, parameters):
        made.append((endpoint, version, action, dict(parameters)))
        return {"RequestId": "R", "Name": "王芳"}

    monkeypatch.setattr(Endpoint, "call", call)
    return made


def test_options_become_flat_parameters_in_the_protocols_form(run, calls):
    result = run(
        *("api", "AddMessageContact", "--Name", "tom", "--EmailAddress", "tom@example.com", "--Title", "CEO"),
        *("--MessageTypes", "SecurityMessage", "--MessageTypes", "FaultMessage"),
        **KEY,
    )
    assert result.exit_code == 0
    ((endpoint, version, action, parameters),) = calls
    assert endpoint == Endpoint(url="http://127.0.0.1:8080", access_key_id="key", access_key_secret="secret")
    assert (version, action) == ("2022-04-19", "AddMessageContact")
    assert parameters == {
        "Name": "tom",
        "EmailAddress": "tom@example.com",
        "Title": "CEO",
        "MessageTypes.1": "SecurityMessage",
        "MessageTypes.2": "FaultMessage",
    }


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        (["--MessageTypes.1", "A", "--MessageTypes.2=B"], {"MessageTypes.1": "A", "MessageTypes.2": "B"}),
        (["--MessageTypes", '["A", "B"]'], {"MessageTypes": '["A", "B"]'}),
        (["--MessageTypes.1=--Name"], {"MessageTypes.1": "--Name"}),
        (["--PhoneNumber", ""], {"PhoneNumber": ""}),
    ],
)
def test_lists_and_empty_values_reach_the_service_as_given(run, calls, words, parameters):
    assert run("api", "UpdateMessageContact", *words, **KEY).exit_code == 0
    assert calls[0][3] == parameters


def test_objects_in_lists_are_given_by_position_and_field(run, calls):
    result = run("api", "ListAccounts", "--Tag.1.Key", "team", "--Tag.1.Value", "web", "--PageSize", "5", **KEY)
    assert result.exit_code == 0
    assert calls[0][3] == {"Tag.1.Key": "team", "Tag.1.Value": "web", "PageSize": "5"}


def test_the_answer_is_printed_as_indented_json_with_readable_characters(run, calls):
    result = run("api", "GetResourceDirectory", **KEY)
    assert result.stdout == '{\n  "RequestId": "R",\n  "Name": "王芳"\n}\n'
    assert json.loads(result.stdout)["Name"] == "王芳"


def test_an_operation_of_several_versions_can_be_called_in_each(run, calls):
    run("api", "ListFoldersForParent", **KEY)
    run("api", "ListFoldersForParent", "--version", "2020-03-31", **KEY)
    assert [version for _, version, _, _ in calls] == ["2022-04-19", "2020-03-31"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["api", "AddMessageContat"], "There is no operation AddMessageContat. Did you mean AddMessageContact"),
        (["api", "GetMessageContact", "--ContatId", "c-1"], "No such option: --ContatId. Did you mean --ContactId?"),
        (["api", "GetMessageContact", "--ContactId.1", "c-1"], "No such option: --ContactId.1."),
        (["api", "GetMessageContact", "c-1"], "'c-1' stands behind no option."),
        (["api", "AddMessageContact", "--MessageTypes.1"], "Option --MessageTypes.1 needs a value."),
        (["api", "GetMessageContact", "--version", "2020-03-31"], "'2020-03-31' is not '2022-04-19'"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_called(run, calls, words, complaint):
    result = run(*words, **KEY)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert calls == []


def test_without_a_key_the_options_and_variables_that_give_it_are_named(run):
    result = run("api", "GetResourceDirectory")
    assert result.exit_code == 2
    assert "'--access-key-id' (env var: 'ALIBABA_CLOUD_ACCESS_KEY_ID')" in result.stderr


def test_a_refused_call_ends_with_one_and_code_message_and_request_id(run, monkeypatch):
    def refuse(*_arguments):
        body = {"Code": "EntityNotExists.Contact", "Message": "This Contact does not exist.", "RequestId": "ABC"}
        raise CallRefusedError(404, body)

    monkeypatch.setattr(Endpoint, "call", refuse)
    result = run("api", "GetMessageContact", "--ContactId", "c-1", **KEY)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: EntityNotExists.Contact (HTTP 404)\nThis Contact does not exist.\nRequest id: ABC\n"
    )


def test_a_call_refused_for_lack_of_permission_names_the_permission(run, monkeypatch):
    def refuse(*_arguments):
        detail = {"AuthAction": "resourcemanager:CreateFolder", "NoPermissionType": "ImplicitDeny"}
        body = {"Code": "NoPermission", "Message": "Not authorized.", "RequestId": "ABC", "AccessDeniedDetail": detail}
        raise CallRefusedError(403, body)

    monkeypatch.setattr(Endpoint, "call", refuse)
    result = run("api", "CreateFolder", "--FolderName", "Finance", **KEY)
    assert "Not authorized.\nPermission: resourcemanager:CreateFolder\nRequest id: ABC\n" in result.stderr


def test_a_service_that_is_not_there_is_said_plainly(run):
    result = run("api", "GetResourceDirectory", "--endpoint", "http://127.0.0.1:1", **KEY)
    assert result.exit_code == 1
    assert "no answer from http://127.0.0.1:1: Connection refused. Is the service running there?" in result.stderr


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "127.0.0.1:many"])
def test_an_endpoint_that_is_no_address_is_refused(run, url):
    result = run("api", "GetResourceDirectory", "--endpoint", url, **KEY)
    assert result.exit_code == 1
    assert "is not an address such as" in result.stderr


@pytest.mark.parametrize(
    ("url", "scheme"),
    [("127.0.0.1:1", "http"), ("localhost", "http"), ("contacts.example.com", "https"), ("http://a.b", "http")],
)
def test_an_endpoint_without_a_scheme_is_https_except_on_this_machine(monkeypatch, url, scheme):
    seen = []

    def connect(scheme, _address):
        seen.append(scheme)
        raise EndpointFailedError("far enough")

    monkeypatch.setattr(api_client, "_connection", connect)
    with pytest.raises(EndpointFailedError, match="far enough"):
        Endpoint(url=url, access_key_id="key", access_key_secret="secret").call("2022-04-19", "GetFolder", {})
    assert seen == [scheme]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_a_command_that_takes_its_own_example(run, calls, operation):
    for version, declared in REGISTRY.all():
        if declared.name == operation:
            words = shlex.split(example_call(declared))[1:]
            assert run(*words, "--version", version, **KEY).exit_code == 0
            given = {name.partition(".")[0] for name in calls[-1][3]}
            assert given == {parameter.name for parameter in declared.parameters if parameter.required}


def test_every_operation_and_its_choices_are_completed():
    def completed(words, typed):
        shell = ShellComplete(commands, {}, "message-contacts", "_MESSAGE_CONTACTS_COMPLETE")
        return [item.value for item in shell.get_completions(words, typed)]

    assert completed(["api"], "") == OPERATIONS
    assert completed(["api"], "ListInb") == ["ListInboxMessages"]
    assert completed(["api", "AddMessageContact", "--Title"], "T") == ["TechnicalDirector"]


def test_the_help_of_an_operation_tells_what_it_needs(run):
    text = run("api", "AddMessageContact", "--help").stdout
    assert "--EmailAddress STRING" in text
    assert "[required]" in text
    assert "TechnicalDirector" in text
    assert "InvalidParameter.Name.AlreadyUsed" in " ".join(text.split())
    assert click.unstyle(text) == text
