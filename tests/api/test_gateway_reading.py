"""Where parameters may be, how they are decoded, which of two counts, and the format of answers."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from structlog.testing import capture_logs

from message_contacts.protocol.signature import canonical_query
from message_contacts.protocol.signing import FORM, Signer
from tests.fakes.gateway import ACCOUNT, World

JSON = "application/json; charset=utf-8"


@pytest.fixture
def world() -> World:
    return World()


def code_of(body: bytes) -> str | None:
    return orjson.loads(body).get("Code") if body.startswith(b"{") else ElementTree.fromstring(body).findtext("Code")


@pytest.mark.parametrize("name", ["汤姆", "a+b@example.com", "a b", "* ~ ! ( ) ' /", "", "100%", "a&b=c", "\U0001f600"])
@pytest.mark.parametrize("how", ["v3", "v3 form", "v3 json", "v1 get", "v1 post", "v1 form", "v1 sha256"])
async def test_a_value_arrives_whatever_way_it_is_sent(world: World, how: str, name: str):
    parameters = {"Name": "x", "Things.1": name}
    ways: dict[str, dict[str, Any]] = {
        "v3": {"parameters": parameters},
        "v3 form": {"parameters": {}, "body": canonical_query(parameters).encode(), "content_type": FORM},
        "v3 json": {"parameters": {}, "body": orjson.dumps({"Name": "x", "Things": [name]}), "content_type": JSON},
        "v1 get": {"scheme": "v1", "method": "GET", "parameters": parameters},
        "v1 post": {"scheme": "v1", "parameters": parameters},
        "v1 form": {"scheme": "v1", "in_form": True, "parameters": parameters},
        "v1 sha256": {"scheme": "v1", "signature_method": "HMAC-SHA256", "parameters": parameters},
    }
    response = await world.call(**ways[how])
    assert response.status == 200, response.body
    assert world.seen.values == [{"name": "x", "things": [name]}]


async def test_a_plus_is_a_space_in_query_and_form(world: World):
    """The vendor's new Python client sends spaces that way and signs them as %20."""
    request = world.signed(parameters={"Name": "a b"})
    await world.send(request, target=request.target.replace("%20", "+"))
    form = world.signed(scheme="v1", parameters={"Name": "a b"}, in_form=True)
    await world.send(form, body=form.body.replace(b"%20", b"+"))
    assert [values["name"] for values in world.seen.values] == ["a b", "a b"]


async def test_the_body_wins_over_the_query(world: World):
    body = canonical_query({"Name": "body"}).encode()
    response = await world.call(parameters={"Name": "query", "Things.1": "a"}, body=body, content_type=FORM)
    assert response.status == 200
    assert world.seen.values == [{"name": "body", "things": ["a"]}]


async def test_a_v1_request_may_have_everything_in_the_form_even_the_format(world: World):
    response = await world.call(scheme="v1", in_form=True, answer_format="json")
    assert orjson.loads(response.body)["Thing"]["Name"] == "tom"


async def test_terraform_sends_common_parameters_in_the_query_and_the_others_in_the_form(world: World):
    signed = world.signed("SetThing", {"Name": "汤姆", "PhoneNumber": ""}, scheme="v1", answer_format="json")
    pairs = signed.target[2:].split("&")
    business = [pair for pair in pairs if pair.startswith(("Name=", "PhoneNumber="))]
    query = [pair for pair in pairs if pair not in business]
    response = await world.send(
        signed, target="/?" + "&".join(query), body="&".join(business).encode(), headers={"content-type": FORM}
    )
    assert response.status == 200, response.body
    assert world.seen.values[0]["name"] == "汤姆"


async def test_v1_ignores_a_json_body_which_its_signature_does_not_cover(world: World):
    request = world.signed(scheme="v1", parameters={"Name": "query"})
    await world.send(request, body=b'{"Name": "body"}', headers={"content-type": JSON})
    assert world.seen.values[0]["name"] == "query"


async def test_a_get_request_is_read_from_its_query_alone(world: World):
    response = await world.call(parameters={"Name": "query"}, method="GET", body=b"Name=body", content_type=FORM)
    assert response.status == 200
    assert world.seen.values[0]["name"] == "query"


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "text/plain", None])
async def test_a_body_of_another_type_has_no_parameters(world: World, content_type: str | None):
    response = await world.call(parameters={"Name": "query"}, body=b"Name=body", content_type=content_type)
    assert response.status == 200
    assert world.seen.values[0]["name"] == "query"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("&Name=tim", "InvalidName"),
        ("&Na%6De=tim", "InvalidName"),
        ("&Other=1&Other=1", "InvalidOther"),
        ("&Format=JSON&Format=JSON", "InvalidFormat"),
        ("&Action=GetThing&Action=SetThing", "InvalidAction"),
    ],
)
@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_a_name_twice_in_the_query_is_refused(world: World, scheme: str, target: str, expected: str):
    if scheme == "v1" and expected in {"InvalidFormat", "InvalidAction"}:
        target = target.rpartition("&")[0]
    request = world.signed(scheme=scheme)
    response = await world.send(request, target=request.target + target)
    assert (response.status, code_of(response.body)) == (400, expected)


async def test_a_name_twice_in_the_body_is_refused(world: World):
    form = await world.call(parameters={}, body=b"Name=a&Name=a", content_type=FORM)
    json = await world.call(parameters={}, body=b'{"Name":"a","Name":"a"}', content_type=JSON)
    assert code_of(form.body) == code_of(json.body) == "InvalidName"


