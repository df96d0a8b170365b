"""RAM users for tests, made through the API as their administrator would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.harness import Api

RAM = "2015-05-01"


def statement(effect: str, action: Any, resource: Any = "*", condition: Mapping[str, Any] | None = None) -> Any:
    """One statement of a policy."""
    made = {"Effect": effect, "Action": action, "Resource": resource}
    return made if condition is None else {**made, "Condition": condition}


def policy_document(*statements: Any) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "1", "Statement": list(statements)})


async def add_policy(api: Api, user_name: str, policy_name: str, *statements: Any) -> None:
    """A custom policy, attached."""
    await api.call("CreatePolicy", RAM, PolicyName=policy_name, PolicyDocument=policy_document(*statements))
    await api.call("AttachPolicyToUser", RAM, PolicyType="Custom", PolicyName=policy_name, UserName=user_name)


async def ram_user(api: Api, name: str = "dashboard", *statements: Any, system: Sequence[str] = ()) -> Api:
    """The same service, called with the key of a new user that has one policy, and system policies by name."""
    await api.call("CreateUser", RAM, UserName=name)
    if statements:
        await add_policy(api, name, f"{name}-policy", *statements)
    for policy in system:
        await api.call("AttachPolicyToUser", RAM, PolicyType="System", PolicyName=policy, UserName=name)
    key = (await api.call("CreateAccessKey", RAM, UserName=name))["AccessKey"]
    return replace(api, key_id=key["AccessKeyId"], secret=key["AccessKeySecret"])


async def user_id(api: Api, name: str = "dashboard") -> str:
    """The id of a user."""
    found: str = (await api.call("GetUser", RAM, UserName=name))["User"]["UserId"]
    return found
