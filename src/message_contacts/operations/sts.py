"""Who am I: version 2015-04-01, product STS. Declaration and thin handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.access import ram_errors, users
from message_contacts.operations.call import Call
from message_contacts.operations.registry import STS, Access, Field, Operation, operation


@operation(
    "GetCallerIdentity",
    access=Access.READ,
    doc="Tells whose access key the call was signed with. Every caller may ask.",
    source="the vendor's STS client for Python, 1.2.0",
    raises=[ram_errors.ENTITY_NOT_EXIST_USER],
    returns={
        "IdentityType": Field("string", "`Account`: the account itself; `RAMUser`: one of its users.", "RAMUser"),
        "AccountId": Field("string", "The account.", "151266687691****"),
        "UserId": Field("string", "Id of the user, or the account itself.", "222748924538****"),
        "PrincipalId": Field("string", "The same.", "222748924538****"),
        "Arn": Field("string", "Full name of the caller.", "acs:ram::151266687691****:user/dashboard"),
    },
    versions=[STS],
    needs_directory=False,
    always_allowed=True,
)
async def get_caller_identity(call: Call) -> Mapping[str, Any]:
    account_id, user_id = call.account_id, call.caller.user_id
    if user_id is None:
        return _identity("Account", account_id, account_id, f"acs:ram::{account_id}:root")
    user = users.existing(await call.services.ram.user(account_id, user_id))
    return _identity("RAMUser", account_id, user_id, f"acs:ram::{account_id}:user/{user.name}")


def _identity(kind: str, account_id: str, caller_id: str, arn: str) -> dict[str, Any]:
    return {
        "IdentityType": kind,
        "AccountId": account_id,
        "UserId": caller_id,
        "PrincipalId": caller_id,
        "Arn": arn,
    }


OPERATIONS: tuple[Operation, ...] = (get_caller_identity,)