@pytest.mark.parametrize("body", [b"[]", b"{", b'"text"', b"\xff", b'{"a": NaN}', b"[" * 100_000, b'{"a":"\\ud800"}'])
async def test_a_body_that_is_no_json_object_is_refused(world: World, body: bytes):
    response = await world.call(parameters={"Name": "tom"}, body=body, content_type=JSON)
    assert (response.status, code_of(response.body)) == (400, "InvalidBody")


async def test_more_parameters_than_any_operation_takes_are_refused(world: World):
    response = await world.send(world.signed(), target="/?" + "a&" * 10_000)
    assert (response.status, code_of(response.body)) == (400, "InvalidParameters")


async def test_unknown_parameters_are_ignored(world: World):
    ignored = {
        "RegionId": "cn-hangzhou",
        "SignatureType": "",
        "SourceIp": "1.2.3.4",
        "ClientToken": "x",
        "OwnerId": "1",
    }
    for scheme in ("v1", "v3"):
        assert (await world.call(parameters={"Name": "tom", **ignored}, scheme=scheme)).status == 200


async def test_header_names_and_the_signed_list_may_have_any_case(world: World):
    request = world.signed()
    upper = {name.title(): value for name, value in request.headers.items()}
    removed = dict.fromkeys(request.headers)
    assert (await world.send(request, headers={**removed, **upper})).status == 200


async def test_every_header_a_client_signs_takes_part_also_repeated_and_beyond_ascii(world: World):
    agent = "klient à".encode().decode("latin-1")
    request = world.signed(headers={"accept": "application/json", "x-acs-list": "a,b", "user-agent": agent})
    headers = {"x-acs-list": "b"}
    response = await world.send(request, headers=headers, more_headers=[(b"X-Acs-List", b"a")])
    assert response.status == 200, response.body
    assert (await world.send(world.signed(headers={"accept": "a"}), headers={"accept": "b"})).status == 400


async def test_a_space_after_the_commas_of_authorization_is_tolerated(world: World):
    request = world.signed()
    authorization = request.headers["authorization"].replace(",", ", ")
    assert (await world.send(request, headers={"authorization": authorization})).status == 200


async def test_a_listed_header_that_is_absent_counts_as_empty(world: World):
    request = world.signed(headers={"x-acs-absent": ""})
    assert (await world.send(request, headers={"x-acs-absent": None})).status == 200


@pytest.mark.parametrize(
    ("options", "accept", "is_json"),
    [
        ({}, None, True),
        ({}, "application/json", True),
        ({}, "application/xml", False),
        ({}, "text/xml, application/json", True),
        ({"parameters": {"Name": "tom", "Format": "xml"}}, "application/json", False),
        ({"parameters": {"Name": "tom", "Format": "JSON"}}, "text/xml", True),
        ({"scheme": "v1", "answer_format": None}, "application/json", False),
        ({"scheme": "v1", "answer_format": "json"}, "text/xml", True),
        ({"scheme": "v1", "answer_format": "Xml"}, None, False),
        ({"scheme": "v1", "answer_format": "", "in_form": True}, None, False),
    ],
)
async def test_the_format_of_the_answer(world: World, options: dict[str, Any], accept: str | None, is_json: bool):
    response = await world.send(world.signed(**options), headers={"accept": accept})
    assert response.status == 200, response.body
    expected = b"application/json;charset=utf-8" if is_json else b"text/xml;charset=utf-8"
    assert dict(response.headers)[b"content-type"] == expected
    assert response.body.startswith(b"{" if is_json else b"<?xml")


async def test_the_whole_answer_in_both_formats(world: World):
    assert (await world.call()).body == (
        b'{"RequestId":"00000000-0000-4000-8000-000000000001","Thing":{"Name":"tom","Tags":["a","b"],"Good":true}}'
    )
    assert (await world.call(scheme="v1", answer_format="XML")).body == (
        b'<?xml version="1.0" encoding="UTF-8"?><GetThingResponse><RequestId>00000000-0000-4000-8000-000000000002'
        b"</RequestId><Thing><Name>tom</Name><Tags>a</Tags><Tags>b</Tags><Good>true</Good></Thing></GetThingResponse>"
    )


async def test_each_request_leaves_one_line_without_its_values(world: World):
    wrong = Signer(access_key_id="secret-as-id", access_key_secret="x")
    with capture_logs() as lines:
        await world.call(parameters={"Name": "somebody@example.com"})
        await world.call(parameters={"Name": "somebody@example.com"}, signer=wrong, scheme="v1")
    handled = [line for line in lines if line["event"] == "request_handled"]
    assert [(line["operation"], line["code"], line["status"]) for line in handled] == [
        ("GetThing", "OK", 200),
        ("GetThing", "InvalidAccessKeyId.NotFound", 404),
    ]
    assert [(line["access_key_id"], line["account_id"]) for line in handled] == [("testid", ACCOUNT), (None, None)]
    assert {line["source"] for line in handled} == {"192.0.2.7"}
    assert all(line["duration_ms"] >= 0 for line in handled)
    assert "somebody" not in str(lines)
    assert "secret-as-id" not in str(lines)


async def test_a_bug_leaves_its_trace_in_the_log(world: World):
    world.failure = RuntimeError("what happened")
    with capture_logs() as lines:
        await world.call()
    assert [line["event"] for line in lines] == ["request_failed", "request_handled"]
    assert lines[0]["log_level"] == "error"
    assert lines[0]["exc_info"] is True
    assert lines[1]["code"] == "InternalError"
