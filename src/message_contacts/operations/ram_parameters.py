"""Parameters of RAM's operations, version 2015-05-01, and what those operations have in common.

A required parameter that is absent has the gateway's error: RAM's tables list none of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from message_contacts import errors
from message_contacts.access import names, ram_errors
from message_contacts.access.model import KeyStatus, PolicyType
from message_contacts.access.policy_document import PolicyDocument
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Rules
from message_contacts.operations.paging import integer_between
from message_contacts.operations.registry import RAM, Kind, Parameter
from message_contacts.operations.token_paging import read_token
from message_contacts.operations.values import parse_boolean, parse_text

VERSIONS = (RAM,)
SOURCE = "the vendor's RAM client for Python, 1.3.0, and RAM's page of error messages"
#: Resources that a permission names.
USER_RESOURCE = "user/{UserName}"
ANY_USER_RESOURCE = "user/*"
POLICY_RESOURCE = "policy/{PolicyName}"
ANY_POLICY_RESOURCE = "policy/*"

Parse = Callable[[str, Rules], str]

_MOST_ITEMS = 1000
_DEFAULT_ITEMS = 100


def table(parameters: Sequence[Parameter], *own: ErrorDefinition) -> list[ErrorDefinition]:
    """An operation's error table: what is missing, what is invalid, and its own errors."""
    missing = [parameter.missing_error for parameter in parameters if parameter.required]
    invalid = [
        error
        for parameter in parameters
        if parameter.parse is not parse_text
        for error in parameter.invalid or (errors.invalid(parameter.name),)
    ]
    return [*missing, *invalid, *own]


def _named(characters: Any, longest: int, invalid: ErrorDefinition, too_long: ErrorDefinition) -> dict[str, Any]:
    def parse(text: str, _rules: Rules) -> str:
        return names.named(text, characters, longest, invalid=invalid, too_long=too_long)

    return {"parse": parse, "invalid": (invalid, too_long)}


def _formed(form: Any, invalid: ErrorDefinition) -> dict[str, Any]:
    def parse(text: str, _rules: Rules) -> str:
        return names.formed(text, form, invalid)

    return {"parse": parse, "invalid": (invalid,)}


def _bounded(name: str, longest: int, too_long: ErrorDefinition) -> dict[str, Any]:
    def parse(text: str, _rules: Rules) -> str:
        if "\0" in text:  # PostgreSQL cannot keep it
            raise ValueError("a character that is none")
        return names.bounded(text, longest, too_long)

    return {"name": name, "parse": parse, "invalid": (errors.invalid(name), too_long)}


def _clearing(parameter: dict[str, Any]) -> dict[str, Any]:
    """The same where an empty value clears the field."""
    parse: Parse = parameter["parse"]
    return {
        **parameter,
        "parse": lambda text, rules: parse(text, rules) if text else "",
        "empty_means_something": True,
    }


def _document(text: str, _rules: Rules) -> str:
    PolicyDocument.parse(text)
    return text


def _user_marker(text: str, _rules: Rules) -> str:
    name = read_token(text)
    if not names.USER_NAME.fullmatch(name) or len(name) > names.USER_NAME_LENGTH:
        raise ValueError("no name of a user")
    return name


def _policy_marker(text: str, _rules: Rules) -> str:
    place = read_token(text)
    type_, _, name = place.partition("/")
    if type_ not in set(PolicyType) or not names.POLICY_NAME.fullmatch(name) or len(name) > names.POLICY_NAME_LENGTH:
        raise ValueError("no type and name of a policy")
    return place


def _refused(_value: Any, _rules: Rules) -> None:
    raise ValueError("not supported")


