"""Endpoints as they are kept: sealed, so that the database alone posts to nobody."""

from __future__ import annotations

import hmac

import orjson

from message_contacts.access.keys import Vault
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import Endpoint, SealedEndpoint

_SEALS = "message-contacts webhooks"
_DIGESTS = "message-contacts webhook addresses"
_DIGEST_BYTES = 16


class EndpointSeal:
    """Seals and opens endpoints; what is sealed for one webhook does not open for another."""

    def __init__(self, vault: Vault) -> None:
        """Take the server's vault; endpoints have keys of their own."""
        self._vault = Vault(vault.derive(_SEALS))
        self._digest_key = vault.derive(_DIGESTS)

    def close(self, endpoint: Endpoint, webhook_id: str) -> SealedEndpoint:
        """The endpoint as it is kept."""
        text = orjson.dumps([endpoint.url.text, endpoint.secret]).decode()
        return SealedEndpoint(
            sealed=self._vault.seal(text, webhook_id),
            digest=hmac.digest(self._digest_key, endpoint.url.text.encode(), "sha256")[:_DIGEST_BYTES],
            shown=endpoint.url.masked(),
            signed=endpoint.secret is not None,
        )

    def open(self, endpoint: SealedEndpoint, webhook_id: str) -> Endpoint:
        """The endpoint again.

        Raises: SealBrokenError.
        """
        url, secret = orjson.loads(self._vault.open(endpoint.sealed, webhook_id))
        return Endpoint(Url(url), secret)
