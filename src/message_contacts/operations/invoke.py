"""From a proven caller and raw arguments to an answer: permission, directory, parameters, handler.

The order of checks is contract/protocol.md section 7, steps 8 to 11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from message_contacts import errors
from message_contacts.access.authorizer import Authorizer
from message_contacts.access.model import Caller
from message_contacts.changes import Nonce
from message_contacts.directory.model import ResourceDirectory
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.operations.call import Call, Rules, Services
from message_contacts.operations.permissions import deniable_resources, resources_of
from message_contacts.operations.registry import Operation, Parameter
from message_contacts.protocol.parameters import Arguments

log = structlog.get_logger(__name__)

#: What every operation can answer, listed or not. Any other code that is not in an operation's table is a bug.
_ANY_OPERATION = frozenset(
    {
        errors.CONCURRENT_CALL_NOT_SUPPORTED,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.NO_PERMISSION,
        errors.SERVICE_UNAVAILABLE,
        errors.SIGNATURE_NONCE_USED,
    }
)
#: Rank of an error that the operation's table does not list: behind all that it does.
_UNLISTED = 1_000


class Invoker:
    """Carries out operations."""

    def __init__(self, services: Services, authorizer: Authorizer) -> None:
        self._services = services
        self._authorizer = authorizer

    async def invoke(
        self,
        operation: Operation,
        arguments: Arguments,
        caller: Caller,
        *,
        request_id: str,
        nonce: Nonce | None,
        source_address: str,
        secure: bool,
        directory: ResourceDirectory | None = None,
    ) -> Mapping[str, Any]:
        """Carry out one call.

        Args:
            nonce: Stored in the commit of a changing operation; None when the call was not signed by a stranger.
            secure: Whether the call came over TLS.
            directory: The caller's, where it was read with the caller's key; else it is looked up.
        Returns:
            The fields of the answer, RequestId aside.
        Raises:
            ApiError: What the caller is told. Anything else is a bug.
        """
        services = self._services
        if directory is None:
            directory = await services.directory.directory(caller.account_id)
        # Before anything that says what there is: a caller without permission learns nothing.
        if caller.user_id is not None and not operation.always_allowed:
            await self._authorizer.check(
                caller,
                operation_name=operation.name,
                permission=operation.permission,
                resources=resources_of(operation, arguments, caller.account_id),
                deniable=await deniable_resources(operation, arguments, caller, directory=directory, services=services)
                if operation.implying or operation.naming
                else (),
                request_id=request_id,
                source_address=source_address,
                secure=secure,
            )
        if directory is None and operation.needs_directory:
            raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY(account_id=caller.account_id)
        values = checked(operation, arguments, services.rules)
        call = Call(
            services=services,
            caller=caller,
            operation=operation.name,
            request_id=request_id,
            now=services.clock.now(),
            enabled_directory=directory,
            nonce=nonce,
            source_address=source_address,
        )
        try:
            return await operation.handler(call, **values)
        except ApiError as refusal:
            if refusal.definition.code not in operation.rank and refusal.definition not in _ANY_OPERATION:
                log.exception("undeclared_error", operation=operation.name, code=refusal.definition.code)
            raise


def checked(operation: Operation, arguments: Arguments, rules: Rules) -> dict[str, Any]:
    """The handler's keywords: every parameter parsed, defaults filled in.

    Raises:
        ApiError: The first failure in the order of the operation's error table, all Missing before all Invalid.
    """
    given: list[tuple[Parameter, Any]] = []
    failures: list[ApiError] = []
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        try:
            raw = parameter.given(arguments)
        except ValueError:
            failures.append(_invalid(parameter)(parameter=parameter.name))
            continue
        if raw is not None:
            given.append((parameter, raw))
        elif parameter.required:
            failures.append(parameter.missing_error(parameter=parameter.name))
        else:
            values[parameter.keyword] = parameter.default
    if failures:
        missing = [failure for failure in failures if failure.definition.code.startswith("Missing")]
        if missing:
            raise _first(operation, missing)
    for parameter, raw in given:
        try:
            values[parameter.keyword] = parameter.parse(raw, rules)
        except ApiError as refusal:
            failures.append(refusal)
        except ValueError:
            failures.append(_invalid(parameter)(parameter=parameter.name))
    if failures:
        raise _first(operation, failures)
    return values


def _invalid(parameter: Parameter) -> ErrorDefinition:
    return parameter.invalid[0] if parameter.invalid else errors.invalid(parameter.name)


def _first(operation: Operation, failures: list[ApiError]) -> ApiError:
    """The failure that stands first in the operation's table; between unlisted ones, the first parameter's."""
    return min(failures, key=lambda failure: operation.rank.get(failure.definition.code, _UNLISTED))
