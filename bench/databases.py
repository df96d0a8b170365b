"""Prepared databases: the schema by the program's own migrations, the rows by the store's own statements.

Kept in build/bench until the schema or the population changes.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import apsw

from bench import population, servers
from bench.machine import held_in_memory
from bench.population import CONTACTS_EACH, People, Tenant
from message_contacts import errors
from message_contacts.access.keys import Vault
from message_contacts.access.model import AccessKey, Account, KeyStatus
from message_contacts.changes import Change, CountUp, Insert
from message_contacts.clock import DAY, Instant
from message_contacts.contacts.lifecycle import CONTACTS
from message_contacts.contacts.model import (
    Binding,
    Contact,
    ContactName,
    EmailAddress,
    MessageType,
    PhoneNumber,
    Slot,
    Title,
    Verified,
)
from message_contacts.directory.members import MEMBERS
from message_contacts.directory.model import (
    ROOT_NAME,
    Folder,
    Member,
    MemberStatus,
    MemberType,
    ResourceDirectory,
)
from message_contacts.storage.committing import compiled
from message_contacts.storage.engine import Parameters

#: Every prepared database is sealed with this key; they hold invented people only.
KEY = hashlib.sha256(b"benchmark").digest()
KEY_TEXT = base64.b64encode(KEY).decode()
_SOURCES = (
    Path(__file__),
    Path(population.__file__),
    servers.ROOT / "src/message_contacts/access/keys.py",
    *sorted((servers.ROOT / "src/message_contacts/storage/migrations/versions").glob("*.py")),
)


@lru_cache(maxsize=200_000)
def _caller(number: int) -> tuple[Tenant, str, bytes]:
    tenant = Tenant(number)
    return tenant, tenant.access_key_id, tenant.secret.encode()


class Database:
    """A database of so many tenants, each with a directory, a key, a member, and contacts bound to Root."""

    engine = "SQLite"

    def __init__(self, tenants: int) -> None:
        self.tenants = tenants
        self.contacts = tenants * CONTACTS_EACH
        self.name = f"{self.contacts:,}"
        self.path = servers.WORK / f"{self.contacts}-{_fingerprint()}.db"
        self.encryption_key = KEY_TEXT
        #: Processes beside the server that work for it, each with its children.
        self.helpers: tuple[int, ...] = ()

    def caller(self, number: int) -> tuple[Tenant, str, bytes]:
        """A tenant with its access key and the key's secret."""
        return _caller(number)

    def prepare(self) -> None:
        """Make it, unless it is there."""
        if self.path.exists():
            return
        servers.WORK.mkdir(parents=True, exist_ok=True)
        for outdated in servers.WORK.glob(f"{self.contacts}-*.db*"):
            outdated.unlink()
        unfinished = self.path.with_suffix(".unfinished")
        for left in servers.WORK.glob(f"{unfinished.name}*"):
            left.unlink()
        start = time.perf_counter()
        migrate(unfinished, self.encryption_key)
        fill(unfinished, self.tenants)
        servers.write_out(unfinished)
        unfinished.rename(self.path)
        print(f"prepared {self.name} contacts of {self.tenants:,} tenants in {time.perf_counter() - start:.0f} s")

    @contextlib.contextmanager
    def copy(self) -> Iterator[str]:
        """URL of a copy of its own for one run, written out and in memory; gone afterwards."""
        folder = servers.WORK / f"copy-{self.contacts}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            path = folder / self.path.name
            shutil.copyfile(self.path, path)
            servers.write_out(path)
            with held_in_memory([path]):
                yield f"sqlite:///{path}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for source in _SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def migrate(path: Path, encryption_key: str) -> None:
    """Make an empty database of this program's schema."""
    subprocess.run(
        [str(Path(sys.executable).with_name("message-contacts")), "migrate"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "MESSAGE_CONTACTS_DATABASE_URL": f"sqlite:///{path}",
            "MESSAGE_CONTACTS_ENCRYPTION_KEY": encryption_key,
        },
    )


