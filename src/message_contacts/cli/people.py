"""`person`: everything that is held on one contact, to hand out or to erase; straight on the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from message_contacts.cli.loading import config_option
from message_contacts.cli.with_service import run_with_service

if TYPE_CHECKING:
    from message_contacts.bootstrap import Service

_VERSION = "2026-11-01"
#: What comes in pages; everything else is on the first one.
_PAGED = ("Messages", "AuditEvents")

_account_option = click.option("--account", required=True, metavar="ID", help="Management account it belongs to.")
_contact_option = click.option("--contact", required=True, metavar="ID", help="The contact, there still or gone.")


@click.group()
def person() -> None:
    """Show or erase everything that is held on one contact.

    Works on the database itself (setting DATABASE_URL), whether the service is running or not. The same over
    the network: operations ExportPerson and ErasePerson.
    """


@person.command()
@_account_option
@_contact_option
@config_option
def export(*, account: str, contact: str, config: Path | None) -> None:
    """Print everything that is held on a contact, as one JSON object."""

    async def show(service: Service) -> None:
        found: dict[str, Any] = {}
        token: str | None = ""
        while token is not None:
            page = dict(
                await service.invoke(
                    "ExportPerson", _VERSION, account, ContactId=contact, MaxResults="100", NextToken=token
                )
            )
            token = page.pop("NextToken", None)
            paged = {name: found.get(name, []) + page.pop(name) for name in _PAGED}
            found |= page | paged
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))

    run_with_service(config, show)


@person.command()
@_account_option
@_contact_option
@click.confirmation_option(
    "--yes", prompt="Erase everything that is held on this contact, for good?", help="Do not ask."
)
@config_option
def erase(*, account: str, contact: str, config: Path | None) -> None:
    """Erase everything that is held on a contact, and print how much that was. Cannot be undone."""

    async def remove(service: Service) -> None:
        answer = await service.invoke("ErasePerson", _VERSION, account, ContactId=contact)
        click.echo(json.dumps(answer["Erased"], indent=2))

    run_with_service(config, remove)
