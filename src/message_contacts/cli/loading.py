"""Settings for a command: read, or the reasons why not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from message_contacts.settings import Settings, SettingsError, load

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="TOML file with settings. Without it: the file that MESSAGE_CONTACTS_CONFIG names, if any.",
)


def settings_for(
    config: Path | None, *, options: Mapping[str, str] | None = None, base: Mapping[str, str] | None = None
) -> Settings:
    """The settings in force.

    Raises: click.ClickException with every problem.
    """
    try:
        return load(os.environ, config=config, options=options, base=base)
    except SettingsError as refusal:
        lines = "\n".join(f"  - {problem}" for problem in refusal.problems)
        raise click.ClickException(f"the settings cannot be used:\n{lines}") from None
