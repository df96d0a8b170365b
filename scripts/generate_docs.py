"""Write docs/reference from the declarations in the code; with --check, only say whether it is up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from message_contacts import errors
from message_contacts.cli.api import example_call
from message_contacts.cli.main import commands
from message_contacts.errors import ErrorDefinition
from message_contacts.health import Ailment, Impairment
from message_contacts.metrics import FAMILIES
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import (
    MESSAGE_CONTACTS,
    PRODUCTS,
    RAM,
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    STS,
    Field,
    Items,
    Operation,
    Parameter,
    Shape,
)
from message_contacts.settings import CONFIG, PREFIX, Settings, declarations

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Written by scripts/generate_docs.py from declarations in the code. Change those and run `make docs`. -->\n"
SETTINGS_INTRODUCTION = (
    f"Every setting is an environment variable `{PREFIX}<NAME>`. Each can also be given as "
    f"`{PREFIX}<NAME>_FILE`, the path of a file that holds the value, and as the name in lower case in a TOML "
    f"file that `{PREFIX}{CONFIG}` or `--config` names. The environment outranks the file, the file the "
    "default; an empty variable counts as not set. A name that is not a setting stops the start, except those "
    "that Kubernetes makes for a service. All problems are reported together. `message-contacts config show` "
    "prints the values in force."
)
OPERATIONS_INTRODUCTION = (
    "All versions are at one endpoint; `Version` (or `x-acs-version`) tells them apart. Errors are listed in "
    "the order in which they count when a call is wrong in several ways; [errors](errors.md) has their texts "
    "and those that every call can answer. Every answer also has `RequestId`."
)
ERRORS_INTRODUCTION = (
    "An error is answered with its status and a body of `RequestId`, `Message`, `HostId`, `Code` and "
    "`Recommend`, in JSON or XML as asked for. What an operation does not list itself:"
)
PERMISSIONS_INTRODUCTION = (
    "What policies can allow and deny; [the guide](../guide/policies.md) tells how. `{X}` is the parameter X of the "
    "call, and `*` where a call does not name one; `{X|Y}` is the first of the two that is given. Where it says what a "
    "call is about that leaves the parameter out, the call has to be allowed for `*` and must not be denied for that. "
    'An operation that names several resources needs all of them. Where it says "denied on", a call that names such a '
    "thing need not be allowed on it, and is refused by what denies the operation on it."
)
METRICS_INTRODUCTION = (
    "What `/metrics` tells; [the guide](../guide/metrics.md) says where, and which alerts to set. Histograms have the "
    "series `_bucket`, `_sum` and `_count`. Labels have the values named here and no others: no address, no id, "
    "nothing that a caller chooses."
)
READINESS_INTRODUCTION = "What `/readyz` can say, one word a line, with status 503. With status 200 it says `ok`."
IMPAIRMENT_INTRODUCTION = "Behind `ok`, what does not work although calls are answered:"
VERSIONS = (RESOURCE_DIRECTORY_MASTER, MESSAGE_CONTACTS, RESOURCE_MANAGER, RAM, STS)


def pages() -> dict[str, str]:
    """File name -> text of every generated page."""
    return {
        "settings.md": settings_page(),
        "operations.md": operations_page(),
        "permissions.md": permissions_page(),
        "errors.md": errors_page(),
        "cli.md": cli_page(),
        "metrics.md": metrics_page(),
    }


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        NOTE,
        SETTINGS_INTRODUCTION,
        "",
        "| name | value | default | meaning |",
        "|---|---|---|---|",
    ]
    for entry in declarations():
        default = "" if entry.name == "PUBLIC_URL" else entry.shown(getattr(Settings(), entry.attribute))
        shown_default = f"`{default}`" if default else ""
        secret = " Secret." if entry.secret else ""
        lines.append(f"| `{entry.name}` | {entry.form.description} | {shown_default} | {cell(entry.doc)}{secret} |")
    return joined(lines)


def operations_page() -> str:
    lines = [
        "# Operations",
        "",
        NOTE,
        OPERATIONS_INTRODUCTION,
    ]
    described: dict[int, str] = {}
    for version in VERSIONS:
        found = [operation for of, operation in REGISTRY.all() if of == version]
        if not found:
            continue
        lines += ["", f"## {PRODUCTS[version]} {version}", ""]
        lines += [f"- [{operation.name}](#{anchor(version, operation)})" for operation in found]
        for operation in found:
            lines += ["", f'<a id="{anchor(version, operation)}"></a>', f"### {operation.name} ({version})", ""]
            if id(operation) in described:
                lines.append(f"{operation.doc} The same as [in {described[id(operation)]}](#{operation.name.lower()}).")
                continue
            described[id(operation)] = version
            lines += operation_section(version, operation)
    return joined(lines)


def anchor(version: str, operation: Operation) -> str:
    """The operation's name; with its version where an earlier section has the name already."""
    earlier = VERSIONS[: VERSIONS.index(version)]
    taken = any(of in earlier and other.name == operation.name for of, other in REGISTRY.all())
    return f"{operation.name.lower()}-{version}" if taken else operation.name.lower()


