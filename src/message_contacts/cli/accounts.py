"""`account` and `access-key`: what only the operator of the service may do, straight on the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.access.model import KeyStatus
from message_contacts.cli.loading import config_option, settings_for
from message_contacts.cli.tables import print_table

if TYPE_CHECKING:
    from message_contacts.access.administration import NewKey
    from message_contacts.bootstrap import Service

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@click.group()
def account() -> None:
    """Make and list management accounts: tenants that know nothing of each other.

    Works on the database itself (setting DATABASE_URL), whether the service is running or not.
    """


@account.command("create")
@click.argument("name")
@click.option("--account-id", metavar="ID", help="16 digits. Without it, a random id.")
@click.option("--directory/--no-directory", default=True, show_default=True, help="Enable a resource directory.")
@click.option("--key/--no-key", default=True, show_default=True, help="Make an access key; its secret is shown once.")
@_json_option
@config_option
def create_account(
    *, name: str, account_id: str | None, directory: bool, key: bool, as_json: bool, config: Path | None
) -> None:
    """Make the management account NAME."""

    async def create(service: Service) -> None:
        made = await service.administration.create_account(name, account_id=account_id)
        found = {"AccountId": made.account_id, "AccountName": made.name}
        if directory:
            answer = await service.invoke(
                "EnableResourceDirectory", "2022-04-19", made.account_id, EnableMode="CurrentAccount"
            )
            found["ResourceDirectoryId"] = str(answer["ResourceDirectory"]["ResourceDirectoryId"])
        if key:
            found |= _key_fields(await service.administration.create_access_key(made.account_id))
        _print_fields(found, as_json=as_json)

    _run(config, create)


@account.command("list")
@_json_option
@config_option
def list_accounts(*, as_json: bool, config: Path | None) -> None:
    """List all management accounts, oldest first."""

    async def show(service: Service) -> None:
        rows = [
            (found.account_id, found.name, _time(found.created_at)) for found in await service.administration.accounts()
        ]
        _print_rows(("AccountId", "AccountName", "CreateTime"), rows, as_json=as_json)

    _run(config, show)


@click.group("access-key")
def access_key() -> None:
    """Make, list and switch access keys. A change is in force at once, in every process.

    Works on the database itself (setting DATABASE_URL), whether the service is running or not.
    """


@access_key.command("create")
@click.argument("account_id")
@_json_option
@config_option
def create_key(*, account_id: str, as_json: bool, config: Path | None) -> None:
    """Make an access key for ACCOUNT_ID, a management account or a member. Its secret is shown this once."""

    async def create(service: Service) -> None:
        services = service.services
        known = await services.access.account(account_id) or await services.directory.directory_of_member(account_id)
        if known is None:
            raise click.ClickException(
                f"there is no account {account_id}. `message-contacts account list` has them all."
            )
        made = await service.administration.create_access_key(account_id)
        _print_fields({"AccountId": account_id, **_key_fields(made)}, as_json=as_json)

    _run(config, create)


@access_key.command("list")
@click.argument("account_id")
@_json_option
@config_option
def list_keys(*, account_id: str, as_json: bool, config: Path | None) -> None:
    """List the access keys of ACCOUNT_ID, oldest first, without their secrets."""

    async def show(service: Service) -> None:
        keys = await service.administration.access_keys(account_id)
        rows = [(found.access_key_id, found.status.value, _time(found.created_at)) for found in keys]
        _print_rows(("AccessKeyId", "Status", "CreateTime"), rows, as_json=as_json)

    _run(config, show)


@access_key.command()
@click.argument("access_key_id")
@config_option
def deactivate(*, access_key_id: str, config: Path | None) -> None:
    """Switch ACCESS_KEY_ID off: calls signed with it are refused."""
    _switch(config, access_key_id, KeyStatus.INACTIVE)


@access_key.command()
@click.argument("access_key_id")
@config_option
def activate(*, access_key_id: str, config: Path | None) -> None:
    """Switch ACCESS_KEY_ID on again."""
    _switch(config, access_key_id, KeyStatus.ACTIVE)


@access_key.command()
@click.argument("access_key_id")
@click.confirmation_option("--yes", prompt="Delete this access key for good?", help="Do not ask.")
@config_option
def delete(*, access_key_id: str, config: Path | None) -> None:
    """Remove ACCESS_KEY_ID for good. `deactivate` can be undone, this cannot."""

    async def remove(service: Service) -> None:
        await service.administration.delete_access_key(access_key_id)

    _run(config, remove)
    click.echo(f"{access_key_id} is deleted.", err=True)


def _switch(config: Path | None, access_key_id: str, status: KeyStatus) -> None:
    async def switch(service: Service) -> None:
        await service.administration.set_access_key_status(access_key_id, status)

    _run(config, switch)
    click.echo(f"{access_key_id} is {status.value.lower()}.", err=True)


def _run(config: Path | None, work: Callable[[Service], Awaitable[None]]) -> None:
    """Do something with the service of the settings, on a database that is there."""
    # Heavy to load: `--help` does without.
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415
    from message_contacts.cli.opening import need_database, opened  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    need_database(settings)

    async def run() -> None:
        async with opened(settings) as service:
            await work(service)

    asyncio.run(run())


def _key_fields(key: NewKey) -> dict[str, str]:
    return {"AccessKeyId": key.access_key_id, "AccessKeySecret": key.secret}


def _print_fields(fields: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
    else:
        width = max(map(len, fields))
        for name, value in fields.items():
            click.echo(f"{name:<{width}}  {value}")
    if "AccessKeySecret" in fields:
        click.echo("The secret is not shown again.", err=True)


def _print_rows(header: Sequence[str], rows: Sequence[tuple[str, ...]], *, as_json: bool) -> None:
    if as_json:
        entries = [dict(zip(header, row, strict=True)) for row in rows]
        click.echo(json.dumps(entries, ensure_ascii=False, indent=2))
    else:
        print_table(header, rows)


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
