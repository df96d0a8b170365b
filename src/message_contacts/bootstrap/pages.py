"""Puts the pages together: the console, and what contacts see."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from message_contacts.access.console_sessions import ConsoleSessions
from message_contacts.access.keys import Vault
from message_contacts.console.by_prefix import by_prefix, when_asked_for
from message_contacts.console.site.calls import Calls
from message_contacts.delivery.preferences import PreferenceService
from message_contacts.settings import Settings
from message_contacts.verification.service import VerificationService
from message_contacts.wire.proxies import origin

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Scope

    from message_contacts.console.page_renderer import PageRenderer

#: What is answered by pages, not by the API.
PAGE_PREFIXES = ("/verify/", "/unsubscribe/", "/preferences/", "/console")


def all_pages(
    settings: Settings,
    *,
    verification: VerificationService,
    preferences: PreferenceService,
    sessions: ConsoleSessions,
    calls: Calls,
    vault: Vault,
    captures: bool,
) -> ASGIApp:
    """All pages as one application.

    Each group is loaded, with its framework and templates, when somebody opens one of it: most processes answer calls
    only.

    Args:
        sessions: Who is signed in to the console.
        calls: What the console calls.
        vault: Gives the key that seals what people search for.
        captures: Whether anything that would be sent lands in the inbox.
    """

    def source_address(scope: Scope) -> str:
        return origin(scope["client"], scope["scheme"], scope["headers"], settings.trusted_proxies).address

    def is_secure(scope: Scope) -> bool:
        return origin(scope["client"], scope["scheme"], scope["headers"], settings.trusted_proxies).is_secure

    def console() -> ASGIApp:
        from message_contacts.bootstrap.console import console_site  # noqa: PLC0415 - for pages only

        return console_site(
            settings,
            sessions=sessions,
            calls=calls,
            vault=vault,
            captures=captures,
            source_address=source_address,
            is_secure=is_secure,
        )

    @cache
    def renderer() -> PageRenderer:
        from message_contacts.console.page_renderer import PageRenderer  # noqa: PLC0415 - for pages only

        return PageRenderer(
            public_url=settings.public_url,
            zone=settings.contact_date_zone,
            default_language=settings.language[0],
        )

    def for_verifications() -> ASGIApp:
        from message_contacts.console.verification_pages import verification_pages  # noqa: PLC0415 - for pages only

        return verification_pages(verification, renderer(), source_address)

    def for_preferences() -> ASGIApp:
        from message_contacts.console.preference_pages import preference_pages  # noqa: PLC0415 - for pages only

        return preference_pages(preferences, renderer(), source_address)

    return by_prefix(
        {
            "/console": when_asked_for(console),
            "/verify/": when_asked_for(for_verifications),
            "/": when_asked_for(for_preferences),
        }
    )
