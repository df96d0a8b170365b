"""Puts the console together."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from starlette.types import ASGIApp, Scope

from message_contacts.access.console_sessions import ConsoleSessions
from message_contacts.access.keys import Vault
from message_contacts.console.site import private_words
from message_contacts.console.site.areas import ROUTES
from message_contacts.console.site.calls import Calls
from message_contacts.console.site.frame import Frame
from message_contacts.console.site.private_words import PrivateWords
from message_contacts.console.site.site import ConsoleSite
from message_contacts.settings import Settings


def console_site(
    settings: Settings,
    *,
    sessions: ConsoleSessions,
    calls: Calls,
    vault: Vault,
    captures: bool,
    source_address: Callable[[Scope], str],
    is_secure: Callable[[Scope], bool],
) -> ASGIApp:
    """The console as an application for requests below `/console`.

    Args:
        vault: Gives the key that seals what people search for.
        captures: Whether anything that would be sent lands in the inbox.
        source_address, is_secure: Where a visitor comes from, and whether over TLS, as far as trusted proxies tell.
    """
    frame = Frame(
        public_url=settings.public_url,
        zone=settings.contact_date_zone,
        default_language=settings.language[0],
        captures=captures,
        version=version("message-contacts"),
        private_words=PrivateWords(vault.derived(private_words.PURPOSE)),
    )
    site = ConsoleSite(
        frame=frame,
        sessions=sessions,
        calls=calls,
        source_address=source_address,
        is_secure=is_secure,
        routes=ROUTES,
    )
    return site.application()
