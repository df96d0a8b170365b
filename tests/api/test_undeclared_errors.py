"""An error that an operation does not declare is a bug, and is logged as one."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from message_contacts import errors
from message_contacts.access.model import Caller
from message_contacts.errors import ApiError
from message_contacts.operations.registry import Access, operation
from message_contacts.protocol.parameters import Arguments
from tests.harness import Api


@pytest.mark.parametrize(
    ("raised", "is_bug"),
    [
        (errors.ENTITY_NOT_EXISTS_CONTACT, False),
        (errors.CONCURRENT_CALL_NOT_SUPPORTED, False),
        (errors.INVALID_MEMBER, True),
    ],
)
async def test_undeclared_error_is_logged_with_its_trace(
    api: Api, raised: errors.ErrorDefinition, is_bug: bool
) -> None:
    @operation("Try", access=Access.READ, doc="", source="", raises=[errors.ENTITY_NOT_EXISTS_CONTACT])
    async def refuse(_call: object) -> dict[str, str]:
        raise raised()

    invoker = api.service.invoker
    caller = Caller(api.account_id, "")
    with capture_logs() as logs, pytest.raises(ApiError):
        await invoker.invoke(
            refuse,
            Arguments({}),
            caller,
            request_id="",
            nonce=None,
            source_address="",
            secure=False,
        )
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == (
        ["undeclared_error"] if is_bug else []
    )
