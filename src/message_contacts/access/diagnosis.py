"""Why a call was refused, sealed for whoever manages the account: `EncodedDiagnosticMessage`.

The refused caller carries it and cannot read it, so it may name the policy that refused.

Source: the vendor's RAM reference, DecodeDiagnosticMessage.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from message_contacts.access.keys import DerivedKeys

#: What the key is derived for.
PURPOSE = "message-contacts diagnoses of refusals"

_FORM = b"\x01"
_NONCE_BYTES = 12
#: Characters of the longest message: far more than any resource and policy name need.
_LONGEST = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was refused, to whom, and by what."""

    request_id: str
    #: The refused permission, and the resource it was refused for.
    action: str
    resource: str
    account_id: str
    user_id: str
    #: `ImplicitDeny` or `ExplicitDeny`.
    verdict: str
    #: The policy that denies; empty when none allows.
    policy_type: str
    policy_name: str
    policy_version_id: str
    #: What was known about the call, by condition key.
    conditions: Mapping[str, str]


class Diagnoses:
    """Seals and opens diagnoses."""

    def __init__(self, keys: DerivedKeys) -> None:
        """Take keys derived for `PURPOSE`."""
        self._keys = keys

    def seal(self, diagnosis: Diagnosis) -> str:
        """The diagnosis as text that nobody without the key can read; bound to the account."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys.current()).encrypt(
            nonce, orjson.dumps(asdict(diagnosis)), diagnosis.account_id.encode()
        )
        return base64.b64encode(_FORM + nonce + sealed).decode()

    def open(self, text: str, account_id: str) -> Diagnosis:
        """The diagnosis again.

        Raises: ValueError for what was not sealed for this account with one of the keys.
        """
        if len(text) > _LONGEST:
            raise ValueError("too long")
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise ValueError("not base64") from None
        if not raw.startswith(_FORM) or len(raw) <= len(_FORM) + _NONCE_BYTES:
            raise ValueError("of another form")
        nonce, sealed = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        while True:
            for key in self._keys.accepted():
                try:
                    return Diagnosis(**orjson.loads(AESGCM(key).decrypt(nonce, sealed, account_id.encode())))
                except InvalidTag:
                    continue
            if not self._keys.refresh():
                raise ValueError("sealed with another key or for another account")
