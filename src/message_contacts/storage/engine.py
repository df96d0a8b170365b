"""What the stores ask of a database engine: a few verbs, the same on every engine.

Statements are written once for all engines: parameters are `$1, $2, ...` and appear in that order for the first time,
which SQLite reads as positions too. A change set is a list of steps; the engine carries them out in one transaction,
and turns a step's refusal into the domain's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from message_contacts.errors import ErrorDefinition
from message_contacts.health import Ailment

Row = tuple[Any, ...]
Parameters = tuple[Any, ...]
Query = tuple[str, Parameters]


class DecideAgain:
    """Refusal of a step that found other ground than the decision: becomes `changes.Stale`."""


DECIDE_AGAIN = DecideAgain()

#: What it means when a step does not change, or find, exactly one row; None: nothing, any number is right.
Refusal = ErrorDefinition | DecideAgain | None


class Step(NamedTuple):
    """One statement of a change set."""

    sql: str
    parameters: Parameters
    #: Raised unless exactly one row was changed or, by a step that `finds`, found.
    refusal: Refusal = None
    #: Whether the statement looks at a row instead of changing one.
    finds: bool = False
    #: Whether it may go through many rows: then it is no work for an event loop.
    many: bool = False


class CannotOpen(Exception):  # noqa: N818 - read as a sentence by the operator
    """The database cannot be used as it is; the text says why and what to do, and holds no secret."""


class SchemaMismatch(CannotOpen):
    """The database's schema and this program do not go together."""


class DatabaseUnreachable(CannotOpen):
    """Nobody answers where the database should be, or they refuse."""


class PoolUse(NamedTuple):
    """How much the connections of one purpose are used."""

    pool: str
    most: int
    in_use: int
    idle: int
    #: Who waits for one to be free.
    waiting: int


class Database(Protocol):
    """One database, as the stores see it."""

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """Read few rows by key or index."""
        ...

    async def report(self, *queries: Query) -> list[list[Row]]:
        """Read lists: every query's rows, all of one moment, without holding up other calls."""
        ...

    async def commit(
        self, steps: Sequence[Step], *, tenant: str = "", committed: Callable[[], None] | None = None
    ) -> None:
        """Carry out all steps, durably, or none.

        Args:
            tenant: Whose rows they are mostly about: change sets of different tenants seldom meet.
            committed: Called once they are durable, even if nobody waits for the answer any more.
        Raises:
            Stale: A step met other ground than the decision did.
            ApiError: A step's own refusal, that of a constraint, or SERVICE_UNAVAILABLE with nothing written, unless
                the log says that the outcome is unknown.
        """
        ...

    async def commit_each(self, change_sets: Mapping[str, Sequence[Step]]) -> Sequence[BaseException | None]:
        """Commit several change sets, by tenant, each for itself; for each, what `commit` would have raised.

        Together, so that they share commits, and without a task for each of them.
        """
        ...

    async def write(self, sql: str, parameters: Parameters) -> tuple[list[Row], int]:
        """Carry out one statement durably; the rows it returns and how many it changed."""
        ...

    async def ailments(self) -> Sequence[Ailment]:
        """Why it cannot be read or written now, looked at as of now; empty: it can. The log has what is behind it."""
        ...

    def pools(self) -> Sequence[PoolUse]:
        """How much its connections are used now; nothing where there are none to a server."""
        ...

    def scrub(self) -> None:
        """Have what was deleted leave the files as well, soon and beside everything else. Returns at once."""
        ...

    async def finish(self) -> None:
        """Finish what is under way; to be called before `close` by whoever can wait."""
        ...

    def close(self) -> None:
        """Let go."""
        ...
