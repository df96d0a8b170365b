"""`explain`: rule by rule, why a message would reach a contact or an address, or why not."""

from __future__ import annotations

from typing import Any

import click

from message_contacts.cli.api_client import Endpoint
from message_contacts.cli.connection import connection_options
from message_contacts.cli.coverage import SEVERITIES, TYPES
from message_contacts.delivery.rules import Severity
from message_contacts.operations.registry import MESSAGE_CONTACTS


@click.command()
@connection_options
@click.option("--message", "message_id", metavar="ID", help="A published message.")
@click.option("--type", "message_type", type=click.Choice(TYPES), help="Type of a message that might be published.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Its severity.  [default: Normal]")
@click.option("--about", "target", metavar="ID", help="Directory, folder or member it would be about.")
@click.option("--contact", "contact_id", metavar="ID", help="Contact, which may be deleted.")
@click.option("--address", metavar="ADDRESS", help="E-mail address or phone number.")
def explain(
    *,
    endpoint: Endpoint,
    message_id: str | None,
    message_type: str | None,
    severity: str | None,
    target: str | None,
    contact_id: str | None,
    address: str | None,
) -> None:
    """Show why a message would reach a contact or an address, or why it would not.

    Give --message, or --type and --about; and either --contact or --address. Every rule is
    shown in the order in which they decide, then what was decided beyond them.
    """
    if (contact_id is None) is (address is None):
        raise click.UsageError("Give either --contact or --address.")
    if message_id is None:
        if message_type is None or target is None:
            raise click.UsageError("Give --message, or --type and --about.")
        severity = severity or Severity.NORMAL.value
    elif message_type or target or severity:
        raise click.UsageError("A published message has its own type, severity and targets.")
    given = {
        "MessageId": message_id,
        "MessageType": message_type,
        "Severity": severity,
        "Target": target,
        "ContactId": contact_id,
        "Address": address,
    }
    answer = endpoint.call(
        MESSAGE_CONTACTS, "ExplainDelivery", {name: value for name, value in given.items() if value is not None}
    )
    for entry in answer["Explanations"]:
        _show(entry)


def _show(entry: dict[str, Any]) -> None:
    reached = entry["Outcome"] == "passed"
    whom = " ".join(entry[name] for name in ("Name", "ContactId", "Channel", "Address") if name in entry)
    verdict = "gets it" if reached else f"does not get it: {entry['Outcome']}"
    click.secho(f"{whom or 'Nobody'}: {verdict}", bold=True)
    if "DetachedContactId" in entry:
        click.echo(f"  a copy that members keep of a deleted contact, {entry['DetachedContactId']}")
    for reason in entry["Reasons"]:
        click.echo(f"  in effect: {reason['Because']} {reason['ObjectId']}")
    for rule in entry["Rules"]:
        passed = rule["Outcome"] == "passed"
        # A route is why it goes out all the same.
        holds = passed or rule["Rule"] == "route"
        click.echo(f"  {'+' if holds else '-'} {rule['Rule']}{'' if passed else ': ' + rule['Outcome']}")
    for held in entry.get("HeldBackBy", ()):
        who = held.get("ContactId", "one click, for the address")
        click.echo(f"  {held['Outcome']}: said by {who}")
    if "Delivery" in entry:
        click.echo(f"  delivery {entry['Delivery']['DeliveryId']}: {entry['Delivery']['State']}")
    if "OutcomeNow" in entry:
        click.echo(f"  the rules alone say now: {entry['OutcomeNow']}")
    if entry["SharesAddressWith"]:
        click.echo(f"  one copy, shared with {', '.join(entry['SharesAddressWith'])}")
    click.echo()
