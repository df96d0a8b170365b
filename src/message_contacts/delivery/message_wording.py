"""Puts a message into the words and header fields of a mail to those who share an address, with their links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.messages import CONTACTS_NAMED, Message, Named
from message_contacts.delivery.texts.message_texts import MessageTexts, Worded
from message_contacts.delivery.texts.webhook_texts import WebhookTexts

#: Link with which an address is taken off a type of messages: account, channel, address key, type -> URL or None.
UnsubscribeLink = Callable[[str, Channel, str, MessageType], str | None]
#: Link to the preferences of a contact at an address: account, channel, address key, contact -> URL or None.
PreferencesLink = Callable[[str, Channel, str, str], str | None]


class MailWords(NamedTuple):
    """What stands in a mail, beside its subject."""

    text: str
    html: str
    #: Names and values, beside those of every mail.
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """A message as its recipients would get it."""

    subject: str
    text: str
    html: str
    #: The text message.
    sms: str
    #: The post to a webhook, beside its subject.
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWording:
    """Words messages; keeps nothing."""

    #: Texts for those who want to be addressed in one language; for an empty one, in all of the settings.
    texts_in: Callable[[str], MessageTexts]
    webhook_texts: Callable[[], WebhookTexts]
    #: Host in List-Id.
    host: str
    unsubscribe_link: UnsubscribeLink
    preferences_link: PreferencesLink

    def mail(
        self,
        worded: tuple[MessageTexts, Worded],
        message: Message,
        address_key: str,
        named: Sequence[Named],
        further: int = 0,
    ) -> MailWords:
        """A mail to those who share an address.

        Args:
            worded: What is the same for all who are addressed in a language, and the texts of that language.
            further: How many more there are than are named.
        """
        texts, words = worded
        link = self._unsubscribe(message, address_key, named)
        text, html = texts.mail(
            words, named, link, self._preferences(message.account_id, address_key, named), further=further
        )
        return MailWords(text, html, self._headers(message, link))

    def specimen(self, message: Message, organisation: str, named: Sequence[Named]) -> Specimen:
        """How a message would look to those who share an address; its links lead nowhere."""
        texts = self.texts_in("")
        words = texts.worded(message, organisation)
        link = self._unsubscribe(message, "", named)
        text, html = texts.mail(
            words,
            named,
            None if link is None else _leading_nowhere(link),
            [(name, _leading_nowhere(link)) for name, link in self._preferences(message.account_id, "", named)],
        )
        notice = self.webhook_texts().notice(message, words.organisation)
        return Specimen(subject=message.subject, text=text, html=html, sms=words.sms, notice=notice)

    def _unsubscribe(self, message: Message, address_key: str, named: Sequence[Named]) -> str | None:
        # Whoever gets what would reach nobody has not chosen it, and cannot be without it.
        if not any(each.contact_id for each in named):
            return None
        return self.unsubscribe_link(message.account_id, Channel.EMAIL, address_key, message.message_type)

    def _preferences(self, account_id: str, address_key: str, named: Sequence[Named]) -> list[tuple[str, str]]:
        """The links to the preferences of those who share an address, each with the contact's name."""
        names = {each.contact_id: each.name for each in named if each.contact_id}
        links = [
            (name, self.preferences_link(account_id, Channel.EMAIL, address_key, contact_id))
            for contact_id, name in names.items()
        ]
        return [(name, link) for name, link in links if link is not None][:CONTACTS_NAMED]

    def _headers(self, message: Message, link: str | None) -> tuple[tuple[str, str], ...]:
        kind = message.message_type.value
        headers = [("List-Id", f"<{kind.lower()}.{message.account_id}.{self.host}>")]
        if message.severity.value == "Critical":
            headers.append(("Importance", "high"))
        if link is not None:
            headers += [("List-Unsubscribe", f"<{link}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]
        return tuple(headers)


def _leading_nowhere(link: str) -> str:
    """A link without what makes it work: whoever sees a specimen is not who may use it."""
    return link.rpartition("/")[0] + "/..."
