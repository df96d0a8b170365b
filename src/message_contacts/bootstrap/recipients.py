"""What belongs to the recipient's side of messages: what comes back from addresses, and what their owners want."""

from __future__ import annotations

from dataclasses import dataclass

from message_contacts.access.keys import Vault
from message_contacts.changes import Settler
from message_contacts.clock import Clock
from message_contacts.contacts.model import Channel
from message_contacts.delivery.bounces import Bounces
from message_contacts.delivery.circumstances import Standing
from message_contacts.delivery.links import Links
from message_contacts.delivery.preferences import PreferenceService
from message_contacts.delivery.return_path import ReturnPaths
from message_contacts.delivery.rules import Circumstances
from message_contacts.delivery.standing import StandingRules
from message_contacts.delivery.tally import Tally
from message_contacts.ids import Ids
from message_contacts.settings import Settings
from message_contacts.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientSide:
    """The parts of it."""

    standing: Standing
    bounces: Bounces
    links: Links
    preferences: PreferenceService


def recipient_side(
    settings: Settings,
    storage: Storage,
    vault: Vault,
    settler: Settler,
    *,
    clock: Clock,
    ids: Ids,
    tally: Tally,
    circumstances: Circumstances,
    captured: frozenset[Channel],
) -> RecipientSide:
    """Put it together.

    Args:
        circumstances: What settings say about who is reached.
        captured: Channels of which everything lands in the inbox.
    """
    rules = StandingRules(
        soft_bounces=settings.soft_bounces_until_suspended, security_unwanted=settings.security_messages_optional
    )
    links = Links(vault.derived("message-contacts preference links"), settings.public_url, rules.can_be_unwanted)
    return_paths = None
    if settings.bounce_domain is not None:
        return_paths = ReturnPaths(vault.derived("message-contacts return paths"), settings.bounce_domain)
    return RecipientSide(
        standing=Standing(store=storage.standing, clock=clock, settings=circumstances, rules=rules),
        bounces=Bounces(
            standing=storage.standing,
            messages=storage.messages,
            settler=settler,
            clock=clock,
            ids=ids,
            tally=tally,
            rules=rules,
            captured=captured,
            return_paths=return_paths,
        ),
        links=links,
        preferences=PreferenceService(
            standing=storage.standing,
            contacts=storage.contacts,
            directories=storage.directory,
            routing=storage.routing,
            messages=storage.messages,
            links=links,
            settler=settler,
            clock=clock,
            ids=ids,
            tally=tally,
            rules=rules,
        ),
    )
