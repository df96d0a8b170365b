"""Signatures of requests by the Standard Webhooks rule, and the secrets they are made with.

Source: Standard Webhooks 1.0, sections "Signature scheme" and "Webhook headers".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os

_PREFIX = "whsec_"
_LENGTHS = range(24, 65)
_NEW_LENGTH = 32


def secret_bytes(text: str) -> bytes:
    """The key that a `whsec_` secret spells: base64 of 24 to 64 random bytes.

    Raises: ValueError; its text never holds the secret.
    """
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(_PREFIX) or len(secret) not in _LENGTHS:
        raise ValueError("a secret is whsec_ and the base64 of 24 to 64 random bytes")
    return secret


def new_secret() -> str:
    """A secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(os.urandom(_NEW_LENGTH)).decode("ascii")


def signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of `webhook-signature`: version and base64 of HMAC-SHA256."""
    signed = b"%s.%s.%s" % (message_id.encode(), timestamp.encode(), body)
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode("ascii")
