"""What samples send: for every operation exactly the arguments they were made of, whatever these hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from message_contacts.console.site.samples.call import COMMON_PARAMETERS, Argument, SampleCall
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Kind, Operation
from message_contacts.protocol.parameters import flattened
from tests.conformance.recorder import Recorder, Request, recording
from tests.conformance.roster import CLI
from tests.console.sample_runs import Place, call_of, run_all

#: Ends literals, lines, templates and comments of all the languages, and holds what is not ASCII.
HOSTILE = (
    "\"'`\\ $(id) ${x} %{y} $$ #{z} <b>&amp;</b> */ // -- \\u0022 \\x41 %41 + 王小明 e\u0301 😀 \u202e \u2028\n\r\t."
)
LANGUAGES = ("python", "python-common", "node", *(("cli",) if CLI.absence() is None else ()))
SCRIPTS = ("curl", "own")


def arguments(operation: Operation, *, hostile: bool) -> dict[str, Argument]:
    """All arguments of an operation, from its examples."""
    given: dict[str, Argument] = {}
    for parameter in operation.parameters:
        if parameter.kind is Kind.TEXTS:
            given[parameter.name] = [HOSTILE, "-x"] if hostile else [str(item) for item in parameter.example]
        elif parameter.kind is Kind.OBJECTS:
            given[parameter.name] = [{"Key": HOSTILE if hostile else "k1", "Value": "v1"}, {"Key": "k2", "Value": ""}]
        elif parameter.kind is Kind.TEXT and hostile:
            given[parameter.name] = HOSTILE
        else:
            given[parameter.name] = str(parameter.example) or "x"
    return given


def calls(url: str, *, hostile: bool) -> Iterator[SampleCall]:
    """Every operation of every version with everything it takes."""
    for version, operation in REGISTRY.all():
        yield call_of(url, version, operation.name, **arguments(operation, hostile=hostile))


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


def sent(request: Request) -> Mapping[str, str]:
    """Business parameters of a request, and which operation it calls."""
    given = {**request.query, **request.body}
    if "authorization" in request.headers:
        named = {"Action": request.headers["x-acs-action"], "Version": request.headers["x-acs-version"]}
        return {**named, **given}
    ours = {"RegionId", "Signature", "SignatureType"} | (COMMON_PARAMETERS - {"Action", "Version"})
    return {name: value for name, value in given.items() if name not in ours}


def expected(call: SampleCall) -> dict[str, str]:
    return {"Action": call.action, "Version": call.version, **call.flat}


@pytest.mark.parametrize("hostile", [False, True], ids=["examples", "hostile"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_sample_of_every_operation_sends_its_arguments(
    recorder: Recorder, tmp_path: Path, language: str, hostile: bool
) -> None:
    url = f"http://{recorder.endpoint}"
    made = list(calls(url, hostile=hostile))
    outcomes = run_all(Place(url, "id", "secret"), language, made, tmp_path)
    assert all(outcome.answer for outcome in outcomes)
    for call, request in zip(made, recorder.requests, strict=True):
        assert plain(call, sent(request)) == expected(call), f"{call.version} {call.action}"


def plain(call: SampleCall, parameters: Mapping[str, str]) -> dict[str, str]:
    """The same without what the vendor's clients do otherwise: `True`, objects of RAM as JSON and, its CLI, lists."""
    kinds = {parameter.name: parameter.kind for parameter in call.operation.parameters}
    found: dict[str, str] = {}
    for name, value in parameters.items():
        if kinds.get(name) in (Kind.OBJECTS, Kind.TEXTS):
            found |= flattened({name: json.loads(value)})
        else:
            found[name] = value.lower() if kinds.get(name) is Kind.BOOLEAN else value
    return found


@pytest.mark.parametrize("language", SCRIPTS)
@pytest.mark.parametrize(
    ("version", "action"),
    [
        ("2022-04-19", "AddMessageContact"),
        ("2020-03-31", "CreateResourceAccount"),
        ("2015-05-01", "CreatePolicy"),
        ("2026-11-01", "PublishMessage"),
    ],
)
def test_script_sends_hostile_arguments_as_they_are(
    recorder: Recorder, tmp_path: Path, language: str, version: str, action: str
) -> None:
    url = f"http://{recorder.endpoint}"
    operation = REGISTRY.find(version, action)
    call = call_of(url, version, action, **arguments(operation, hostile=True))
    [outcome] = run_all(Place(url, "id", "secret"), language, [call], tmp_path)
    assert outcome.answer
    [request] = recorder.requests
    assert sent(request) == expected(call)


def test_curl_sends_what_is_too_long_for_a_query_as_a_form(recorder: Recorder, tmp_path: Path) -> None:
    url = f"http://{recorder.endpoint}"
    call = call_of(url, "2026-11-01", "PublishMessage", Subject="x", Html="<p>王</p>" * 15_000)
    [outcome] = run_all(Place(url, "id", "secret"), "curl", [call], tmp_path)
    assert outcome.answer
    [request] = recorder.requests
    assert request.body == call.flat
    assert request.query == {}
