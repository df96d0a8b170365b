"""The statements themselves: written for both engines, each with its sentence, none of them reading whole tables."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import apsw
import pytest

from message_contacts import storage as package
from message_contacts.storage.constraints import REFUSALS, SQLITE_COLUMNS
from message_contacts.storage.schema import SCHEMA
from message_contacts.storage.sqlite_connection import add_functions

_PARAMETER = re.compile(r"\$([0-9]+)")

#: These read every row on purpose: the operator's list of tenants, and a count over an index for pruning.
READ_ALL = {"access.ACCOUNTS", "audit.ACCOUNTS_WITH_EVENTS", "housekeeping.FULL_INBOXES"}
#: These concern all that a tenant has of something, or a page of it in the index's order.
WHOLE_TENANT = {
    "access.ACCESS_KEYS",
    "contact_search.COUNT_FOUND",
    "contacts.CONTACT_PAGE",
    "contacts.COUNT_CONTACTS",
    "deliveries.ERRAND",
    "directory.COUNT_MEMBERS",
    "directory.HAS_ANY_MEMBERS",
    "housekeeping.DELETE_MESSAGES",
    "key_uses.LAST_USES",
    "ram.KEYS_OF_ACCOUNT",
    "preferences.ANY_PREFERENCE",
    "preferences.PREFERENCES",
    "people.DELIVERIES_NAMING",
    "people.HAND_OVERS_OF_CONTACT",
    "people.JOBS",
    "people.OTHER_CONTACT_WITH_ADDRESS",
    "people.OTHER_COPY_WITH_ADDRESS",
    "inbox.COUNT",
    "standing.ADDRESS_HELD",
    "routing.ALL_COPIES",
    "routing.ALL_MEMBERS",
    "routing.BOUND_CONTACTS",
    "routing.FOLDERS",
    "routing.OLDEST_IN_FOLDERS",
    "standing.ANY_PREFERENCE",
    "standing.ANY_SUSPENSION",
    "standing.PREFERENCES",
    "standing.SUSPENSIONS",
    "traces.DECIDE_AGAIN_WHO_GETS",
    "traces.MASK_HAND_OVERS",
    "traces.MASK_INCIDENT_NOTES",
    "traces.MASK_SIGNS",
    "tree.DELETE_DIRECTORY",
    "verification.BLOCKS",
}
#: What these look for is found by one column more than the tenant and the place in the order of the page.
FOUND_BY = {
    "deliveries.DELIVERY_PAGE_IN_STATE": "delivery_state (account_id=? AND state=? AND ",
    "deliveries.DELIVERY_PAGE_TO_ADDRESS": "delivery_address (account_id=? AND channel=? AND address_key=? AND ",
    "deliveries.LOST_OF_MESSAGE": "delivery_state (account_id=? AND state=? AND ",
    "deliveries.NEWEST_DELIVERIES_IN_STATE": "delivery_state (account_id=? AND state=? AND ",
    "deliveries.NEWEST_DELIVERIES_TO_ADDRESS": "delivery_address (account_id=? AND channel=? AND address_key=? AND ",
    "deliveries.PENDING_OF_MESSAGE": "delivery_state (account_id=? AND state=? AND ",
    "hand_overs.OPEN_HAND_OVER_PAGE": "hand_over_closed_at (closed_at=? AND account_id=? AND ",
    "incidents.OPEN_INCIDENT_PAGE": "incident_open (account_id=? AND ",
    "outbox.DEAD_JOBS": "job_dead (account_id=? AND ",
    "people.DELIVERIES_TO": "delivery_address (account_id=? AND channel=? AND address_key=? AND ",
    "people.EVIDENCE_OF_CONTACT": "evidence_contact (account_id=? AND contact_id=? AND ",
    "people.VERIFICATIONS_OF_CONTACT": "verification_contact (account_id=? AND contact_id=? AND ",
    "standing.SUSPENSION_PAGE": "suspension_in_force (account_id=? AND ",
    "verification.EVIDENCE_PAGE_OF_CONTACT": "evidence_contact (account_id=? AND contact_id=? AND ",
}
#: These sort, because what they sort is small (keys or blocks of one tenant, one lineage).
SORT_FEW = {
    "access.ACCOUNTS",
    "access.ACCESS_KEYS",
    "verification.BLOCKS",
    "directory.LINEAGE",
    "ram.KEYS_OF_ACCOUNT",
    "ram.KEYS_OF_USER",
    "routing.LINEAGE_OF_NODE",
}
#: Parts of a statement that hold few rows, and tables that hold one or, of the schema itself, few.
FEW_ROWS = (
    r"lineage|found|CONSTANT ROW|\d+ CONSTANT ROWS?|waiting|earliest|dead|turn|turn VIRTUAL TABLE INDEX \d+:"
    r"|alembic_version|schema_compatibility|sqlite_schema"
)
#: A tenant has one row of these.
ONE_ROW_EACH = {"account", "audit_chain", "fallback_address", "resource_directory"}


def statements() -> dict[str, str]:
    """Every statement by module and name."""
    found = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        if not module_info.ispkg and module_info.name != "postgres_statements":
            module = importlib.import_module(f"{package.__name__}.{module_info.name}")
            for name, value in vars(module).items():
                if name.isupper() and isinstance(value, str) and value.lstrip().startswith("--"):
                    found[f"{module_info.name}.{name}"] = value
    return found


STATEMENTS = statements()


def plan(path: Path, sql: str) -> list[str]:
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.execute("PRAGMA foreign_keys = ON")  # the plan then has what the database looks at by itself
    add_functions(connection)
    try:
        return [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, (1,) * highest(sql)).fetchall()]
    finally:
        connection.close()


def highest(sql: str) -> int:
    return max((int(number) for number in _PARAMETER.findall(sql)), default=0)


def test_there_are_statements_to_look_at() -> None:
    assert len(STATEMENTS) > 70


@pytest.mark.parametrize("name", STATEMENTS)
def test_parameters_appear_in_order(name: str) -> None:
    """SQLite numbers `$n` by first appearance, PostgreSQL by the number."""
    first_seen = list(dict.fromkeys(int(number) for number in _PARAMETER.findall(STATEMENTS[name])))

    assert first_seen == list(range(1, len(first_seen) + 1))


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_begins_with_a_sentence(name: str) -> None:
    assert re.match(r"\n    -- [A-Z][^\n]*\.\n", STATEMENTS[name])


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_whole_table(name: str, database_path: Path) -> None:
    steps = plan(database_path, STATEMENTS[name])
    scans = [step for step in steps if step.startswith("SCAN") and not re.fullmatch(rf"SCAN ({FEW_ROWS})", step)]

    assert bool(scans) == (name in READ_ALL), steps


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_sorts_what_an_index_holds_in_order(name: str, database_path: Path) -> None:
    steps = plan(database_path, STATEMENTS[name])

    assert ("USE TEMP B-TREE FOR ORDER BY" in steps) == (name in SORT_FEW), steps


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_goes_through_a_whole_tenant_for_a_part_of_it(name: str, database_path: Path) -> None:
    whole = [step for step in plan(database_path, STATEMENTS[name]) if step.endswith("(account_id=?)")]
    whole = [step for step in whole if step.split()[1] not in ONE_ROW_EACH]

    assert bool(whole) == (name in WHOLE_TENANT), whole


@pytest.mark.parametrize(("name", "index"), FOUND_BY.items())
def test_pages_of_a_part_are_not_looked_for_in_the_whole(name: str, index: str, database_path: Path) -> None:
    steps = plan(database_path, STATEMENTS[name])

    assert any(f" INDEX {index}" in step for step in steps), steps


@pytest.mark.parametrize("name", ["outbox.TENANTS_IN_TURN", "outbox.CLAIM_IN_TURN"])
def test_whose_turn_it_is_is_found_in_the_index_by_tenant(name: str, database_path: Path) -> None:
    steps = plan(database_path, STATEMENTS[name])

    assert any("USING COVERING INDEX job_turn (channel=? AND account_id" in step for step in steps)


def test_every_refusal_of_a_constraint_names_a_unique_rule_of_the_schema() -> None:
    constraints = {
        str(constraint.name): ", ".join(f"{table.name}.{column.name}" for column in constraint.columns)  # type: ignore[attr-defined]
        for table in SCHEMA.tables.values()
        for constraint in table.constraints
    } | {
        str(index.name): f"index '{index.name}'"
        for table in SCHEMA.tables.values()
        for index in table.indexes
        if index.unique
    }

    assert set(REFUSALS) <= set(constraints)
    assert dict(SQLITE_COLUMNS) == {constraints[name]: name for name in REFUSALS}


def test_every_table_and_tenant_key_is_as_promised() -> None:
    """The key of every tenant's table begins with the account id."""
    keys = {table.name: [column.name for column in table.primary_key] for table in SCHEMA.tables.values()}

    assert {name for name, key in keys.items() if key[0] != "account_id"} == {"nonce", "schema_compatibility"}
    assert all(table.comment for table in SCHEMA.tables.values())
