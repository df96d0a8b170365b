"""`encryption-key`: replace the key that seals the secrets of access keys and makes verification links."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from message_contacts.cli.loading import config_option, settings_for
from message_contacts.cli.tables import print_table
from message_contacts.settings import PREFIX

if TYPE_CHECKING:
    from message_contacts.bootstrap.key_rotation import KeyReport, KeyRotation, Report

_COMMAND = "message-contacts encryption-key"


@click.group("encryption-key")
def encryption_key() -> None:
    """Replace the key that seals the secrets of access keys and makes verification links, while the service runs.

    Without the setting ENCRYPTION_KEY the key is in a file beside the database: `rotate` does all there is to do, and
    `forget` ends it a day later. With the setting, they say what to set where, and when.
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
        else:
            _say_how_with_settings()

    _run(config, work)


@encryption_key.command()
@config_option
def status(*, config: Path | None) -> None:
    """Show how many secrets each key opens and what else needs it. No key is shown, only names to tell them apart."""

    async def work(rotation: KeyRotation) -> None:
        report = await rotation.report()
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
def forget(*, config: Path | None) -> None:
    """Take earlier keys out of the key file, if neither secrets nor links that are still valid need them."""

    async def work(rotation: KeyRotation) -> None:
        if rotation.file is None:
            _say_what_settings_may_go(await rotation.report())
            return
        gone, report = await rotation.forget()
        _complain_of_broken(report)
        if gone:
            click.echo(f"{gone} {'key is' if gone == 1 else 'keys are'} forgotten.", err=True)
        kept = [key for key in report.keys if not key.is_current]
        for key in kept:
            click.echo(f"{key.name} stays: {_needed_for(key)}.", err=True)
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
        reasons.append(f"links until {_time(key.links_until)}")
    if key.late_until is not None:
        reasons.append(f"what is on its way until {_time(key.late_until)}")
    return ", ".join(reasons) or "nothing"


def _say_when_to_forget(report: Report) -> None:
    ends = [end for key in report.keys for end in (key.links_until, key.late_until) if end is not None]
    when = f"from {_time(max(ends))} on" if ends else "now"
    click.echo(f"Earlier keys are still accepted. `{_COMMAND} forget` takes them away, {when}.", err=True)


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


def _say_what_settings_may_go(report: Report) -> None:
    for key in report.keys:
        if not key.is_current:
            needed = _needed_for(key)
            click.echo(
                f"{key.name} may leave {PREFIX}ENCRYPTION_KEYS_ACCEPTED: nothing needs it."
                if needed == "nothing"
                else f"{key.name} has to stay in {PREFIX}ENCRYPTION_KEYS_ACCEPTED: {needed}.",
                err=True,
            )
    if len(report.keys) == 1:
        click.echo("There is no earlier key.", err=True)


def _complain_of_broken(report: Report) -> None:
    if report.broken:
        shown = ", ".join(report.broken[:5]) + (" ..." if len(report.broken) > 5 else "")
        click.echo(
            f"No key opens the secrets of {len(report.broken)} access keys ({shown}): they were sealed with a key that "
            f"is not here. Add it to {PREFIX}ENCRYPTION_KEYS_ACCEPTED and rotate, or make new access keys.",
            err=True,
        )


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
