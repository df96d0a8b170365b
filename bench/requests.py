"""Raw requests to the server under test and to moto_server, signed as the vendor's clients sign them.

Written apart from the server's own verifier, so that both cannot make the same mistake: the server checks each one.
Source: contract/protocol.md, sections 2 and 3; header fields as the new Python client sends them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import secrets
import time
from collections.abc import Sequence
from urllib.parse import quote

VERSION = "2022-04-19"
#: Of our own operations.
OWN_VERSION = "2026-11-01"
_EMPTY_BODY = hashlib.sha256(b"").hexdigest()
_AGENT = "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2"
_SIGNED = (
    "accept;host;user-agent;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;"
    "x-acs-signature-nonce;x-acs-version"
)

Pairs = Sequence[tuple[str, str]]


class Nonces:
    """32 hexadecimal digits each time, never the same twice: a random start of the run and a count."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(10)
        self._numbers = itertools.count()

    def __call__(self) -> str:
        return f"{self._start}{next(self._numbers):012x}"


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _query(pairs: Pairs) -> str:
    return "&".join(f"{name}={_encoded(value)}" for name, value in sorted(pairs))


class Signer:
    """Makes signed requests to one server. The time in them is that of the last `set_clock`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._nonce = Nonces()
        self.set_clock()

    def set_clock(self) -> None:
        """Take the present moment: signatures are good for 15 minutes."""
        self._date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def v3(self, action: str, pairs: Pairs, key_id: str, secret: bytes, version: str = VERSION) -> bytes:
        """A POST with everything in the query and an empty body, ACS3-HMAC-SHA256."""
        query = _query(pairs)
        nonce = self._nonce()
        canonical = (
            f"POST\n/\n{query}\naccept:application/json\nhost:{self._host}\nuser-agent:{_AGENT}\nx-acs-action:{action}\n"
            f"x-acs-content-sha256:{_EMPTY_BODY}\nx-acs-credentials-provider:static_ak\nx-acs-date:{self._date}\n"
            f"x-acs-signature-nonce:{nonce}\nx-acs-version:{version}\n\n{_SIGNED}\n{_EMPTY_BODY}"
        )
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.digest(secret, to_sign.encode(), "sha256").hex()
        return (
            f"POST /?{query} HTTP/1.1\r\nAccept-Encoding: identity\r\nhost: {self._host}\r\n"
            f"x-acs-version: {version}\r\nx-acs-action: {action}\r\nuser-agent: {_AGENT}\r\n"
            f"x-acs-date: {self._date}\r\nx-acs-signature-nonce: {nonce}\r\naccept: application/json\r\n"
            f"x-acs-content-sha256: {_EMPTY_BODY}\r\n"
            f"x-acs-credentials-provider: static_ak\r\nAuthorization: ACS3-HMAC-SHA256 Credential={key_id},"
            f"SignedHeaders={_SIGNED},Signature={signature}\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    def v1(self, action: str, pairs: Pairs, key_id: str, secret: bytes) -> bytes:
        """A GET with everything in the query, HMAC-SHA1."""
        common = [
            ("AccessKeyId", key_id),
            ("Action", action),
            ("Format", "JSON"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", self._nonce()),
            ("SignatureVersion", "1.0"),
            ("Timestamp", self._date),
            ("Version", VERSION),
        ]
        query = _query([*common, *pairs])
        to_sign = f"GET&%2F&{_encoded(query)}"
        signature = base64.b64encode(hmac.digest(secret + b"&", to_sign.encode(), "sha1")).decode()
        return (
            f"GET /?{query}&Signature={_encoded(signature)} HTTP/1.1\r\nAccept-Encoding: identity\r\n"
            f"Host: {self._host}\r\nUser-Agent: {_AGENT}\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"
        ).encode()


def moto_request(host: str, path: str, fields: dict[str, str]) -> bytes:
    """A call as boto3 sends it, with a signature of the right length and wrong value: moto_server checks none."""
    body = json.dumps(fields).encode()
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    head = (
        f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\nContent-Type: application/json\r\n"
        "User-Agent: Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6 md/arch#x86_64 lang/python#3.11.7\r\n"
        f"X-Amz-Date: {now}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{now[:8]}/us-east-1/"
        f"account/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
