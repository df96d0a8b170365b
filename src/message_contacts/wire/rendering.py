"""Answers and errors as bytes, in JSON and XML.

Source: contract/protocol.md sections 5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.protocol.xml_text import xml_document
from message_contacts.quick import quickly_made
from message_contacts.wire.reading import Format

#: Seconds that the server keeps an idle connection, as it tells its clients.
KEEP_ALIVE_SECONDS = 25

# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_JSON = Format.JSON
_CONTENT_TYPE_JSON = (b"content-type", b"application/json;charset=utf-8")
_CONTENT_TYPE_XML = (b"content-type", b"text/xml;charset=utf-8")
_KEEP_ALIVE = (b"keep-alive", b"timeout=%d" % KEEP_ALIVE_SECONDS)


@quickly_made
@dataclass(frozen=True, slots=True)
class Response:
    """An answer ready to be sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = field(repr=False)


def answer(operation_name: str, fields: Mapping[str, Any], *, request_id: str, answer_format: Format) -> Response:
    """The answer to a call that was carried out."""
    content = {"RequestId": request_id, **fields}
    is_json = answer_format is _JSON
    body = orjson.dumps(content) if is_json else xml_document(f"{operation_name}Response", content)
    return _response(200, answer_format, request_id, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """What every error body of this server has in common."""

    #: Host of the link in `Recommend`.
    recommend_host: str = "api.aliyun.com"

    def refuse(
        self,
        refusal: ApiError | ErrorDefinition,
        *,
        request_id: str,
        host: str,
        answer_format: Format,
        product: str = "ResourceDirectoryMaster",
    ) -> Response:
        """The answer to a call that was refused.

        Args:
            host: The request's Host header; empty when it has none or never got that far.
            product: The product that the call's version belongs to.
        """
        error = refusal if isinstance(refusal, ApiError) else refusal()
        code = error.definition.code
        query = f"q={quote(code, safe='.')}&product={product}&requestId={request_id}"
        recommend = f"https://{self.recommend_host}/troubleshoot?{query}"
        content: dict[str, Any]
        if answer_format is Format.JSON:  # field order of the vendor's gateway
            content = {
                "RequestId": request_id,
                "Message": error.message,
                "HostId": host,
                "Code": code,
                "Recommend": recommend,
            }
        else:
            content = {
                "RequestId": request_id,
                "HostId": host,
                "Code": code,
                "Message": error.message,
                "Recommend": recommend,
            }
        if error.access_denied is not None:
            content["AccessDeniedDetail"] = dict(error.access_denied)
        body = orjson.dumps(content) if answer_format is Format.JSON else xml_document("Error", content)
        response = _response(error.definition.status, answer_format, request_id, body)
        # Only with throttling: some clients act on it whatever the error is.
        if error.retry_after_ms is not None and code.startswith("Throttling"):
            retry_after = (b"x-acs-retry-after", b"%d" % error.retry_after_ms)
            return Response(response.status, (*response.headers, retry_after), body)
        return response


def _response(status: int, answer_format: Format, request_id: str, body: bytes) -> Response:
    identifier = request_id.encode()
    return Response(
        status,
        (
            _CONTENT_TYPE_JSON if answer_format is _JSON else _CONTENT_TYPE_XML,
            (b"content-length", b"%d" % len(body)),
            (b"x-acs-request-id", identifier),
            (b"x-acs-trace-id", identifier.replace(b"-", b"").lower()),
            _KEEP_ALIVE,
        ),
        body,
    )
