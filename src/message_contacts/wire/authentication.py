"""Who signed a request: what it claims, and whether that is true.

Source: contract/protocol.md sections 2, 3, 7 (steps 3 to 6) and 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from message_contacts import errors
from message_contacts.access.keys import KnownKey
from message_contacts.clock import MINUTE, Instant
from message_contacts.errors import ApiError
from message_contacts.protocol import signature
from message_contacts.quick import quickly_made
from message_contacts.wire.reading import Request, Scheme

#: Milliseconds that a request's timestamp may lie before or behind the server's time.
WINDOW = 15 * MINUTE
#: What the id of an access key can look like; another one cannot be known, whatever the store would make of it.
ACCESS_KEY_ID = re.compile(r"[!-~]{1,128}")

#: As the vendor's clients write it.
_AUTHORIZATION = re.compile(r"([^ ,=]+) Credential=([^ ,=]+), ?SignedHeaders=([^ ,=]+), ?Signature=([^ ,=]+)")
_V3_SIGNED = frozenset(
    {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
)
#: Headers that a V3 signature may cover: as many as a request may have.
MAX_SIGNED_HEADERS = 200
#: Characters of what the server computed that a refusal shows. Clients compare it with their own, whole or not at all.
MAX_SHOWN = 65_536

_TOKEN_HEADER = b"x-acs-security-token"
_TOKEN_NAME = _TOKEN_HEADER.decode()
_MASK = b"******"


# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_V1, _V3 = Scheme


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a request says about its signer; nothing of it is proven."""

    scheme: Scheme
    access_key_id: str
    nonce: str
    signed_at: Instant
    #: `SignatureMethod` of RPC version 1, or the algorithm of V3.
    algorithm: str
    signature: str = field(repr=False)
    #: Names that V3 signed, as given; empty with RPC version 1.
    signed_headers: str = ""
    #: Empty with permanent keys.
    security_token: str = field(default="", repr=False)


def claims_of(request: Request) -> Claims:
    """What the request claims, complete and well formed.

    Raises: ApiError.
    """
    return _v3_claims(request) if request.scheme is _V3 else _v1_claims(request)


def check_time(claims: Claims, now: Instant) -> None:
    """Raises: INVALID_TIME_STAMP_EXPIRED when it was signed more than 15 minutes before or after the server's time."""
    if abs(now - claims.signed_at) > WINDOW:
        raise errors.INVALID_TIME_STAMP_EXPIRED(signed_at=claims.signed_at, now=now)


def check_signature(request: Request, claims: Claims, key: KnownKey) -> None:
    """Make sure that the request was signed with this key's secret.

    Raises: SIGNATURE_DOES_NOT_MATCH, with what the server computed: clients compare it with their own.
    """
    if claims.scheme is _V3:
        _check_v3(request, claims, key)
    else:
        _check_v1(request, claims, key)


def _v1_claims(request: Request) -> Claims:
    access_key_id = _required(request, "AccessKeyId")
    given_signature = _required(request, "Signature")
    nonce = _required(request, "SignatureNonce")
    timestamp = _required(request, "Timestamp")
    signed_at = _moment(timestamp)
    if (_text(request, "SignatureVersion") or "1.0") != "1.0":
        raise errors.invalid("SignatureVersion")()
    algorithm = _text(request, "SignatureMethod") or "HMAC-SHA1"
    if algorithm not in signature.V1_METHODS:
        raise errors.INVALID_SIGNATURE_METHOD()
    return Claims(
        scheme=_V1,
        access_key_id=access_key_id,
        nonce=nonce,
        signed_at=signed_at,
        algorithm=algorithm,
        signature=given_signature,
        security_token=_text(request, "SecurityToken"),
    )


