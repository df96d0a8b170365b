"""`backup` and `restore`: a copy of the database that is known to be good, and the way back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.cli.loading import config_option, settings_for

if TYPE_CHECKING:
    from message_contacts.bootstrap.backups import Restored
    from message_contacts.storage.sqlite_backup import Contents, Progress

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--to", "target", type=_FILE, metavar="FILE", required=True, help="The file to make.")
@click.option(
    "--with-key",
    is_flag=True,
    help="Put the encryption key beside it, as FILE.key. Whoever has both can read every access key.",
)
@click.option("--replace", is_flag=True, help="Replace FILE if it is there.")
@config_option
def backup(*, target: Path, with_key: bool, replace: bool, config: Path | None) -> None:
    """Copy the database into FILE while the service goes on, and check the copy.

    The copy holds everything that was acknowledged before it began. Its SHA-256 is put beside it, as FILE.sha256. It is
    an SQLite database in one file, readable by its owner only. For PostgreSQL see docs/guide/backup.md.
    """
    from message_contacts.bootstrap.backups import back_up  # noqa: PLC0415 - heavy to load: `--help` does without
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    with _complaints(), _shown_progress("Copying") as progress:
        made = back_up(settings, target, with_key=with_key, replace=replace, progress=progress)
    click.echo(
        f"{target}: {_summary(made.contents)}. The copy is sound; its digest is in {made.digest.name}.", err=True
    )
    if made.key is not None:
        click.echo(
            f"The encryption key is in {made.key}. Keep it apart from the copy: together they open everything.",
            err=True,
        )
    elif settings.encryption_key is None:
        click.echo(
            f"The encryption key is not in it. Keep {settings.database_url.removeprefix('sqlite:///')}.key somewhere "
            "else: without it, access keys do not open and links that were sent do not work.",
            err=True,
        )
    if made.broken:
        click.echo(_broken(made.broken), err=True)
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--from", "source", type=_FILE, metavar="FILE", required=True, help="A file that `backup` made.")
@click.option("--with-key", is_flag=True, help="Take over the encryption key in FILE.key, too.")
@click.option("--replace", is_flag=True, help="Replace a database that has accounts. It is kept beside.")
@config_option
def restore(*, source: Path, with_key: bool, replace: bool, config: Path | None) -> None:
    """Put the backup FILE in the place of the database. Every process that works with it has to be stopped.

    FILE is checked before anything is changed: its digest, structure, references and schema. Afterwards it is said
    whether the key at hand opens the secrets, whether the audit trail is unbroken, and who has to be erased again; exit
    status 1 if anything of that is not as it should be.
    """
    from message_contacts.bootstrap.backups import restore as put_back  # noqa: PLC0415 - as above
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    with _complaints(), _shown_progress("Reading") as progress:
        done = put_back(settings, source, with_key=with_key, replace=replace, progress=progress)
    path = settings.database_url.removeprefix("sqlite:///")
    click.echo(f"{path} is restored: {_summary(done.contents)}.", err=True)
    is_sound = _tell(done)
    if done.kept is not None:
        click.echo(
            f"What was there before is kept in {done.kept}. Erased persons may be in it: delete it in time.", err=True
        )
    if not is_sound:
        raise click.exceptions.Exit(1)


def _tell(done: Restored) -> bool:
    """Say what was found out; whether all of it is as it should be."""
    if not done.has_digest:
        click.echo(
            "There was no digest beside the backup: an altered value in a row would not have been seen.", err=True
        )
    if done.broken:
        click.echo(_broken(done.broken), err=True)
    else:
        click.echo(f"The secrets of all {done.secrets} access keys open with the key at hand.", err=True)
    broken_chains = [chain for chain in done.chains if not chain.unbroken]
    for chain in broken_chains:
        click.echo(f"The audit trail of {chain.account_id} is BROKEN: {'; '.join(chain.breaks)}", err=True)
    if done.chains and not broken_chains:
        click.echo(f"The audit trails of {len(done.chains)} accounts are unbroken.", err=True)
    if done.erased:
        click.echo(
            "These persons were erased after the backup was made. Erase them again, before the service starts:",
            err=True,
        )
        for person in done.erased:
            click.echo(
                f"message-contacts person erase --account {person.account_id} --contact {person.contact_id} --yes"
            )
    elif done.erased is None:
        click.echo("Persons who were erased after the backup was made are there again. Erase them again.", err=True)
    return not done.broken and not broken_chains


def _summary(contents: Contents) -> str:
    shown = [f"{contents.rows[table]} {words}" for table, words in _SHOWN if table in contents.rows]
    return f"schema {contents.schema_version}, {sum(contents.rows.values())} rows, among them {', '.join(shown)}"


_SHOWN = (("account", "accounts"), ("contact", "contacts"), ("member", "members"), ("audit_event", "audit events"))


def _broken(broken: tuple[str, ...]) -> str:
    shown = ", ".join(broken[:5]) + (" ..." if len(broken) > 5 else "")
    return (
        f"No key at hand opens the secrets of {len(broken)} access keys ({shown}): they were sealed with another one. "
        "Find it, or make new access keys."
    )


@contextmanager
def _complaints() -> Iterator[None]:
    from message_contacts.bootstrap import StartError  # noqa: PLC0415 - as above
    from message_contacts.storage.engine import SchemaMismatch  # noqa: PLC0415
    from message_contacts.storage.sqlite_backup import BackupError  # noqa: PLC0415

    try:
        yield
    except (BackupError, StartError, SchemaMismatch) as refusal:
        raise click.ClickException(str(refusal)) from None
    except OSError as failure:
        raise click.ClickException(f"{failure.filename}: {failure.strerror}.") from None


@contextmanager
def _shown_progress(label: str) -> Iterator[Progress]:
    """A bar for people; nothing when standard error is not a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _whole: None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def progress(done: int, whole: int) -> None:
            bar.update(1000 * done // max(whole, 1) - bar.pos)

        yield progress
