"""`account` and `access-key`: what only the operator of the service may do, straight on the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.access.model import KeyStatus
from message_contacts.cli.loading import config_option
from message_contacts.cli.tables import print_table
from message_contacts.cli.with_service import run_with_service

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

    run_with_service(config, create)


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

    run_with_service(config, show)


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

    run_with_service(config, create)


@access_key.command("rotate")
@click.argument("access_key_id")
@_json_option
@config_option
def rotate_key(*, access_key_id: str, as_json: bool, config: Path | None) -> None:
    """Make a new access key for whoever calls with ACCESS_KEY_ID, which stays as it is until nobody uses it any more.

    The new secret is shown this once. Hand it to the callers; when `access-key list` shows no use of the old key for a
    while, `deactivate` it, and `delete` it when nothing misses it.
    """

    async def rotate(service: Service) -> None:
        account_id, made = await service.administration.rotate_access_key(access_key_id)
        _print_fields({"AccountId": account_id, **_key_fields(made)}, as_json=as_json)
        command = "message-contacts access-key"
        click.echo(
            f"{access_key_id} is still active. Next: hand the new key to its callers; see with `{command} list "
            f"{account_id}` that the old one is used no more; `{command} deactivate {access_key_id}`; and when nothing "
            f"misses it, `{command} delete {access_key_id}`.",
            err=True,
        )
        if service.settings.root_access_key_id == access_key_id:
            click.echo(
                "It is the key that MESSAGE_CONTACTS_ROOT_ACCESS_KEY_ID names. That setting counts at the very first "
                "start only: a deleted key does not come back. Set both settings to the new key, or take them away.",
                err=True,
            )

    run_with_service(config, rotate)


@access_key.command("list")
@click.argument("account_id")
@_json_option
@config_option
def list_keys(*, account_id: str, as_json: bool, config: Path | None) -> None:
    """List the access keys of ACCOUNT_ID, oldest first, without their secrets.

    The time of last use is up to a minute behind; it is empty when the key was never used.
    """

    async def show(service: Service) -> None:
        keys = await service.administration.access_keys(account_id)
        last_uses = await service.storage.key_uses.last_uses(account_id)
        rows = []
        for found in keys:
            used_at = last_uses.get(found.access_key_id)
            last_use = "" if used_at is None else _time(used_at)
            rows.append((found.access_key_id, found.status.value, _time(found.created_at), last_use))
        _print_rows(("AccessKeyId", "Status", "CreateTime", "LastUseTime"), rows, as_json=as_json)

    run_with_service(config, show)


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

    run_with_service(config, remove)
    click.echo(f"{access_key_id} is deleted.", err=True)


def _switch(config: Path | None, access_key_id: str, status: KeyStatus) -> None:
    async def switch(service: Service) -> None:
        await service.administration.set_access_key_status(access_key_id, status)

    run_with_service(config, switch)
    click.echo(f"{access_key_id} is {status.value.lower()}.", err=True)


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
