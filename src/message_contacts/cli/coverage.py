"""`coverage`: the members for whom too few contacts would be reached; fails when there are any."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from message_contacts.cli.api_client import Endpoint
from message_contacts.cli.connection import connection_options
from message_contacts.cli.tables import print_table
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.rules import Severity
from message_contacts.operations.registry import MESSAGE_CONTACTS

#: Contacts of one type that a line names.
_NAMED = 3
TYPES = [message_type.value for message_type in MessageType]
SEVERITIES = [severity.value for severity in Severity]


@click.command()
@connection_options
@click.option("--type", "message_type", type=click.Choice(TYPES), help="Only this message type; without it, all.")
@click.option("--folder", metavar="ID", help="Only members in this folder and the folders in it.")
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    help="Only what reaches for messages of this severity: text messages are sent for critical ones.",
)
@click.option(
    "--at-least",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="NUMBER",
    help="Contacts that each member should have for each type.",
)
@click.option("--all", "show_all", is_flag=True, help="Show every member, not only those with too few.")
def coverage(
    *,
    endpoint: Endpoint,
    message_type: str | None,
    folder: str | None,
    severity: str | None,
    at_least: int,
    show_all: bool,
) -> None:
    """Show the members for whom too few contacts would be reached.

    One line for each member and type, those with nobody first. Exit status 1 when some member
    has fewer contacts than --at-least for some type, 0 when none has: fit to end a CI job.
    """
    given = {"MessageType": message_type, "Folder": folder, "Severity": severity, "AtLeast": str(at_least)}
    pages = _pages(endpoint, {name: value for name, value in given.items() if value is not None})
    summary: dict[str, Any] = {}
    rows: list[list[str]] = []
    for page in pages:
        summary = page["Summary"]
        rows += [row for member in page["Members"] for row in _rows(member, at_least, show_all=show_all)]
        if not show_all and not any(_is_below(member, at_least) for member in page["Members"][-1:]):
            break  # those with too few come first
    if rows:
        print_table(["member", "name", "type", "contacts", "who"], rows)
        click.echo()
    for entry in summary["MessageTypes"]:
        if entry["MembersBelow"]:
            click.echo(
                f"{entry['MessageType']}: {entry['MembersBelow']} of {summary['MemberCount']} members have fewer than "
                f"{at_least}, {entry['MembersWithout']} have nobody."
            )
    if summary["MembersBelow"]:
        sys.exit(1)
    click.echo(f"All {summary['MemberCount']} members have at least {at_least} for each type.")


def _pages(endpoint: Endpoint, parameters: dict[str, str]) -> Iterator[dict[str, Any]]:
    parameters = {**parameters, "MaxResults": "100"}
    while True:
        answer = endpoint.call(MESSAGE_CONTACTS, "GetCoverage", parameters)
        yield answer
        if "NextToken" not in answer:
            return
        parameters["NextToken"] = answer["NextToken"]


def _rows(member: dict[str, Any], at_least: int, *, show_all: bool) -> Iterator[list[str]]:
    for entry in member["MessageTypes"]:
        count = entry["ContactCount"]
        if show_all or count < at_least:
            names = [contact["Name"] for contact in entry["Contacts"][:_NAMED]]
            more = f" and {count - len(names)} more" if count > len(names) else ""
            yield [
                member["MemberId"],
                member["DisplayName"],
                entry["MessageType"],
                str(count),
                (", ".join(names) + more) or "nobody",
            ]


def _is_below(member: dict[str, Any], at_least: int) -> bool:
    return any(entry["ContactCount"] < at_least for entry in member["MessageTypes"])
