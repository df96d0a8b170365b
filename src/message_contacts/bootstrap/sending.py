"""Puts together what workers do, and what it shares with operations: senders, codes, texts."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from urllib.parse import urlsplit

from message_contacts.access.keys import Vault
from message_contacts.bootstrap.recipients import RecipientSide
from message_contacts.changes import Job, Settler
from message_contacts.clock import Clock
from message_contacts.contacts.deletion import WITHDRAW_CONTACT
from message_contacts.contacts.model import Channel
from message_contacts.delivery.expansion import MessageExpansion
from message_contacts.delivery.fallback import SEND_FALLBACK_CODE, FallbackCodeSender
from message_contacts.delivery.message_wording import MessageWording
from message_contacts.delivery.messages import DELIVER, EXPAND_MESSAGE
from message_contacts.delivery.missed import MissedSearch
from message_contacts.delivery.outcome import Outcome, Transport
from message_contacts.delivery.quiet_release import RELEASE_QUIET, QuietRelease
from message_contacts.delivery.recipient_search import RecipientSearch
from message_contacts.delivery.review import REVIEW_MESSAGE, MessageReview
from message_contacts.delivery.sending import DeliverySender
from message_contacts.delivery.tally import Tally
from message_contacts.delivery.texts.message_texts import MessageTexts
from message_contacts.delivery.texts.webhook_texts import WebhookTexts
from message_contacts.delivery.trials import Trials
from message_contacts.delivery.unnamed import UnnamedContacts
from message_contacts.delivery.verification_sender import VerificationSender
from message_contacts.delivery.webhook_posts import WebhookCodeSender, WebhookPosts
from message_contacts.delivery.withdrawal import ContactWithdrawal, MemberSettings
from message_contacts.ids import Ids
from message_contacts.operations.call import Rules
from message_contacts.settings import Settings
from message_contacts.storage import Storage
from message_contacts.verification.challenge import SEND_VERIFICATION
from message_contacts.verification.texts.verification_texts import VerificationTexts
from message_contacts.verification.tokens import Tokens
from message_contacts.webhooks.rules import SEND_WEBHOOK_CODE
from message_contacts.webhooks.sealing import EndpointSeal

JobHandler = Callable[[Job], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingSide:
    """What workers do, and what operations need of it."""

    #: By kind of job.
    handlers: Mapping[str, JobHandler]
    wording: MessageWording
    trials: Trials
    search: RecipientSearch
    #: Makes and knows links and codes of verifications.
    tokens: Tokens
    #: Makes and knows the codes of fallback addresses.
    fallback_codes: Tokens
    #: Makes and knows the codes of webhooks.
    webhook_codes: Tokens
    endpoint_seal: EndpointSeal
    #: Loads the words of everything that is sent, which takes a while: so that the first mail need not wait for it.
    load_texts: Callable[[], None]


def sending_side(
    settings: Settings,
    storage: Storage,
    vault: Vault,
    settler: Settler,
    *,
    clock: Clock,
    ids: Ids,
    tally: Tally,
    rules: Rules,
    recipients: RecipientSide,
    transports: Mapping[Channel, Transport],
    members: MemberSettings,
) -> SendingSide:
    """What sends, over these transports.

    Args:
        members: Where members keep contacts of their own.
    """

    # Each made when it is first asked for: that takes longer than the rest of a start.
    @cache
    def message_texts(language: str) -> MessageTexts:
        return MessageTexts([language] if language else settings.language, rules.contact_dates)

    in_all_languages = partial(message_texts, "")

    @cache
    def webhook_texts() -> WebhookTexts:
        return WebhookTexts(settings.language, rules.contact_dates)

    @cache
    def verification_texts() -> VerificationTexts:
        return VerificationTexts(settings.language, rules.contact_dates)

    loading = threading.Lock()

    def load_texts() -> None:
        with loading:  # once, however many ask
            in_all_languages()
            webhook_texts()
            verification_texts()

    fallback_codes = Tokens(vault.derived("message-contacts fallback address codes"))
    webhook_codes = Tokens(vault.derived("message-contacts webhook codes"))
    endpoint_seal = EndpointSeal(vault)
    webhook_posts = WebhookPosts(webhooks=storage.webhooks, seal=endpoint_seal, texts=webhook_texts)
    wording = MessageWording(
        texts_in=message_texts,
        webhook_texts=webhook_texts,
        host=urlsplit(settings.public_url).hostname or "localhost",
        unsubscribe_link=recipients.links.unsubscribe,
        preferences_link=recipients.links.preferences,
    )
    search = RecipientSearch(
        messages=storage.messages,
        webhooks=storage.webhooks,
        routing=storage.routing,
        directories=storage.directory,
        ids=ids,
        captured=rules.contacts.captured_counts,
    )
    tokens = Tokens(vault.derived("message-contacts verification tokens"))
    handlers: dict[str, JobHandler] = {
        SEND_VERIFICATION: VerificationSender(
            verifications=storage.verification,
            contacts=storage.contacts,
            directories=storage.directory,
            tokens=tokens,
            texts=verification_texts,
            transports=transports,
            contact_rules=rules.contacts,
            clock=clock,
            public_url=settings.public_url,
        ),
        WITHDRAW_CONTACT: ContactWithdrawal(contacts=storage.contacts, members=members, settler=settler),
        EXPAND_MESSAGE: MessageExpansion(
            messages=storage.messages,
            search=search,
            settler=settler,
            conditions=recipients.standing.of_tenant,
            clock=clock,
            ids=ids,
            tally=tally,
            captured=rules.contacts.captured_counts,
        ),
        REVIEW_MESSAGE: MessageReview(
            messages=storage.messages,
            search=MissedSearch(messages=storage.messages, routing=storage.routing),
            settler=settler,
            conditions=recipients.standing.of_tenant,
            clock=clock,
            ids=ids,
            tally=tally,
            captured=rules.contacts.captured_counts,
        ),
        RELEASE_QUIET: QuietRelease(
            messages=storage.messages,
            contacts=storage.contacts,
            routing=storage.routing,
            settler=settler,
            clock=clock,
            ids=ids,
        ),
        DELIVER: DeliverySender(
            messages=storage.messages,
            contacts=storage.contacts,
            routing=storage.routing,
            directories=storage.directory,
            settler=settler,
            standing=recipients.standing,
            bounces=recipients.bounces,
            webhooks=webhook_posts,
            transports=transports,
            rules=rules.delivery,
            clock=clock,
            tally=tally,
            wording=wording,
            unnamed=UnnamedContacts(
                routing=storage.routing, directories=storage.directory, standing=recipients.standing
            ),
        ),
        SEND_WEBHOOK_CODE: WebhookCodeSender(
            webhooks=storage.webhooks,
            directories=storage.directory,
            seal=endpoint_seal,
            tokens=webhook_codes,
            texts=webhook_texts,
            transports=transports,
            clock=clock,
        ),
        SEND_FALLBACK_CODE: FallbackCodeSender(
            messages=storage.messages,
            directories=storage.directory,
            tokens=fallback_codes,
            texts=in_all_languages,
            transports=transports,
            clock=clock,
        ),
    }
    return SendingSide(
        handlers=handlers,
        wording=wording,
        trials=Trials(texts=in_all_languages, webhooks=webhook_posts, transports=transports),
        search=search,
        tokens=tokens,
        fallback_codes=fallback_codes,
        webhook_codes=webhook_codes,
        endpoint_seal=endpoint_seal,
        load_texts=load_texts,
    )
