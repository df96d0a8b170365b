"""What PostgreSQL makes of the statements, on tables with rows in them that it knows about."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import asyncpg
import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Text

from message_contacts.storage import postgres_connection
from message_contacts.storage.access import NONCE
from message_contacts.storage.audit import EXTEND_CHAIN, INSERT_CHAIN, SEAL_EVENT
from message_contacts.storage.committing import COUNT_DOWN, COUNT_UP, RECORDS, USE_NONCE
from message_contacts.storage.contacts import DELETE_BINDING, DELETE_BINDINGS, INSERT_BINDING
from message_contacts.storage.deliveries import DELIVERY_ENDED, DELIVERY_SENT, DELIVERY_TRIED
from message_contacts.storage.detached import DELETE_NODES, INSERT_NODE
from message_contacts.storage.outbox import INSERT_JOB, JOB_AGAIN, JOB_DEAD, JOB_DONE, TENANTS_IN_TURN
from message_contacts.storage.postgres_connection import Connection, PostgresAddress, connected
from message_contacts.storage.postgres_statements import (
    CLAIM_IN_TURN_SKIPPING_LOCKED,
    CLAIM_SKIPPING_LOCKED,
    NOTE_USES,
    can_be_grouped,
    for_each,
    grouped,
    own,
)
from message_contacts.storage.schema import SCHEMA
from message_contacts.storage.verification import INSERT_EVIDENCE
from tests.postgres import PostgresDatabases
from tests.storage.test_statements import READ_ALL, SORT_FEW, STATEMENTS

ROWS = 4_000
#: Columns with few different values.
FEW = {"channel", "kind", "state", "status", "type", "policy_type", "policy_name", "counter", "period"}
#: These sort ids: the few hundred that are to go, or those of all that hangs on eight objects, each of them once.
SORT_IDS = {
    "housekeeping.DELETE_MESSAGES",
    "housekeeping.DELETE_COUNTERS",
    "housekeeping.DELETE_NONCES",
    "routing.CONTACTS_IN_EFFECT",
    "routing.COPIES_IN_EFFECT",
}
#: What nearly every call asks, or writes.
HOT = [
    "access.ACCESS_KEY",
    "access.NONCE",
    "contacts.CONTACT",
    "contacts.CONTACT_PAGE",
    "contacts.CONTACTS_OF_NODES",
    "contacts.CONTACT_PAGE_OF_NODE",
    "contacts.COUNT_CONTACTS",
    "contacts.UPDATE_CONTACT",
    "detached.COPIES_OF_NODES",
    "directory.DIRECTORY",
    "directory.LINEAGE",
    "directory.MEMBER",
    "routing.CONTACTS_IN_EFFECT",
    "routing.COPIES_IN_EFFECT",
    "routing.LINEAGE_OF_NODE",
    "verification.VERIFICATION",
]
#: Statements of change sets, by a name for the test.
OF_CHANGE_SETS = {
    **{
        f"{kind.__name__}.{verb}": getattr(record, verb)
        for kind, record in RECORDS.items()
        for verb in ("insert", "update", "delete", "rely_on")
    },
    "USE_NONCE": USE_NONCE,
    "COUNT_UP": COUNT_UP,
    "COUNT_DOWN": COUNT_DOWN,
    "INSERT_EVIDENCE": INSERT_EVIDENCE,
    "INSERT_BINDING": INSERT_BINDING,
    "DELETE_BINDING": DELETE_BINDING,
    "DELETE_BINDINGS": DELETE_BINDINGS,
    "INSERT_NODE": INSERT_NODE,
    "DELETE_NODES": DELETE_NODES,
    "INSERT_CHAIN": INSERT_CHAIN,
    "EXTEND_CHAIN": EXTEND_CHAIN,
    "SEAL_EVENT": SEAL_EVENT,
    "INSERT_JOB": INSERT_JOB,
    "JOB_DONE": JOB_DONE,
    "JOB_AGAIN": JOB_AGAIN,
    "JOB_DEAD": JOB_DEAD,
    "DELIVERY_SENT": DELIVERY_SENT,
    "DELIVERY_TRIED": DELIVERY_TRIED,
    "DELIVERY_ENDED": DELIVERY_ENDED,
}


def value(column: Column[Any]) -> str:
    """SQL for a column's value in row `i`."""
    match column.type:
        case Boolean():
            made = "i % 2 = 0"
        case LargeBinary():
            made = "decode(md5(i::text), 'hex')"
        case BigInteger() | Integer():
            made = "i"
        case Text():
            if column.name == "account_id":
                one_each = [key.name for key in column.table.primary_key] == ["account_id"]
                made = f"lpad(({'i' if one_each else 'i % 400'})::text, 16, '0')"
            elif column.name in FEW:
                made = f"'{column.name}' || i % 3"
            else:
                made = f"'{column.name}-' || i"
        case _:
            raise AssertionError(column)
    return f"CASE WHEN i % 20 > 0 THEN {made} END" if column.nullable else made


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")  # without checking what points where
    for table in SCHEMA.tables.values():
        if table.name != "schema_compatibility":
            columns = ", ".join(column.name for column in table.columns)
            values = ", ".join(value(column) for column in table.columns)
            await connection.execute(
                f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM generate_series(1, {ROWS}) AS i "
                "ON CONFLICT DO NOTHING"
            )
    await connection.execute("ANALYZE")
    await connection.close()


