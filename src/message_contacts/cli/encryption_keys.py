"""`encryption-key`: replace the key that seals the secrets of access keys and webhooks, and makes links and codes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.cli.loading import config_option, settings_for
from message_contacts.cli.tables import print_table
from message_contacts.clock import Instant
from message_contacts.settings import PREFIX

if TYPE_CHECKING:
    from message_contacts.bootstrap.key_rotation import KeyReport, KeyRotation, Report

_COMMAND = "message-contacts encryption-key"


@click.group("encryption-key")
def encryption_key() -> None:
    """Replace the key that seals secrets and makes links and codes, while the service runs.

    It seals the secrets of access keys and the addresses of webhooks. Without the setting ENCRYPTION_KEY the key is in
    a file beside the database: `rotate` does all there is to do, and `forget` ends it when nothing needs the earlier
    key any more. With the setting, they say what to set where, and when.
    """


@encryption_key.command()
@config_option
def rotate(*, config: Path | None) -> None:
    """Make a new key and seal every secret with it; calls and links go on working, in every process.

    It can be interrupted and repeated: what was begun is finished first. With keys from settings it only seals anew.
    """

    async def work(rotation: KeyRotation) -> None:
        done = await rotation.rotate(
            progress=lambda number: click.echo(f"{number} secrets are sealed with the current key ...", err=True)
        )
        report = await rotation.report()
        if done.is_new:
            click.echo(f"The key is now {report.keys[0].name}.", err=True)
        elif done.resealed:
            click.echo("What an earlier rotation began is finished; no new key was made.", err=True)
        click.echo(f"{done.resealed} secrets were sealed anew with the current key.", err=True)
        _complain_of_broken(report)
        if rotation.file is not None:
            if len(report.keys) > 1:
                _say_when_to_forget(report)
        elif len(report.keys) > 1:
            _say_what_settings_may_go(report)
            _say_how_to_tell_the_moment(report, rotation.clock.now())
        else:
            _say_how_with_settings()

    _run(config, work)


_replaced_option = click.option(
    "--replaced",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]),
    metavar="MOMENT",
    help="Since when every process makes with the current key, in UTC, such as 2026-11-22T10:00:00Z; for keys from "
    "settings, of which nobody else knows it. Without it, they may be needed for anything sent until now.",
)


@encryption_key.command()
@config_option
@_replaced_option
def status(*, config: Path | None, replaced: datetime | None) -> None:
    """Show how many secrets each key opens and what else needs it. No key is shown, only names to tell them apart."""

    async def work(rotation: KeyRotation) -> None:
        report = await rotation.report(replaced=_moment(replaced, rotation))
        rows = [
            (
                key.name,
                "current" if key.is_current else "accepted",
                "file" if key.in_file else "settings",
                "-" if key.since is None else _time(key.since),
                str(key.secrets),
                _needed_for(key),
            )
            for key in report.keys
        ]
        print_table(("key", "state", "from", "since", "secrets", "needed for"), rows)
        _complain_of_broken(report)

    _run(config, work)


@encryption_key.command()
@config_option
@click.option(
    "--with-mails",
    is_flag=True,
    help="Also keys that only mails of published messages need, before these go: links to preferences and to "
    "unsubscribe in mails sent with such a key end, and mails that come back are not recognised.",
)
@_replaced_option
def forget(*, config: Path | None, with_mails: bool, replaced: datetime | None) -> None:
    """Take earlier keys out of the key file, if nothing that is sealed or was sent needs them.

    With keys from settings it only says which may go. Exit status 1: a key has to stay.
    """

    async def work(rotation: KeyRotation) -> None:
        moment = _moment(replaced, rotation)
        if rotation.file is None:
            report = await rotation.report(replaced=moment)
            _complain_of_broken(report)
            _say_what_settings_may_go(report, with_mails=with_mails)
            if any(_stays(key, with_mails=with_mails) for key in report.keys):
                raise click.exceptions.Exit(1)
            return
        gone, report = await rotation.forget(with_mails=with_mails, replaced=moment)
        _complain_of_broken(report)
        if gone:
            click.echo(f"{len(gone)} {'key is' if len(gone) == 1 else 'keys are'} forgotten.", err=True)
        for key in gone:
            mails = "mails sent with it" if key.replaced is None else f"mails sent until {_time(key.replaced)}"
            click.echo(f"With {key.name}, links in {mails} have ended.", err=True)
        kept = [key for key in report.keys if not key.is_current]
        for key in kept:
            click.echo(f"{key.name} stays: {_needed_for(key)}.", err=True)
        if any(not key.is_needed_beside_mails for key in kept):
            click.echo(f"`{_COMMAND} forget --with-mails` ends what only mails of messages need.", err=True)
        if not gone and not kept:
            click.echo("There is no earlier key.", err=True)
        if kept:
            raise click.exceptions.Exit(1)

    _run(config, work)


def _needed_for(key: KeyReport) -> str:
    reasons = []
    if key.secrets:
        reasons.append("secrets")
    if key.links_until is not None:
        reasons.append(f"links and codes until {_time(key.links_until)}")
    if key.mails is not None:
        until = "for good" if key.mails.until is None else f"until {_time(key.mails.until)}"
        reasons.append(f"mails of messages on record {until}")
    if key.late_until is not None:
        reasons.append(f"what is on its way until {_time(key.late_until)}")
    return ", ".join(reasons) or "nothing"


def _stays(key: KeyReport, *, with_mails: bool) -> bool:
    return not key.is_current and (key.is_needed_beside_mails if with_mails else key.is_needed)


def _say_when_to_forget(report: Report) -> None:
    ends = [end for key in report.keys for end in (key.links_until, key.late_until) if end is not None]
    mails = [key.mails for key in report.keys if key.mails is not None]
    last = [entry.until for entry in mails if entry.until is not None]
    if len(last) < len(mails):
        when = "with `--with-mails` only, since messages are kept for good"
    else:
        when = f"from {_time(max(ends + last))} on" if ends or last else "now"
    click.echo(f"Earlier keys are still accepted. `{_COMMAND} forget` takes them away, {when}.", err=True)


def _say_how_to_tell_the_moment(report: Report, now: int) -> None:
    if any(key.is_needed for key in report.keys if not key.is_current):
        click.echo(
            "When a key was replaced, only you know. If every process makes with the current one by now:\n"
            f"  {_COMMAND} forget --replaced {_time(now)}\n"
            "says from when on the earlier one may go.",
            err=True,
        )


def _say_how_with_settings() -> None:
    click.echo(
        f"""The key comes from {PREFIX}ENCRYPTION_KEY. To replace it, on every machine and one process after the other:
  1. Make a new key: openssl rand -base64 32
  2. Set {PREFIX}ENCRYPTION_KEYS_ACCEPTED to the new key; restart each process.
  3. Set {PREFIX}ENCRYPTION_KEY to the new key and ENCRYPTION_KEYS_ACCEPTED to the old one; restart each process.
  4. {_COMMAND} rotate
  5. When `{_COMMAND} forget` says that nothing needs the old key: take ENCRYPTION_KEYS_ACCEPTED away.""",
        err=True,
    )


def _say_what_settings_may_go(report: Report, *, with_mails: bool = False) -> None:
    for key in report.keys:
        if key.is_current:
            continue
        if _stays(key, with_mails=with_mails):
            told = f"has to stay in {PREFIX}ENCRYPTION_KEYS_ACCEPTED: {_needed_for(key)}."
        elif key.mails is not None:
            told = f"may leave {PREFIX}ENCRYPTION_KEYS_ACCEPTED, and links in mails sent with it end."
        else:
            told = f"may leave {PREFIX}ENCRYPTION_KEYS_ACCEPTED: nothing needs it."
        click.echo(f"{key.name} {told}", err=True)
    if len(report.keys) == 1:
        click.echo("There is no earlier key.", err=True)


def _complain_of_broken(report: Report) -> None:
    for noun in dict.fromkeys(each.noun for each in report.broken):
        names = [each.id for each in report.broken if each.noun == noun]
        shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
        click.echo(
            f"No key opens the secrets of {len(names)} {noun}s ({shown}): they were sealed with a key that "
            f"is not here. Add it to {PREFIX}ENCRYPTION_KEYS_ACCEPTED and rotate, or make new {noun}s.",
            err=True,
        )


def _moment(given: datetime | None, rotation: KeyRotation) -> Instant | None:
    if given is None:
        return None
    moment = Instant(round(given.replace(tzinfo=UTC).timestamp() * 1000))
    if moment > rotation.clock.now():
        raise click.BadParameter("the moment has not come yet.", param_hint="--replaced")
    return moment


def _run(config: Path | None, work: Callable[[KeyRotation], Awaitable[None]]) -> None:
    # Heavy to load: `--help` does without.
    from message_contacts.bootstrap.key_rotation import key_rotation  # noqa: PLC0415
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415
    from message_contacts.cli.opening import need_database, opened  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    need_database(settings)

    async def run() -> None:
        async with opened(settings) as service:
            await work(key_rotation(service))

    asyncio.run(run())


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
