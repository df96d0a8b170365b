"""Calls that only check: everything is read and decided as for the real thing, and nothing is committed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from message_contacts.changes import Decision
from message_contacts.operations.call import Call
from message_contacts.operations.registry import Kind, Parameter
from message_contacts.operations.values import parse_boolean

S = TypeVar("S")
T = TypeVar("T")

DRY_RUN = Parameter(
    name="DryRun",
    kind=Kind.BOOLEAN,
    parse=parse_boolean,
    doc="true: only check. The answer is that of a success; ids and dates in it are made up for it and not kept.",
    example="false",
    default=False,
)


async def change_or_check(
    call: Call, read: Callable[[], Awaitable[S]], decide: Callable[[S], Decision[T]], *, dry_run: bool
) -> T:
    """The decision's result, committed unless it is a dry run.

    For a rule whose refusals all come from what it read; those that only a commit finds would be missed by a dry run.
    """
    if dry_run:
        return decide(await read()).result
    return await call.change(read, decide)
