"""Why a call was refused, for those who manage the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.access.authorizer import POLICY_TYPE, PRINCIPAL_TYPE
from message_contacts.access.diagnosis import Diagnosis
from message_contacts.access.evaluation import Verdict
from message_contacts.access.model import PolicyType
from message_contacts.operations.call import Call
from message_contacts.operations.registry import RAM, Access, Field, Items, Operation, Parameter, operation
from message_contacts.operations.values import parse_text

_MESSAGE = Parameter(
    name="EncodedDiagnosticMessage",
    parse=parse_text,
    doc="`EncodedDiagnosticMessage` of the `AccessDeniedDetail` of a refused call.",
    example="AQEAAAAAZBgxr0U1MjA1NTM1LUM4BBktMzE5RS1CODgxLUU1QTI0RDNFQTM1****",
)


@operation(
    "DecodeDiagnosticMessage",
    versions=[RAM],
    access=Access.READ,
    doc="Tells why a call of a user was refused: what it asked for, and which policy denies it.",
    source="API reference, DecodeDiagnosticMessage, 2025-07-31, and the vendor's Python client of RAM, 1.3.0",
    parameters=[_MESSAGE.needed()],
    raises=[_MESSAGE.missing_error, errors.invalid(_MESSAGE.name)],
    returns={
        "DecodedDiagnosticMessage": {
            "AuthAction": Field("string", "Permission that is lacking.", "resourcemanager:GetMessageContact"),
            "AuthResource": Field(
                "string", "What for.", "acs:resourcemanager:*:151266687691****:messagecontact/c-qL4HqKONzOM7****"
            ),
            "AuthPrincipal": {
                "AuthPrincipalType": Field("string", "SubUser: a RAM user.", "SubUser"),
                "AuthPrincipalOwnerId": Field("string", "The account.", "151266687691****"),
                "AuthPrincipalDisplayName": Field("string", "Id of the user.", "28877424437521****"),
            },
            "AuthConditions": Items(
                {
                    "ConditionKey": Field("string", "What a condition can be about.", "acs:SourceIp"),
                    "ConditionValues": Items(Field("string", "Its value in that call.", "203.0.113.7")),
                }
            ),
            "ExplicitDeny": Field("boolean", "Whether a policy denies it; else none allows it.", example=True),
            "MatchedPolicies": Items(
                {
                    "PolicyIdentifier": Field("string", "Name of the policy that denies it.", "NoDeletion"),
                    "PolicyType": Field("string", "System or Custom.", "Custom"),
                    "PolicyVersion": Field("string", "Its version in force; custom policies only.", "v2"),
                    "Effect": Field("string", "Deny.", "Deny"),
                }
            ),
            "NoPermissionPolicyType": Field("string", "Kind of the policies that were asked.", POLICY_TYPE),
        }
    },
    needs_directory=False,
)
async def decode_diagnostic_message(call: Call, *, encoded_diagnostic_message: str) -> Mapping[str, Any]:
    try:
        diagnosis = call.services.diagnoses.open(encoded_diagnostic_message, call.account_id)
    except ValueError as problem:
        raise errors.invalid(_MESSAGE.name)(problem=str(problem)) from None
    return {"DecodedDiagnosticMessage": _decoded(diagnosis)}


def _decoded(diagnosis: Diagnosis) -> Mapping[str, Any]:
    denying = {"PolicyIdentifier": diagnosis.policy_name, "PolicyType": diagnosis.policy_type, "Effect": "Deny"}
    if diagnosis.policy_type == PolicyType.CUSTOM:
        denying["PolicyVersion"] = diagnosis.policy_version_id
    return {
        "AuthAction": diagnosis.action,
        "AuthResource": diagnosis.resource,
        "AuthPrincipal": {
            "AuthPrincipalType": PRINCIPAL_TYPE,
            "AuthPrincipalOwnerId": diagnosis.account_id,
            "AuthPrincipalDisplayName": diagnosis.user_id,
        },
        "AuthConditions": [
            {"ConditionKey": key, "ConditionValues": [value]} for key, value in diagnosis.conditions.items() if value
        ],
        "ExplicitDeny": diagnosis.verdict == Verdict.EXPLICIT_DENY,
        "MatchedPolicies": [denying] if diagnosis.policy_name else [],
        "NoPermissionPolicyType": POLICY_TYPE,
    }


OPERATIONS: tuple[Operation, ...] = (decode_diagnostic_message,)
