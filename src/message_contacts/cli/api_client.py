"""Signed calls over HTTP, for the command line."""

from __future__ import annotations

import http.client
import json
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from message_contacts.clock import SystemClock
from message_contacts.protocol.signature import canonical_query
from message_contacts.protocol.signing import FORM, Signer, sign_v3
from message_contacts.settings import is_loopback

_TIMEOUT_SECONDS = 40


class CallRefusedError(Exception):
    """The service answered with an error."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("Code", ""))
        self.message = str(body.get("Message", ""))
        self.request_id = str(body.get("RequestId", ""))
        detail = body.get("AccessDeniedDetail")
        #: The permission that was missing, e.g. `ram:CreateUser`; empty when something else was wrong.
        self.permission = str(detail.get("AuthAction", "")) if isinstance(detail, Mapping) else ""
        super().__init__(f"{self.code}: {self.message}")


class EndpointFailedError(Exception):
    """No answer, or one that is not the service's; the text says what to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to call, and as whom."""

    #: `http://127.0.0.1:8080`; without a scheme, HTTPS, or HTTP on this very machine.
    url: str
    access_key_id: str
    access_key_secret: str

    def call(self, version: str, action: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Carry out an operation and return its answer.

        The parameters travel as a form: a line of a request has room for 20,000 characters only.

        Raises: CallRefusedError, EndpointFailedError.
        """
        scheme, address = self._address()
        request = sign_v3(
            Signer(access_key_id=self.access_key_id, access_key_secret=self.access_key_secret),
            host=address,
            action=action,
            version=version,
            parameters={},
            body=canonical_query(parameters).encode(),
            content_type=FORM,
            nonce=uuid.uuid4().hex,
            now=SystemClock().now(),
        )
        connection = _connection(scheme, address)
        try:
            connection.request(request.method, request.target, body=request.body, headers=dict(request.headers))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as failure:
            reason = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
            raise EndpointFailedError(f"no answer from {self.url}: {reason}. Is the service running there?") from None
        finally:
            connection.close()
        return _understood(self.url, answer.status, content)

    def _address(self) -> tuple[str, str]:
        """Scheme, and host with port.

        Raises: EndpointFailedError when the URL names none.
        """
        parts = urlsplit(self.url if "://" in self.url else f"//{self.url}")
        try:
            host, _ = parts.hostname or "", parts.port
        except ValueError:  # a port that is no number
            host = ""
        scheme = parts.scheme or ("http" if is_loopback(host) else "https")
        if scheme not in ("http", "https") or not host:
            raise EndpointFailedError(f"{self.url} is not an address such as http://127.0.0.1:8080")
        return scheme, parts.netloc


def _connection(scheme: str, address: str) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(address, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
    return http.client.HTTPConnection(address, timeout=_TIMEOUT_SECONDS)


def _understood(url: str, status: int, content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "RequestId" not in body:
        raise EndpointFailedError(f"{url} answered with status {status}, but not as this service does")
    if status != 200:
        raise CallRefusedError(status, body)
    return body
