"""`inbox`: captured mail and text messages, with the link and the code that a person would use."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import click

from message_contacts.cli.api_client import Endpoint
from message_contacts.cli.connection import connection_options

_VERSION = "2026-11-01"
_LINK = re.compile(r"https?://\S+")
_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9]{6}(?![0-9A-Za-z])")
_SECONDS_BETWEEN_LOOKS = 0.5


@click.command()
@connection_options
@click.option("--to", "recipient", metavar="ADDRESS", help="Only messages to this e-mail address or phone number.")
@click.option("--wait", is_flag=True, help="Wait for the next message instead of showing those that are there.")
@click.option(
    "--timeout",
    "patience",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long --wait waits.",
)
@click.option("--full", is_flag=True, help="Show the whole text of each message.")
@click.option("--json", "as_json", is_flag=True, help="Print messages as JSON, one a line.")
def inbox(*, endpoint: Endpoint, recipient: str | None, wait: bool, patience: float, full: bool, as_json: bool) -> None:
    """Show the mail and text messages that were captured instead of sent, oldest first.

    Each with its link (open it to confirm the address) and its code. With a real SMTP_URL
    or SMS_URL nothing is captured.
    """
    looker = _Looker(endpoint, recipient)
    messages = list(looker.new_messages())
    if wait:
        messages = _next_messages(looker, patience)
    for message in messages:
        if as_json:
            click.echo(json.dumps(message, ensure_ascii=False))
        else:
            _show(message, full=full)
    if not messages:
        click.echo("Nothing was captured" + (f" for {recipient}." if recipient else "."), err=True)


class _Looker:
    """Reads an inbox page by page and remembers how far it came."""

    def __init__(self, endpoint: Endpoint, recipient: str | None) -> None:
        self._endpoint = endpoint
        self._parameters = {"MaxResults": "100", **({"Recipient": recipient} if recipient else {})}
        #: Ids of the last page read: a page that is not full grows.
        self._seen: set[str] = set()

    def new_messages(self) -> Iterator[dict[str, Any]]:
        """What came since the last look."""
        while True:
            answer = self._endpoint.call(_VERSION, "ListInboxMessages", self._parameters)
            yield from (message for message in answer["Messages"] if message["MessageId"] not in self._seen)
            self._seen = {message["MessageId"] for message in answer["Messages"]}
            if "NextToken" not in answer:
                return
            self._parameters = {**self._parameters, "NextToken": answer["NextToken"]}


def _next_messages(looker: _Looker, patience: float) -> list[dict[str, Any]]:
    deadline = time.monotonic() + patience
    while True:
        if messages := list(looker.new_messages()):
            return messages
        if time.monotonic() >= deadline:
            raise click.ClickException(f"no message came within {patience:g} seconds.")
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _show(message: dict[str, Any], *, full: bool) -> None:
    text = message["Text"]
    heading = f"{message['CaptureTime']}  {message['Channel']} to {message['Recipient']}"
    click.secho(heading, bold=True)
    if message["Subject"]:
        click.echo(f"  subject  {message['Subject']}")
    if link := _LINK.search(text):
        click.echo(f"  link     {click.style(link[0], underline=True)}")
        text_without_link = _LINK.sub("", text)
    else:
        text_without_link = text
    if code := _CODE.search(text_without_link):
        click.echo(f"  code     {code[0]}")
    if full:
        click.echo("\n" + "\n".join(f"  {line}" for line in text.splitlines()))
    click.echo()
