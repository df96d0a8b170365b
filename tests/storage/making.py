"""A small tree and its records, for tests of the stores."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import apsw
import asyncpg

from message_contacts.access.model import AccessKey, Account, KeyStatus
from message_contacts.changes import Change, Insert, Job, Nonce
from message_contacts.clock import MINUTE, Clock, Instant
from message_contacts.contacts.model import (
    Channel,
    Contact,
    ContactName,
    DetachedContact,
    EmailAddress,
    MessageType,
    Title,
)
from message_contacts.delivery.outbox import CapturedMessage
from message_contacts.directory.model import Folder, Member, MemberStatus, MemberType, ResourceDirectory
from message_contacts.storage import Storage, open_postgres, open_sqlite, sqlite_path
from message_contacts.verification.model import Block, Evidence, Way
from tests.factories import ACCOUNT, make_contact, make_directory
from tests.fakes.clock import START

OTHER_ACCOUNT = "1000000000000002"
ROOT = "r-AbCdEf"
MEMBER = "2000000000000001"


def after(milliseconds: int) -> Instant:
    """That long after the clock's start."""
    return Instant(START + milliseconds)


def nonce(number: int = 1, *, expires_at: int = START + 15 * MINUTE) -> Nonce:
    return Nonce(number.to_bytes(16, "big"), Instant(expires_at))


def named_contact(number: int, **fields: Any) -> Contact:
    """Contacts that differ in id, name and creation date."""
    return make_contact(
        **{
            "contact_id": f"c-{number:016d}",
            "name": ContactName(f"contact {number}"),
            "created_at": after(number),
            **fields,
        }
    )


def make_folder(folder_id: str = "fd-0000000001", **fields: Any) -> Folder:
    return Folder(
        **{
            "account_id": ACCOUNT,
            "folder_id": folder_id,
            "parent_id": ROOT,
            "name": f"folder {folder_id}",
            "created_at": START,
            **fields,
        }
    )


def make_member(member_id: str = MEMBER, **fields: Any) -> Member:
    return Member(
        **{
            "account_id": ACCOUNT,
            "member_id": member_id,
            "folder_id": ROOT,
            "display_name": f"member {member_id}",
            "account_name": f"{member_id}@rd-abcdef.aliyunid.com",
            "type": MemberType.RESOURCE_ACCOUNT,
            "status": MemberStatus.CREATE_SUCCESS,
            "joined_at": START,
            "modified_at": START,
            "placed_at": START,
            **fields,
        }
    )


def make_copy(detached_id: str = "dc-0000000000000001", **fields: Any) -> DetachedContact:
    return DetachedContact(
        **{
            "account_id": ACCOUNT,
            "detached_id": detached_id,
            "contact_id": "c-0000000000000001",
            "name": ContactName("Tom"),
            "title": Title.CEO,
            "message_types": (MessageType.SECURITY_MESSAGE,),
            "email": EmailAddress("tom@example.com"),
            "email_captured": False,
            "phone": None,
            "phone_captured": False,
            "node_ids": (ROOT,),
            "detached_at": START,
            **fields,
        }
    )


def make_block(**fields: Any) -> Block:
    return Block(
        **{
            "account_id": ACCOUNT,
            "channel": Channel.EMAIL,
            "address_key": "tom@example.com",
            "verification_id": "0123456789",
            "blocked_at": START,
            "source_address": "203.0.113.9",
            **fields,
        }
    )


def make_evidence(verification_id: str = "0123456789", **fields: Any) -> Evidence:
    return Evidence(
        **{
            "account_id": ACCOUNT,
            "verification_id": verification_id,
            "contact_id": "c-0000000000000001",
            "channel": Channel.EMAIL,
            "address": "tom@example.com",
            "confirmed_at": START,
            "way": Way.CODE,
            "source_address": "203.0.113.9",
            "user_agent": "Browser",
            "captured": True,
            **fields,
        }
    )


def make_account(account_id: str = ACCOUNT, **fields: Any) -> Account:
    return Account(**{"account_id": account_id, "name": "platform-team", "created_at": START, **fields})


def make_key(access_key_id: str = "MCkey", **fields: Any) -> AccessKey:
    return AccessKey(
        **{
            "access_key_id": access_key_id,
            "account_id": ACCOUNT,
            "sealed_secret": b"\x00sealed\xff",
            "status": KeyStatus.ACTIVE,
            "created_at": START,
            **fields,
        }
    )


def make_job(number: int = 1, **fields: Any) -> Job:
    return Job(
        **{
            "job_id": f"j-{number:012d}",
            "account_id": ACCOUNT,
            "kind": "send-verification",
            "channel": "email",
            "payload": {"verification_id": "0123456789", "generation": 2},
            "due_at": after(number),
            "created_at": START,
            **fields,
        }
    )


def make_message(message_id: str = "m-1", **fields: Any) -> CapturedMessage:
    return CapturedMessage(
        **{
            "account_id": ACCOUNT,
            "message_id": message_id,
            "channel": Channel.EMAIL,
            "recipient": "Tom@example.com",
            "subject": "Please confirm",
            "text": "text",
            "html": "<p>text</p>",
            "captured_at": START,
            **fields,
        }
    )


def other_directory() -> ResourceDirectory:
    return make_directory(account_id=OTHER_ACCOUNT, directory_id="rd-GhIjKl", root_folder_id="r-GhIjKl")


def open_database(database_url: str, clock: Clock, *, busy_seconds: float = 1.0) -> Storage:
    """The database as a process of its own opens it."""
    if database_url.startswith("sqlite:///"):
        return open_sqlite(sqlite_path(database_url), clock, busy_seconds=busy_seconds)
    return open_postgres(database_url, clock)


def outside(database_url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a statement gives, carried out past the program."""
    if database_url.startswith("sqlite:///"):
        with closing(apsw.Connection(str(sqlite_path(database_url)))) as connection:
            return connection.execute(sql).fetchall()

    async def fetched() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(database_url)
        try:
            return [tuple(row) for row in await connection.fetch(sql.replace("x'", "'\\x"))]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, fetched()).result()


async def commit(storage: Storage, *changes: Change, with_nonce: Nonce | None = None) -> None:
    """Commit one change set."""
    await storage.committer.commit(changes, with_nonce)


async def plant(storage: Storage, *rows: object) -> None:
    """An enabled directory with a Root folder, and these rows."""
    await commit(
        storage,
        Insert(make_directory()),
        Insert(make_folder(ROOT, parent_id=None, name="root")),
        *(Insert(row) for row in rows),
    )
