"""The command `message-contacts`: what there is, loaded only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

#: Command -> module, attribute, first line of its help. Modules are imported when their command is called, so that
#: `serve` does not pay for the others.
_COMMANDS = {
    "serve": ("serving", "serve", "Start the service."),
    "worker": ("serving", "worker", "Send what waits, beside one or more services."),
    "migrate": ("serving", "migrate", "Bring the database to this version."),
    "api": ("api", "api", "Call any operation, signed, and print its answer."),
    "inbox": ("inbox", "inbox", "Show captured mail and text messages."),
    "coverage": ("coverage", "coverage", "Show the members whom too few contacts stand for."),
    "explain": ("explain", "explain", "Show why a message would reach somebody, or not."),
    "account": ("accounts", "account", "Make and list management accounts."),
    "access-key": ("accounts", "access_key", "Make, list and switch access keys."),
    "person": ("people", "person", "Show or erase everything that is held on one contact."),
    "encryption-key": ("encryption_keys", "encryption_key", "Replace the key that seals secrets."),
    "audit": ("audit", "audit", "Read, write out and verify who changed what."),
    "console-link": ("console_links", "console_link", "Print a link that signs in to the console, once."),
    "copy": ("copying", "copy", "Move a whole service to another database."),
    "backup": ("backups", "backup", "Copy the database while the service goes on."),
    "restore": ("backups", "restore", "Put a backup in the place of the database."),
    "config": ("configuration", "config", "Show the settings in force and where they come from."),
}


class _LazyGroup(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"message_contacts.cli.{module}"), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="message-contacts", prog_name="message-contacts")
def commands() -> None:
    """Message Contacts: verified addresses of the people an organisation has to reach, behind the vendor's API.

    Settings come from environment variables MESSAGE_CONTACTS_<NAME> or a TOML file; `config show` lists them.
    Results go to standard output, everything else to standard error. Exit status: 0 done, 1 failed, 2 called wrongly.

    \b
    Completion of commands and operations, for bash (likewise zsh and fish):
        eval "$(_MESSAGE_CONTACTS_COMPLETE=bash_source message-contacts)"
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; entry point of the program."""
    sys.exit(commands.main(args=arguments, prog_name="message-contacts", standalone_mode=True))