def operation_section(version: str, operation: Operation) -> Iterator[str]:
    yield operation.doc
    yield ""
    yield (
        f"- Access: {operation.access.value}; permission `{operation.permission}` on "
        + ", ".join(resources_named(operation))
    )
    yield f"- Source: {operation.source}"
    yield ""
    if operation.parameters:
        yield "| parameter | type | needed | meaning | example |"
        yield "|---|---|---|---|---|"
        for parameter in operation.parameters:
            yield parameter_row(parameter)
        yield ""
    yield "```sh"
    yield example_call(operation) + (f" --version {version}" if version == RESOURCE_MANAGER else "")
    yield "```"
    fields = list(flat_fields(operation.returns))
    if fields:
        yield ""
        yield "| field of the answer | type | meaning | example |"
        yield "|---|---|---|---|"
        for path, entry in fields:
            example = str(entry.example).lower() if isinstance(entry.example, bool) else str(entry.example)
            yield f"| `{path}` | `{entry.type}` | {cell(entry.doc)} | {code(example)} |"
    if operation.errors:
        yield ""
        yield (
            "Errors: "
            + ", ".join(f"[`{entry.code}`](errors.md#{entry.code.lower()})" for entry in operation.errors)
            + "."
        )
    for name, reason in operation.never.items():
        yield ""
        yield f"Never answered here: `{name}` - {reason}"


def parameter_row(parameter: Parameter) -> str:
    meaning = cell(parameter.doc)
    if parameter.choices:
        meaning += " One of " + ", ".join(f"`{choice}`" for choice in parameter.choices) + "."
    if parameter.default is not None:
        meaning += f" Default: `{str(parameter.default).lower()}`."
    example = parameter.example if isinstance(parameter.example, str) else ", ".join(map(str, parameter.example))
    needed = "yes" if parameter.required else ""
    return f"| `{parameter.name}` | `{parameter.kind.value}` | {needed} | {meaning} | {code(example)} |"


def flat_fields(shape: Mapping[str, Shape], prefix: str = "") -> Iterator[tuple[str, Field]]:
    for name, value in shape.items():
        path, suffix = prefix + name, ""
        inner: object = value
        while isinstance(inner, Items):
            inner, suffix = inner.of, suffix + "[]"
        if isinstance(inner, Field):
            yield path + suffix, inner
        elif isinstance(inner, Mapping):
            yield from flat_fields(inner, f"{path}{suffix}.")


def resources_named(operation: Operation) -> Iterator[str]:
    """The resources of its permission; beside each what it is for a call that leaves the parameter out."""
    for resource, target in zip(operation.resources, operation.targets, strict=True):
        yield f"`{resource}`" + (f" (left out: {target.implied.value})" if target.implied else "")
    for number, resource in enumerate(operation.deniable_on):
        yield ("denied on " if number == 0 else "") + f"`{resource}`"