def fill(path: Path, tenants: int) -> None:
    """Write the population, in the order of the tables' keys, and have the database check it."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = delete")
    connection.execute("PRAGMA synchronous = off")
    connection.execute("PRAGMA foreign_keys = off")
    connection.execute("PRAGMA cache_size = -500000")
    everybody = sorted(population.tenants(tenants), key=lambda tenant: tenant.account_id)
    vault = Vault(KEY)
    now = Instant(time.time_ns() // 1_000_000)
    with connection:
        for some in batches(everybody, 500):
            # The store's own statements, those of one kind together.
            together: dict[str, list[Parameters]] = {}
            for tenant in some:
                for step in compiled(tuple(_changes(tenant, vault, now)), None, now):
                    together.setdefault(step.sql, []).append(step.parameters)
            for sql, parameters in together.items():
                connection.executemany(sql, parameters)
    if connection.execute("PRAGMA foreign_key_check").fetchall():
        raise SystemExit("the prepared rows point to rows that do not exist")
    connection.execute("PRAGMA journal_mode = wal")
    connection.close()


def batches(everybody: Iterable[Tenant], size: int) -> Iterator[Sequence[Tenant]]:
    """So many at a time."""
    entries = iter(everybody)
    while some := list(itertools.islice(entries, size)):
        yield some


def _changes(tenant: Tenant, vault: Vault, now: Instant) -> Iterator[Change]:
    account_id, created_at = tenant.account_id, Instant(now - 30 * DAY)
    account_name = f"team{tenant.number}"
    yield Insert(Account(account_id=account_id, name=account_name, created_at=created_at))
    yield Insert(
        AccessKey(
            access_key_id=tenant.access_key_id,
            account_id=account_id,
            sealed_secret=vault.seal(tenant.secret, tenant.access_key_id),
            status=KeyStatus.ACTIVE,
            created_at=created_at,
        )
    )
    yield Insert(
        ResourceDirectory(
            account_id=account_id,
            directory_id=tenant.directory_id,
            root_folder_id=tenant.root_folder_id,
            account_name=account_name,
            created_at=created_at,
        )
    )
    yield Insert(
        Folder(
            account_id=account_id,
            folder_id=tenant.root_folder_id,
            parent_id=None,
            name=ROOT_NAME,
            created_at=created_at,
        )
    )
    yield Insert(
        Member(
            account_id=account_id,
            member_id=tenant.member_id,
            folder_id=tenant.root_folder_id,
            display_name="shop",
            account_name=f"shop@{tenant.directory_id.lower()}.aliyunid.com",
            type=MemberType.RESOURCE_ACCOUNT,
            status=MemberStatus.CREATE_SUCCESS,
            joined_at=created_at,
            modified_at=created_at,
            placed_at=created_at,
        )
    )
    yield CountUp(account_id, MEMBERS, "", 1, errors.LIMIT_EXCEEDED_ACCOUNT)
    people = People(f"tenant {tenant.number}", newcomers=False)
    for contact_id, number in sorted((tenant.contact_id(number), number) for number in range(CONTACTS_EACH)):
        person = people.draw(tenant.number)
        moment = Instant(created_at + number)
        yield Insert(
            Contact(
                account_id=account_id,
                contact_id=contact_id,
                name=ContactName(person.name),
                title=Title(person.title),
                message_types=tuple(map(MessageType, person.message_types)),
                email=Slot(shown=EmailAddress(person.email_address), verified=Verified(moment, captured=False)),
                phone=Slot(shown=PhoneNumber(person.phone_number)),
                created_at=moment,
                bindings=(Binding(tenant.root_folder_id, moment),),
            )
        )
        yield CountUp(account_id, CONTACTS, "", CONTACTS_EACH, errors.LIMIT_EXCEEDED_CONTACTS)
