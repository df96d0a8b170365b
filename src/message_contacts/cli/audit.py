"""`audit`: who changed what, written out, and whether anybody has changed that afterwards."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from message_contacts.cli.loading import config_option
from message_contacts.cli.tables import print_table
from message_contacts.cli.with_service import run_with_service

if TYPE_CHECKING:
    from message_contacts.audit.verifying import Head, Verdict
    from message_contacts.bootstrap import Service
    from message_contacts.clock import Instant

_HEAD = re.compile(r"(?:([^:\s]+):)?([1-9][0-9]*):([0-9A-Fa-f]{64})")
_account_option = click.option("--account", "account_id", metavar="ID", help="Only this account. Default: all.")


@click.group()
def audit() -> None:
    """Read, write out and verify the audit trail: who changed what, and who was refused.

    Works on the database itself (setting DATABASE_URL), whether the service is running or not.
    """


@audit.command("list")
@click.argument("account_id")
@click.option("--operation", metavar="NAME", help="Only of this operation.")
@click.option("--key", "access_key_id", metavar="ID", help="Only what was signed with this access key.")
@click.option("--user", "user_name", metavar="NAME", help="Only of this RAM user.")
@click.option("--target", "target_id", metavar="ID", help="Only about this contact, folder, key, user ...")
@click.option("--kind", type=click.Choice(("change", "refusal")), help="Only changes, or only refusals.")
@click.option("--since", metavar="TIME", help="Only what happened then or later, e.g. 2026-11-21T08:00:00Z.")
@click.option("--until", metavar="TIME", help="Only what happened before then.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="NUMBER", help="Events to show."
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON, one a line.")
@config_option
def list_events(
    *, account_id: str, limit: int, since: str | None, until: str | None, as_json: bool, config: Path | None,
    **filters: str | None,
) -> None:  # fmt: skip
    """List the events of ACCOUNT_ID, newest first."""
    names = {
        "operation": "Operation", "access_key_id": "UserAccessKeyId", "user_name": "UserName", "target_id": "TargetId",
        "kind": "Kind",
    }  # fmt: skip
    parameters: dict[str, Any] = {names[name]: value for name, value in filters.items() if value}
    parameters |= {name: value for name, value in (("StartTime", since), ("EndTime", until)) if value}

    async def show(service: Service) -> None:
        found: list[dict[str, Any]] = []
        page = dict(parameters)
        while len(found) < limit:
            page["MaxResults"] = str(min(limit - len(found), 100))
            answer = await service.invoke("ListAuditEvents", "2026-11-01", account_id, **page)
            found += answer["Events"]
            if "NextToken" not in answer:
                break
            page["NextToken"] = answer["NextToken"]
        if as_json:
            for event in found:
                click.echo(orjson.dumps(event))
        else:
            print_table(("EventTime", "Operation", "By", "Targets", "Times"), [_row(event) for event in found])

    run_with_service(config, show)


@audit.command()
@_account_option
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Default: standard output."
)
@config_option
def export(*, account_id: str | None, output: Path | None, config: Path | None) -> None:
    """Write the trail as JSON lines, with everything that is needed to verify it elsewhere.

    The salts of digests are in it: whoever has the file can try addresses on them. It does not forget with the
    database: a person who is erased later is still in it.
    """

    async def write(service: Service) -> None:
        from message_contacts.audit.exporting import export as lines_of  # noqa: PLC0415 - heavy to load

        file: BinaryIO = sys.stdout.buffer if output is None else output.open("wb")
        try:
            for account in await _accounts(service, account_id):
                async for line in lines_of(service.services.audit, account):
                    file.write(line + b"\n")
            file.flush()
        finally:
            if output is not None:
                file.close()

    run_with_service(config, write)


@audit.command()
@_account_option
@click.option(
    "--file",
    "exported",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Verify an export instead of the database.",
)
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="[ACCOUNT:]SEQUENCE:HASH",
    help="A head that an earlier run printed: the chain must go through it. May be repeated.",
)
@click.option(
    "--kept-days",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="What AUDIT_KEPT_DAYS was when the beginning was taken away, if it was less than now; 0: for ever. "
    "Default: the setting; with --file, nothing is said about the beginning.",
)
@config_option
def verify(
    *, account_id: str | None, exported: Path | None, heads: tuple[str, ...], kept_days: int | None, config: Path | None
) -> None:
    """Go through the chains of events and say where one was changed. Exit status 1 if any was.

    Prints the head of each chain: its last sequence and hash. Note it somewhere else, and give it back with --head
    later: only that shows when the newest events were cut off, or a whole chain was made anew.
    """
    from message_contacts.audit.retention import due_before  # noqa: PLC0415 - `--help` does without
    from message_contacts.audit.verifying import Reader  # noqa: PLC0415 - `--help` does without
    from message_contacts.audit.verifying import verify as verdicts_on  # noqa: PLC0415 - `--help` does without
    from message_contacts.clock import DAY, SystemClock  # noqa: PLC0415 - `--help` does without

    noted = _noted(heads, account_id)
    due = None if kept_days is None else due_before(SystemClock().now(), kept_days * DAY or None)
    verdicts: list[Verdict] = []
    if exported is not None:
        try:
            with exported.open("rb") as file:
                found = verdicts_on(file, noted, due)
                verdicts += [verdict for verdict in found if account_id in (None, verdict.account_id)]
        except ValueError as problem:
            raise click.ClickException(f"{exported}: {problem}") from None
    else:

        async def look(service: Service) -> None:
            from message_contacts.audit.exporting import export as lines_of  # noqa: PLC0415 - as above

            def due_by_now() -> Instant:
                return due_before(service.clock.now(), service.services.rules.audit_kept) if due is None else due

            for account in await _accounts(service, account_id):
                reader = Reader(noted, due_by_now)
                async for line in lines_of(service.services.audit, account):
                    reader.take(line)
                if (verdict := reader.end()) is not None:
                    verdicts.append(verdict)

        run_with_service(config, look)
    for account in noted:
        if account not in {verdict.account_id for verdict in verdicts}:
            raise click.ClickException(f"a head was noted of {account}, but there is no chain of it any more.")
    if not verdicts:
        raise click.ClickException("there are no events to verify.")
    for verdict in verdicts:
        _tell(verdict)
    if not all(verdict.unbroken for verdict in verdicts):
        raise click.exceptions.Exit(1)


def _noted(heads: Iterable[str], account_id: str | None) -> dict[str, list[Head]]:
    from message_contacts.audit.verifying import Head  # noqa: PLC0415 - as above

    noted: dict[str, list[Head]] = {}
    for text in heads:
        parts = _HEAD.fullmatch(text)
        if parts is None:
            raise click.BadParameter(f"{text!r} is not [ACCOUNT:]SEQUENCE:HASH.", param_hint="--head")
        account = parts[1] or account_id
        if account is None:
            raise click.BadParameter("name the account, in front of it or with --account.", param_hint="--head")
        noted.setdefault(account, []).append(Head(int(parts[2]), parts[3].lower()))
    return noted


def _tell(verdict: Verdict) -> None:
    click.echo(f"{verdict.account_id}  {'unbroken' if verdict.unbroken else 'BROKEN'}  {_summary(verdict)}")
    for sentence in verdict.breaks:
        click.echo(f"    {sentence}")
    if verdict.head.sequence:
        click.echo(f"    head {verdict.account_id}:{verdict.head.sequence}:{verdict.head.hash}")


def _summary(verdict: Verdict) -> str:
    parts = [f"{verdict.events} events"]
    if verdict.pruned:
        parts.append(f"those up to sequence {verdict.pruned} taken away by retention")
    if verdict.unsealed:
        parts.append(f"{verdict.unsealed} not sealed yet")
    if verdict.erased:
        parts.append(f"{verdict.erased} personal parts erased")
    return ", ".join(parts)


def _row(event: dict[str, Any]) -> tuple[str, ...]:
    by = event.get("UserId") or event.get("AccessKeyId") or ""
    kind = " (refused)" if event["Kind"] == "refusal" else ""
    return event.get("EventTime", "-"), event["Operation"] + kind, by, " ".join(event["Targets"]), str(event["Times"])


async def _accounts(service: Service, account_id: str | None) -> list[str]:
    """The account asked for, or all that have events."""
    known = list(await service.services.audit.accounts())
    if account_id is None:
        return known
    if account_id not in known:
        raise click.ClickException(f"there are no events of {account_id}.")
    return [account_id]
