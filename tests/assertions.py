"""How tests look at errors: always the whole body."""

from __future__ import annotations

import re
from typing import Any

from message_contacts.errors import ErrorDefinition

REQUEST_ID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}")


def assert_error(
    response: tuple[int, dict[str, Any]],
    expected: ErrorDefinition,
    *,
    message: str | None = None,
    product: str = "ResourceDirectoryMaster",
) -> None:
    """That the answer is exactly this error of the table: status and the whole JSON body."""
    status, body = response
    request_id = body.get("RequestId", "")
    assert body == {
        "RequestId": request_id,
        "Message": expected.message if message is None else message,
        "HostId": "contacts.test",
        "Code": expected.code,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={expected.code}&product={product}&requestId={request_id}",
    }
    assert REQUEST_ID.fullmatch(request_id)
    assert status == expected.status


def assert_own_error(response: tuple[int, dict[str, Any]], expected: ErrorDefinition) -> None:
    """The same for an operation of ours."""
    assert_error(response, expected, product="MessageContacts")
