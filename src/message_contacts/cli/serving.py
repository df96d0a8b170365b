"""`serve`, `worker` and `migrate`: the program as a service."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from message_contacts.cli.console_links import console_words, first_ticket
from message_contacts.cli.loading import config_option, settings_for
from message_contacts.settings import CONFIG, DEMO_ACCESS_KEY_ID, DEMO_ACCESS_KEY_SECRET, PREFIX, Settings, forms
from message_contacts.settings.forms import is_postgres

if TYPE_CHECKING:
    from message_contacts.access.administration import NewKey
    from message_contacts.wire.server import Listening

#: How much a worker steps back behind whoever answers calls: at 10 it gets a tenth where processors are short, and all
#: of them where they are not.
_NICENESS = 10


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on (setting HOST).")
@click.option("--port", metavar="NUMBER", help="Port to listen on; 0 takes a free one (setting PORT).")
@click.option("--workers", metavar="NUMBER", help="Processes that answer calls (setting WORKERS).")
@click.option(
    "--demo",
    is_flag=True,
    help="Make demo data at first start, and use the public demo key. Loopback and capture only.",
)
@config_option
def serve(*, host: str | None, port: str | None, workers: str | None, demo: bool, config: Path | None) -> None:
    """Start the service and answer until SIGTERM or Ctrl-C.

    The first start makes the database, an account and an access key, whose secret is shown once. A worker that sends
    what waits runs inside, unless MESSAGE_CONTACTS_WORKER=false.
    """
    # Heavy to load: `--help` does without.
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415
    from message_contacts.cli.operator_listener import listening_for_metrics  # noqa: PLC0415

    options = {name: text for name, text in (("HOST", host), ("PORT", port), ("WORKERS", workers)) if text is not None}
    base = _demo_settings() if demo else {}
    settings = settings_for(config, options=options, base=base)
    if settings.port == 0:
        options["PORT"] = str(_free_port(settings.host))
        settings = settings_for(config, options=options, base=base)
    if demo and not settings.demo_key_allowed:
        raise click.ClickException("--demo is for a loopback address with captured mail and text messages only.")
    configure_logs(settings)
    ticket = asyncio.run(_prepare(settings, demo=demo))
    with ExitStack() as open_:
        beside = [open_.enter_context(listening_for_metrics(settings))] if settings.metrics_listen else []
        if settings.workers > 1:
            if settings.metrics_folder is None:  # each of them tells the sum of all
                options["METRICS_FOLDER"] = open_.enter_context(TemporaryDirectory(prefix="message-contacts-"))
                settings = settings_for(config, options=options, base=base)
            _put_into_environment(settings, options | dict(base), config)
        _serve(settings, beside, demo=demo, ticket=ticket)


def _serve(settings: Settings, beside: list[socket.socket], *, demo: bool, ticket: str | None) -> None:
    from message_contacts.cli.hosting import Hosted  # noqa: PLC0415 - as above
    from message_contacts.wire.server import StartError, serve  # noqa: PLC0415

    try:
        serve(
            Hosted(settings) if settings.workers == 1 else "message_contacts.cli.hosting:application",
            host=settings.host,
            port=settings.port,
            beside=beside,
            workers=settings.workers,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
            on_started=lambda listening: _announce(settings, listening, demo=demo, ticket=ticket),
        )
    except StartError:
        raise click.ClickException("the service could not start; the log above says why.") from None
    except ssl.SSLError as failure:
        raise click.ClickException(
            f"{settings.tls_certificate} and {settings.tls_key} cannot be used for TLS: {failure.reason or failure}."
        ) from None
    except OSError as failure:
        where = f"{settings.host} port {settings.port}"
        raise click.ClickException(f"cannot listen on {where}: {failure.strerror or failure}.") from None


@click.command()
@config_option
def worker(*, config: Path | None) -> None:
    """Send what waits until SIGTERM or Ctrl-C: verification mail and text messages, withdrawals of contacts.

    Any number of workers share the work of one database. `serve` has one inside unless MESSAGE_CONTACTS_WORKER=false.
    """
    import uvloop  # noqa: PLC0415 - heavy to load: `--help` does without

    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415 - as above
    from message_contacts.cli.opening import need_database  # noqa: PLC0415 - as above

    settings = settings_for(config)
    configure_logs(settings)
    need_database(settings)
    gives_way = _give_way(settings)

    uvloop.run(_work(settings, gives_way=gives_way))


@click.command()
@click.option("--check", is_flag=True, help="Only say whether there is something to do; exit status 1 if there is.")
@config_option
def migrate(*, check: bool, config: Path | None) -> None:
    """Bring the database to the schema of this version; make it if there is none.

    A start does the same. To run it beforehand makes the start quicker; the version before works on the new schema too.
    """
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415 - heavy to load: `--help` does without
    from message_contacts.storage import migrate as bring_up_to_date  # noqa: PLC0415
    from message_contacts.storage.engine import CannotOpen  # noqa: PLC0415
    from message_contacts.storage.migrate import HEAD, schema_version  # noqa: PLC0415
    from message_contacts.storage.migrate import check as refuse_unless_current  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    url = settings.database_url
    try:
        before = schema_version(url)
        if check:
            refuse_unless_current(url)
        else:
            bring_up_to_date(url)
    except CannotOpen as refusal:
        raise click.ClickException(str(refusal)) from None
    except OSError as failure:
        raise click.ClickException(f"{failure.filename or settings.database_shown}: {failure.strerror}") from None
    if check or before == HEAD:
        click.echo(f"{settings.database_shown} has schema version {before}; there is nothing to do.", err=True)
    else:
        click.echo(f"{settings.database_shown} now has schema version {HEAD}; it had {before or 'none'}.", err=True)


async def _prepare(settings: Settings, *, demo: bool) -> str | None:
    """What the first start makes, before anybody can call.

    Returns: The secret part of a link to the console, if a person sits at the terminal.
    """
    from message_contacts.cli.opening import opened  # noqa: PLC0415 - as above

    async with opened(settings) as service:
        key = await service.first_start()
        if key is not None:
            _show_first_key(settings, key)
        if demo:
            from message_contacts.demo import fill  # noqa: PLC0415 - needed here only

            account_id = settings.root_account_id
            if account_id is None or await service.services.access.account(account_id) is None:
                raise click.ClickException(
                    f"{settings.database_shown} was not made with --demo. Start without it, or name another database "
                    "with MESSAGE_CONTACTS_DATABASE_URL."
                )
            await fill(service, account_id)
        return await first_ticket(service) if sys.stderr.isatty() else None


async def _work(settings: Settings, *, gives_way: bool) -> None:
    """Do waiting work until a signal ends it."""
    from message_contacts.cli.opening import opened  # noqa: PLC0415 - heavy to load: `--help` does without
    from message_contacts.cli.operator_listener import showing_metrics  # noqa: PLC0415 - heavy to load: `--help` does without
    from message_contacts.metrics.process import processor_wait  # noqa: PLC0415 - heavy to load: `--help` does without

    async with opened(settings) as service, showing_metrics(service):
        if gives_way:
            service.worker.give_way(processor_wait)
        working = asyncio.create_task(service.work())

        def stop() -> None:
            service.readiness.stop()
            working.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        click.echo(f"Sending what waits in {settings.database_shown}. Ctrl-C stops.", err=True)
        with suppress(asyncio.CancelledError):
            await working


def _give_way(settings: Settings) -> bool:
    """Let whoever answers calls on this machine go first: for an answer somebody waits, for the thousandth mail nobody.

    Not on SQLite, whose one lock for writers a process must not hold while it waits for a processor.
    Returns: Whether the worker gives way.
    """
    gives_way = is_postgres(settings.database_url)
    if gives_way and hasattr(os, "nice"):
        os.nice(_NICENESS)
    return gives_way


def _demo_settings() -> Mapping[str, str]:
    from message_contacts import demo  # noqa: PLC0415 - needed with --demo only

    return demo.SETTINGS


def _free_port(host: str) -> int:
    """A port that is free now: links in messages name it, so it is needed before the service is put together."""
    from message_contacts.wire.server import bind  # noqa: PLC0415 - as above

    try:
        with bind(host, 0) as listener:
            return int(listener.getsockname()[1])
    except OSError as failure:
        raise click.ClickException(f"cannot listen on {host}: {failure.strerror or failure}.") from None


def _put_into_environment(settings: Settings, given: Mapping[str, str], config: Path | None) -> None:
    """Tell the server processes what this one was told, which they read as their settings."""
    if config is not None:
        os.environ[PREFIX + CONFIG] = str(config.resolve())
    for name, text in given.items():
        if settings.origins.get(name.lower()) in ("option", "demo"):
            os.environ.pop(f"{PREFIX}{name}_FILE", None)
            os.environ[PREFIX + name] = text


def _show_first_key(settings: Settings, key: NewKey) -> None:
    click.echo(
        "\n".join(
            (
                f"First start: {settings.root_account_name} is made in {settings.database_shown}. Its access key:",
                f"    access key id      {key.access_key_id}",
                f"    access key secret  {key.secret}",
                "The secret is not shown again. `message-contacts access-key create` makes more keys.",
            )
        ),
        err=True,
    )


def _announce(settings: Settings, listening: Listening, *, demo: bool, ticket: str | None) -> None:
    scheme = "https" if listening.is_tls else "http"
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    address = f"{host}:{listening.port}"
    shown = settings.metrics_listen and forms.LISTEN.show(settings.metrics_listen)
    metrics = f" Metrics at {scheme}://{shown}/metrics." if shown else ""
    click.echo(
        f"Message Contacts answers at {scheme}://{address}"
        + (", with demo data and captured mail." if demo else f"; links in messages begin with {settings.public_url}.")
        + metrics
        + " Ctrl-C stops it.",
        err=True,
    )
    if demo and settings.root_access_key_id == DEMO_ACCESS_KEY_ID:
        click.echo(_first_steps(f"{scheme}://{address}", None if listening.port == 8080 else address), err=True)
    click.echo(console_words(settings.public_url, ticket), err=True)


def _first_steps(endpoint: str, other_address: str | None) -> str:
    """What to try first, ready to be copied."""
    command = sys.argv[0]
    if shutil.which(Path(command).name) == command:
        command = Path(command).name
    export = f"export ALIBABA_CLOUD_ACCESS_KEY_ID={DEMO_ACCESS_KEY_ID}"
    export += f" ALIBABA_CLOUD_ACCESS_KEY_SECRET={DEMO_ACCESS_KEY_SECRET}"
    if other_address is not None:
        export += f" ALIBABA_CLOUD_ENDPOINT={other_address}"
    return f"""
  endpoint           {endpoint}
  access key id      {DEMO_ACCESS_KEY_ID}
  access key secret  {DEMO_ACCESS_KEY_SECRET}

Try this in a second terminal:

  {export}
  {command} api ListMessageContacts
  {command} inbox
  {Path(command).with_name("python")} docs/guide/first_call.py    # the vendor's Python SDK
"""
