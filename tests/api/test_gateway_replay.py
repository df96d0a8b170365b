"""Nobody carries out a request twice: not this process, not another one."""

from __future__ import annotations

import orjson
import pytest

from message_contacts.clock import MINUTE
from message_contacts.protocol.signing import Signer
from message_contacts.wire.rendering import Response
from tests.fakes.gateway import NOW, World


@pytest.fixture
def world() -> World:
    return World()


def code(response: Response) -> str:
    return str(orjson.loads(response.body).get("Code", "OK"))


@pytest.mark.parametrize("action", ["GetThing", "SetThing"])
async def test_a_request_sent_again_is_refused(world: World, action: str):
    request = world.signed(action)
    assert code(await world.send(request)) == "OK"
    assert code(await world.send(request)) == "SignatureNonceUsed"
    assert len(world.seen.values) == 1


async def test_a_nonce_counts_for_all_operations_of_its_key_and_for_both_schemes(world: World):
    assert code(await world.call("GetThing", nonce="n")) == "OK"
    assert code(await world.call("SetThing", nonce="n")) == "SignatureNonceUsed"
    assert code(await world.call("GetThing", nonce="n", scheme="v1")) == "SignatureNonceUsed"


async def test_another_key_may_use_the_same_nonce(world: World):
    world.add_key("second", "other")
    assert code(await world.call(nonce="n")) == "OK"
    assert code(await world.call(nonce="n", signer=Signer(access_key_id="second", access_key_secret="other"))) == "OK"


async def test_a_change_that_another_process_committed_is_refused(world: World):
    request = world.signed("SetThing")
    other_process = World()
    other_process.store.nonces = world.store.nonces
    assert code(await other_process.send(request)) == "OK"
    assert code(await world.send(request)) == "SignatureNonceUsed"
    assert world.seen.values == []


async def test_a_change_is_given_its_nonce_to_commit_and_a_read_is_not(world: World):
    await world.call("SetThing", now=NOW - 5 * MINUTE)
    await world.call("GetThing")
    changing, reading = world.seen.nonces
    assert reading is None
    assert changing is not None
    assert len(changing.digest) == 16
    assert changing.expires_at == NOW + 10 * MINUTE + 1


async def test_a_read_does_not_ask_the_store_for_nonces(world: World):
    await world.call("GetThing")
    assert world.store.nonce_look_ups == 0
    await world.call("SetThing")
    assert world.store.nonce_look_ups == 1


async def test_a_refused_change_cannot_be_sent_again(world: World):
    request = world.signed("SetThing", {"Name": "bad"})
    assert code(await world.send(request)) == "InvalidParameter.Name"
    assert code(await world.send(request)) == "SignatureNonceUsed"


async def test_the_oldest_nonce_gives_way_when_the_memory_is_full():
    world = World(nonce_capacity=2)
    first = world.signed()
    await world.send(first)
    await world.call()
    assert code(await world.send(first)) == "SignatureNonceUsed"
    await world.call()
    assert code(await world.send(first)) == "OK"