@pytest.fixture(scope="module")
def filled(postgres_databases: PostgresDatabases) -> Iterator[str]:
    url = postgres_databases.new()
    asyncio.run(fill(url))
    yield url
    postgres_databases.drop(url)


@pytest.fixture
def engine() -> str:
    """Nothing here is about SQLite."""
    return "postgresql"


async def plan(url: str, sql: str, *, unguided: bool = False) -> tuple[list[str], list[str]]:
    """The plan for any values, and the types of the parameters.

    Args:
        unguided: Without what the service tells the planner.
    """
    connection = await (asyncpg.connect(url) if unguided else PostgresAddress(url).connect())
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        types = [parameter.name for parameter in (await connection.prepare(sql)).get_parameters()]
        await connection.execute("PREPARE planned AS " + sql)
        nothing = f"({', '.join(['NULL'] * len(types))})" if types else ""
        return [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE planned{nothing}")], types
    finally:
        await connection.close()


#: Tables of the schema itself, of one row, and the indexes on them.
ONE_ROW = {"alembic_version", "alembic_version_pkc", "key_schema_compatibility", "schema_compatibility"}
#: Asked of an SQLite file only.
SQLITE_ONLY = {"sqlite_backup.TABLES"}


GROUPED_QUERIES = [
    name
    for name in sorted(STATEMENTS.keys() - SQLITE_ONLY - READ_ALL)
    if can_be_grouped(STATEMENTS[name]) and not re.search(r"\b(INSERT|UPDATE|DELETE)\b", STATEMENTS[name])
]


def read_as_a_whole(steps: list[str]) -> list[str]:
    """Tables, or indexes, that are read from one end to the other."""
    whole = [found[1] for step in steps if (found := re.search(r"Seq Scan on (\w+)", step))]
    for step, following in zip_longest(steps, steps[1:], fillvalue=""):
        found = re.search(r"Index (?:Only )?Scan using (\w+)|Bitmap Index Scan on (\w+)", step)
        if found and "Index Cond" not in following:
            whole.append(found[1] or found[2])
    return [name for name in whole if name not in ONE_ROW]


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - SQLITE_ONLY))
async def test_no_statement_reads_a_whole_table(name: str, filled: str) -> None:
    steps, _ = await plan(filled, own(STATEMENTS[name]))

    assert bool(read_as_a_whole(steps)) == (name in READ_ALL), steps


@pytest.mark.parametrize("name", GROUPED_QUERIES)
async def test_every_query_can_be_asked_for_many_by_index(name: str, filled: str) -> None:
    _, types = await plan(filled, own(STATEMENTS[name]))

    steps, _ = await plan(filled, for_each(own(STATEMENTS[name]), types))

    assert not any(kind.endswith("[]") for kind in types)
    assert read_as_a_whole(steps) == [], steps


@pytest.mark.parametrize("name", HOT)
async def test_what_calls_need_most_goes_by_index_without_being_told(name: str, filled: str) -> None:
    steps, _ = await plan(filled, own(STATEMENTS[name]), unguided=True)

    assert read_as_a_whole(steps) == [], steps


