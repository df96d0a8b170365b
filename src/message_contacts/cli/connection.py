"""Options of the commands that call a running service, and how they say that a call failed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from message_contacts.cli.api_client import CallRefusedError, Endpoint, EndpointFailedError

_OPTIONS = (
    click.option(
        "--endpoint",
        envvar="ALIBABA_CLOUD_ENDPOINT",
        default="http://127.0.0.1:8080",
        show_default=True,
        show_envvar=True,
        metavar="URL",
        help="Where the service is.",
    ),
    click.option(
        "--access-key-id",
        envvar="ALIBABA_CLOUD_ACCESS_KEY_ID",
        show_envvar=True,
        required=True,
        metavar="ID",
        help="Access key to sign with.",
    ),
    click.option(
        "--access-key-secret",
        envvar="ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        show_envvar=True,
        required=True,
        metavar="SECRET",
        help="Its secret; better given by the environment, which other users cannot see.",
    ),
)


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options and hand the command an `Endpoint` as its keyword `endpoint`; failures of calls end it with 1."""

    @functools.wraps(command)
    def connected(*, endpoint: str, access_key_id: str, access_key_secret: str, **options: Any) -> Any:
        target = Endpoint(url=endpoint, access_key_id=access_key_id, access_key_secret=access_key_secret)
        try:
            return command(endpoint=target, **options)
        except CallRefusedError as refusal:
            missing = f"\nPermission: {refusal.permission}" if refusal.permission else ""
            raise click.ClickException(
                f"{refusal.code} (HTTP {refusal.status})\n{refusal.message}{missing}\nRequest id: {refusal.request_id}"
            ) from None
        except EndpointFailedError as failure:
            raise click.ClickException(str(failure)) from None

    for option in reversed(_OPTIONS):
        connected = option(connected)
    return connected
