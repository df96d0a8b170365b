"""From a call to the resources it touches; and what the operations declare about them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

import pytest

from message_contacts.access.model import Caller
from message_contacts.errors import ApiError
from message_contacts.operations.call import Rules, Services
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.permissions import LONGEST_ID, MOST_IDS, deniable_resources, resources_of
from message_contacts.operations.registry import (
    MESSAGE_CONTACTS,
    RAM,
    Access,
    Kind,
    Operation,
    Parameter,
    operation,
)
from message_contacts.operations.values import parse_text
from message_contacts.protocol.parameters import Arguments
from tests.conformance import contract

ACCOUNT = "1000000000000001"
PLACEHOLDER = re.compile(r"\{[A-Za-z|]+\}")
DECLARED = {entry.permission: entry for _, entry in REGISTRY.all()}
#: Every parameter that names a resource, by operation.
NAMING = [
    (entry, parameter)
    for entry in DECLARED.values()
    for parameter in entry.parameters
    if any(parameter is named for target in (*entry.targets, *entry.naming) for named in target.parameters)
]


def declared(
    *resources: str, versions: tuple[str, ...] = ("2022-04-19",), texts: tuple[str, ...] = ("Thing", "Other")
) -> Operation:
    parameters = [
        Parameter(name="Things", kind=Kind.TEXTS, parse=lambda raw, _: raw, doc="", example=["a"]),
        *(Parameter(name=name, parse=parse_text, doc="", example="a") for name in texts),
    ]

    @operation(
        "Try", access=Access.READ, doc="", source="", parameters=parameters, resources=resources, versions=versions
    )
    async def made(_call: object) -> dict[str, str]:
        return {}

    return made


def found(entry: Operation, **parameters: Any) -> list[str]:
    return [
        text.removeprefix(f"acs:resourcemanager:*:{ACCOUNT}:")
        for text in resources_of(entry, Arguments(parameters), ACCOUNT)
    ]


@pytest.mark.parametrize(
    ("resource", "parameters", "expected"),
    [
        ("*", {}, ["*"]),
        ("thing/*", {"Thing": "a"}, ["thing/*"]),
        ("thing/{Thing}", {"Thing": "a"}, ["thing/a"]),
        ("thing/{Thing}", {"Thing": " A*"}, ["thing/ A*"]),
        ("thing/{Thing}", {}, ["thing/*"]),
        ("thing/{Thing}", {"Thing": ""}, ["thing/*"]),
        ("thing/{Thing}", {"Thing": ["a"]}, ["thing/*"]),
        ("thing/{Thing}", {"Thing": 7}, ["thing/7"]),
        ("thing/{Thing}", {"Thing": "x" * LONGEST_ID}, ["thing/" + "x" * LONGEST_ID]),
        ("thing/{Thing}", {"Thing": "x" * (LONGEST_ID + 1)}, ["thing/*"]),
        ("thing/{Thing}/part", {"Thing": "a"}, ["thing/a/part"]),
        ("thing/{Thing|Other}", {"Thing": "a"}, ["thing/a"]),
        ("thing/{Thing|Other}", {"Thing": "", "Other": "b"}, ["thing/b"]),
        ("thing/{Thing|Other}", {"Thing": "a", "Other": "b"}, ["thing/a"]),
        ("thing/{Thing|Other}", {"Thing": ["a"], "Other": "b"}, ["thing/*"]),
        ("thing/{Thing|Other}", {}, ["thing/*"]),
        ("thing/{Things}", {"Things.1": "a", "Things.2": "b"}, ["thing/a", "thing/b"]),
        ("thing/{Things}", {"Things": '["a", ""]'}, ["thing/a", "thing/*"]),
        ("thing/{Things}", {}, ["thing/*"]),
        ("thing/{Things}", {"Things": [{}]}, ["thing/*"]),
        ("thing/{Things}", {"Things": ["a"] * (MOST_IDS + 1)}, ["thing/*"]),
    ],
)
def test_resources_are_made_of_raw_parameters(resource: str, parameters: dict[str, Any], expected: list[str]) -> None:
    assert found(declared(resource), **parameters) == expected


def test_resources_name_family_and_account() -> None:
    entry = declared("a/{Thing}", "b/*", versions=(MESSAGE_CONTACTS,))

    assert resources_of(entry, Arguments({"Thing": "1"}), ACCOUNT) == [
        f"acs:messagecontacts:*:{ACCOUNT}:a/1",
        f"acs:messagecontacts:*:{ACCOUNT}:b/*",
    ]


@pytest.mark.parametrize(
    ("type_", "owner"), [("System", "system"), ("Custom", ACCOUNT), ("system", ACCOUNT), ([], ACCOUNT)]
)
def test_policies_of_the_program_belong_to_no_account(type_: Any, owner: str) -> None:
    """As in the vendor's AliyunCloudSSOReadOnlyAccess: `acs:ram:*:system:policy/*`."""
    texts = ("PolicyName", "UserName", "PolicyType")
    entry = declared("policy/{PolicyName}", "user/{UserName}", versions=(RAM,), texts=texts)
    arguments = Arguments({"PolicyName": "P", "UserName": "U", "PolicyType": type_})

    assert resources_of(entry, arguments, ACCOUNT) == [f"acs:ram:*:{owner}:policy/P", f"acs:ram:*:{ACCOUNT}:user/U"]


