"""`config show`: the settings in force and where they come from."""

from __future__ import annotations

from pathlib import Path

import click

from message_contacts.cli.loading import config_option, settings_for
from message_contacts.cli.tables import print_table
from message_contacts.settings import PREFIX, declarations


@click.group()
def config() -> None:
    """Show the settings in force."""


@config.command()
@config_option
def show(config: Path | None) -> None:
    """Print every setting, its value and where the value comes from. Secrets are masked."""
    settings = settings_for(config)
    rows = []
    for entry in declarations():
        value = entry.shown(getattr(settings, entry.attribute)) or "-"
        origin = settings.origins.get(entry.attribute, "default")
        if entry.name == "PUBLIC_URL" and origin == "default":
            origin = "HOST and PORT"
        rows.append((PREFIX + entry.name, value, origin))
    print_table(("setting", "value", "from"), rows)
