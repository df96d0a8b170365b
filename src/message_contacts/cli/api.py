"""`api <Operation>`: every operation of every version, as declared in the registry."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Mapping, Sequence

import click
from click.shell_completion import CompletionItem

from message_contacts.cli.api_client import Endpoint
from message_contacts.cli.connection import connection_options
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import (
    MESSAGE_CONTACTS,
    PRODUCTS,
    RAM,
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    STS,
    Kind,
    Operation,
    Parameter,
)

#: Which version is meant when an operation exists in several and the caller does not say: the first of these.
_PREFERENCE = (RESOURCE_DIRECTORY_MASTER, MESSAGE_CONTACTS, RAM, STS, RESOURCE_MANAGER)
_LISTS = (Kind.TEXTS, Kind.OBJECTS)


class _Operations(click.Group):
    """One command an operation, made when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({operation.name for _, operation in REGISTRY.all()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        by_version = {version: operation for version, operation in REGISTRY.all() if operation.name == cmd_name}
        return _command(cmd_name, by_version) if by_version else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            names = {name.lower(): name for name in self.list_commands(ctx)}
            nearest = difflib.get_close_matches(args[0].lower(), names, n=3)
            hint = f" Did you mean {' or '.join(names[name] for name in nearest)}?" if nearest else ""
            ctx.fail(f"There is no operation {args[0]}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for version in _PREFERENCE:
            rows = [(operation.name, operation.doc) for found, operation in REGISTRY.all() if found == version]
            with formatter.section(f"Operations of {PRODUCTS[version]} {version}"):
                formatter.write_dl(rows)


@click.group(cls=_Operations, subcommand_metavar="OPERATION [OPTIONS]")
def api() -> None:
    """Call an operation, signed, over HTTP, and print its answer as JSON.

    \b
    export ALIBABA_CLOUD_ACCESS_KEY_ID=... ALIBABA_CLOUD_ACCESS_KEY_SECRET=...
    message-contacts api ListMessageContacts --PageSize 20
    message-contacts api AddMessageContact --Name tom --EmailAddress tom@example.com \\
        --Title TechnicalDirector --MessageTypes SecurityMessage --MessageTypes FaultMessage

    Lists are given by repeating an option, or with positions: --MessageTypes.1 A --MessageTypes.2 B; objects in lists
    as --Tag.1.Key k --Tag.1.Value v. `message-contacts api OPERATION --help` describes one operation.
    """


def _command(name: str, by_version: Mapping[str, Operation]) -> click.Command:
    versions = [version for version in _PREFERENCE if version in by_version]
    parameters: dict[str, Parameter] = {}
    for version in versions:
        for parameter in by_version[version].parameters:
            parameters.setdefault(parameter.name, parameter)

    @connection_options
    def call(*, endpoint: Endpoint, version: str, positioned: tuple[str, ...], **given: str | tuple[str, ...]) -> None:
        declared = {parameter.name for parameter in by_version[version].parameters}
        arguments = {
            **_flat({parameter: given[_keyword(parameter)] for parameter in parameters}, declared, version),
            **_positions(positioned, [parameter for parameter in parameters.values() if parameter.name in declared]),
        }
        click.echo(json.dumps(endpoint.call(version, name, arguments), ensure_ascii=False, indent=2))

    operation = by_version[versions[0]]
    command = click.command(
        name,
        help=operation.doc,
        epilog=_epilog(operation, versions),
        context_settings={"ignore_unknown_options": True},
    )(call)
    command.params[:0] = [
        *(_option(parameter) for parameter in parameters.values()),
        click.Option(
            ["--version"], type=click.Choice(versions), default=versions[0], show_default=True, help="Version to call."
        ),
    ]
    command.params.append(click.Argument(["positioned"], nargs=-1, type=click.UNPROCESSED, metavar=""))
    return command


def _keyword(name: str) -> str:
    return f"value_{name}".lower()


def _option(parameter: Parameter) -> click.Option:
    """The option of a parameter. What must be given is left to the service to check: its answer names the error."""
    notes = [parameter.doc.rstrip(".") + "."]
    if parameter.kind in _LISTS:
        notes.append("Several: repeat it." if parameter.kind is Kind.TEXTS else "Fields as --X.1.Key and --X.1.Value.")
    if parameter.choices:
        notes.append(f"One of {', '.join(parameter.choices)}.")
    if parameter.default is not None:
        notes.append(f"[default: {str(parameter.default).lower()}]")
    if parameter.required:
        notes.append("[required]")
    help_text = " ".join(notes).replace("--X.", f"--{parameter.name}.")
    return click.Option(
        [f"--{parameter.name}", _keyword(parameter.name)],
        multiple=parameter.kind in _LISTS,
        metavar=parameter.kind.value.upper(),
        help=help_text,
        shell_complete=lambda _ctx, _option, typed: [
            CompletionItem(choice) for choice in parameter.choices if choice.startswith(typed)
        ],
    )


def _flat(given: Mapping[str, str | tuple[str, ...] | None], declared: set[str], version: str) -> dict[str, str]:
    """Options as the protocol's flat parameters."""
    arguments: dict[str, str] = {}
    for name, value in given.items():
        if value is None or value == ():
            continue
        if name not in declared:
            raise click.UsageError(f"Version {version} of this operation has no parameter {name}.")
        if isinstance(value, str):
            arguments[name] = value
        elif len(value) == 1 and value[0].startswith("["):
            arguments[name] = value[0]  # a JSON array, which the protocol takes as it is
        else:
            arguments |= {f"{name}.{position}": item for position, item in enumerate(value, start=1)}
    return arguments


def _positions(words: Sequence[str], parameters: Sequence[Parameter]) -> dict[str, str]:
    """`--MessageTypes.1 A` and `--Tag.1.Key=k`, which click does not know as options."""
    lists = {parameter.name for parameter in parameters if parameter.kind in _LISTS}
    arguments: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            raise click.UsageError(f"{word!r} stands behind no option.")
        if "." not in name or name.partition(".")[0] not in lists:
            nearest = difflib.get_close_matches(name, [parameter.name for parameter in parameters], n=1)
            raise click.UsageError(f"No such option: {word}.{f' Did you mean --{nearest[0]}?' if nearest else ''}")
        if not has_value:
            if not rest:
                raise click.UsageError(f"Option {word} needs a value.")
            value = rest.pop(0)
        arguments[name] = value
    return arguments


def example_call(operation: Operation) -> str:
    """A command line that calls the operation with the examples of its required parameters."""
    words = ["message-contacts", "api", operation.name]
    for parameter in operation.parameters:
        if not parameter.required:
            continue
        if isinstance(parameter.example, str):
            words += [f"--{parameter.name}", parameter.example]
            continue
        for position, item in enumerate(parameter.example, start=1):
            if isinstance(item, str):
                words += [f"--{parameter.name}.{position}", item]
            elif isinstance(item, Mapping):
                for key, value in item.items():
                    words += [f"--{parameter.name}.{position}.{key}", value]
    return shlex.join(words)


def _epilog(operation: Operation, versions: Sequence[str]) -> str:
    paragraphs = [f"Example: {example_call(operation)}"]
    if versions[0] == RESOURCE_DIRECTORY_MASTER and len(versions) > 1:
        paragraphs.append("The same operation of ResourceManager: --version 2020-03-31.")
    if operation.errors:
        paragraphs.append("Errors: " + ", ".join(error.code for error in operation.errors))
    return "\n\n".join(paragraphs)