#: Every parameter name there is, and the names that calls and resources know beside them.
NAMES = sorted(
    {parameter.name for entry in DECLARED.values() for parameter in entry.parameters}
    | {"Action", "Version", "AccountId", "PolicyType", "Owner", "ResourceOwnerId", "Format"}
)


@pytest.mark.parametrize(("version", "entry"), REGISTRY.all(), ids=lambda value: getattr(value, "name", value))
def test_what_an_operation_does_not_declare_changes_no_permission(version: str, entry: Operation) -> None:
    """Neither parameters of other operations nor other spellings of its own: its handler does not get them either."""
    own = {parameter.name: parameter.kind for parameter in entry.parameters}
    given: dict[str, object] = {name: "given" for name, kind in own.items() if kind is Kind.TEXT}
    strangers = {
        spelling
        for name in NAMES
        for spelling in (name, name.lower(), name.upper(), f" {name}", f"{name} ", f"{name}.1", f"{name}.1.Key")
        if own.get(spelling.partition(".")[0]) not in {Kind.TEXTS, Kind.OBJECTS} and spelling not in own
    }
    for arguments in ({}, given):
        plain = resources_of(entry, Arguments(arguments), ACCOUNT)
        for value in ("System", "Custom", "*", "other", "", ["System"], {"a": "System"}, 7, True):
            more = {**dict.fromkeys(strangers, value), **arguments}
            assert resources_of(entry, Arguments(more), ACCOUNT) == plain, (version, value)


#: Operations that may be called without naming anything, and then are about all there is of the kind.
ABOUT_ALL = {"ListVerificationEvidence"}
#: Operations that refuse a call which names nothing, though no single parameter is required.
REFUSED_WITHOUT = {"SendTestMessage"}


def test_what_an_operation_takes_for_a_parameter_left_out_is_declared() -> None:
    """Else what denies it on that one thing would be evaded by not naming it."""
    optional = {
        entry.name
        for _, entry in REGISTRY.all()
        for target in entry.targets
        if target.parameters and not any(parameter.required for parameter in target.parameters)
    }

    implying = {entry.name for _, entry in REGISTRY.all() if entry.implying}

    assert optional == implying | ABOUT_ALL | REFUSED_WITHOUT
    assert not implying & (ABOUT_ALL | REFUSED_WITHOUT)


#: What a call names that is no resource of its permission, though another operation of the family has it as one.
NAMES_NOTHING = {
    ("ListInboxMessages", "MessageId"),  # a captured message, not a published one
}


def test_what_one_operation_of_a_family_is_about_others_that_name_it_are_about_too() -> None:
    """Else what denies it is evaded by the others: all that one can know of a thing is its id."""
    naming = {(entry.name, parameter.name) for entry, parameter in NAMING}
    things = {(entry.family, parameter.name) for entry, parameter in NAMING}

    missed = {
        (entry.name, parameter.name)
        for entry in DECLARED.values()
        for parameter in entry.parameters
        if (entry.family, parameter.name) in things and (entry.name, parameter.name) not in naming
    }

    assert missed == NAMES_NOTHING


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"Thing": "a"}, ["account/a", "folder/a"]),
        ({"Thing": ""}, []),
        ({"Thing": "*"}, []),
        ({"Thing": ["a"]}, []),
        ({"Thing": "x" * (LONGEST_ID + 1)}, []),
        ({"Things": ["a", "b"]}, ["thing/a", "thing/b"]),
    ],
)
async def test_what_is_named_beside_the_resource_can_be_denied(given: dict[str, Any], expected: list[str]) -> None:
    entry = replace(declared("*"), deniable_on=("account/{Thing}", "folder/{Thing}", "thing/{Things}"))
    caller = Caller(ACCOUNT, "MCkey", "1")

    named = await deniable_resources(entry, Arguments(given), caller, directory=None, services=cast("Services", None))

    assert [text.removeprefix(f"acs:resourcemanager:*:{ACCOUNT}:") for text in named] == expected