def _v3_claims(request: Request) -> Claims:
    headers = request.headers
    algorithm, access_key_id, signed_headers, given_signature = _authorization_parts(request.header(b"authorization"))
    if not (access_key_id and signed_headers and given_signature):
        raise errors.INCOMPLETE_SIGNATURE(reason="Authorization lacks a part")
    nonce = request.header(b"x-acs-signature-nonce")
    if not nonce:
        raise errors.missing("SignatureNonce")()
    timestamp = request.header(b"x-acs-date")
    if not timestamp:
        raise errors.missing("Timestamp")()
    signed_at = _moment(timestamp)
    covered = _covered(signed_headers)
    if not covered >= _V3_SIGNED:
        raise errors.INCOMPLETE_SIGNATURE(reason="a common header is not signed")
    if _TOKEN_HEADER in headers and _TOKEN_NAME not in covered:
        raise errors.INCOMPLETE_SIGNATURE(reason="the security token is not signed")
    # Unsigned, it would let a stranger say how the body is to be read.
    if request.body and b"content-type" in headers and "content-type" not in covered:
        raise errors.INCOMPLETE_SIGNATURE(reason="the content type is not signed")
    if algorithm != signature.V3_ALGORITHM:
        raise errors.INVALID_SIGNATURE_METHOD()
    return Claims(
        scheme=_V3,
        access_key_id=access_key_id,
        nonce=nonce,
        signed_at=signed_at,
        algorithm=algorithm,
        signature=given_signature,
        signed_headers=signed_headers,
        security_token=request.header(_TOKEN_HEADER) if _TOKEN_HEADER in headers else "",
    )


def _covered(signed_headers: str) -> frozenset[str]:
    """The names in a list of signed headers, each of them once.

    Raises: INCOMPLETE_SIGNATURE.
    """
    # A client sends the same list every time; a stranger's long ones are not worth remembering.
    return _usual_names(signed_headers) if len(signed_headers) < 512 else _names(signed_headers)


def _names(signed_headers: str) -> frozenset[str]:
    # A name that is listed a thousand times would put the header's value into the canonical text a thousand times.
    if signed_headers.count(";") >= MAX_SIGNED_HEADERS:
        raise errors.INCOMPLETE_SIGNATURE(reason="too many signed headers")
    listed = signature.signed_names(signed_headers)
    names = frozenset(listed)
    if len(names) != len(listed):
        raise errors.INCOMPLETE_SIGNATURE(reason="a signed header is listed twice")
    return names


_usual_names = lru_cache(maxsize=256)(_names)


def _authorization_parts(text: str) -> tuple[str, str, str, str]:
    """Algorithm, credential, signed headers and signature of a V3 `Authorization`; empty where one is missing."""
    usual = _AUTHORIZATION.fullmatch(text)
    if usual is not None:
        algorithm, access_key_id, signed_headers, given_signature = usual.groups()
        return algorithm, access_key_id, signed_headers, given_signature
    algorithm, _, rest = text.partition(" ")
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    return algorithm, parts.get("Credential", ""), parts.get("SignedHeaders", ""), parts.get("Signature", "")


def _check_v1(request: Request, claims: Claims, key: KnownKey) -> None:
    # Only query and form reach the parameters of an RPC request, so every value is a text.
    to_sign = signature.v1_string_to_sign(request.method, cast("Mapping[str, str]", request.parameters))
    if not signature.same(signature.v1_signature(to_sign, key.secret, claims.algorithm), claims.signature):
        # Nothing may follow the string to sign and no other colon may stand in the text: old clients split it there.
        raise _mismatch(f"{errors.SIGNATURE_DOES_NOT_MATCH.message} server string to sign is:{to_sign[:MAX_SHOWN]}")


def _check_v3(request: Request, claims: Claims, key: KnownKey) -> None:
    body_hash = signature.payload_hash(request.body)
    canonical = signature.v3_canonical_request(
        request.method, request.query, request.headers, claims.signed_headers, body_hash
    )
    to_sign = signature.v3_string_to_sign(canonical)
    matches = signature.same(signature.v3_signature(to_sign, key.secret), claims.signature)
    if not matches or request.headers.get(b"x-acs-content-sha256") != body_hash.encode():
        masked = canonical
        if _TOKEN_HEADER in request.headers:
            masked = signature.v3_canonical_request(
                request.method,
                request.query,
                {**request.headers, _TOKEN_HEADER: _MASK},
                claims.signed_headers,
                body_hash,
            )
        shown = masked[:MAX_SHOWN].decode("utf-8", "replace")
        raise _mismatch(
            "Specified signature does not match our calculation. "
            f"server StringToSign is [{to_sign}], server CanonicalRequest is [{shown}]"
        )


def _mismatch(message: str) -> ApiError:
    return ApiError(errors.SIGNATURE_DOES_NOT_MATCH, {}, message=message)


def _required(request: Request, name: str) -> str:
    value = _text(request, name)
    if not value:
        raise errors.missing(name)()
    return value


def _text(request: Request, name: str) -> str:
    value = request.parameters.get(name, "")
    return value if isinstance(value, str) else ""


def _moment(text: str) -> Instant:
    try:
        return signature.parse_timestamp(text)
    except ValueError:
        raise errors.INVALID_TIME_STAMP_FORMAT() from None
