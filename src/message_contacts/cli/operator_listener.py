"""Where `/metrics`, `/healthz` and `/readyz` are answered apart from the API: the setting METRICS_LISTEN."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import click

from message_contacts.bootstrap import Service
from message_contacts.settings import Settings
from message_contacts.wire.server import bind, serving_beside


def listening_for_metrics(settings: Settings) -> socket.socket:
    """A listening socket where the settings say.

    Raises: click.ClickException when that cannot be.
    """
    if settings.metrics_listen is None:
        raise ValueError("no address is set")
    host, port = settings.metrics_listen
    try:
        return bind(host, port)
    except OSError as failure:
        raise click.ClickException(
            f"cannot listen on {host} port {port} for metrics: {failure.strerror or failure}. Each process that is "
            "started on a machine needs a METRICS_LISTEN of its own."
        ) from None


@asynccontextmanager
async def showing_metrics(service: Service) -> AsyncIterator[None]:
    """Beside a process that answers no calls: count with the others, and answer the operator if the settings say so."""
    sharing = asyncio.create_task(service.meter.share(), name="sharing metrics")
    try:
        if service.settings.metrics_listen is None:
            yield
        else:
            with listening_for_metrics(service.settings) as listener:
                async with serving_beside(service.operator, listener):
                    yield
    finally:
        sharing.cancel()
        with suppress(asyncio.CancelledError):
            await sharing
