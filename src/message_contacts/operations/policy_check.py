"""Whether a user or key may do something, before anybody tries. Ours, version 2026-11-01."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts.access.conditions import Condition, Context, address_of
from message_contacts.access.evaluation import Verdict
from message_contacts.access.model import AccessKey, Caller, KeyStatus, User
from message_contacts.access.simulation import NearMiss, Simulation, simulate
from message_contacts.clock import Instant
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.imagined_calls import (
    INVALID_OPERATION,
    INVALID_OPERATION_VERSION,
    INVALID_RESOURCES,
    arguments_naming,
    operation_of,
)
from message_contacts.operations.moments import moment_parameter
from message_contacts.operations.own_parameters import VERSIONS, missing_parameter, text
from message_contacts.operations.permissions import MOST_IDS, deniable_resources, resources_of
from message_contacts.operations.registry import (
    PRODUCTS,
    Access,
    Field,
    Items,
    Kind,
    Operation,
    Parameter,
    operation,
)
from message_contacts.operations.values import parse_boolean, parse_text

MISSING_OPERATION = missing_parameter("Operation")
MISSING_USER_OR_KEY = ErrorDefinition(
    400, "MissingParameter.UserNameOrUserAccessKeyId", "You must specify either UserName or UserAccessKeyId."
)
INVALID_SOURCE_IP = ErrorDefinition(400, "InvalidParameter.SourceIp", "The SourceIp is invalid.")
INVALID_TIME = ErrorDefinition(400, "InvalidParameter.Time", "The Time is invalid.")
INVALID_SECURE_TRANSPORT = ErrorDefinition(400, "InvalidParameter.SecureTransport", "The SecureTransport is invalid.")
INVALID_USER_AND_KEY = ErrorDefinition(
    400,
    "InvalidParameter.UserNameAndUserAccessKeyId",
    "You can specify either UserName or UserAccessKeyId, not both.",
)
NO_USER = ErrorDefinition(404, "EntityNotExists.User", "The user does not exist.")
NO_ACCESS_KEY = ErrorDefinition(404, "EntityNotExists.AccessKey", "The access key does not exist.")


def _parse_source_ip(text_: str, _rules: Rules) -> str:
    if address_of(text_) is None:
        raise INVALID_SOURCE_IP()
    return text_


def _parse_secure_transport(text_: str, rules: Rules) -> bool:
    try:
        return parse_boolean(text_, rules)
    except ValueError:
        raise INVALID_SECURE_TRANSPORT() from None


def _parse_resources(texts: Sequence[str], _rules: Rules) -> Sequence[str]:
    if len(texts) > MOST_IDS:
        raise INVALID_RESOURCES()
    return texts


_POLICY_FIELDS = {
    "PolicyName": Field("string", "Name of the policy.", "read-contacts"),
    "PolicyType": Field("string", "System or Custom.", "Custom"),
    "VersionId": Field("string", "Its version in force.", "v2"),
    "Position": Field("integer", "Which of its statements, from 1.", 1),
}


@operation(
    "SimulateAccess",
    versions=VERSIONS,
    access=Access.READ,
    doc="Tells whether a user, or whoever has a key, may call an operation, which statement of which policy decides, "
    "and what is lacking. It decides as a call would be decided, and calls nothing.",
    source="Ours, 2026-11-22",
    parameters=[
        text("UserName", "Name of the RAM user. Either this or UserAccessKeyId.", "dashboard"),
        text("UserAccessKeyId", "A key of the account or of one of its users.", "MCAbCdEfGhIjKlMnOpQrStUv"),
        text("Operation", "Name of the operation.", "GetMessageContact").needed(MISSING_OPERATION),
        Parameter(
            name="OperationVersion",
            parse=parse_text,
            doc="Version of the operation; the first that has one of that name when absent.",
            example="2022-04-19",
            choices=tuple(PRODUCTS),
            invalid=(INVALID_OPERATION_VERSION,),
        ),
        Parameter(
            name="Resources",
            kind=Kind.TEXTS,
            parse=_parse_resources,
            doc="What the call would be about, such as `messagecontact/c-1`, alone or with "
            "`acs:resourcemanager:*:<account>:` before it. What is not named counts as `*`, as it does in a call.",
            example=["messagecontact/c-qL4HqKONzOM7****"],
            default=(),
            invalid=(INVALID_RESOURCES,),
        ),
        Parameter(
            name="SourceIp",
            parse=_parse_source_ip,
            doc="Where the call would come from; from where this one comes when absent.",
            example="203.0.113.7",
            invalid=(INVALID_SOURCE_IP,),
        ),
        moment_parameter("Time", "When the call would be made; now when absent.", INVALID_TIME),
        Parameter(
            name="SecureTransport",
            kind=Kind.BOOLEAN,
            parse=_parse_secure_transport,
            doc="Whether the call would come over TLS.",
            example="true",
            default=True,
            invalid=(INVALID_SECURE_TRANSPORT,),
        ),
    ],
    raises=[
        MISSING_USER_OR_KEY,
        MISSING_OPERATION,
        INVALID_USER_AND_KEY,
        INVALID_OPERATION,
        INVALID_OPERATION_VERSION,
        INVALID_RESOURCES,
        INVALID_SOURCE_IP,
        INVALID_TIME,
        INVALID_SECURE_TRANSPORT,
        NO_USER,
        NO_ACCESS_KEY,
    ],
    returns={
        "Allowed": Field("boolean", "Whether the call would be let pass.", example=True),
        "Reason": Field(
            "string",
            "AllowedByPolicy; AllowedToEveryone: the operation needs no permission; AccountItself: the account's own "
            "key may do everything; DeniedByPolicy; NotAllowed: no statement allows it; KeyInactive: the key is "
            "switched off, so that nothing can be called with it.",
            "AllowedByPolicy",
        ),
        "Permission": Field("string", "Permission that the call needs.", "resourcemanager:GetMessageContact"),
        "Resources": Items(
            Field(
                "string",
                "What it needs it for.",
                "acs:resourcemanager:*:151266687691****:messagecontact/c-qL4HqKONzOM7****",
            )
        ),
        "UserName": Field("string", "The user that would call; absent for the account itself.", "dashboard"),
        "DecidedBy": {
            **_POLICY_FIELDS,
            "Resource": Field(
                "string",
                "What it allows or denies it for; one of Resources, or what the operation takes for a parameter that "
                "is left out, such as the user that calls.",
                "acs:resourcemanager:*:151266687691****:messagecontact/c-qL4HqKONzOM7****",
            ),
            "Statement": Field(
                "string", "The statement that allows or denies, JSON.", '{"Effect": "Allow", "Action": "*"}'
            ),
        },
        "Missing": {
            "Resource": Field(
                "string",
                "The resource for which nothing allows the call.",
                "acs:resourcemanager:*:151266687691****:messagecontact/*",
            ),
            "Statement": Field(
                "string",
                "A statement that would allow it, and nothing else.",
                '{"Effect": "Allow", "Action": "resourcemanager:GetMessageContact", "Resource": "*"}',
            ),
            "NearMisses": Items(
                {
                    **_POLICY_FIELDS,
                    "ResourceFits": Field("boolean", "Whether it is about the resource.", example=True),
                    "UnmetConditions": Items(
                        {
                            "Operator": Field("string", "Operator of the condition.", "IpAddress"),
                            "ConditionKey": Field("string", "What the condition is about.", "acs:SourceIp"),
                            "ConditionValues": Items(Field("string", "What it asks for.", "10.0.0.0/8")),
                            "CallValue": Field("string", "What the call would have; empty for none.", "203.0.113.7"),
                        }
                    ),
                }
            ),
        },
    },
    resources=["access/*"],
    needs_directory=False,
)
async def simulate_access(
    call: Call,
    *,
    user_name: str | None,
    user_access_key_id: str | None,
    operation: str,
    operation_version: str | None,
    resources: Sequence[str],
    source_ip: str | None,
    time: Instant | None,
    secure_transport: bool,
) -> Mapping[str, Any]:
    asked = operation_of(operation, operation_version)
    arguments = arguments_naming(asked, resources, call.account_id)
    about = resources_of(asked, arguments, call.account_id)
    user, key = await _caller(call, user_name, user_access_key_id)
    told = {
        "Permission": asked.permission,
        "Resources": about,
        **({} if user is None else {"UserName": user.name}),
    }
    if key is not None and key.status is not KeyStatus.ACTIVE:
        return {"Allowed": False, "Reason": "KeyInactive", **told}
    if user is None:
        return {"Allowed": True, "Reason": "AccountItself", **told}
    if asked.always_allowed:
        return {"Allowed": True, "Reason": "AllowedToEveryone", **told}
    attached = await call.services.grants.attached_policies(call.account_id, user.user_id)
    if attached is None:
        raise NO_USER(user_id=user.user_id)
    context = Context(
        source_address=source_ip or call.source_address,
        now=call.now if time is None else time,
        secure=secure_transport,
    )
    deniable = await deniable_resources(
        asked,
        arguments,
        Caller(call.account_id, "", user.user_id),
        directory=call.enabled_directory,
        services=call.services,
    )
    found = simulate(attached, asked.permission, about, context, deniable=deniable)
    return {**_answer(found, asked.permission, context), **told}


async def _caller(call: Call, user_name: str | None, access_key_id: str | None) -> tuple[User | None, AccessKey | None]:
    """The user, None being the account itself, and the key that was asked about."""
    ram, account_id = call.services.ram, call.account_id
    if user_name is not None and access_key_id is not None:
        raise INVALID_USER_AND_KEY()
    if user_name is not None:
        user = await ram.user_by_name(account_id, user_name)
        if user is None:
            raise NO_USER()
        return user, None
    if access_key_id is None:
        raise MISSING_USER_OR_KEY()
    key = await call.services.access.access_key(access_key_id)
    if key is None or key.account_id != account_id:
        raise NO_ACCESS_KEY()
    if key.user_id is None:
        return None, key
    owner = await ram.user(account_id, key.user_id)
    if owner is None:  # deleted since the key was looked up
        raise NO_ACCESS_KEY()
    return owner, key


def _answer(found: Simulation, permission: str, context: Context) -> dict[str, Any]:
    decision = found.decision
    if decision.policy is None:
        return {
            "Allowed": False,
            "Reason": "NotAllowed",
            "Missing": {
                "Resource": decision.resource,
                "Statement": json.dumps({"Effect": "Allow", "Action": permission, "Resource": decision.resource}),
                "NearMisses": [_near_miss(miss, context) for miss in found.near_misses],
            },
        }
    allowed = decision.verdict is Verdict.ALLOWED
    return {
        "Allowed": allowed,
        "Reason": "AllowedByPolicy" if allowed else "DeniedByPolicy",
        "DecidedBy": {
            "PolicyName": decision.policy.name,
            "PolicyType": decision.policy.type,
            "VersionId": decision.policy.version_id,
            "Position": decision.statement,
            "Resource": decision.resource,
            "Statement": found.statement,
        },
    }


def _near_miss(miss: NearMiss, context: Context) -> dict[str, Any]:
    return {
        "PolicyName": miss.policy.name,
        "PolicyType": miss.policy.type,
        "VersionId": miss.policy.version_id,
        "Position": miss.statement,
        "ResourceFits": miss.names_resource,
        "UnmetConditions": [_unmet(condition, context) for condition in miss.unmet],
    }


def _unmet(condition: Condition, context: Context) -> dict[str, Any]:
    return {
        "Operator": condition.operator,
        "ConditionKey": condition.key,
        "ConditionValues": list(condition.values),
        "CallValue": context.text(condition.key) or "",
    }


OPERATIONS: tuple[Operation, ...] = (simulate_access,)
