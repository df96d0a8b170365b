"""Each statement on tenants' tables is bound to one tenant, so that the tables could be spread by the account id.

Looked at is the statement as a parser sees it: every mention of a tenant's table has to be tied, by equalities that
hold for every row, to one parameter, the same for all tables of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlglot
from sqlalchemy import Index, UniqueConstraint
from sqlglot import exp

from message_contacts.storage.postgres_statements import (
    CLAIM_IN_TURN_SKIPPING_LOCKED,
    CLAIM_SKIPPING_LOCKED,
    COUNT_ALL_UP,
    grouped,
)
from message_contacts.storage.schema import SCHEMA
from tests.storage.test_postgres_statements import OF_CHANGE_SETS
from tests.storage.test_statements import STATEMENTS, highest

ACCOUNT_ID = "account_id"
TENANTS_TABLES = {table.name for table in SCHEMA.tables.values() if ACCOUNT_ID in table.columns}

#: Nobody is known yet: these find out whose call, page or job it is.
FINDING_THE_TENANT = {
    "access.ACCESS_KEY": "an access key by its id, which is unique in the whole service",
    "access.KEY_IN_PLACE": "whose call it is, by the access key that signed it",
    "directory.DIRECTORY_OF_MEMBER": "whose member an account is that calls by itself",
    "verification.VERIFICATION": "whose verification a page is about, which knows its public id only",
    "key_uses.NOTE_USE": "the use of an access key, by its id, which is unique in the whole service",
}
#: A rule of the contract that holds over all tenants.
UNIQUE_IN_THE_SERVICE = {
    "directory.ACCOUNT_NAME_USED": "account names of members are login names, unique like those of the vendor",
}
#: Waiting work is taken as it comes due, whosever it is.
WAITING_WORK = {
    "outbox.COUNT_DUE": "whether a worker has to look, and whether tenants need to have their turn",
    "outbox.TENANTS_IN_TURN": "whose turn it is",
    "outbox.CLAIM": "a worker takes what is due",
    "outbox.CLAIM_IN_TURN": "the same, some of each tenant",
    "outbox.HAND_BACK": "a worker that stops hands back what it took",
    "outbox.NEXT_DUE": "until when a worker may rest",
    "audit.UNSEALED": "events to be sealed into their tenants' chains",
    "backlog.COUNT_JOBS": "how much waits, for the operator's metrics",
    "backlog.JOBS_BY_KIND": "the same, by kind",
    "backlog.OLDEST_DUE": "how long it has waited",
    "backlog.COUNT_DEAD": "how much was given up",
    "backlog.OLDEST_UNSEALED": "how far behind sealing is",
}
#: The operator's backup is of the whole service.
BACKUP = {
    "sqlite_backup.ANY_ACCOUNT": "whether there is anything at all that a restore would replace",
    "sqlite_backup.ERASURES_AFTER": "who was erased since the backup and has to be erased again",
    "sqlite_backup.SEALED_SECRETS": "whether the secrets open with the key at hand",
}
#: What has served its time goes by its age, whosever it is; seen for many tenants at a time.
RETENTION = {
    "audit_pruning.CHAINS_TO_PRUNE": "chains that begin with events that are too old",
    "housekeeping.DELETE_CONSOLE_SESSIONS": "by age",
    "housekeeping.DELETE_CONSOLE_TICKETS": "by age",
    "housekeeping.DELETE_COUNTERS": "by age",
    "housekeeping.DELETE_VERIFICATIONS": "by age",
    "housekeeping.DELETE_EVIDENCE": "by age",
    "housekeeping.DELETE_OLD_CAPTURED": "by age",
    "housekeeping.DELETE_DELIVERIES": "by the age of their messages",
    "housekeeping.DELETE_INCIDENTS": "by the age of their messages",
    "housekeeping.DELETE_PUBLISHED": "by age",
    "housekeeping.DELETE_HAND_OVERS": "by age",
    "housekeeping.DELETE_DEAD_JOBS": "by age",
    "housekeeping.FULL_INBOXES": "tenants with more captured messages than they keep",
    "housekeeping.LAST_OF_GROUP": "a walk through all evidence; what it rests on is looked up within the tenant",
    "housekeeping.ANY_UNNEEDED": "the same walk",
    "housekeeping.MARK_UNNEEDED": "the same walk",
}
#: Calls of one second, told by each process to all others.
SHARED_LIMITS = {
    "request_demand.DEMAND_SINCE": "what all processes are asked for: one query a second, of few rows",
    "request_demand.FORGET_DEMAND": "by age",
}
#: Commands that only the operator can give.
OPERATOR = {
    "access.ACCOUNTS": "the list of tenants",
    "audit.ACCOUNTS_WITH_EVENTS": "verifying every chain",
    "rotation.ACCESS_KEYS_AFTER": "sealing every secret anew",
    "rotation.WEBHOOKS_AFTER": "the same, of their endpoints",
    "rotation.LINKS_VALID_UNTIL": "whether an earlier encryption key is still needed",
    "rotation.WEBHOOK_CODES_AFTER": "the same, for codes",
    "rotation.FALLBACK_CODES_AFTER": "the same, for codes",
    "rotation.LAST_PUBLISHED": "the same, for links and return paths in mails",
}
EXCEPTIONS = FINDING_THE_TENANT | UNIQUE_IN_THE_SERVICE | WAITING_WORK | RETENTION | BACKUP | SHARED_LIMITS | OPERATOR

Place = tuple[int, str]


class Bindings:
    """Which tables and parameters are said to have equal account ids."""

    def __init__(self, sql: str) -> None:
        # `$1` begins a quoted text for the parser.
        self._tree = sqlglot.parse_one(re.sub(r"\$([0-9]+)", r"parameter.p\1", sql), dialect="postgres")
        self._equal: dict[Place, Place] = {}
        self.mentions: list[Place] = []
        for table in self._tree.find_all(exp.Table):
            if table.name in TENANTS_TABLES and not isinstance(table.parent, exp.Lock):
                self.mentions.append((id(scope_of(table)), table.alias_or_name))
        for scope in self._tree.find_all(exp.Select, exp.Update, exp.Delete):
            for condition in conditions(scope):
                if isinstance(condition, exp.EQ):
                    self._unite(self._place(condition.left), self._place(condition.right))
        for insert in self._tree.find_all(exp.Insert):
            self._unite((id(insert), insert.this.this.name), self._place(inserted_account(insert)))

    def parameters(self) -> set[frozenset[str]]:
        """For each mention of a tenant's table, the parameters that its account id is equal to."""
        roots = {self._root(place): set[str]() for place in self.mentions}
        for place in list(self._equal):
            if place[0] == 0 and self._root(place) in roots:
                roots[self._root(place)].add(place[1])
        return {frozenset(found) for found in roots.values()}

    def _place(self, side: exp.Expression | None) -> Place | None:
        """What an expression is the account id of; parameters are in place 0."""
        while isinstance(side, exp.Cast | exp.Paren):
            side = side.this
        if not isinstance(side, exp.Column):
            return None
        if side.table in ("parameter", "given"):
            return 0, side.name
        if side.name != ACCOUNT_ID:
            return None
        scope: exp.Expression | None = scope_of(side)
        while scope is not None:
            tables = [
                table
                for table in scope.find_all(exp.Table)
                if scope_of(table) is scope and not isinstance(table.parent, exp.Lock)
            ]
            found = [
                table.alias_or_name
                for table in tables
                if (table.alias_or_name == side.table if side.table else table.name in TENANTS_TABLES)
            ]
            assert len(found) <= 1, f"{side} may be of several tables"
            if found:
                return id(scope), found[0]
            scope = scope_of(scope)
        return None

    def _unite(self, one: Place | None, other: Place | None) -> None:
        if one is not None and other is not None:
            for place in (one, other):
                self._equal.setdefault(place, place)
            self._equal[self._root(one)] = self._root(other)

    def _root(self, place: Place) -> Place:
        while self._equal.get(place, place) != place:
            place = self._equal[place]
        return place


