"""Signatures, as the verifier builds them: canonical text, string to sign, HMAC. Pure.

Two schemes: RPC version 1 (all parameters, HMAC-SHA1 or -SHA256) and V3 (`ACS3-HMAC-SHA256`: query, chosen headers and
a hash of the body). What a caller needs to sign a request of its own is in `protocol.signing`.

Source: contract/protocol.md sections 2 and 3. Vectors: contract/signature_vectors.json.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import NamedTuple

from message_contacts.clock import Instant
from message_contacts.protocol.mac import MacKey

#: The algorithm of V3 that is supported, as `Authorization` names it.
V3_ALGORITHM = "ACS3-HMAC-SHA256"
#: `SignatureMethod` of RPC version 1 and the hash it means.
V1_METHODS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
#: Lower-case hex SHA-256 of no bytes at all: the payload hash of most calls.
EMPTY_PAYLOAD_HASH = sha256(b"").hexdigest()

#: What may stand around a header's value. Not `str.strip()`: in Latin-1 that would eat bytes of UTF-8 characters.
BLANKS = b" \t"

_UNRESERVED = re.compile(r"[A-Za-z0-9\-_.~]*")
#: By byte, for `str.translate`.
_ENCODED = {byte: f"%{byte:02X}" for byte in range(256) if not _UNRESERVED.fullmatch(chr(byte))}
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def percent_encode(text: str) -> str:
    """The text over UTF-8 with everything but `A-Z a-z 0-9 - _ . ~` as `%XX`, capital hex digits."""
    if _UNRESERVED.fullmatch(text):
        return text
    return (text if text.isascii() else text.encode().decode("latin-1")).translate(_ENCODED)


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Encoded `name=value` pairs in the byte order of the plain names, joined with `&`."""
    # Code points sort like their UTF-8 bytes, so that sorting the decoded names as text is sorting them as bytes.
    names = sorted(parameters)
    if _UNRESERVED.fullmatch("".join(names)):  # nearly always: one look instead of many
        return "&".join([f"{name}={percent_encode(parameters[name])}" for name in names])
    return "&".join([f"{percent_encode(name)}={percent_encode(parameters[name])}" for name in names])


def v1_string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """What RPC version 1 signs.

    Args:
        method: In capitals, as it was really used.
        parameters: Query and form merged, decoded; `Signature` is left out here.
    """
    canonical = canonical_query({name: value for name, value in parameters.items() if name != "Signature"})
    # The canonical query holds nothing but unreserved characters, `%`, `=` and `&`: three replacements encode it again.
    encoded = canonical.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    return f"{method}&%2F&{encoded}"


def v1_signature(string_to_sign: str, secret: str, method: str = "HMAC-SHA1") -> str:
    """Base64 of the HMAC, not percent-encoded.

    Args:
        secret: Access key secret, without the `&` that the protocol puts behind it (added here). Never logged.
        method: One of `V1_METHODS`.
    """
    key = f"{secret}&".encode()
    return b64encode(hmac_digest(key, string_to_sign.encode(), V1_METHODS[method])).decode()


def v3_canonical_request(
    method: str, query: Mapping[str, str], headers: Mapping[bytes, bytes], signed_headers: str, payload_hash: str
) -> bytes:
    """What V3 hashes and signs, six parts joined by a line feed.

    Args:
        query: Parameters of the query string only, decoded.
        headers: Values by lower-case name; several values of one name sorted and joined with `,`.
        signed_headers: The list as given, names joined with `;`. A listed header that is absent counts as empty.
        payload_hash: Lower-case hex SHA-256 of the raw body.
    """
    # A client sends the same list every time; a stranger's long ones are not worth remembering.
    listed = _usual_list(signed_headers) if len(signed_headers) < 512 else _list(signed_headers)
    value_of = headers.get
    lines = listed.form % tuple([value_of(name, b"").strip(BLANKS) for name in listed.names])
    # Part 4 ends with a line feed of its own, hence the empty line behind it.
    return b"%b\n/\n%b\n%b\n%b\n%b" % (
        method.encode(),
        canonical_query(query).encode(),
        lines,
        listed.given,
        payload_hash.encode(),
    )


def signed_names(signed_headers: str) -> list[str]:
    """The names in a list of signed headers, in lower case."""
    return signed_headers.lower().split(";")


class _List(NamedTuple):
    """A list of signed headers, taken apart."""

    given: bytes
    names: tuple[bytes, ...]
    #: The lines of these headers, with places for their values.
    form: bytes


def _list(signed_headers: str) -> _List:
    names = tuple(name.encode("latin-1") for name in signed_names(signed_headers))
    form = b"".join([name.replace(b"%", b"%%") + b":%b\n" for name in names])
    return _List(signed_headers.encode("latin-1"), names, form)


_usual_list = lru_cache(maxsize=256)(_list)


def v3_string_to_sign(canonical_request: bytes) -> str:
    """Algorithm and hex SHA-256 of the canonical request, on two lines."""
    return f"{V3_ALGORITHM}\n{sha256(canonical_request).hexdigest()}"


def v3_signature(string_to_sign: str, secret: str) -> str:
    """Lower-case hex of the HMAC. The key is the bare secret: no `&` here."""
    return MacKey.of(secret.encode()).hexdigest(string_to_sign.encode())


def payload_hash(body: bytes) -> str:
    """Lower-case hex SHA-256 of the raw body."""
    return sha256(body).hexdigest() if body else EMPTY_PAYLOAD_HASH


def same(expected: str, given: str) -> bool:
    """Whether two signatures are the same, in a time that does not depend on where they differ."""
    return compare_digest(expected.encode(), given.encode())


@lru_cache(maxsize=64)  # requests of one second come with one timestamp
def parse_timestamp(text: str) -> Instant:
    """The moment that `yyyy-MM-ddTHH:mm:ssZ` names.

    Raises: ValueError when it is anything else.
    """
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError("a timestamp looks like 2026-03-30T08:00:00Z")
    return Instant(int(datetime.fromisoformat(text).timestamp()) * 1_000)


def format_timestamp(moment: Instant) -> str:
    """The moment as `yyyy-MM-ddTHH:mm:ssZ`, cut to whole seconds."""
    return datetime.fromtimestamp(moment // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
