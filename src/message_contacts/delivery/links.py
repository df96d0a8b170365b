"""The links in messages by which people say what they want. All that a link says is sealed in it.

Nothing is stored for a link, so it works as long as the server keeps the key it was made with, whatever became of the
message. Whether it still works for a person that was erased, `preferences` decides.
The same link is made for the same address again, so a retry sends the same mail, until the key is replaced.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from message_contacts.contacts.model import Channel, MessageType
from message_contacts.quick import quickly_made
from message_contacts.verification.tokens import ServerKeys

_LONGEST_TOKEN = 1_000
_BETWEEN = "\n"


class Purpose(StrEnum):
    """What a link is for; also the page it leads to."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What a link is about."""

    account_id: str
    channel: Channel
    address_key: str
    #: The contact whose preferences they are; empty: of the address.
    contact_id: str = ""
    #: With UNSUBSCRIBE, the type.
    message_type: MessageType | None = None


class Links:
    """Makes and reads links."""

    def __init__(self, keys: ServerKeys, public_url: str, can_be_unwanted: frozenset[MessageType]) -> None:
        """Take what it needs.

        Args:
            keys: Keys of 32 bytes that serve no other purpose: links are made with the current one and read with any.
            public_url: Where people reach the pages.
            can_be_unwanted: Types that people may do without: for others there is no link.
        """
        self._keys = keys
        self._made_of: tuple[bytes, ...] = ()
        self._made: list[AESSIV] = []
        self._public_url = public_url.rstrip("/")
        self._can_be_unwanted = can_be_unwanted

    def unsubscribe(self, account_id: str, channel: Channel, address_key: str, message_type: MessageType) -> str | None:
        """The link that takes an address off a type; None for a type that nobody can be without."""
        if message_type not in self._can_be_unwanted:
            return None
        linked = Linked(account_id=account_id, channel=channel, address_key=address_key, message_type=message_type)
        return self._url(Purpose.UNSUBSCRIBE, linked)

    def preferences(self, account_id: str, channel: Channel, address_key: str, contact_id: str) -> str:
        """The link to the preferences of a contact at an address."""
        linked = Linked(account_id=account_id, channel=channel, address_key=address_key, contact_id=contact_id)
        return self._url(Purpose.PREFERENCES, linked)

    def token(self, purpose: Purpose, linked: Linked) -> str:
        """The secret part of a link."""
        said = _BETWEEN.join(
            (linked.account_id, linked.channel, linked.address_key, linked.contact_id, linked.message_type or "")
        )
        self._keys.current()  # looks for a newer one
        sealed = self._ciphers()[0].encrypt(said.encode(), [purpose.encode()])
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def read(self, purpose: Purpose, token: str) -> Linked | None:
        """What a link made with one of the keys for this purpose is about; None for anything else."""
        if len(token) > _LONGEST_TOKEN:
            return None
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            said = self._opened(sealed, [purpose.encode()])
        except ValueError:  # not base64, too short, or not ASCII
            return None
        if said is None:
            return None
        # What opens was made here; another spelling of it is refused all the same, so that a link has one form.
        if urlsafe_b64encode(sealed).decode().rstrip("=") != token:
            return None
        account_id, channel, address_key, contact_id, message_type = said.split(_BETWEEN)
        return Linked(
            account_id=account_id,
            channel=Channel(channel),
            address_key=address_key,
            contact_id=contact_id,
            message_type=MessageType(message_type) if message_type else None,
        )

    def _opened(self, sealed: bytes, purpose: list[bytes]) -> str | None:
        while True:
            for cipher in self._ciphers():
                try:
                    return cipher.decrypt(sealed, purpose).decode()
                except InvalidTag:
                    continue
            if not self._keys.refresh():
                return None

    def _ciphers(self) -> list[AESSIV]:
        """For each key the cipher, made once: every mail that is sent needs the first one."""
        keys = self._keys.accepted()
        if self._made_of != keys:
            self._made_of, self._made = keys, [AESSIV(key) for key in keys]
        return self._made

    def _url(self, purpose: Purpose, linked: Linked) -> str:
        return f"{self._public_url}/{purpose}/{self.token(purpose, linked)}"
