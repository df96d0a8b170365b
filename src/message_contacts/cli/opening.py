"""A service for a command: opened, or the reason why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from message_contacts.access.administration import AdministrationError
from message_contacts.bootstrap import Service, StartError, build
from message_contacts.errors import ApiError
from message_contacts.settings import Settings
from message_contacts.storage.engine import CannotOpen
from message_contacts.storage.migrate import schema_version


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    """The service with its database, which is made or migrated if it has to be.

    Raises: click.ClickException for everything that the operator can mend.
    """
    try:
        async with await build(settings) as service:
            yield service
    except (StartError, CannotOpen, AdministrationError) as refusal:
        raise click.ClickException(str(refusal)) from None
    except ApiError as refusal:
        raise click.ClickException(f"{refusal.definition.code}: {refusal.message}") from None
    except OSError as failure:
        raise click.ClickException(f"{failure.filename or settings.database_shown}: {failure.strerror}") from None


def need_database(settings: Settings) -> None:
    """Refuse to go on where there is no database yet: a command that looks or changes does not make one by accident."""
    try:
        version = schema_version(settings.database_url)
    except CannotOpen as refusal:
        raise click.ClickException(str(refusal)) from None
    if version is None:
        raise click.ClickException(
            f"there is no database at {settings.database_shown} yet. Start the service once, or run `message-contacts "
            "migrate`; MESSAGE_CONTACTS_DATABASE_URL names another one."
        )
