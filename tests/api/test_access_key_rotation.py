"""Replacing an access key, the root's above all: whose it is, when the old one was used, and that it stays away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from message_contacts.access.model import AccessKey, KeyStatus
from message_contacts.changes import Insert, Update
from tests.harness import KEY_ID, Api, open_api


async def test_a_new_key_calls_for_the_same_principal(api: Api):
    administration = api.service.administration
    account_id, made = await administration.rotate_access_key(KEY_ID)
    assert account_id == api.account_id
    assert (await replace(api, key_id=made.access_key_id, secret=made.secret).answer("GetResourceDirectory"))[0] == 200
    assert (await api.answer("GetResourceDirectory"))[0] == 200


async def test_the_key_of_a_ram_user_is_rotated_to_a_key_of_that_user(api: Api):
    access = api.service.storage.access
    root = await access.access_key(KEY_ID)
    assert root is not None
    await api.service.storage.committer.commit((Update(root, replace(root, user_id="200000000000000001")),), None)
    _, made = await api.service.administration.rotate_access_key(KEY_ID)
    found = await access.access_key(made.access_key_id)
    assert found is not None
    assert found.user_id == "200000000000000001"


async def test_a_deleted_root_key_neither_stops_the_start_nor_comes_back(database_path: Path):
    async with open_api(database_path) as api:
        _, made = await api.service.administration.rotate_access_key(KEY_ID)
        await api.service.administration.delete_access_key(KEY_ID)
    async with open_api(database_path) as again:  # the settings still name the old key
        assert await again.service.storage.access.access_key(KEY_ID) is None
        new = replace(again, key_id=made.access_key_id, secret=made.secret)
        assert (await new.answer("GetResourceDirectory"))[0] == 200


async def test_an_inactive_root_key_does_not_stop_the_start_and_stays_inactive(database_path: Path):
    async with open_api(database_path) as api:
        await api.service.administration.set_access_key_status(KEY_ID, KeyStatus.INACTIVE)
    async with open_api(database_path) as again:
        assert (await again.answer("GetResourceDirectory"))[1]["Code"] == "InvalidAccessKeyId.Inactive"


async def test_settings_may_name_the_new_key_after_a_rotation(database_path: Path):
    async with open_api(database_path) as api:
        _, made = await api.service.administration.rotate_access_key(KEY_ID)
    named = {"root_access_key_id": made.access_key_id, "root_access_key_secret": made.secret}
    async with open_api(database_path, named) as again:
        assert await again.service.first_start() is None


async def test_a_use_is_noted_for_the_key_that_called_and_for_no_other(api: Api):
    other = await api.as_account(api.account_id)
    await api.call("GetResourceDirectory")
    api.clock.advance(30)
    await api.call("GetResourceDirectory")
    used_at = api.clock.now()
    assert await api.service.storage.key_uses.last_uses(api.account_id) == {}  # nothing is written by a call
    await api.service.uses.note()
    assert await api.service.storage.key_uses.last_uses(api.account_id) == {KEY_ID: used_at}
    assert other.key_id not in await api.service.storage.key_uses.last_uses(api.account_id)


async def test_a_call_with_a_wrong_signature_is_no_use(api: Api):
    assert (await replace(api, secret="wrong").answer("GetResourceDirectory"))[0] == 400
    assert api.service.uses.seen == {}


async def test_a_key_made_by_hand_without_a_use_is_not_in_the_list_of_uses(api: Api):
    key = AccessKey(
        access_key_id="MCbyhand",
        account_id=api.account_id,
        sealed_secret=api.service.vault.seal("secret", "MCbyhand"),
        status=KeyStatus.ACTIVE,
        created_at=api.clock.now(),
    )
    await api.service.storage.committer.commit((Insert(key),), None)
    assert await api.service.storage.key_uses.last_use(api.account_id, "MCbyhand") is None