@pytest.mark.parametrize("raw", ["System", "Custom", "system", "SYSTEM", " System", "System ", "\uff33ystem", "", "\n"])
def test_whose_policy_it_is_means_the_same_to_permissions_and_to_operations(raw: str) -> None:
    deciding = [(entry, target.owner) for entry in DECLARED.values() for target in entry.targets if target.owner]
    assert {entry.name for entry, _ in deciding} >= {"GetPolicy", "AttachPolicyToUser", "DetachPolicyFromUser"}
    for entry, parameter in deciding:
        try:
            is_system = bool(raw) and parameter.parse(raw, Rules()) == "System"
        except (ApiError, ValueError):
            is_system = False
        owners = {
            resource.split(":")[3]
            for resource in resources_of(entry, Arguments({"PolicyName": "P", "PolicyType": raw}), ACCOUNT)
            if resource.endswith(":policy/P")
        }
        assert owners <= {"system" if is_system else ACCOUNT}, entry.name


def test_a_resource_cannot_be_declared_by_what_is_no_parameter() -> None:
    for resource in ("thing/{Nothing}", "thing/{Thing|Nothing}", "policy/{PolicyName}"):
        with pytest.raises(ValueError, match="has no parameters for"):
            declared(resource)


@pytest.mark.parametrize(("entry", "parameter"), NAMING, ids=lambda value: value.name)
def test_an_id_means_the_same_to_permissions_and_to_its_operation(entry: Operation, parameter: Parameter) -> None:
    """What policies saw is what the operation acts on: no spelling of an id is another one once it is parsed."""
    examples = [parameter.example] if isinstance(parameter.example, str) else list(parameter.example)
    for example in ["c-0123456789ABCDEF", "fd-0123456789", "1234567890123456", "Tom", "v1", *examples]:
        assert isinstance(example, str)
        for raw in (
            example,
            example.lower(),
            example.upper(),
            f" {example}",
            f"{example} ",
            f"{example}\n",
            f"0{example}",
            example.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
        ):
            try:
                parsed = parameter.parse([raw] if parameter.kind is Kind.TEXTS else raw, Rules())
            except (ApiError, ValueError):
                continue
            assert parsed == ([raw] if parameter.kind is Kind.TEXTS else raw), entry.name


#: Ids that take any text, and which are made here with one length: a longer one does not exist.
MADE_HERE = {
    "ResourceId",
    "DeliveryId",
    "DetachedContactId",
    "HandOverId",
    "IncidentId",
    "JobId",
    "MessageId",
    "WebhookId",
}


@pytest.mark.parametrize(("entry", "parameter"), NAMING, ids=lambda value: value.name)
def test_an_id_too_long_to_be_looked_at_is_refused_by_its_operation(entry: Operation, parameter: Parameter) -> None:
    if parameter.name in MADE_HERE:
        assert parameter.parse is parse_text or parameter.kind is Kind.TEXTS
    for text in () if parameter.name in MADE_HERE else ("x", "1", "fd-1", "c-1", "a"):
        raw = text + "1" * LONGEST_ID
        with pytest.raises((ApiError, ValueError)):
            parameter.parse([raw] if parameter.kind is Kind.TEXTS else raw, Rules())
    if parameter.kind is Kind.TEXTS:
        with pytest.raises((ApiError, ValueError)):
            parameter.parse(["1234567890123456"] * (MOST_IDS + 1), Rules())


def test_every_resource_has_a_form_that_policies_can_name() -> None:
    for entry in DECLARED.values():
        for resource in entry.resources:
            assert re.fullmatch(r"\*|[a-z]+/(\*|\{[A-Za-z]+(\|[A-Za-z]+)*\})", resource), entry.name


@pytest.mark.parametrize("name", sorted(contract.operations()))
def test_permissions_are_those_of_the_reference(name: str) -> None:
    """But for folders and members, which the reference names by their path and we by their id."""
    access = contract.operations()[name]["access"]
    entry = DECLARED[access["ram_action"]]
    shapes = [
        re.sub(r"\{[A-Za-z]+\}", "{}", resource)
        for resource in access["resource_arn"].replace("acs:resourcemanager:*:{accountId}:", "").split(" and ")
    ]

    assert entry.name == name
    assert [PLACEHOLDER.sub("{}", resource) for resource in entry.resources] == shapes


def test_the_inbox_has_a_permission_of_its_own() -> None:
    assert DECLARED["messagecontacts:ListInboxMessages"].resources == ("inboxmessage/*",)
