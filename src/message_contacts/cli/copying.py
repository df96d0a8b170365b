"""`copy`: move a whole service to another database, of either engine."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.cli.loading import config_option, settings_for
from message_contacts.cli.tables import print_table
from message_contacts.settings import PREFIX
from message_contacts.settings.forms import DATABASE_URL, is_postgres, without_password

if TYPE_CHECKING:
    from message_contacts.bootstrap.moving import MovingKeys
    from message_contacts.settings import Settings
    from message_contacts.storage.moving import Moved


class _DatabaseUrl(click.ParamType[str]):
    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return DATABASE_URL.parse(value)
        except ValueError as refusal:
            self.fail(str(refusal), param, ctx)


@click.command()
@click.option(
    "--from", "source", type=_DatabaseUrl(), metavar="URL", required=True, help="Database to copy; is only read."
)
@click.option("--to", "target", type=_DatabaseUrl(), metavar="URL", required=True, help="New database to copy it to.")
@config_option
def copy(*, source: str, target: str, config: Path | None) -> None:
    """Move a whole service to another database, from SQLite to PostgreSQL or any other way round.

    Every process of the service has to be stopped. Everything is copied, then compared value by value; a copy that was
    interrupted is continued by the same command. No service starts on the new database before it is complete. Prints
    what each table holds in both.

    The encryption key comes from the setting ENCRYPTION_KEY or from the file beside an SQLite database, and has to be
    that of the service. A password can be left out of the URLs and given as PGPASSWORD.
    """
    # Heavy to load: `--help` does without.
    from message_contacts.bootstrap.errors import StartError  # noqa: PLC0415
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415
    from message_contacts.storage.engine import CannotOpen  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    try:
        asyncio.run(_copy(settings, source, target))
    except (StartError, CannotOpen) as refusal:
        raise click.ClickException(str(refusal)) from None
    except OSError as failure:
        raise click.ClickException(f"{failure.filename or without_password(target)}: {failure.strerror}") from None


async def _copy(settings: Settings, source: str, target: str) -> None:
    from message_contacts.bootstrap.moving import moving_keys, opened_secrets  # noqa: PLC0415 - as above
    from message_contacts.storage.moving import moving  # noqa: PLC0415

    keys = moving_keys(settings, source, target)
    async with moving(source, target) as move:
        opened = await opened_secrets(move.source, keys.vault)
        if move.is_resumed:
            click.echo("An earlier copy was interrupted; it is continued.", err=True)
        rows = await move.rows()
        await _with_bar("Copying  ", rows, move.copy())
        await _with_bar("Comparing", rows, move.compare())
        keys.carry()
        moved = await move.finish()
    _print_moved(moved)
    click.echo(
        f"{rows} rows are in {without_password(target)} as they are in {without_password(source)}; "
        f"{opened.secrets - len(opened.broken)} secrets open.",
        err=True,
    )
    if opened.broken:
        shown = ", ".join(opened.broken[:5]) + (" ..." if len(opened.broken) > 5 else "")
        click.echo(f"No key opens the secrets of {len(opened.broken)} access keys, before as after: {shown}.", err=True)
    _say_what_to_set(keys, target)


async def _with_bar(label: str, length: int, steps: AsyncIterator[int]) -> None:
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        async for step in steps:
            bar.update(step)


def _print_moved(moved: Sequence[Moved]) -> None:
    print_table(("table", "rows", "sha256"), [(entry.table, str(entry.rows), entry.checksum) for entry in moved])


def _say_what_to_set(keys: MovingKeys, target: str) -> None:
    lines = [f"Now set {PREFIX}DATABASE_URL to the new database for every process, and keep the old one for a while."]
    if keys.file is None:
        lines.append(f"{PREFIX}ENCRYPTION_KEY stays as it is: the new service needs the same.")
    elif is_postgres(target):
        lines.append(
            f"The new service needs the same encryption key: set {PREFIX}ENCRYPTION_KEY to what "
            f"`head -n 1 {keys.file.path} | cut -d ' ' -f 1` prints."
        )
        if len(keys.file.read()) > 1:
            lines.append(
                f"{PREFIX}ENCRYPTION_KEYS_ACCEPTED: what `tail -n +2 {keys.file.path} | cut -d ' ' -f 1 | paste -sd ,` "
                "prints; links in messages already sent may need those."
            )
    elif keys.target_file is not None:
        lines.append(f"The encryption key went along: {keys.target_file.path}.")
    click.echo("\n".join(lines), err=True)
