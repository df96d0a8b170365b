"""Endpoints as they are kept: sealed, so that the database alone posts to nobody."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Iterable

import orjson

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.webhooks.addresses import Url
from message_contacts.webhooks.model import Endpoint, SealedEndpoint, Webhook

_SEALS = "message-contacts webhooks"
_DIGESTS = "message-contacts webhook addresses"
_DIGEST_BYTES = 16


class EndpointSeal:
    """Seals and opens endpoints; what is sealed for one webhook does not open for another."""

    def __init__(self, vault: Vault) -> None:
        """Take the server's vault; endpoints have keys of their own, which follow it when its key is replaced."""
        self._seals = vault.seals(_SEALS)
        self._digest_keys = vault.derived(_DIGESTS)

    def close(
        self, endpoint: Endpoint, webhook_id: str, known: Iterable[tuple[SealedEndpoint, Endpoint]] = ()
    ) -> SealedEndpoint:
        """The endpoint as it is kept.

        Args:
            known: Endpoints that the webhook has: as they are kept, and open. One at the same place gives its digest,
                which may have been made with an earlier key.
        """
        text = orjson.dumps([endpoint.url.text, endpoint.secret]).decode()
        same = next((kept.digest for kept, opened in known if opened.url == endpoint.url), None)
        return SealedEndpoint(
            sealed=self._seals.seal(text, webhook_id),
            digest=same or self._digest(endpoint),
            shown=endpoint.url.masked(),
            signed=endpoint.secret is not None,
        )

    def open(self, endpoint: SealedEndpoint, webhook_id: str) -> Endpoint:
        """The endpoint again.

        Raises: SealBrokenError.
        """
        url, secret = orjson.loads(self._seals.open(endpoint.sealed, webhook_id))
        return Endpoint(Url(url), secret)

    def known(self, webhook: Webhook) -> list[tuple[SealedEndpoint, Endpoint]]:
        """The endpoints of a webhook, as they are kept and open: that in force, then one that waits.

        One that no key opens is left out: whoever names a new address needs nothing of it.
        """
        found = []
        for kept in (webhook.endpoint, webhook.waiting):
            if kept is not None:
                with contextlib.suppress(SealBrokenError):
                    found.append((kept, self.open(kept, webhook.webhook_id)))
        return found

    def opened_by(self, endpoint: SealedEndpoint, webhook_id: str) -> bytes:
        """Which key of the vault opens an endpoint.

        Raises: SealBrokenError.
        """
        return self._seals.opened_by(endpoint.sealed, webhook_id)

    def _digest(self, endpoint: Endpoint) -> bytes:
        return hmac.digest(self._digest_keys.current(), endpoint.url.text.encode(), "sha256")[:_DIGEST_BYTES]
