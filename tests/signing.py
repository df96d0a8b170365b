"""Signed requests, made here by the book and without the program's own signing, so that one checks the other.

Source: contract/protocol.md sections 2 and 3.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

HOST = "contacts.test"


@dataclass(frozen=True)
class SignedRequest:
    """What goes over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""


def flatten(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Values as the vendor's clients flatten them: lists from 1, booleans in words, None left out."""
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            flat.update({f"{name}.{key}": item for key, item in flatten(value).items()})
        elif isinstance(value, Sequence) and not isinstance(value, str):
            flat.update(flatten({f"{name}.{position}": item for position, item in enumerate(value, 1)}))
        else:
            flat[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def encoded(text: str) -> str:
    """Percent-encoding of both signatures."""
    return quote(text, safe="-_.~")


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Sorted by name, encoded, joined."""
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(parameters.items()))


def timestamp(now_ms: int) -> str:
    """`yyyy-MM-ddTHH:mm:ssZ`."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def v3(
    action: str,
    parameters: Mapping[str, Any],
    *,
    key_id: str,
    secret: str,
    now_ms: int,
    version: str = "2022-04-19",
    nonce: str | None = None,
    method: str = "POST",
    form: Mapping[str, Any] | None = None,
    extra_headers: Mapping[str, str] | None = None,
) -> SignedRequest:
    """A request signed with ACS3-HMAC-SHA256; parameters in the query, `form` in the body."""
    query = canonical_query(flatten(parameters))
    body = urlencode(flatten(form)).encode() if form else b""
    payload_hash = hashlib.sha256(body).hexdigest()
    headers = {
        "host": HOST,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": timestamp(now_ms),
        "x-acs-signature-nonce": nonce or uuid.uuid4().hex,
        "x-acs-content-sha256": payload_hash,
        **({"content-type": "application/x-www-form-urlencoded"} if body else {}),
        **(extra_headers or {}),
    }
    signed = sorted(headers)
    canonical = "\n".join(
        [
            method,
            "/",
            query,
            *(f"{name}:{headers[name].strip()}" for name in signed),
            "",
            ";".join(signed),
            payload_hash,
        ]
    )
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.digest(secret.encode(), to_sign.encode(), "sha256").hex()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={';'.join(signed)},Signature={signature}"
    )
    return SignedRequest(method, "/?" + query if query else "/", list(headers.items()), body)


def v1(
    action: str,
    parameters: Mapping[str, Any],
    *,
    key_id: str,
    secret: str,
    now_ms: int,
    version: str = "2022-04-19",
    nonce: str | None = None,
    method: str = "GET",
    response_format: str | None = "JSON",
    algorithm: str = "HMAC-SHA1",
    in_form: bool = False,
    overrides: Mapping[str, str | None] | None = None,
) -> SignedRequest:
    """A request signed the RPC way; business parameters in the query, or in the form.

    Args:
        overrides: Common parameters set to another value, or left out (None), before signing.
    """
    common: dict[str, str | None] = {
        "Action": action,
        "Version": version,
        "AccessKeyId": key_id,
        "SignatureMethod": algorithm,
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce or uuid.uuid4().hex,
        "Timestamp": timestamp(now_ms),
        "Format": response_format,
        **(overrides or {}),
    }
    query = {name: value for name, value in common.items() if value is not None}
    business = flatten(parameters)
    to_sign = f"{method}&%2F&{encoded(canonical_query({**query, **business}))}"
    digest = "sha256" if algorithm == "HMAC-SHA256" else "sha1"
    query["Signature"] = base64.b64encode(hmac.digest(f"{secret}&".encode(), to_sign.encode(), digest)).decode()
    headers = [("host", HOST)]
    if in_form:
        headers.append(("content-type", "application/x-www-form-urlencoded"))
        return SignedRequest(method, "/?" + urlencode(query), headers, urlencode(business).encode())
    return SignedRequest(method, "/?" + urlencode({**query, **business}), headers)
