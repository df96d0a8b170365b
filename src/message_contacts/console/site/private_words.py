"""What people search for, in the addresses of pages: sealed, since it may be somebody's e-mail address or number.

Addresses of pages end up in histories, in logs of proxies, and on screens that are shared.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from message_contacts.access.keys import DerivedKeys
from message_contacts.console.site.form import Form

PURPOSE = "message-contacts words in addresses of pages"
#: Names of fields whose values may be personal.
PRIVATE = frozenset({"q", "recipient", "address"})
_NONCE_BYTES = 12
#: What a sealed value begins with, and no address or name does.
_MARK = "~"


class PrivateWords:
    """Seals the personal values of a query string and opens them again."""

    def __init__(self, keys: DerivedKeys) -> None:
        self._keys = keys

    def sealed(self, name: str, value: object) -> object:
        """A value as it stands in an address; only those of `PRIVATE` names are changed."""
        if name not in PRIVATE or not isinstance(value, str) or not value:
            return value
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(self._keys.current()).encrypt(nonce, value.encode(), name.encode())
        return _MARK + base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")

    def opened(self, query: Form) -> Form:
        """A query string with what was sealed readable; what does not open is empty."""
        return Form([(name, self._opened(name, value)) for name, value in query])

    def _opened(self, name: str, value: str) -> str:
        if name not in PRIVATE or not value.startswith(_MARK):
            return value  # typed by somebody into the address itself
        try:
            sealed = base64.urlsafe_b64decode(value[1:] + "=" * (-len(value[1:]) % 4))
        except ValueError:
            return ""
        return self._with_any(self._keys.accepted(), sealed, name)

    @staticmethod
    def _with_any(keys: Iterable[bytes], sealed: bytes, name: str) -> str:
        for key in keys:
            try:
                return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        return ""