def scope_of(node: exp.Expression) -> exp.Expression | None:
    """The nearest statement or subquery around."""
    found: exp.Expression | None = node.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Insert)
    return found


def conditions(scope: exp.Expression) -> Iterator[exp.Expression]:
    """What holds for every row of a statement or subquery: parts of WHERE and ON between ANDs."""
    wheres = [scope.args["where"].this] if scope.args.get("where") else []
    for found in [*wheres, *(join.args["on"] for join in scope.args.get("joins") or [] if join.args.get("on"))]:
        yield from found.flatten() if isinstance(found, exp.And) else [found]


def inserted_account(insert: exp.Insert) -> exp.Expression | None:
    """The expression whose value becomes the account id; None where the table has none."""
    columns = [column.name for column in insert.this.expressions]
    if ACCOUNT_ID not in columns:
        return None
    source = insert.expression
    (row,) = source.expressions if isinstance(source, exp.Values) else [source]
    found: exp.Expression = row.expressions[columns.index(ACCOUNT_ID)]
    return found


def is_bound(sql: str) -> bool:
    """Whether every mention of a tenant's table is bound to the same parameter."""
    bindings = Bindings(sql)
    assert bindings.mentions
    found = bindings.parameters()
    return len(found) == 1 and len(found.pop()) == 1