def permissions_page() -> str:
    """One row for each permission, whatever versions offer its operation."""
    lines = ["# Permissions", "", NOTE, PERMISSIONS_INTRODUCTION]
    linked: dict[str, tuple[str, Operation]] = {}
    for wanted in VERSIONS:
        for version, operation in REGISTRY.all():
            if version == wanted:
                linked.setdefault(operation.permission, (version, operation))
    for family in sorted({operation.family for _, operation in linked.values()}):
        prefix = f"acs:{family}:*:<account>:"
        lines += ["", f"## {family}", "", f"Resources begin with `{prefix}`.", ""]
        lines += ["| permission | access | resource | what for |", "|---|---|---|---|"]
        for name, (version, operation) in sorted(linked.items()):
            if operation.family == family:
                resources = cell(", ".join(resources_named(operation)))
                if operation.always_allowed:
                    resources = "none needed: every caller may"
                link = f"[`{name}`](operations.md#{anchor(version, operation)})"
                lines.append(f"| {link} | {operation.access.value} | {resources} | {cell(operation.doc)} |")
    return joined(lines)


def errors_page() -> str:
    lines = [
        "# Errors",
        "",
        NOTE,
        ERRORS_INTRODUCTION,
        "",
        "- `Missing<Parameter>` (400): a common parameter is missing, or one for which the operation lists no code.",
        "- `Invalid<Parameter>` (400): a value cannot be used, and the operation lists no code for it.",
        "",
        "| status | code | text | answered by |",
        "|---|---|---|---|",
    ]
    for definition in all_errors():
        users = sorted({operation.name for _, operation in REGISTRY.all() if definition in operation.errors})
        by = ", ".join(f"[{name}](operations.md#{name.lower()})" for name in users) or "any call, or none yet"
        lines.append(
            f'| {definition.status} | <a id="{definition.code.lower()}"></a>`{definition.code}` | '
            f"{cell(definition.message)} | {by} |"
        )
    return joined(lines)


def all_errors() -> list[ErrorDefinition]:
    """The table of the code and what single operations add, by code."""
    found = {value.code: value for value in vars(errors).values() if isinstance(value, ErrorDefinition)}
    for _, operation in REGISTRY.all():
        found |= {definition.code: definition for definition in operation.errors}
    return [found[name] for name in sorted(found)]


def metrics_page() -> str:
    lines = [
        "# Metrics",
        "",
        NOTE,
        METRICS_INTRODUCTION,
        "",
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for family in FAMILIES:
        labels = "<br>".join(f"`{name}`: {cell(values)}" for name, values in family.labels.items())
        lines.append(f"| `{family.shown_name}` | {family.kind.value} | {labels} | {cell(family.doc)} |")
    lines += ["", "## Readiness", "", READINESS_INTRODUCTION, ""]
    lines += [f"- `{ailment.value}`" for ailment in Ailment]
    lines += ["", IMPAIRMENT_INTRODUCTION, "", *(f"- `{impairment.value}`" for impairment in Impairment)]
    return joined(lines)


def cli_page() -> str:
    lines = ["# Command line", "", NOTE, "```", help_of(commands, "message-contacts"), "```"]
    lines += command_sections(commands, "message-contacts")
    return joined(lines)


def command_sections(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(name)
        full = f"{path} {name}"
        yield from ("", f"## {full}", "", "```", help_of(command, full), "```")
        if isinstance(command, click.Group) and name != "api":  # its commands are on the page of operations
            yield from command_sections(command, full)


def help_of(command: click.Command, path: str) -> str:
    context = click.Context(command, info_name=path, terminal_width=100, max_content_width=100)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def code(text: str) -> str:
    return f"`{cell(text)}`" if text else ""


def joined(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them; the exit status says whether they were as they should be."""
    stale = []
    for name, text in pages().items():
        path = REFERENCE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if stale:
        verb = "not up to date (run `make docs`)" if "--check" in arguments else "written"
        print(f"docs/reference: {', '.join(stale)} {verb}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
