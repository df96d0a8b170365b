"""What somebody without a secret can make the server do: a small, bounded amount of work for each byte sent.

Work is counted, not timed: what must not be done is watched, and what is done is measured in bytes and calls.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from structlog.testing import capture_logs

from message_contacts.protocol import parameters as parameter_texts
from message_contacts.protocol import signature
from message_contacts.protocol.signature import canonical_query
from message_contacts.protocol.signing import FORM, Signer
from message_contacts.wire import reading
from message_contacts.wire.authentication import MAX_SHOWN, MAX_SIGNED_HEADERS
from message_contacts.wire.reading import MAX_BODY, MAX_SIGNED_FORM, MOST_NAMES
from message_contacts.wire.rendering import Response
from tests.fakes.gateway import World

JSON = "application/json"
WRONG = Signer(access_key_id="testid", access_key_secret="wrong")


@pytest.fixture
def world() -> World:
    return World()


def code(response: Response) -> str | None:
    body = response.body
    return orjson.loads(body).get("Code") if body.startswith(b"{") else ElementTree.fromstring(body).findtext("Code")


class Watched:
    """Counts the calls of a function and the characters it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
        self.calls = 0
        self.characters = 0
        original = getattr(module, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            self.characters += sum(len(argument) for argument in arguments if isinstance(argument, str | bytes))
            return original(*arguments, **options)

        monkeypatch.setattr(module, name, watched)


# Signed headers


@pytest.mark.parametrize("repeated", [["host", "host"], ["x-acs-long"] * 2, ["x-acs-long"] * 15_000])
async def test_a_header_that_is_listed_again_and_again_does_not_multiply(
    world: World, monkeypatch: pytest.MonkeyPatch, repeated: list[str]
):
    """Listed 15,000 times, 30 KiB of header would be 450 MB of text to hash, for whoever knows the id of a key."""
    canonical = Watched(monkeypatch, signature, "v3_canonical_request")
    request = world.signed()
    authorization = request.headers["authorization"].replace("host;", ";".join([*repeated, ""]) + "host;")
    response = await world.send(request, headers={"authorization": authorization, "x-acs-long": "a" * 30_000})
    assert (response.status, code(response)) == (400, "IncompleteSignature")
    assert canonical.calls == 0


async def test_as_many_signed_headers_as_a_request_may_have_are_accepted_and_no_more(world: World):
    fixed = len(world.signed().headers) - 1  # `authorization` itself is not signed
    more = {f"x-acs-{number}": "a" for number in range(MAX_SIGNED_HEADERS - fixed)}
    assert (await world.send(world.signed(headers=more))).status == 200
    response = await world.send(world.signed(headers={**more, "x-acs-last": "a"}))
    assert code(response) == "IncompleteSignature"


@pytest.mark.parametrize(
    "authorization",
    [
        "ACS3-" + "a" * 60_000,
        "ACS3-HMAC-SHA256 " + "Credential=" * 6_000,
        "ACS3-HMAC-SHA256 " + "," * 60_000,
        "ACS3-HMAC-SHA256 Credential=testid," + " " * 60_000 + "SignedHeaders=host,Signature=a",
        "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=" + ";" * 60_000 + ",Signature=a",
    ],
)
async def test_a_header_of_authorization_that_is_nothing_is_refused(world: World, authorization: str):
    response = await world.send(world.signed(), headers={"authorization": authorization})
    assert code(response) == "IncompleteSignature"


# Bodies


@pytest.mark.parametrize("content_type", [JSON, FORM])
@pytest.mark.parametrize("signer", [WRONG, Signer(access_key_id="stranger", access_key_secret="x")])
async def test_a_v3_body_is_not_taken_apart_for_a_stranger(
    world: World, monkeypatch: pytest.MonkeyPatch, content_type: str, signer: Signer
):
    forms = Watched(monkeypatch, reading, "parse_form")
    objects = Watched(monkeypatch, reading, "parse_json_object")
    body = b'{"a":"' + b"a" * (MAX_BODY - 20) + b'"}' if content_type == JSON else b"a=" + b"%41" * 300_000
    response = await world.call(parameters={}, body=body, content_type=content_type, signer=signer)
    assert code(response) in {"SignatureDoesNotMatch", "InvalidAccessKeyId.NotFound"}
    assert (forms.calls, objects.calls) == (0, 0)


async def test_an_rpc_form_is_read_up_to_its_limit_and_not_at_all_beyond(world: World, monkeypatch: pytest.MonkeyPatch):
    filler = MAX_SIGNED_FORM - len(b"Filler=")
    request = world.signed(scheme="v1", parameters={"Name": "tom", "Filler": "a" * (filler - 400)}, in_form=True)
    assert len(request.body) <= MAX_SIGNED_FORM
    assert (await world.send(request)).status == 200
    forms = Watched(monkeypatch, reading, "parse_form")
    response = await world.send(request, body=request.body + b"&More=" + b"a" * 400)
    assert (response.status, code(response)) == (413, "RequestBodyTooLarge")
    assert forms.calls == 0


@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_a_query_with_more_parameters_than_any_operation_takes_is_not_decoded(
    world: World, monkeypatch: pytest.MonkeyPatch, scheme: str
):
    decoded = Watched(monkeypatch, parameter_texts, "_decoded")
    target = "/?" + "&".join(f"%61{number}=%61" for number in range(MOST_NAMES + 1))
    response = await world.send(world.signed(scheme=scheme), target=target)
    assert (response.status, code(response)) == (400, "InvalidParameters")
    assert decoded.calls == 0


async def test_as_many_parameters_as_there_may_be_are_accepted_everywhere(world: World):
    many = {f"P{number}": "a" for number in range(MOST_NAMES - 20)}
    many["Name"] = "tom"
    as_form = canonical_query(many).encode()
    assert (await world.call(parameters=many)).status == 200
    assert (await world.call(parameters={}, body=as_form, content_type=FORM)).status == 200
    assert (await world.call(parameters={}, body=orjson.dumps(many), content_type=JSON)).status == 200
    assert (await world.call(parameters=many, scheme="v1")).status == 200
    assert (await world.call(parameters=many, scheme="v1", in_form=True)).status == 200


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({f"P{number}": 1 for number in range(MOST_NAMES + 1)}, "InvalidParameters"),
        ({"Name": "tom", "Deep": [{f"P{number}": 1 for number in range(40)} for _ in range(30)]}, "InvalidParameters"),
        ({"Name": "tom", "Things": ["a"] * (MOST_NAMES + 1)}, "InvalidThings"),
    ],
    ids=["many names", "many names inside", "a long list"],
)
async def test_json_is_bounded_like_a_query(world: World, value: dict[str, Any], expected: str):
    response = await world.call(parameters={}, body=orjson.dumps(value), content_type=JSON)
    assert (response.status, code(response)) == (400, expected)
    assert world.seen.values == []


