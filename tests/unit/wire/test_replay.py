"""The memory of nonces: exact while it is small, bounded when it is full."""

from __future__ import annotations

import secrets
import sys

from message_contacts.access.model import Caller
from message_contacts.wire.replay import NonceMemory, nonce_digest


def digest(number: int) -> bytes:
    return nonce_digest(Caller("1", "key"), str(number))


def test_a_nonce_is_new_once():
    memory = NonceMemory(10)
    assert memory.first_sight(digest(1))
    assert not memory.first_sight(digest(1))
    assert memory.first_sight(digest(2))


def test_the_oldest_gives_way():
    memory = NonceMemory(3)
    assert all(memory.first_sight(digest(number)) for number in range(4))
    assert not memory.first_sight(digest(3))
    assert not memory.first_sight(digest(1))
    assert memory.first_sight(digest(0))


def test_a_digest_keeps_key_and_nonce_apart():
    assert nonce_digest(Caller("1", "ab"), "c") != nonce_digest(Caller("1", "a"), "bc")
    assert nonce_digest(Caller("1", "a"), "b") == nonce_digest(Caller("2", "a"), "b")
    assert len(nonce_digest(Caller("1", "a"), "b")) == 16


def test_a_large_memory_keeps_nearly_its_capacity_and_little_more_than_the_bytes():
    memory = NonceMemory(64_000)
    digests = [secrets.token_bytes(16) for _ in range(200_000)]
    assert all(memory.first_sight(entry) for entry in digests)
    recent = digests[-32_000:]
    assert not any(memory.first_sight(entry) for entry in recent)
    shelves = [shelf for shelf in memory._shelves if shelf is not None]
    assert sum(map(len, shelves)) <= 64_000 * 8
    assert sum(map(sys.getsizeof, shelves)) < 64_000 * 16