USER_NAME = Parameter(
    name="UserName",
    doc="Name of the user: 1 to 64 letters, digits, `.`, `_` and `-`.",
    example="dashboard",
    **_named(
        names.USER_NAME,
        names.USER_NAME_LENGTH,
        ram_errors.INVALID_PARAMETER_USER_NAME_INVALID_CHARS,
        ram_errors.INVALID_PARAMETER_USER_NAME_LENGTH,
    ),
)
DISPLAY_NAME = Parameter(
    name="DisplayName",
    doc="Name shown to people, at most 128 characters.",
    example="Dashboard",
    **_named(
        names.DISPLAY_NAME,
        names.DISPLAY_NAME_LENGTH,
        ram_errors.INVALID_PARAMETER_DISPLAY_NAME_INVALID_CHARS,
        ram_errors.INVALID_PARAMETER_DISPLAY_NAME_LENGTH,
    ),
)
MOBILE_PHONE = Parameter(
    name="MobilePhone",
    doc="Country code and number. Nothing is ever sent there.",
    example="86-1868888****",
    **_formed(names.MOBILE_PHONE, ram_errors.INVALID_PARAMETER_MOBILE_PHONE_FORMAT),
)
EMAIL = Parameter(
    name="Email",
    doc="E-mail address. Nothing is ever sent there.",
    example="alice@example.com",
    **_formed(names.EMAIL, ram_errors.INVALID_PARAMETER_EMAIL_FORMAT),
)
COMMENTS = Parameter(
    doc="What the user is for, at most 128 characters.",
    example="Reads the contacts for the dashboard",
    **_bounded("Comments", names.COMMENTS_LENGTH, ram_errors.INVALID_PARAMETER_COMMENTS_LENGTH),
)
NEW_USER_NAME = Parameter(
    name="NewUserName",
    doc="New name of the user; policies and keys stay with it.",
    example="reports",
    **_named(
        names.USER_NAME,
        names.USER_NAME_LENGTH,
        ram_errors.INVALID_PARAMETER_NEW_USER_NAME_INVALID_CHARS,
        ram_errors.INVALID_PARAMETER_NEW_USER_NAME_LENGTH,
    ),
)
NEW_DISPLAY_NAME = Parameter(
    name="NewDisplayName",
    doc="New name shown to people; empty: none.",
    example="Reports",
    **_clearing(
        _named(
            names.DISPLAY_NAME,
            names.DISPLAY_NAME_LENGTH,
            ram_errors.INVALID_PARAMETER_NEW_DISPLAY_NAME_INVALID_CHARS,
            ram_errors.INVALID_PARAMETER_NEW_DISPLAY_NAME_LENGTH,
        )
    ),
)
NEW_MOBILE_PHONE = Parameter(
    name="NewMobilePhone",
    doc="New country code and number; empty: none.",
    example="86-1868888****",
    **_clearing(_formed(names.MOBILE_PHONE, ram_errors.INVALID_PARAMETER_NEW_MOBILE_PHONE_FORMAT)),
)
NEW_EMAIL = Parameter(
    name="NewEmail",
    doc="New e-mail address; empty: none.",
    example="alice@example.com",
    **_clearing(_formed(names.EMAIL, ram_errors.INVALID_PARAMETER_NEW_EMAIL_FORMAT)),
)
NEW_COMMENTS = Parameter(
    doc="What the user is for from now on; empty: nothing said.",
    example="Reads the contacts for the monthly report",
    **_clearing(_bounded("NewComments", names.COMMENTS_LENGTH, ram_errors.INVALID_PARAMETER_NEW_COMMENTS_LENGTH)),
)
USER_ACCESS_KEY_ID = Parameter(
    name="UserAccessKeyId", parse=parse_text, doc="Id of the key.", example="MCAbCdEfGhIjKlMnOpQrStUv"
)
STATUS = Parameter(
    name="Status",
    parse=lambda text, _rules: KeyStatus(text),
    doc="Whether the key can be used.",
    example="Inactive",
    choices=tuple(KeyStatus),
)
POLICY_NAME = Parameter(
    name="PolicyName",
    doc="Name of the policy: 1 to 128 letters, digits and `-`.",
    example="read-contacts",
    **_named(
        names.POLICY_NAME,
        names.POLICY_NAME_LENGTH,
        ram_errors.INVALID_PARAMETER_POLICY_NAME_INVALID_CHARS,
        ram_errors.INVALID_PARAMETER_POLICY_NAME_LENGTH,
    ),
)


