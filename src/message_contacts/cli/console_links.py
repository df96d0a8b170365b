"""`console-link`: a link that signs the operator in to the console, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.cli.loading import config_option
from message_contacts.cli.with_service import run_with_service

if TYPE_CHECKING:
    from message_contacts.bootstrap import Service


@click.command("console-link")
@click.option("--account-id", metavar="ID", help="Management account to sign in to; needed where there are several.")
@config_option
def console_link(*, account_id: str | None, config: Path | None) -> None:
    """Print a link to the console that signs in once, within ten minutes, with the account's own access key.

    Works on the database itself (setting DATABASE_URL), while the service is running.
    """

    async def link(service: Service) -> None:
        chosen = account_id or await _only_account(service)
        ticket = await service.console_sessions.issue_ticket(chosen)
        if ticket is None:
            raise click.ClickException(
                f"account {chosen} has no active access key of its own: make one with "
                f"`message-contacts access-key create {chosen}`."
            )
        click.echo(console_address(service.settings.public_url, ticket))

    run_with_service(config, link)


async def first_ticket(service: Service) -> str | None:
    """The secret part of a link for the only account, or the one that the settings name; None for none or several."""
    named = service.settings.root_account_id
    accounts = [account.account_id for account in await service.services.access.accounts()]
    chosen = named if named in accounts else accounts[0] if len(accounts) == 1 else None
    return None if chosen is None else await service.console_sessions.issue_ticket(chosen)


def console_address(public_url: str, ticket: str | None) -> str:
    """Where the console is, or the link that signs in to it."""
    return f"{public_url.rstrip('/')}/console/" + (f"sign-in/{ticket}" if ticket else "")


def console_words(public_url: str, ticket: str | None) -> str:
    """What a start says about the console."""
    once = (
        "\n         signs you in once, within ten minutes; `message-contacts console-link` makes another"
        if ticket
        else ""
    )
    return f"Console: {console_address(public_url, ticket)}{once}"


async def _only_account(service: Service) -> str:
    accounts = await service.services.access.accounts()
    if len(accounts) == 1:
        return accounts[0].account_id
    if not accounts:
        raise click.ClickException("there is no account yet: start the service first, or make one.")
    raise click.ClickException(
        f"there are {len(accounts)} accounts: say which one with --account-id (`message-contacts account list`)."
    )
