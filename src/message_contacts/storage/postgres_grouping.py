"""The steps of many change sets, arranged so that few statements carry out all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from message_contacts.changes import Stale
from message_contacts.errors import ErrorDefinition
from message_contacts.storage.engine import Step
from message_contacts.storage.postgres_connection import Connection, NotTogether
from message_contacts.storage.postgres_statements import Grouped, apart, grouped, holding, kind, own

Steps = Sequence[Step]


class Groups:
    """Carries out steps, many by one statement where that can be done."""

    def __init__(self) -> None:
        #: By statement; None where each has to be carried out alone.
        self._grouped: dict[str, Grouped | None] = {}

    async def carry_out(self, connection: Connection, change_sets: Sequence[Steps]) -> None:
        """Carry out the steps of all change sets, in an order in which each one's own is kept.

        Raises:
            NotTogether: One of them is refused.
            asyncpg.PostgresError: One of them is refused by a constraint, or the server has trouble.
        """
        for steps in arranged(change_sets):
            sql = steps[0].sql
            form = None
            if len(steps) > 1:
                if sql not in self._grouped:
                    self._grouped[sql] = grouped(sql, await connection.parameter_types(sql))
                form = self._grouped[sql]
            # An UPDATE for many changes a row once, however often it is named (a counter lowered twice).
            if form is not None and (
                steps[0].refusal is not None or len({step.parameters for step in steps}) == len(steps)
            ):
                met = 0
                for part in apart(steps):
                    met += await connection.execute(form.sql, form.parameters([step.parameters for step in part]))
            else:
                met = 0
                for step in steps:
                    met += await connection.execute(_text(step), step.parameters)
            if steps[0].refusal is not None and met != len(steps):
                raise NotTogether


async def carry_out_one_by_one(connection: Connection, steps: Steps) -> None:
    """Carry out steps in their order until one is refused.

    Raises:
        ApiError, Stale: A step is refused.
        asyncpg.PostgresError: It is refused by a constraint, or the server has trouble.
    """
    for step in steps:
        met = await connection.execute(_text(step), step.parameters)
        refused_with = step.refusal
        if refused_with is not None and met != 1:
            raise refused_with() if isinstance(refused_with, ErrorDefinition) else Stale


def have_runs(steps: Steps) -> bool:
    """Whether several steps of one kind follow each other."""
    return any(step.sql == following.sql for step, following in pairwise(steps))


def arranged(change_sets: Sequence[Steps]) -> list[list[Step]]:
    """All steps, in runs of one kind, as few as are easily found; each change set's steps stay in their order."""
    shapes: dict[tuple[Any, ...], list[Steps]] = {}
    for steps in change_sets:
        shapes.setdefault(tuple([kind(step) for step in steps]), []).append(steps)
    positions = dict.fromkeys(shapes, 0)
    runs: list[list[Step]] = []
    while heads := Counter(shape[at] for shape, at in positions.items() if at < len(shape)):
        # A kind that comes up again further behind is better carried out then, together with that.
        behind = {each for shape, at in positions.items() for each in shape[at + 1 :] if each != shape[at]}
        chosen = min(heads, key=lambda head: (head in behind, -heads[head]))
        run: list[Step] = []
        for shape, at in positions.items():
            end = at
            while end < len(shape) and shape[end] == chosen:
                end += 1
            if end > at:
                run += [step for steps in shapes[shape] for step in steps[at:end]]
                positions[shape] = end
        runs.append(run)
    return runs


def _text(step: Step) -> str:
    return holding(step.sql) if step.finds else own(step.sql)
