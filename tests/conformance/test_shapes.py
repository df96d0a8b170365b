"""Where each client puts what: the table of contract/protocol.md section 1, from the clients themselves."""

from __future__ import annotations

import pytest

from tests.conformance.driving import Driver, Key
from tests.conformance.recorder import recording
from tests.conformance.roster import ROSTER, Client, Variant

PARAMETERS = {
    "Name": "王小明 *~'()",
    "EmailAddress": "a+b@example.com",
    "MessageTypes": ["SecurityMessage", "FaultMessage"],
}
FLAT = {
    "Name": "王小明 *~'()",
    "EmailAddress": "a+b@example.com",
    "MessageTypes.1": "SecurityMessage",
    "MessageTypes.2": "FaultMessage",
}
WITH_LISTS_AS_JSON = {
    "Name": "王小明 *~'()",
    "EmailAddress": "a+b@example.com",
    "MessageTypes": '["SecurityMessage", "FaultMessage"]',
}
COMMON = {"Action": "AddMessageContact", "Version": "2022-04-19", "AccessKeyId": "testid"}


def test_client_puts_its_parameters_where_the_contract_says(ready_client: tuple[Client, Variant]) -> None:
    client, variant = ready_client
    with recording() as recorder, Driver(client, variant, recorder.endpoint, Key("testid", "testsecret")) as driver:
        answer = driver.call("AddMessageContact", PARAMETERS)
    assert answer["ok"], answer
    [request] = recorder.requests
    method, signature, place = variant.shape.split()
    assert request.method == method
    holders = {"query": request.query, "form": request.body, "body": request.body}
    parameters = WITH_LISTS_AS_JSON if variant.lists_as_json else FLAT
    assert parameters.items() <= holders[place].items()
    if signature == "v3":
        assert request.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=")
        assert request.headers["x-acs-action"] == "AddMessageContact"
        assert request.headers["x-acs-version"] == "2022-04-19"
        assert request.query == FLAT
        assert request.body == {}
    else:
        common = request.body if place == "body" else request.query
        assert COMMON.items() <= common.items()
        assert {"Signature", "SignatureNonce", "Timestamp"} <= common.keys()
        assert not request.headers.get("authorization")


@pytest.mark.parametrize("shape", ["POST v3 query", "POST v1 query", "POST v1 form", "POST v1 body", "GET v1 query"])
def test_every_shape_of_the_contract_has_a_client(shape: str) -> None:
    assert any(variant.shape == shape for client in ROSTER for variant in client.variants)