def _policy_type(text: str, _rules: Rules) -> PolicyType:
    try:
        return PolicyType(text)
    except ValueError:
        raise ram_errors.INVALID_PARAMETER_POLICY_TYPE() from None


POLICY_TYPE = Parameter(
    name="PolicyType",
    parse=_policy_type,
    doc="`System`: comes with the service; `Custom`: made by the account.",
    example="Custom",
    choices=tuple(PolicyType),
    invalid=(ram_errors.INVALID_PARAMETER_POLICY_TYPE,),
)
POLICY_DOCUMENT = Parameter(
    name="PolicyDocument",
    parse=_document,
    doc="What the policy allows and denies: JSON, at most 6,144 characters.",
    example='{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "resourcemanager:Get*", "Resource": "*"}]}',
    invalid=(ram_errors.INVALID_PARAMETER_POLICY_DOCUMENT_LENGTH, ram_errors.MALFORMED_POLICY_DOCUMENT),
)
DESCRIPTION = Parameter(
    doc="What the policy is for, at most 1,024 characters.",
    example="Reads contacts, changes nothing",
    **_bounded("Description", names.DESCRIPTION_LENGTH, ram_errors.INVALID_PARAMETER_DESCRIPTION_LENGTH),
)
NEW_DESCRIPTION = Parameter(
    doc="What the policy is for, at most 1,024 characters.",
    example="Reads contacts and folders",
    **_clearing(
        _bounded("NewDescription", names.DESCRIPTION_LENGTH, ram_errors.INVALID_PARAMETER_NEW_DESCRIPTION_LENGTH)
    ),
)
VERSION_ID = Parameter(
    name="VersionId",
    doc="Version of the policy.",
    example="v2",
    **_formed(names.VERSION_ID, ram_errors.INVALID_PARAMETER_VERSION_ID_FORMAT),
)
SET_AS_DEFAULT = Parameter(
    name="SetAsDefault",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Whether the new version counts from now on.",
    example="true",
    default=False,
)
_ROTATION = {"None": False, "DeleteOldestNonDefaultVersionWhenLimitExceeded": True}


def _rotate_strategy(text: str, _rules: Rules) -> bool:
    if text not in _ROTATION:
        raise ValueError(text)
    return _ROTATION[text]


ROTATE_STRATEGY = Parameter(
    name="RotateStrategy",
    parse=_rotate_strategy,
    doc="Whether the oldest version that is not in force gives way to a sixth one; `None` when not given.",
    example="DeleteOldestNonDefaultVersionWhenLimitExceeded",
    choices=tuple(_ROTATION),
)
CASCADING_DELETE = Parameter(
    name="CascadingDelete",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="Whether versions that are not in force go with the policy; else they are in the way.",
    example="true",
    default=False,
)
#: Ignoring it would grant, or take, more than was asked for.
RESOURCE_GROUP_ID = Parameter(
    name="ResourceGroupId",
    parse=_refused,
    doc="There are no resource groups: any value is refused.",
    example="",
)
TAG = Parameter(
    name="Tag",
    kind=Kind.OBJECTS,
    parse=_refused,
    doc="Policies have no tags: any value is refused.",
    example=[],
)
MARKER_OF_USERS = Parameter(
    name="Marker", parse=_user_marker, doc="Marker of the page wanted, from the page before.", example="ZGFzaGJvYXJk"
)
MARKER_OF_POLICIES = replace(MARKER_OF_USERS, parse=_policy_marker, example="Q3VzdG9tL3JlYWQtY29udGFjdHM")
MAX_ITEMS = Parameter(
    name="MaxItems",
    kind=Kind.INTEGER,
    parse=integer_between(1, _MOST_ITEMS),
    doc=f"Entries per page, 1 to {_MOST_ITEMS}.",
    example=str(_DEFAULT_ITEMS),
    default=_DEFAULT_ITEMS,
)
