"""A call that nobody makes: which operation it would be of, and which parameters would name what it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from message_contacts.access.model import PolicyType
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.registry import PRODUCTS, Kind, Operation, Target
from message_contacts.protocol.parameters import Arguments

INVALID_OPERATION = ErrorDefinition(400, "InvalidParameter.Operation", "The Operation does not exist.")
INVALID_OPERATION_VERSION = ErrorDefinition(
    400, "InvalidParameter.OperationVersion", "The Operation does not exist in the OperationVersion."
)
INVALID_RESOURCES = ErrorDefinition(
    400, "InvalidParameter.Resources", "The Operation is not about such Resources, or there are too many of them."
)

_FULL_NAME = re.compile(r"acs:([a-z]+):\*:([0-9]+|system):(.+)", re.DOTALL)
#: Owner of the policies of the program.
_SYSTEM = "system"
_EVERYTHING = "*"


def operation_of(name: str, version: str | None) -> Operation:
    """The operation of that name, in the first version that has one unless a version is named.

    Raises: INVALID_OPERATION, INVALID_OPERATION_VERSION.
    """
    # The catalogue holds the operation that asks, too, so that it cannot be there yet when this module is loaded.
    from message_contacts.operations.catalogue import REGISTRY  # noqa: PLC0415

    found = {of_version: entry for of_version, entry in REGISTRY.all() if entry.name == name}
    if not found:
        raise INVALID_OPERATION()
    chosen = version or next(one for one in PRODUCTS if one in found)
    if chosen not in found:
        raise INVALID_OPERATION_VERSION()
    return found[chosen]


def arguments_naming(asked: Operation, given: Sequence[str], account_id: str) -> Arguments:
    """The parameters of a call that names these resources.

    Args:
        given: Such as `messagecontact/c-1`, with or without `acs:resourcemanager:*:<account>:` before it.
    Raises: INVALID_RESOURCES for what calls of this operation cannot name.
    """
    named: dict[str, list[str]] = {}
    lists: set[str] = set()
    arguments: dict[str, object] = {}
    for value in given:
        owner, resource = _owner_and_resource(asked, value, account_id)
        if resource == _EVERYTHING or resource in asked.resources:  # every call is about that, or names nothing
            continue
        target = _target(asked, resource)
        parameter = target.parameters[0]
        named.setdefault(parameter.name, []).append(resource.removeprefix(target.before))
        if parameter.kind is Kind.TEXTS:
            lists.add(parameter.name)
        if owner == _SYSTEM:
            if target.owner is None:
                raise INVALID_RESOURCES()
            arguments[target.owner.name] = PolicyType.SYSTEM.value
    for name, ids in named.items():
        if name not in lists and len(ids) > 1:
            raise INVALID_RESOURCES()
        arguments[name] = ids if name in lists else ids[0]
    return Arguments(arguments)


def _owner_and_resource(asked: Operation, value: str, account_id: str) -> tuple[str, str]:
    full = _FULL_NAME.fullmatch(value)
    if full is None:
        return account_id, value
    family, owner, resource = full.groups()
    if family != asked.family or owner not in (account_id, _SYSTEM):
        raise INVALID_RESOURCES()
    return owner, resource


def _target(asked: Operation, resource: str) -> Target:
    """Where such a resource takes its id from. Raises: INVALID_RESOURCES."""
    for target in (*asked.targets, *asked.naming):
        if target.parameters and resource.startswith(target.before) and resource != target.before:
            return target
    raise INVALID_RESOURCES()
