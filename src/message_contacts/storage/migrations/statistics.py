"""What planners are told of tenants, instead of what they would assume.

SQLite, without statistics, takes every index to hold ten rows for its first column, however large a tenant is. An index
that leads to the rows by one column more is then hardly better than the table itself, which is read in place: the rows
of a foreign key, failed work or open incidents were looked for among all that the tenant has. PostgreSQL plans each
statement once for all tenants, so for one of middling size: where there are many small ones, it takes all rows of a
tenant to be few, and reads them from an index that holds what is asked for rather than look up those that are wanted.

Both are told that a tenant has many rows, and that every further column leads to few. Statistics that were gathered
would be true, but of the moment when they were, and the plans would change with them. On SQLite all of them are given,
so that the plans are those that the tests look at; PostgreSQL is told how many tenants there are, and gathers the rest.

Sources: "The SQLite Database File Format", 2.6.1, https://www.sqlite.org/fileformat2.html (2025-05-31); PostgreSQL 17,
"ALTER TABLE", `n_distinct`, https://www.postgresql.org/docs/17/sql-altertable.html (2024-09-26).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

#: Rows of a table, and rows that a partial index holds.
_ALL, _SOME = 1_000_000, 10_000
#: Tenants that these belong to.
_TENANTS = 100
#: Tenants there are, for PostgreSQL.
_TENANTS_OF_POSTGRES = 10
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


TABLES = """
    SELECT relname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'account_id'
"""


def assume_large_tenants(connection: Connection) -> None:
    """Have PostgreSQL take tenants to be large, from now on."""
    for (table,) in connection.execute(text(TABLES)).all():
        connection.execute(
            text(f"ALTER TABLE {table} ALTER COLUMN account_id SET (n_distinct = {_TENANTS_OF_POSTGRES:d})")
        )
        connection.execute(text(f"ANALYZE {table}"))


def _assumed(columns: Sequence[str], *, once: bool, partial: bool) -> str:
    """Number of rows, and for each column of the index how many have the same values in it and in those before."""
    rows = _SOME if partial else _ALL
    alike = [rows // _TENANTS if columns[0] == "account_id" else _ALIKE, *[_ALIKE] * (len(columns) - 1)]
    if once:
        alike[-1] = 1
    return " ".join(str(number) for number in (rows, *alike))
