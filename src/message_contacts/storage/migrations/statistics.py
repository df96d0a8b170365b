"""What SQLite's planner is told of every index, instead of what it would assume.

Without statistics it takes every index to hold ten rows for its first column, however large a tenant is. An index that
leads to the rows by one column more is then hardly better than the table itself, which is read in place: the rows of a
foreign key, failed work or open incidents were looked for among all that the tenant has. Statistics that were gathered
would be true, but of the moment when they were, and the plans would change with them. These never do, and the tests
look at the plans that they lead to.

PostgreSQL gathers its own. Source: "The SQLite Database File Format", 2.6.1, https://www.sqlite.org/fileformat2.html
(2025-05-31).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

#: Rows of a table, and rows that a partial index holds.
_ALL, _SOME = 1_000_000, 10_000
#: Tenants that these belong to.
_TENANTS = 100
#: Rows that have one value of a column, or one in each of several columns.
_ALIKE = 10

INDEXES = """
    SELECT of_table.name AS "table", of_index.name AS "index", of_index."unique" AS once, of_index.partial AS partial,
           (SELECT group_concat(coalesce(name, '')) FROM pragma_index_info(of_index.name)) AS columns
      FROM sqlite_schema AS of_table, pragma_index_list(of_table.name) AS of_index WHERE of_table.type = 'table'
"""


def assume_statistics(connection: Connection) -> None:
    """Put down what the planner shall assume of every index that there is; connections opened from now on know it."""
    # One row to look at, and the table of statistics is there.
    connection.execute(text("ANALYZE schema_compatibility"))
    connection.execute(text("DELETE FROM sqlite_stat1"))
    for index in connection.execute(text(INDEXES)).all():
        connection.execute(
            text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :statistics)"),
            {
                "table": index.table,
                "index": index.index,
                "statistics": _assumed(index.columns.split(","), once=index.once, partial=index.partial),
            },
        )


def _assumed(columns: Sequence[str], *, once: bool, partial: bool) -> str:
    """Number of rows, and for each column of the index how many have the same values in it and in those before."""
    rows = _SOME if partial else _ALL
    alike = [rows // _TENANTS if columns[0] == "account_id" else _ALIKE, *[_ALIKE] * (len(columns) - 1)]
    if once:
        alike[-1] = 1
    return " ".join(str(number) for number in (rows, *alike))