@pytest.mark.parametrize("name", [name for name in STATEMENTS if "LIMIT" in STATEMENTS[name]])
async def test_pages_come_in_the_order_of_an_index(name: str, filled: str) -> None:
    steps, _ = await plan(filled, own(STATEMENTS[name]))

    assert name in SORT_FEW | SORT_IDS or not any("Sort" in step for step in steps), steps


@pytest.mark.parametrize("name", OF_CHANGE_SETS)
async def test_every_statement_of_a_change_set_can_be_carried_out_for_many_by_index(name: str, filled: str) -> None:
    sql = OF_CHANGE_SETS[name]
    _, types = await plan(filled, sql)
    form = grouped(sql, types)

    assert form is not None
    steps, _ = await plan(filled, form.sql)
    assert read_as_a_whole(steps) == [], steps


@pytest.mark.parametrize(
    ("sql", "index"), [(CLAIM_SKIPPING_LOCKED, "job_ready"), (CLAIM_IN_TURN_SKIPPING_LOCKED, "job_turn")]
)
async def test_a_claim_passes_by_what_others_are_claiming(sql: str, index: str, filled: str) -> None:
    steps, _ = await plan(filled, sql)

    assert any("LockRows" in step for step in steps)
    assert any(index in step for step in steps)


async def test_sealing_goes_by_key_when_the_server_believes_that_everything_is_sealed(postgres_url: str) -> None:
    """So it believes after a turn of sealing; then it went through all that came since, for each event of a batch."""
    connection = await connected(PostgresAddress(postgres_url))
    await connection.fetch(
        "INSERT INTO audit_event SELECT '1', 'ae-' || i, i, 'change', '', '', '', '', '', '[]', '[]', '{}', 1, i, ''"
        f" FROM generate_series(1, {ROWS}) i",
        (),
    )
    await connection.fetch("ANALYZE audit_event", ())
    connection.close()
    _, types = await plan(postgres_url, SEAL_EVENT)
    form = grouped(SEAL_EVENT, types)
    assert form is not None

    steps, _ = await plan(postgres_url, form.sql)

    assert any("key_audit_event" in step for step in steps), steps


async def test_uses_of_many_keys_are_noted_by_index(filled: str) -> None:
    steps, _ = await plan(filled, NOTE_USES)

    assert read_as_a_whole(steps) == [], steps


async def test_whose_turn_it_is_is_found_in_an_index_alone(filled: str) -> None:
    steps, _ = await plan(filled, TENANTS_IN_TURN)

    assert any("Index Only Scan using job_turn" in step for step in steps)
    assert not any("Sort" in step for step in steps)


async def test_the_server_keeps_a_statement_and_its_plan(postgres_url: str) -> None:
    """Else it would parse and plan at each use, which takes longer than to carry it out."""
    connection = await connected(PostgresAddress(postgres_url))
    for _ in range(3):
        await connection.fetch(NONCE, (b"",))

    kept = await connection.fetch("SELECT statement, generic_plans FROM pg_prepared_statements", ())

    assert [tuple(row) for row in kept if row[0] == NONCE] == [(NONCE, 3)]
    connection.close()


async def test_a_plan_for_an_empty_table_is_given_up_when_its_time_is_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kept_plan(connection: Connection) -> list[Any]:
        ((name,),) = await connection.fetch("SELECT name FROM pg_prepared_statements WHERE statement = $1", (NONCE,))
        return await connection.fetch(f"EXPLAIN EXECUTE {name}('')", ())

    monkeypatch.setattr(postgres_connection, "PLANS_FIRST_KEPT_SECONDS", 3_600.0)
    keeping = await connected(PostgresAddress(postgres_url))
    monkeypatch.setattr(postgres_connection, "PLANS_FIRST_KEPT_SECONDS", 0.0)
    replanning = await connected(PostgresAddress(postgres_url))
    for connection in (keeping, replanning):
        await connection.fetch(NONCE, (b"",))
    for_empty = await kept_plan(keeping)
    assert await kept_plan(replanning) == for_empty

    await keeping.fetch(
        f"INSERT INTO nonce SELECT decode(md5(i::text), 'hex'), i FROM generate_series(1, {ROWS}) i", ()
    )

    assert await kept_plan(keeping) == for_empty
    assert await kept_plan(replanning) != for_empty
    for connection in (keeping, replanning):
        connection.close()
