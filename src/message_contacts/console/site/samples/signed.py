"""What is signed of a call, in both schemes, with words in angle brackets for what only the caller has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from message_contacts.console.site.samples.call import SampleCall
from message_contacts.protocol.signature import (
    EMPTY_PAYLOAD_HASH,
    V3_ALGORITHM,
    canonical_query,
    v1_string_to_sign,
    v3_canonical_request,
)

#: What stands for the caller's own; no secret is ever part of any of these texts.
KEY_ID = "<AccessKeyId>"
SIGNATURE = "<Signature>"
NONCE = "<Nonce>"
TIME = "<Timestamp>"
HASH = "<SHA-256 of the canonical request, lower-case hex>"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedText:
    """A request, and how its signature comes about."""

    #: Request line and headers.
    request: str
    #: Only V3 has one of its own.
    canonical_request: str | None
    string_to_sign: str


def v3(call: SampleCall) -> SignedText:
    """With `ACS3-HMAC-SHA256`, as the vendor's current clients sign."""
    query = call.flat
    headers = {
        "host": call.endpoint.authority,
        "x-acs-action": call.action,
        "x-acs-content-sha256": EMPTY_PAYLOAD_HASH,
        "x-acs-date": TIME,
        "x-acs-signature-nonce": NONCE,
        "x-acs-version": call.version,
    }
    names = ";".join(headers)
    text = canonical_query(query)
    lines = [
        f"POST /{'?' + text if text else ''} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"authorization: {V3_ALGORITHM} Credential={KEY_ID},SignedHeaders={names},Signature={SIGNATURE}",
    ]
    sent = {name.encode(): value.encode() for name, value in headers.items()}
    return SignedText(
        request="\n".join(lines),
        canonical_request=v3_canonical_request("POST", query, sent, names, EMPTY_PAYLOAD_HASH).decode(),
        string_to_sign=f"{V3_ALGORITHM}\n{HASH}",
    )


def v1(call: SampleCall) -> SignedText:
    """With HMAC-SHA1 over all parameters, as older clients sign."""
    words = _placeholders(call.flat)
    parameters = {
        **call.flat,
        "AccessKeyId": words[KEY_ID],
        "Action": call.action,
        "Format": "JSON",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": words[NONCE],
        "SignatureVersion": "1.0",
        "Timestamp": words[TIME],
        "Version": call.version,
    }
    query = canonical_query({**parameters, "Signature": words[SIGNATURE]})
    request = f"POST /?{query} HTTP/1.1\nhost: {call.endpoint.authority}"
    string_to_sign = v1_string_to_sign("POST", parameters)
    for placeholder, word in words.items():
        request = request.replace(word, placeholder)
        string_to_sign = string_to_sign.replace(word, placeholder)
    return SignedText(request=request, canonical_request=None, string_to_sign=string_to_sign)


def _placeholders(arguments: Mapping[str, str]) -> dict[str, str]:
    """Words that stay as they are when they are encoded, and that no argument contains, for each placeholder."""
    everything = "".join(f"{name}{value}" for name, value in arguments.items())
    marker = next(word for number in count() if (word := f"Z{number}Z") not in everything)
    return {name: f"{marker}{name.strip('<>')}{marker}" for name in (KEY_ID, SIGNATURE, NONCE, TIME)}
