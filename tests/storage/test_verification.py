from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Insert, RelyOn, Stale, Update
from message_contacts.contacts.model import Channel
from message_contacts.storage import Storage
from message_contacts.storage import verification as module
from message_contacts.verification.erased_addresses import erased_key
from message_contacts.verification.model import VerificationState
from tests.factories import ACCOUNT, make_verification
from tests.storage.making import OTHER_ACCOUNT, after, commit, make_block, make_evidence


async def test_a_verification_is_found_by_its_public_id_whichever_tenant_has_it(storage: Storage) -> None:
    verification = make_verification(account_id=OTHER_ACCOUNT, channel=Channel.SMS, captured=True, wrong_codes=3)
    await commit(storage, Insert(verification))

    assert await storage.verification.verification(verification.verification_id) == verification
    assert await storage.verification.verification("9999999999") is None


async def test_a_public_id_drawn_by_two_tenants_is_stale(storage: Storage) -> None:
    await commit(storage, Insert(make_verification()))

    with pytest.raises(Stale):
        await commit(storage, Insert(make_verification(account_id=OTHER_ACCOUNT)))


async def test_a_verification_changes_and_goes(storage: Storage) -> None:
    before = make_verification()
    asked = replace(
        before, generation=2, state=VerificationState.CONFIRMED, sent_at=after(1), expires_at=after(9), wrong_codes=4
    )
    await commit(storage, Insert(before))

    await commit(storage, Update(before, asked))
    changed = await storage.verification.verification(before.verification_id)

    assert changed == replace(asked, version=2)
    with pytest.raises(Stale):
        await commit(storage, RelyOn(before))
    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.verification.verification(before.verification_id) is None


async def test_a_block_holds_one_address_of_one_channel_of_one_tenant(storage: Storage) -> None:
    block = make_block()
    await commit(storage, Insert(block))

    assert await storage.verification.block(ACCOUNT, Channel.EMAIL, "tom@example.com") == block
    assert await storage.verification.block(ACCOUNT, Channel.SMS, "tom@example.com") is None
    assert await storage.verification.block(ACCOUNT, Channel.EMAIL, "thomas@example.com") is None
    assert await storage.verification.block(OTHER_ACCOUNT, Channel.EMAIL, "tom@example.com") is None
    with pytest.raises(Stale):
        await commit(storage, Insert(block))


async def test_blocks_come_oldest_first_and_can_be_changed_and_lifted(storage: Storage) -> None:
    late = make_block(blocked_at=after(2))
    early = make_block(channel=Channel.SMS, address_key="86-13900001234", blocked_at=after(1))
    await commit(storage, Insert(late), Insert(early), Insert(make_block(account_id=OTHER_ACCOUNT)))
    assert await storage.verification.blocks(ACCOUNT) == [early, late]

    await commit(storage, Update(early, replace(early, blocked_at=after(3))))
    changed = replace(early, blocked_at=after(3), version=2)
    assert await storage.verification.blocks(ACCOUNT) == [late, changed]

    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.verification.blocks(ACCOUNT) == [late]


async def test_evidence_is_kept_once_and_read_as_written(storage: Storage) -> None:
    evidence = make_evidence()
    await commit(storage, Insert(evidence))

    assert await storage.verification.evidence_page(ACCOUNT, contact_id=None, after=None, limit=10) == [evidence]
    assert await storage.verification.confirmed_at(ACCOUNT, evidence.verification_id) == evidence.confirmed_at
    assert await storage.verification.confirmed_at(OTHER_ACCOUNT, evidence.verification_id) is None
    with pytest.raises(Stale):
        await commit(storage, Insert(make_evidence(address="other@example.com")))


@pytest.mark.parametrize("change", [Update(make_evidence(), make_evidence()), Delete(make_evidence())])
async def test_evidence_is_never_changed(storage: Storage, change: Update | Delete) -> None:
    with pytest.raises(TypeError, match="Evidence"):
        await commit(storage, change)


async def test_a_page_of_evidence_goes_by_verification_id(storage: Storage) -> None:
    of_tom = [make_evidence(f"000000000{number}") for number in range(3)]
    of_ann = make_evidence("0000000003", contact_id="c-0000000000000002")
    await commit(storage, Insert(of_ann), *(Insert(evidence) for evidence in of_tom))
    page = storage.verification.evidence_page

    assert await page(ACCOUNT, contact_id=None, after=None, limit=2) == of_tom[:2]
    assert await page(ACCOUNT, contact_id=None, after="0000000001", limit=9) == [of_tom[2], of_ann]
    assert await page(ACCOUNT, contact_id="c-0000000000000001", after="0000000000", limit=9) == of_tom[1:]
    assert await page(ACCOUNT, contact_id="c-0000000000000002", after=None, limit=9) == [of_ann]
    assert await page(OTHER_ACCOUNT, contact_id=None, after=None, limit=9) == []


async def test_the_block_of_an_erased_address_is_found_and_its_digest_made_once(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    salt = bytes(16)
    block = make_block(address_key=erased_key("tom@example.com", salt), verification_id="", source_address="")
    await commit(storage, Insert(block))
    made = []

    def counted(address_key: str, salt: bytes) -> str:
        made.append(address_key)
        return erased_key(address_key, salt)

    monkeypatch.setattr(module, "erased_key", counted)
    for _ in range(3):
        assert await storage.verification.block(ACCOUNT, Channel.EMAIL, "tom@example.com") == block
        assert await storage.verification.block(ACCOUNT, Channel.EMAIL, "ann@example.com") is None
        assert await storage.verification.block(ACCOUNT, Channel.SMS, "tom@example.com") is None
        assert await storage.verification.block(OTHER_ACCOUNT, Channel.EMAIL, "tom@example.com") is None
    assert made == ["tom@example.com", "ann@example.com"]


async def test_few_digests_of_erased_addresses_are_remembered(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ERASED_KEYS_REMEMBERED", 2)
    monkeypatch.setattr(module, "erased_key", lambda address_key, salt: f"erased:{salt.hex()}:{address_key}")
    await commit(storage, Insert(make_block(address_key=f"erased:{bytes(16).hex()}:someone")))
    for number in range(5):
        await storage.verification.block(ACCOUNT, Channel.EMAIL, f"{number}@example.com")
    assert len(storage.verification._erased_keys) == 2  # type: ignore[attr-defined]
