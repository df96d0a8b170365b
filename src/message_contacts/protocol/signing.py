"""Signing a request, for whoever calls the API: the command line, the console's samples, tests.

Source: contract/protocol.md sections 1 to 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from message_contacts.clock import Instant
from message_contacts.protocol.signature import (
    V3_ALGORITHM,
    canonical_query,
    format_timestamp,
    payload_hash,
    v1_signature,
    v1_string_to_sign,
    v3_canonical_request,
    v3_signature,
    v3_string_to_sign,
)

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An access key at its caller's."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    #: Only with temporary keys.
    security_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request ready to be sent. Every header in it is signed or needed; add none that the signature covers."""

    method: str
    #: Path and query, e.g. `/?Name=tom`.
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


def sign_v3(
    signer: Signer,
    *,
    host: str,
    action: str,
    version: str,
    parameters: Mapping[str, str],
    nonce: str,
    now: Instant,
    method: str = "POST",
    body: bytes = b"",
    content_type: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> SignedRequest:
    """Sign a call the V3 way, parameters in the query.

    Args:
        host: As the client will send it, with the port if it is not the default one.
        parameters: Flat names and values (`protocol.parameters.flattened`).
        body: Parameters may be here instead, as form or JSON; then say `content_type`.
        headers: More headers to send and sign, e.g. `accept`.
    """
    given = {name.lower(): value for name, value in (headers or {}).items()}
    given |= {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": format_timestamp(now),
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": payload_hash(body),
    }
    if content_type is not None:
        given["content-type"] = content_type
    if signer.security_token is not None:
        given["x-acs-security-token"] = signer.security_token
    signed_headers = ";".join(sorted(given))
    as_sent = {name.encode(): value.encode("latin-1") for name, value in given.items()}
    canonical = v3_canonical_request(method, parameters, as_sent, signed_headers, given["x-acs-content-sha256"])
    signature = v3_signature(v3_string_to_sign(canonical), signer.access_key_secret)
    given["authorization"] = (
        f"{V3_ALGORITHM} Credential={signer.access_key_id},SignedHeaders={signed_headers},Signature={signature}"
    )
    query = canonical_query(parameters)
    return SignedRequest(method=method, target=f"/?{query}" if query else "/", headers=given, body=body)


def sign_v1(
    signer: Signer,
    *,
    host: str,
    action: str,
    version: str,
    parameters: Mapping[str, str],
    nonce: str,
    now: Instant,
    method: str = "POST",
    signature_method: str = "HMAC-SHA1",
    answer_format: str | None = "JSON",
    in_form: bool = False,
) -> SignedRequest:
    """Sign a call the RPC way (version 1).

    Args:
        host: As the client will send it, with the port if it is not the default one.
        answer_format: `JSON` or `XML`; None leaves `Format` out, which means XML.
        in_form: Whether all parameters travel as a form body (then `method` is POST) instead of in the query.
    """
    signed = {
        **parameters,
        "Action": action,
        "Version": version,
        "AccessKeyId": signer.access_key_id,
        "SignatureMethod": signature_method,
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": format_timestamp(now),
    }
    if answer_format is not None:
        signed["Format"] = answer_format
    if signer.security_token is not None:
        signed["SecurityToken"] = signer.security_token
    string_to_sign = v1_string_to_sign(method, signed)
    signed["Signature"] = v1_signature(string_to_sign, signer.access_key_secret, signature_method)
    text = canonical_query(signed)
    headers = {"host": host}
    if not in_form:
        return SignedRequest(method=method, target=f"/?{text}", headers=headers, body=b"")
    headers["content-type"] = FORM
    return SignedRequest(method=method, target="/", headers=headers, body=text.encode())