def test_rows_point_to_rows_of_their_own_tenant() -> None:
    for table in SCHEMA.tables.values():
        for key in table.foreign_key_constraints:
            assert [element.column.name for element in key.elements if element.parent.name == ACCOUNT_ID] == [
                ACCOUNT_ID
            ]


def test_what_is_unique_in_the_whole_service_is_named() -> None:
    """Each of these needs a place of its own before tenants are spread over databases; docs/scale.md has the list."""
    spanning = {
        str(rule.name)
        for table in SCHEMA.tables.values()
        for rule in (*table.constraints, *table.indexes)
        if (isinstance(rule, UniqueConstraint) or (isinstance(rule, Index) and rule.unique))
        and ACCOUNT_ID not in [column.name for column in rule.columns]
    }

    assert spanning == {
        "unique_access_key_id",
        "unique_directory_id",
        "unique_member_account_name",
        "unique_member_id",
        "unique_verification_id",
    }


ON_TENANTS_TABLES = {name: sql for name, sql in STATEMENTS.items() if Bindings(sql).mentions}


@pytest.mark.parametrize("name", ON_TENANTS_TABLES)
def test_a_statement_is_bound_to_one_tenant_unless_it_says_why_not(name: str) -> None:
    assert is_bound(ON_TENANTS_TABLES[name]) == (name not in EXCEPTIONS)


def test_every_exception_is_a_statement() -> None:
    assert EXCEPTIONS.keys() - ON_TENANTS_TABLES.keys() == set()


def test_what_is_left_is_about_no_tenant() -> None:
    rest = STATEMENTS.keys() - ON_TENANTS_TABLES.keys()

    of_nonces = {"NONCE", "USE_NONCE", "DELETE_NONCES"}
    of_the_schema = {"LOOK", "TABLES", "VERSIONS", "WRITE_NOTHING"}
    assert {name.partition(".")[2] for name in rest} == of_nonces | of_the_schema


@pytest.mark.parametrize("name", [name for name in OF_CHANGE_SETS if name != "USE_NONCE"])
def test_carried_out_for_many_each_row_is_bound_to_the_tenant_of_its_own_change_set(name: str) -> None:
    form = grouped(OF_CHANGE_SETS[name], ["text"] * highest(OF_CHANGE_SETS[name]))

    assert form is not None
    if "SELECT * FROM unnest" in form.sql:  # the columns as they stand, of which the account id is one
        assert is_bound(OF_CHANGE_SETS[name])
    else:
        assert is_bound(form.sql)


def test_what_postgresql_is_told_instead_is_bound_as_much_as_what_it_stands_for() -> None:
    assert not is_bound(CLAIM_SKIPPING_LOCKED)  # as outbox.CLAIM
    assert not is_bound(CLAIM_IN_TURN_SKIPPING_LOCKED)  # as outbox.CLAIM_IN_TURN
    assert is_bound(COUNT_ALL_UP)


@pytest.mark.parametrize(
    ("sql", "bound"),
    [
        ("SELECT 1 FROM contact WHERE account_id = $1", True),
        ("SELECT 1 FROM contact WHERE contact_id = $1", False),
        ("SELECT 1 FROM contact WHERE account_id = $1 OR contact_id = $2", False),
        ("SELECT 1 FROM contact WHERE account_id > $1", False),
        ("SELECT 1 FROM contact WHERE NOT account_id = $1", False),
        ("SELECT 1 FROM contact AS c JOIN binding AS b ON b.account_id = c.account_id WHERE c.account_id = $1", True),
        ("SELECT 1 FROM contact AS c JOIN binding AS b ON b.contact_id = c.contact_id WHERE c.account_id = $1", False),
        ("SELECT 1 FROM contact AS c JOIN binding AS b ON TRUE WHERE c.account_id = $1 AND b.account_id = $2", False),
        ("SELECT (SELECT count(*) FROM job) FROM contact WHERE account_id = $1", False),
        (
            "DELETE FROM job WHERE (account_id, job_id) IN (SELECT account_id, job_id FROM job WHERE account_id = $1)",
            False,
        ),
        ("DELETE FROM job WHERE account_id = $1 AND job_id IN (SELECT job_id FROM job WHERE account_id = $1)", True),
        ("UPDATE job SET account_id = $1 WHERE job_id = $2", False),
        ("INSERT INTO job (job_id, account_id) VALUES ($1, $2)", True),
        ("INSERT INTO job (job_id, account_id) VALUES ($1, 'x')", False),
        ("INSERT INTO job (account_id) SELECT account_id FROM contact WHERE account_id = $1", True),
        ("INSERT INTO job (account_id) SELECT account_id FROM contact WHERE contact_id = $1", False),
    ],
)
def test_the_test_tells_bound_from_unbound(sql: str, bound: bool) -> None:
    assert is_bound(sql) == bound
