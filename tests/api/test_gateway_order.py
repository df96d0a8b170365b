"""The order of checks: requests that are wrong in two ways at once get the earlier error."""

from __future__ import annotations

import re
from typing import Any

import pytest

from message_contacts.access.model import KeyStatus
from message_contacts.clock import HOUR
from message_contacts.protocol.signing import Signer
from message_contacts.wire.rendering import Response
from tests.fakes.gateway import World

WRONG_SECRET = Signer(access_key_id="testid", access_key_secret="wrong")
STRANGER = Signer(access_key_id="stranger", access_key_secret="wrong")
WITH_TOKEN = Signer(access_key_id="testid", access_key_secret="wrong", security_token="token")


@pytest.fixture
def world() -> World:
    return World()


def code(response: Response) -> str:
    """The code of an error in either format."""
    found = re.search(rb'"Code":"([^"]+)"|<Code>([^<]+)</Code>', response.body)
    assert found is not None, response.body
    return (found[1] or found[2]).decode()


@pytest.mark.parametrize("scheme", ["v1", "v3"])
@pytest.mark.parametrize(
    ("options", "changes", "expected"),
    [
        ({"action": "NoSuchThing"}, {"method": "PUT"}, "UnsupportedHTTPMethod"),
        ({"action": "NoSuchThing"}, {"target": "/other"}, "InvalidAction.NotFound"),
        ({"action": "NoSuchThing", "version": "2000-01-01"}, {}, "InvalidVersion"),
        ({"action": "NoSuchThing", "nonce": ""}, {}, "InvalidAction.NotFound"),
        ({"version": "2000-01-01", "nonce": ""}, {}, "InvalidVersion"),
        ({"nonce": "", "signer": STRANGER}, {}, "MissingSignatureNonce"),
        ({"late": True, "signer": STRANGER}, {}, "InvalidTimeStamp.Expired"),
        ({"late": True, "signer": WRONG_SECRET}, {}, "InvalidTimeStamp.Expired"),
        ({"signer": STRANGER, "parameters": {}}, {}, "InvalidAccessKeyId.NotFound"),
        ({"signer": WITH_TOKEN}, {}, "InvalidSecurityToken.MismatchWithAccessKey"),
        ({"signer": WRONG_SECRET, "parameters": {}}, {}, "SignatureDoesNotMatch"),
    ],
)
async def test_the_earlier_check_answers(
    world: World, scheme: str, options: dict[str, Any], changes: dict[str, Any], expected: str
):
    options = dict(options)
    if options.pop("late", False):
        options["now"] = world.clock.now() - HOUR
    assert code(await world.send(world.signed(scheme=scheme, **options), **changes)) == expected


async def test_an_unknown_format_comes_before_an_unknown_operation_and_after_the_path(world: World):
    assert code(await world.call("NoSuchThing", scheme="v1", answer_format="YAML")) == "InvalidParameter.Format"
    request = world.signed(scheme="v1", answer_format="YAML")
    assert code(await world.send(request, target="/other" + request.target[1:])) == "InvalidAction.NotFound"


async def test_a_signature_method_comes_after_a_missing_nonce_and_before_the_window(world: World):
    target = world.signed(scheme="v1", nonce="", now=world.clock.now() - HOUR).target
    target = target.replace("HMAC-SHA1", "HMAC-MD5")
    request = world.signed(scheme="v1")
    assert code(await world.send(request, target=target)) == "MissingSignatureNonce"
    target = target.replace("SignatureNonce=", "SignatureNonce=n")
    assert code(await world.send(request, target=target)) == "InvalidSignatureMethod"


async def test_an_inactive_key_comes_before_its_signature(world: World):
    world.add_key("testid", "testsecret", status=KeyStatus.INACTIVE)
    assert code(await world.call(signer=WITH_TOKEN)) == "InvalidAccessKeyId.Inactive"


async def test_a_used_nonce_comes_after_the_signature_and_before_everything_the_operation_checks(world: World):
    assert code(await world.call(parameters={}, nonce="once")) == "MissingName"
    assert code(await world.call(parameters={}, nonce="once", signer=WRONG_SECRET)) == "SignatureDoesNotMatch"
    world.directories.clear()
    assert code(await world.call(parameters={}, nonce="once")) == "SignatureNonceUsed"


async def test_a_wrong_signature_does_not_use_up_a_nonce(world: World):
    assert code(await world.call(nonce="mine", signer=WRONG_SECRET)) == "SignatureDoesNotMatch"
    assert (await world.call(nonce="mine")).status == 200


async def test_the_directory_comes_before_parameters_and_missing_before_invalid(world: World):
    world.directories.clear()
    assert code(await world.call(parameters={})) == "EntityNotExists.ResourceDirectory"
