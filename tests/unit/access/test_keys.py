"""Sealed secrets, derived keys, and the ring that finds them."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from message_contacts.access.keys import KeyRing, SealBrokenError, Vault
from message_contacts.access.model import AccessKey, KeyStatus
from message_contacts.clock import Instant
from tests.fakes.access import FakeAccessStore


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))


@pytest.fixture
def store() -> FakeAccessStore:
    return FakeAccessStore()


def key(vault: Vault, access_key_id: str = "id", secret: str = "secret") -> AccessKey:
    return AccessKey(
        access_key_id=access_key_id,
        account_id="1000000000000001",
        sealed_secret=vault.seal(secret, access_key_id),
        status=KeyStatus.ACTIVE,
        created_at=Instant(0),
    )


def test_a_sealed_secret_opens_for_its_key_alone(vault: Vault):
    sealed = vault.seal("secret", "id")
    assert vault.open(sealed, "id") == "secret"
    for other, broken, access_key_id in [
        (vault, sealed, "other"),
        (Vault(bytes(32)), sealed, "id"),
        (vault, sealed[:-1] + bytes([sealed[-1] ^ 1]), "id"),
        (vault, sealed[:10], "id"),
        (vault, b"", "id"),
    ]:
        with pytest.raises(SealBrokenError):
            other.open(broken, access_key_id)


def test_sealing_twice_gives_different_bytes_without_the_secret_in_them(vault: Vault):
    first, second = vault.seal("secret", "id"), vault.seal("secret", "id")
    assert first != second
    assert b"secret" not in first


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int):
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(os.urandom(length))


def test_derived_keys_are_stable_and_differ_by_purpose_and_key(vault: Vault):
    assert vault.derived("a").current() == Vault(bytes(range(32))).derived("a").current()
    assert (
        len({vault.derived("a").current(), vault.derived("b").current(), Vault(bytes(32)).derived("a").current()}) == 3
    )
    assert len(vault.derived("a").current()) == 32
    assert vault.derived("message-contacts test").current().hex() == (
        "c66d946c553866c81d44bde6312880d83f20837eed52364c834fb454441a0b4e"
    )


async def test_the_ring_finds_keys_and_does_not_show_their_secrets(vault: Vault, store: FakeAccessStore):
    store.keys["id"] = key(vault)
    ring = KeyRing(store, vault)
    found = await ring.find("id")
    assert found is not None
    assert (found.account_id, found.secret, found.is_active) == ("1000000000000001", "secret", True)
    assert "'secret'" not in repr(found)
    assert await ring.find("nobody") is None


async def test_a_change_in_the_store_counts_at_once(vault: Vault, store: FakeAccessStore):
    ring = KeyRing(store, vault)
    store.keys["id"] = key(vault)
    await ring.find("id")
    store.keys["id"] = replace(store.keys["id"], status=KeyStatus.INACTIVE)
    found = await ring.find("id")
    assert found is not None
    assert not found.is_active
    store.keys["id"] = key(vault, secret="newer")
    found = await ring.find("id")
    assert found is not None
    assert found.secret == "newer"
    del store.keys["id"]
    assert await ring.find("id") is None


async def test_a_remembered_secret_does_not_open_for_another_key(vault: Vault, store: FakeAccessStore):
    """Whoever can write to the database must not be able to give his key the secret of another."""
    ring = KeyRing(store, vault)
    store.keys["id"] = key(vault)
    await ring.find("id")
    store.keys["thief"] = replace(store.keys["id"], access_key_id="thief")
    with pytest.raises(SealBrokenError):
        await ring.find("thief")


async def test_only_so_many_secrets_are_remembered(vault: Vault, store: FakeAccessStore):
    ring = KeyRing(store, vault, remembered=2)
    for name in ("a", "b", "c"):
        store.keys[name] = key(vault, name)
        await ring.find(name)
    assert len(ring._known) == 2
    assert "a" not in ring._known


OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_a_vault_seals_with_its_first_key_and_opens_with_any():
    old_seal = Vault(OLD).seal("secret", "id")
    both = Vault(NEW, OLD)
    assert both.open(old_seal, "id") == "secret"
    assert both.opened_by(old_seal, "id") == OLD
    new_seal = both.seal("secret", "id")
    assert both.opened_by(new_seal, "id") == NEW
    assert Vault(NEW).open(new_seal, "id") == "secret"
    with pytest.raises(SealBrokenError):
        Vault(OLD).open(new_seal, "id")


class Source:
    """Keys that may change, and how often they were asked for."""

    def __init__(self, *keys: bytes) -> None:
        self.keys: tuple[bytes, ...] | None = keys
        self.asked = 0

    def __call__(self) -> tuple[bytes, ...] | None:
        self.asked += 1
        return self.keys


def test_a_vault_looks_for_newer_keys_before_it_seals_and_before_it_gives_up():
    source = Source(NEW, OLD)
    sealed_elsewhere = Vault(NEW).seal("secret", "id")
    vault = Vault(OLD, newer=source)
    assert vault.open(sealed_elsewhere, "id") == "secret"
    assert source.asked == 1
    other = Vault(OLD, newer=source)
    assert Vault(NEW).open(other.seal("secret", "id"), "id") == "secret"


def test_what_no_key_opens_is_asked_about_once_and_what_opens_is_not():
    source = Source(OLD)
    vault = Vault(OLD, newer=source)
    sealed = vault.seal("secret", "id")
    source.asked = 0
    vault.open(sealed, "id")
    assert source.asked == 0
    with pytest.raises(SealBrokenError):
        vault.open(Vault(NEW).seal("secret", "id"), "id")
    assert source.asked == 1


def test_derived_keys_follow_the_vault():
    source = Source(OLD)
    derived = Vault(OLD, newer=source).derived("a")
    before = derived.current()
    assert derived.accepted() == (before,)
    source.keys = (NEW, OLD)
    assert derived.current() == Vault(NEW).derived("a").current()
    assert derived.accepted() == (Vault(NEW).derived("a").current(), before)
    source.keys = None  # nothing newer
    assert not derived.refresh()


def test_a_vault_without_a_key_is_refused():
    with pytest.raises(ValueError, match="needs a key"):
        Vault()