async def test_a_long_list_in_a_text_is_bounded_too(world: World):
    things = orjson.dumps(["a"] * (MOST_NAMES + 1)).decode()
    response = await world.call(parameters={"Name": "tom", "Things": things})
    assert code(response) == "InvalidThings"


@pytest.mark.parametrize("depth", [2_000, 300_000])
async def test_json_nested_without_end_is_refused(world: World, depth: int):
    body = b'{"Name":' + b"[" * depth + b"]" * depth + b"}"
    response = await world.call(parameters={}, body=body, content_type=JSON)
    assert code(response) == "InvalidBody"


# What comes back, and what stays


@pytest.mark.parametrize(
    "form", [b"Name=" + b"\xff" * 60_000, b"Name=" + b"%" * 60_000, b"Name=" + b"%25" * 20_000], ids=["ff", "%", "%25"]
)
async def test_what_a_wrong_rpc_signature_is_told_is_no_longer_than_a_client_compares(world: World, form: bytes):
    """Every byte can become fifteen characters of the string to sign."""
    request = world.signed(scheme="v1", signer=WRONG, parameters={})
    response = await world.send(request, body=form, headers={"content-type": FORM})
    assert code(response) == "SignatureDoesNotMatch"
    assert len(response.body) < MAX_SHOWN + 1_000


async def test_what_a_wrong_v3_signature_is_told_is_bounded(world: World):
    request = world.signed(signer=WRONG, parameters={"Name": "x"})
    response = await world.send(request, target="/?Name=" + "\xff" * 60_000)
    assert code(response) == "SignatureDoesNotMatch"
    assert len(response.body) < 3 * MAX_SHOWN


@pytest.mark.parametrize("scheme", ["v1", "v3"])
@pytest.mark.parametrize("name", ["a" * 60_000, "somebody%40example.com", "%0a{}", "\xff" * 1_000, "1", "%E6%B1%A4"])
async def test_a_strange_name_that_repeats_is_not_repeated_to_anybody(world: World, scheme: str, name: str):
    with capture_logs() as lines:
        response = await world.send(
            world.signed(scheme=scheme, answer_format="XML") if scheme == "v1" else world.signed(),
            target=f"/?{name}=a&{name}=b",
        )
    assert code(response) == "InvalidParameters"
    assert len(response.body) < 600
    assert [line["code"] for line in lines if line["event"] == "request_handled"] == ["InvalidParameters"]
    assert "example" not in str(lines)


async def test_keys_that_do_not_exist_leave_nothing_in_memory(world: World):
    for number in range(200):
        response = await world.call(signer=Signer(access_key_id=f"stranger{number}", access_key_secret="x"))
        assert code(response) == "InvalidAccessKeyId.NotFound"
    assert len(world.gateway.keys._known) == 0
    assert all(shelf is None for shelf in world.gateway.nonces._shelves)


async def test_wrong_signatures_leave_no_nonces_and_look_up_none(world: World):
    for _ in range(50):
        assert code(await world.call("SetThing", signer=WRONG)) == "SignatureDoesNotMatch"
    assert all(shelf is None for shelf in world.gateway.nonces._shelves)
    assert world.store.nonce_look_ups == 0
