"""Verifications, evidence, blocks, and how far counters stand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from message_contacts.clock import Instant
from message_contacts.contacts.model import Channel
from message_contacts.storage.engine import Database, Parameters, Row
from message_contacts.storage.records import Record
from message_contacts.verification.erased_addresses import erased_key, salt_of
from message_contacts.verification.model import Block, Evidence, Verification, VerificationState, Way

#: Digests of addresses kept in memory, which are slow to make; the oldest one gives way.
_ERASED_KEYS_REMEMBERED = 1_000

VERIFICATION = """
    -- One verification by its public id, whichever tenant it belongs to.
    SELECT account_id, verification_id, contact_id, channel, address, generation, state, sent_at, expires_at, captured,
           wrong_codes, version
      FROM verification WHERE verification_id = $1
"""

INSERT_VERIFICATION = """
    -- Add a verification.
    INSERT INTO verification (contact_id, channel, address, generation, state, sent_at, expires_at, captured,
                              wrong_codes, account_id, verification_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

UPDATE_VERIFICATION = """
    -- Change a verification if nobody changed it since it was read.
    UPDATE verification SET contact_id = $1, channel = $2, address = $3, generation = $4, state = $5, sent_at = $6,
           expires_at = $7, captured = $8, wrong_codes = $9, version = version + 1
     WHERE account_id = $10 AND verification_id = $11 AND version = $12
"""

DELETE_VERIFICATION = """
    -- Delete a verification if nobody changed it since it was read.
    DELETE FROM verification WHERE account_id = $1 AND verification_id = $2 AND version = $3
"""

RELY_ON_VERIFICATION = """
    -- Whether a verification is as it was read.
    SELECT 1 FROM verification WHERE account_id = $1 AND verification_id = $2 AND version = $3
"""

INSERT_EVIDENCE = """
    -- Keep how an address was confirmed.
    INSERT INTO evidence (account_id, verification_id, contact_id, channel, address, confirmed_at, way, source_address,
                          user_agent, captured)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

CONFIRMED_AT = """
    -- When a verification was confirmed.
    SELECT confirmed_at FROM evidence WHERE account_id = $1 AND verification_id = $2
"""

EVIDENCE_PAGE = """
    -- Evidence of a tenant by verification id, that behind one.
    SELECT verification_id, contact_id, channel, address, confirmed_at, way, source_address, user_agent, captured
      FROM evidence WHERE account_id = $1 AND verification_id > $2
     ORDER BY verification_id LIMIT $3
"""

EVIDENCE_PAGE_OF_CONTACT = """
    -- Evidence of one contact by verification id, that behind one.
    SELECT verification_id, contact_id, channel, address, confirmed_at, way, source_address, user_agent, captured
      FROM evidence WHERE account_id = $1 AND contact_id = $2 AND verification_id > $3
     ORDER BY verification_id LIMIT $4
"""

BLOCK = """
    -- The block on an address.
    SELECT channel, address_key, verification_id, blocked_at, source_address, version FROM block
     WHERE account_id = $1 AND channel = $2 AND address_key = $3
"""

ERASED_BLOCK = """
    -- One of the blocks whose addresses were erased, for the salt that they share.
    SELECT address_key FROM block
     WHERE account_id = $1 AND channel = $2 AND address_key > 'erased:' AND address_key < 'erased;'
     LIMIT 1
"""

BLOCKS = """
    -- All blocks of a tenant, oldest first.
    SELECT channel, address_key, verification_id, blocked_at, source_address, version FROM block
     WHERE account_id = $1 ORDER BY blocked_at, channel, address_key
"""

INSERT_BLOCK = """
    -- Block an address.
    INSERT INTO block (verification_id, blocked_at, source_address, account_id, channel, address_key, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

UPDATE_BLOCK = """
    -- Change a block if nobody changed it since it was read.
    UPDATE block SET verification_id = $1, blocked_at = $2, source_address = $3, version = version + 1
     WHERE account_id = $4 AND channel = $5 AND address_key = $6 AND version = $7
"""

DELETE_BLOCK = """
    -- Lift a block if nobody changed it since it was read.
    DELETE FROM block WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND version = $4
"""

RELY_ON_BLOCK = """
    -- Whether a block is as it was read.
    SELECT 1 FROM block WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND version = $4
"""

COUNTER = """
    -- How far a counter stands.
    SELECT value FROM counter WHERE account_id = $1 AND counter = $2 AND period = $3
"""


class Verifications:
    """`verification.store.VerificationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: By address and salt; in memory only.
        self._erased_keys: dict[tuple[str, bytes], str] = {}

    async def verification(self, verification_id: str) -> Verification | None:
        rows = await self._database.rows(VERIFICATION, (verification_id,))
        return verification_from_row(rows[0]) if rows else None

    async def block(self, account_id: str, channel: Channel, address_key: str) -> Block | None:
        rows = await self._database.rows(BLOCK, (account_id, channel.value, address_key))
        if not rows:
            erased = await self._database.rows(ERASED_BLOCK, (account_id, channel.value))
            if erased:
                key = await self._erased_key(address_key, salt_of(erased[0][0]))
                rows = await self._database.rows(BLOCK, (account_id, channel.value, key))
        return block_from_row(account_id, rows[0]) if rows else None

    async def _erased_key(self, address_key: str, salt: bytes) -> str:
        """`erased_key`, beside the event loop; and once for an address that is asked for again and again."""
        known = self._erased_keys.get((address_key, salt))
        if known is None:
            known = await asyncio.to_thread(erased_key, address_key, salt)
            if len(self._erased_keys) >= _ERASED_KEYS_REMEMBERED:
                del self._erased_keys[next(iter(self._erased_keys))]
            self._erased_keys[address_key, salt] = known
        return known

    async def blocks(self, account_id: str) -> Sequence[Block]:
        (rows,) = await self._database.report((BLOCKS, (account_id,)))
        return [block_from_row(account_id, row) for row in rows]

    async def confirmed_at(self, account_id: str, verification_id: str) -> Instant | None:
        rows = await self._database.rows(CONFIRMED_AT, (account_id, verification_id))
        return Instant(rows[0][0]) if rows else None

    async def evidence_page(
        self, account_id: str, *, contact_id: str | None, after: str | None, limit: int
    ) -> Sequence[Evidence]:
        (rows,) = await self._database.report(
            (EVIDENCE_PAGE, (account_id, after or "", limit))
            if contact_id is None
            else (EVIDENCE_PAGE_OF_CONTACT, (account_id, contact_id, after or "", limit))
        )
        return [evidence_from_row(account_id, row) for row in rows]

    async def count(self, account_id: str, counter: str, period: str) -> int:
        rows = await self._database.rows(COUNTER, (account_id, counter, period))
        return int(rows[0][0]) if rows else 0


def verification_from_row(row: Row) -> Verification:
    """A verification from its row."""
    (
        account_id, verification_id, contact_id, channel, address,
        generation, state, sent_at, expires_at, captured, wrong_codes, version,
    ) = row  # fmt: skip
    return Verification(
        account_id=account_id,
        verification_id=verification_id,
        contact_id=contact_id,
        channel=Channel(channel),
        address=address,
        generation=generation,
        state=VerificationState(state),
        sent_at=sent_at,
        expires_at=expires_at,
        captured=bool(captured),
        wrong_codes=wrong_codes,
        version=version,
    )


def evidence_from_row(account_id: str, row: Row) -> Evidence:
    """Evidence from its row."""
    verification_id, contact_id, channel, address, confirmed_at, way, source_address, user_agent, captured = row
    return Evidence(
        account_id=account_id,
        verification_id=verification_id,
        contact_id=contact_id,
        channel=Channel(channel),
        address=address,
        confirmed_at=confirmed_at,
        way=Way(way),
        source_address=source_address,
        user_agent=user_agent,
        captured=bool(captured),
    )


def block_from_row(account_id: str, row: Row) -> Block:
    """A block from its row."""
    channel, address_key, verification_id, blocked_at, source_address, version = row
    return Block(
        account_id=account_id,
        channel=Channel(channel),
        address_key=address_key,
        verification_id=verification_id,
        blocked_at=blocked_at,
        source_address=source_address,
        version=version,
    )


def _verification_key(verification: Verification) -> Parameters:
    return verification.account_id, verification.verification_id


def _verification_values(verification: Verification) -> Parameters:
    return (
        verification.contact_id,
        verification.channel.value,
        verification.address,
        verification.generation,
        verification.state.value,
        verification.sent_at,
        verification.expires_at,
        verification.captured,
        verification.wrong_codes,
    )


def evidence_row(evidence: Evidence) -> Parameters:
    """Parameters of `INSERT_EVIDENCE`."""
    return (
        evidence.account_id,
        evidence.verification_id,
        evidence.contact_id,
        evidence.channel.value,
        evidence.address,
        evidence.confirmed_at,
        evidence.way.value,
        evidence.source_address,
        evidence.user_agent,
        evidence.captured,
    )


def _block_key(block: Block) -> Parameters:
    return block.account_id, block.channel.value, block.address_key


def _block_values(block: Block) -> Parameters:
    return block.verification_id, block.blocked_at, block.source_address


VERIFICATION_RECORD: Record[Verification] = Record(
    insert=INSERT_VERIFICATION,
    update=UPDATE_VERIFICATION,
    delete=DELETE_VERIFICATION,
    rely_on=RELY_ON_VERIFICATION,
    key=_verification_key,
    values=_verification_values,
)
BLOCK_RECORD: Record[Block] = Record(
    insert=INSERT_BLOCK,
    update=UPDATE_BLOCK,
    delete=DELETE_BLOCK,
    rely_on=RELY_ON_BLOCK,
    key=_block_key,
    values=_block_values,
)
