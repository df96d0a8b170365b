"""Every combination of what can be wrong with a request: the check that comes first answers, and nothing else shows.

Source: contract/protocol.md section 7, steps 1 to 8.
"""

from __future__ import annotations

import itertools
import re

import pytest

from message_contacts.access.model import Caller, KeyStatus
from message_contacts.access.throttle import Throttle
from message_contacts.clock import HOUR
from message_contacts.protocol.signing import SignedRequest, Signer
from message_contacts.wire.rendering import Response
from message_contacts.wire.replay import nonce_digest
from tests.fakes.gateway import ACCOUNT, KEY, VERSION, World

#: What can be wrong, in the order of the checks, and the code for it. Of those in one row only one can be the case.
FLAWS: list[dict[str, str]] = [
    {"method": "UnsupportedHTTPMethod"},
    {"path": "InvalidAction.NotFound"},
    {"form": "InvalidName"},
    {"no action": "MissingAction"},
    {"version": "InvalidVersion", "action": "InvalidAction.NotFound"},
    {"no nonce": "MissingSignatureNonce"},
    {"late": "InvalidTimeStamp.Expired"},
    {"unknown key": "InvalidAccessKeyId.NotFound", "inactive key": "InvalidAccessKeyId.Inactive"},
    {"token": "InvalidSecurityToken.MismatchWithAccessKey"},
    {"signature": "SignatureDoesNotMatch"},
    {"used nonce": "SignatureNonceUsed"},
    {"throttled": "Throttling.User"},
    {"parameters": "MissingName"},
]
CODES = {flaw: code for row in FLAWS for flaw, code in row.items()}
INACTIVE = Signer(access_key_id="inactive", access_key_secret="testsecret")


def combinations() -> list[tuple[str, ...]]:
    """Every choice of at most one flaw from each row that can be put into one request."""
    chosen = itertools.product(*([None, *row] for row in FLAWS))
    found = [tuple(flaw for flaw in flaws if flaw is not None) for flaws in chosen]
    return [
        flaws for flaws in found if not ({"no action", "action"} <= {*flaws} or {"no nonce", "used nonce"} <= {*flaws})
    ]


def request(world: World, scheme: str, flaws: frozenset[str]) -> SignedRequest:
    signer = INACTIVE if "inactive key" in flaws else KEY
    return world.signed(
        "" if "no action" in flaws else "NoSuchThing" if "action" in flaws else "GetThing",
        {} if "parameters" in flaws else {"Name": "tom"},
        scheme=scheme,
        version="2000-01-01" if "version" in flaws else VERSION,
        nonce="" if "no nonce" in flaws else "used" if "used nonce" in flaws else "fresh",
        now=world.clock.now() - HOUR if "late" in flaws else world.clock.now(),
        signer=Signer(
            access_key_id="stranger" if "unknown key" in flaws else signer.access_key_id,
            access_key_secret="wrong" if "signature" in flaws else signer.access_key_secret,
            security_token="token" if "token" in flaws else None,
        ),
    )


def code(response: Response) -> str:
    found = re.search(rb'"Code":"([^"]+)"', response.body)
    return found[1].decode() if found else "OK"


@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_whatever_is_wrong_at_once_the_first_check_answers(scheme: str):
    wrong: list[tuple[tuple[str, ...], str]] = []
    tried = 0
    for flaws in combinations():
        if scheme == "v3" and "form" in flaws:
            continue  # a V3 body is not read before its signature is found to be right
        throttle = Throttle(per_key=1, per_account=0)
        world = _world(throttle)
        if "used nonce" in flaws:
            world.gateway.nonces.first_sight(_digest(flaws, "used"))
        if "throttled" in flaws:
            for key_id in ("testid", "inactive"):
                throttle.admit(Caller(ACCOUNT, key_id), world.clock.monotonic())
        signed = request(world, scheme, frozenset(flaws))
        changes: dict[str, object] = {}
        if "method" in flaws:
            changes["method"] = "PUT"
        if "path" in flaws:
            changes["target"] = "/other" + signed.target[1:]
        if "form" in flaws:
            changes |= {"body": b"Name=a&Name=b", "headers": {"content-type": "application/x-www-form-urlencoded"}}
        # A method other than POST has no form.
        seen = [flaw for flaw in flaws if not (flaw == "form" and "method" in flaws)]
        expected = CODES[seen[0]] if seen else "OK"
        answered = code(await world.send(signed, **changes))
        tried += 1
        if answered != expected:
            wrong.append((flaws, answered))
    assert wrong == []
    assert tried > 3_000


def _world(throttle: Throttle) -> World:
    world = World(throttle=throttle)
    world.add_key("inactive", "testsecret", status=KeyStatus.INACTIVE)
    return world


def _digest(flaws: tuple[str, ...], nonce: str) -> bytes:
    return nonce_digest(Caller(ACCOUNT, "inactive" if "inactive key" in flaws else "testid"), nonce)


async def test_a_throttled_call_says_when_to_come_again_and_has_used_up_its_nonce():
    world = World(throttle=Throttle(per_key=1, per_account=0))
    assert (await world.call()).status == 200
    refused = await world.call(nonce="mine")
    assert (refused.status, code(refused)) == (400, "Throttling.User")
    assert dict(refused.headers)[b"x-acs-retry-after"] == b"1000"
    world.clock.advance(1.0)
    assert code(await world.call(nonce="mine")) == "SignatureNonceUsed"
    assert (await world.call()).status == 200


async def test_a_stranger_cannot_use_up_the_calls_of_a_key():
    world = World(throttle=Throttle(per_key=1, per_account=1))
    wrong = Signer(access_key_id="testid", access_key_secret="wrong")
    for _ in range(50):
        assert code(await world.call(signer=wrong)) == "SignatureDoesNotMatch"
    assert (await world.call()).status == 200


async def test_what_is_refused_before_the_key_is_known_looks_the_same_for_every_key():
    """Nobody learns by it which keys there are."""
    world = World()
    world.add_key("inactive", "testsecret", status=KeyStatus.INACTIVE)
    bodies = set()
    for key_id in ("testid", "inactive", "stranger"):
        signer = Signer(access_key_id=key_id, access_key_secret="wrong")
        for options in ({"now": world.clock.now() - HOUR}, {"nonce": ""}, {"version": "2000-01-01"}):
            response = await world.call(signer=signer, **options)
            bodies.add(re.sub(rb"[0-9]{12}", b"", response.body))
    assert len(bodies) == 3
