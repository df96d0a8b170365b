"""Every error that the gateway itself answers, compared whole in JSON and in XML."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest

from message_contacts import errors
from message_contacts.access.model import KeyStatus
from message_contacts.clock import MINUTE
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.protocol.signing import Signer
from message_contacts.wire.rendering import ErrorPage, Response
from tests.fakes.gateway import HOST, KEY, World

REQUEST_ID = "00000000-0000-4000-8000-000000000001"


def assert_refused(response: Response, definition: ErrorDefinition, message: str | None = None, **more: Any) -> None:
    """That the answer is this error, every byte of it."""
    recommend = f"https://api.aliyun.com/troubleshoot?q={definition.code}&product=ResourceDirectoryMaster&requestId={REQUEST_ID}"
    text = definition.message if message is None else message
    headers = dict(response.headers)
    if headers[b"content-type"] == b"application/json;charset=utf-8":
        expected = {
            "RequestId": REQUEST_ID,
            "Message": text,
            "HostId": HOST,
            "Code": definition.code,
            "Recommend": recommend,
            **more,
        }
        assert response.body == orjson.dumps(expected)
    else:
        assert headers[b"content-type"] == b"text/xml;charset=utf-8"
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert response.body.decode() == (
            f'<?xml version="1.0" encoding="UTF-8"?><Error><RequestId>{REQUEST_ID}</RequestId><HostId>{HOST}</HostId>'
            f"<Code>{definition.code}</Code><Message>{escaped}</Message>"
            f"<Recommend>{recommend.replace('&', '&amp;')}</Recommend></Error>"
        )
        ElementTree.fromstring(response.body)
    assert response.status == definition.status
    assert headers[b"content-length"] == str(len(response.body)).encode()
    assert headers[b"x-acs-request-id"] == REQUEST_ID.encode()
    assert headers[b"x-acs-trace-id"] == REQUEST_ID.replace("-", "").lower().encode()
    assert headers[b"keep-alive"] == b"timeout=25"
    assert b"x-acs-retry-after" not in headers


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["JSON", "XML"])
def answer_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def overridden(world: World, answer_format: str, **overrides: str | None) -> dict[str, Any]:
    """An RPC request some of whose parameters are changed or (None) taken away after it was signed."""
    pairs = world.signed(scheme="v1", answer_format=answer_format).target[2:].split("&")
    kept = [pair for pair in pairs if pair.partition("=")[0] not in overrides]
    added = [f"{name}={value}" for name, value in overrides.items() if value is not None]
    return {"target": "/?" + "&".join(kept + added)}


@pytest.mark.parametrize(
    ("parameter", "reported"),
    [
        ("Action", "Action"),
        ("Version", "Version"),
        ("AccessKeyId", "AccessKeyId"),
        ("Signature", "Signature"),
        ("SignatureNonce", "SignatureNonce"),
        ("Timestamp", "Timestamp"),
    ],
)
@pytest.mark.parametrize("given", [None, ""])
async def test_v1_refuses_a_missing_common_parameter(
    world: World, answer_format: str, parameter: str, reported: str, given: str | None
):
    request = world.signed(scheme="v1")
    response = await world.send(request, **overridden(world, answer_format, **{parameter: given}))
    assert_refused(response, errors.missing(reported))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Version": "2020-01-01"}, errors.INVALID_VERSION),
        ({"Action": "NoSuchThing"}, errors.INVALID_ACTION_NOT_FOUND),
        ({"Timestamp": "yesterday"}, errors.INVALID_TIME_STAMP_FORMAT),
        ({"SignatureMethod": "HMAC-MD5"}, errors.INVALID_SIGNATURE_METHOD),
        ({"SignatureVersion": "2.0"}, errors.invalid("SignatureVersion")),
        ({"AccessKeyId": "stranger"}, errors.INVALID_ACCESS_KEY_ID_NOT_FOUND),
        ({"AccessKeyId": "%00"}, errors.INVALID_ACCESS_KEY_ID_NOT_FOUND),
        ({"SecurityToken": "token"}, errors.INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY),
    ],
)
async def test_v1_refuses_an_unusable_common_parameter(
    world: World, answer_format: str, changes: dict[str, str | None], expected: ErrorDefinition
):
    response = await world.send(world.signed(scheme="v1"), **overridden(world, answer_format, **changes))
    assert_refused(response, expected)


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("x-acs-action", None, errors.missing("Action")),
        ("x-acs-version", None, errors.missing("Version")),
        ("x-acs-signature-nonce", None, errors.missing("SignatureNonce")),
        ("x-acs-date", None, errors.missing("Timestamp")),
        ("x-acs-date", "2026-03-30 08:00:00", errors.INVALID_TIME_STAMP_FORMAT),
        ("x-acs-version", "2020-01-01", errors.INVALID_VERSION),
        ("x-acs-action", "NoSuchThing", errors.INVALID_ACTION_NOT_FOUND),
        ("authorization", "ACS3-HMAC-SHA256", errors.INCOMPLETE_SIGNATURE),
        ("authorization", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host", errors.INCOMPLETE_SIGNATURE),
        ("authorization", "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=00", errors.INCOMPLETE_SIGNATURE),
        ("authorization", "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=00", errors.INCOMPLETE_SIGNATURE),
        ("x-acs-security-token", "unsigned", errors.INCOMPLETE_SIGNATURE),
    ],
)  # fmt: skip
async def test_v3_refuses_an_unusable_header(
    world: World, answer_format: str, header: str, value: str | None, expected: ErrorDefinition
):
    request = world.signed(parameters={"Name": "tom", "Format": answer_format})
    assert_refused(await world.send(request, headers={header: value}), expected)


@pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SM3", "ACS3-RSA-SHA256", "ACS3-HMAC-SHA256x"])
async def test_v3_refuses_another_algorithm(world: World, answer_format: str, algorithm: str):
    request = world.signed(parameters={"Name": "tom", "Format": answer_format})
    authorization = request.headers["authorization"].replace("ACS3-HMAC-SHA256", algorithm)
    response = await world.send(request, headers={"authorization": authorization})
    assert_refused(response, errors.INVALID_SIGNATURE_METHOD)


async def test_v3_refuses_a_body_whose_type_is_not_signed(world: World):
    request = world.signed(parameters={}, body=b"Name=tom")
    response = await world.send(request, headers={"content-type": "application/x-www-form-urlencoded"})
    assert_refused(response, errors.INCOMPLETE_SIGNATURE)


async def test_v3_refuses_a_security_token_on_a_permanent_key(world: World, answer_format: str):
    signer = Signer(access_key_id="testid", access_key_secret="testsecret", security_token="token")
    response = await world.call(parameters={"Name": "tom", "Format": answer_format}, signer=signer)
    assert_refused(response, errors.INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY)


async def test_an_empty_security_token_is_none(world: World):
    signer = Signer(access_key_id="testid", access_key_secret="testsecret", security_token="")
    assert (await world.call(signer=signer)).status == 200
    assert (await world.call(scheme="v1", signer=signer)).status == 200


@pytest.mark.parametrize("scheme", ["v1", "v3"])
@pytest.mark.parametrize("minutes", [-15.1, 15.1])
async def test_a_timestamp_outside_the_window_is_refused(world: World, scheme: str, minutes: float):
    request = world.signed(scheme=scheme, now=world.clock.now() + int(minutes * MINUTE))
    assert_refused(await world.send(request), errors.INVALID_TIME_STAMP_EXPIRED)


@pytest.mark.parametrize("minutes", [-15, 15])
async def test_a_timestamp_at_the_edge_of_the_window_counts(world: World, minutes: int):
    assert (await world.call(now=world.clock.now() + minutes * MINUTE)).status == 200


@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_a_disabled_key_is_refused(world: World, scheme: str):
    world.add_key("testid", "testsecret", status=KeyStatus.INACTIVE)
    assert_refused(await world.call(scheme=scheme), errors.INVALID_ACCESS_KEY_ID_INACTIVE)


@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_a_deleted_key_is_refused_from_the_next_call_on(world: World, scheme: str):
    assert (await world.call(scheme=scheme)).status == 200
    del world.store.keys["testid"]
    response = await world.call(scheme=scheme)
    assert response.status == 404
    assert b"InvalidAccessKeyId.NotFound" in response.body


async def test_v1_mismatch_tells_the_servers_string_to_sign_and_nothing_behind_it(world: World, answer_format: str):
    wrong = Signer(access_key_id="testid", access_key_secret="wrong")
    response = await world.call(scheme="v1", signer=wrong, method="GET", answer_format=answer_format, nonce="n1")
    assert_refused(
        response,
        errors.SIGNATURE_DOES_NOT_MATCH,
        "Specified signature is not matched with our calculation. server string to sign is:"
        f"GET&%2F&AccessKeyId%3Dtestid%26Action%3DGetThing%26Format%3D{answer_format}%26Name%3Dtom%26"
        "SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn1%26SignatureVersion%3D1.0%26"
        "Timestamp%3D2026-03-30T08%253A00%253A00Z%26Version%3D2022-04-19",
    )


async def test_v3_mismatch_tells_the_servers_canonical_request(world: World, answer_format: str):
    wrong = Signer(access_key_id="testid", access_key_secret="wrong")
    response = await world.call(parameters={"Format": answer_format, "Name": "t m"}, signer=wrong, nonce="n1")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    canonical = (
        f"POST\n/\nFormat={answer_format}&Name=t%20m\nhost:{HOST}\nx-acs-action:GetThing\nx-acs-content-sha256:{empty}\n"
        "x-acs-date:2026-03-30T08:00:00Z\nx-acs-signature-nonce:n1\nx-acs-version:2022-04-19\n\n"
        f"host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n{empty}"
    )
    digest = sha256(canonical.encode()).hexdigest()
    assert_refused(
        response,
        errors.SIGNATURE_DOES_NOT_MATCH,
        f"Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n{digest}], "
        f"server CanonicalRequest is [{canonical}]",
    )


async def test_v3_refuses_a_body_that_was_changed_on_the_way(world: World):
    request = world.signed("SetThing", {}, body=b"Name=tom", content_type="application/x-www-form-urlencoded")
    response = await world.send(request, body=b"Name=tim")
    assert orjson.loads(response.body)["Code"] == "SignatureDoesNotMatch"
    assert world.seen.values == []


async def test_v3_refuses_a_hash_that_is_not_the_bodys_though_it_is_signed(world: World):
    """Whoever signs the hash of another body has not signed this one."""
    request = world.signed("SetThing", {}, headers={"x-acs-content-sha256": "0" * 64})
    response = await world.send(request, headers={"x-acs-content-sha256": "0" * 64})
    assert orjson.loads(response.body)["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("signature", ["äöü".encode().decode("latin-1"), "0", "=" * 500])
async def test_a_signature_that_is_none_does_not_match(world: World, signature: str):
    request = world.signed()
    authorization = request.headers["authorization"].rpartition("=")[0] + "=" + signature
    response = await world.send(request, headers={"authorization": authorization})
    assert orjson.loads(response.body)["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("scheme", ["v1", "v3"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_another_method_is_refused(world: World, scheme: str, method: str):
    assert_refused(await world.send(world.signed(scheme=scheme), method=method), errors.UNSUPPORTED_HTTP_METHOD)


@pytest.mark.parametrize("path", ["/api", "//", "", "/%2F"])
async def test_another_path_is_refused(world: World, path: str):
    request = world.signed()
    response = await world.send(request, target=request.target.replace("/", path, 1))
    assert_refused(response, errors.INVALID_ACTION_NOT_FOUND)


async def test_a_body_over_the_limit_is_refused(world: World):
    assert_refused(await world.send(world.signed(), body=bytes(1_048_577)), errors.REQUEST_BODY_TOO_LARGE)


@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_an_unknown_format_is_refused_in_xml(world: World, scheme: str):
    options = {"answer_format": "YAML"} if scheme == "v1" else {"parameters": {"Format": "YAML"}}
    response = await world.call(scheme=scheme, **options)
    assert dict(response.headers)[b"content-type"] == b"text/xml;charset=utf-8"
    assert_refused(response, errors.INVALID_PARAMETER_FORMAT)


@pytest.mark.parametrize("scheme", ["v1", "v3"])
async def test_plain_http_is_refused_where_tls_is_required(scheme: str):
    world = World(needs_tls=True)
    assert_refused(await world.call(scheme=scheme), errors.INVALID_PROTOCOL_NEED_SSL)
    assert (await world.send(world.signed(scheme=scheme), secure=True)).status == 200


async def test_a_missing_business_parameter_is_refused(world: World, answer_format: str):
    assert_refused(await world.call(parameters={"Format": answer_format}), errors.missing("Name"))


async def test_an_account_without_a_directory_is_refused(world: World):
    world.directories.clear()
    assert_refused(await world.call(), errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY)


@pytest.mark.parametrize(
    "definition",
    [
        errors.CONCURRENT_CALL_NOT_SUPPORTED,
        errors.SERVICE_UNAVAILABLE,
        errors.THROTTLING,
        errors.THROTTLING_API,
        errors.THROTTLING_USER,
        errors.INVALID_SECURITY_TOKEN_EXPIRED,
        errors.INVALID_SECURITY_TOKEN_MALFORMED,
        errors.NO_PERMISSION,
    ],
    ids=lambda definition: definition.code,
)
async def test_what_the_operation_refuses_is_told_as_it_is(
    world: World, answer_format: str, definition: ErrorDefinition
):
    world.failure = definition(contact_id="c-1")
    assert_refused(await world.call(parameters={"Name": "tom", "Format": answer_format}), definition)


async def test_a_bug_is_answered_without_a_word_about_it(world: World, answer_format: str):
    world.failure = RuntimeError("secret detail")
    response = await world.call(parameters={"Name": "tom", "Format": answer_format})
    assert_refused(response, errors.INTERNAL_ERROR)


async def test_a_permission_error_says_which_permission_is_missing(world: World):
    detail = {"AuthAction": "resourcemanager:GetThing", "NoPermissionType": "ImplicitDeny"}
    world.failure = ApiError(errors.NO_PERMISSION, {}, access_denied=detail)
    assert_refused(await world.call(), errors.NO_PERMISSION, AccessDeniedDetail=detail)
    xml = await world.call(scheme="v1", answer_format=None)
    found = ElementTree.fromstring(xml.body).find("AccessDeniedDetail")
    assert found is not None
    assert {element.tag: element.text for element in found} == detail


async def test_only_throttling_tells_when_to_try_again(world: World):
    world.failure = ApiError(errors.THROTTLING_USER, {}, retry_after_ms=1500)
    assert (b"x-acs-retry-after", b"1500") in (await world.call()).headers
    world.failure = ApiError(errors.CONCURRENT_CALL_NOT_SUPPORTED, {}, retry_after_ms=1500)
    assert b"x-acs-retry-after" not in dict((await world.call()).headers)


async def test_the_recommended_link_leads_to_the_configured_host_and_the_calls_product():
    world = World(error_page=ErrorPage(recommend_host="docs.example.com"))
    body = orjson.loads((await world.call(parameters={})).body)
    assert body["Recommend"].startswith("https://docs.example.com/troubleshoot?q=MissingName&product=Resource")


async def test_an_unsigned_call_named_by_headers_ends_at_the_missing_key(world: World):
    """Bearer and anonymous calls exist in the clients; this service does not know them."""
    request = world.signed()
    response = await world.send(request, headers={"authorization": None, "x-acs-bearer-token": "token"})
    assert_refused(response, errors.missing("AccessKeyId"))


async def test_headers_do_not_name_the_operation_of_a_signed_v1_request(world: World):
    """An RPC signature does not cover headers: a stranger could put them there."""
    request = world.signed(scheme="v1")
    response = await world.send(request, headers={"x-acs-action": "SetThing"}, **overridden(world, "JSON", Action=None))
    assert_refused(response, errors.missing("Action"))


async def test_requests_without_any_headers_get_a_parseable_error(world: World):
    response = await world.gateway.handle("GET", "/", [], b"", "", secure=False)
    assert ElementTree.fromstring(response.body).findtext("Code") == "MissingAction"
    assert KEY.access_key_id.encode() not in response.body
