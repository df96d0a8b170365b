"""The texts of a signature: as the gateway works them out, with placeholders for what only the caller has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from message_contacts.console.site.samples import signed
from message_contacts.console.site.samples.call import COMMON_PARAMETERS, Endpoint
from message_contacts.console.site.samples.terraform import RESOURCES
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.protocol.signature import v1_string_to_sign, v3_canonical_request
from tests.console.sample_runs import call_of, text_of

URL = "http://127.0.0.1:8080"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(TEXTS)
def test_canonical_request_becomes_the_real_one_when_placeholders_are_filled_in(text: str) -> None:
    call = call_of(URL, "2022-04-19", "AddMessageContact", Name=text)
    shown = signed.v3(call)
    assert shown.canonical_request is not None
    head, _, rest = shown.canonical_request.rpartition("x-acs-date:")
    filled = f"{head}x-acs-date:{rest.replace('<Timestamp>', '2026-03-30T08:00:00Z').replace('<Nonce>', 'abc')}"
    headers = {
        "host": "127.0.0.1:8080",
        "x-acs-action": "AddMessageContact",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2026-03-30T08:00:00Z",
        "x-acs-signature-nonce": "abc",
        "x-acs-version": "2022-04-19",
    }
    names = ";".join(headers)
    sent = {name.encode(): value.encode() for name, value in headers.items()}
    real = v3_canonical_request("POST", {"Name": text}, sent, names, headers["x-acs-content-sha256"])
    assert filled.encode() == real


@given(TEXTS)
def test_string_to_sign_of_version_one_becomes_the_real_one(text: str) -> None:
    shown = signed.v1(call_of(URL, "2022-04-19", "AddMessageContact", Name=text))
    filled = shown.string_to_sign.replace("<AccessKeyId>", "id").replace("<Nonce>", "abc")
    filled = filled.replace("<Timestamp>", "2026-03-30T08%253A00%253A00Z")
    parameters = {
        "AccessKeyId": "id",
        "Action": "AddMessageContact",
        "Format": "JSON",
        "Name": text,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "abc",
        "SignatureVersion": "1.0",
        "Timestamp": "2026-03-30T08:00:00Z",
        "Version": "2022-04-19",
    }
    assert filled == v1_string_to_sign("POST", parameters)


def test_value_that_looks_like_a_placeholder_stays_itself() -> None:
    shown = signed.v1(call_of(URL, "2022-04-19", "AddMessageContact", Name="Z0ZNonceZ0Z"))
    assert "Name=Z0ZNonceZ0Z&" in shown.request
    assert "SignatureNonce=<Nonce>&" in shown.request


def test_no_parameter_has_the_name_of_one_that_the_signature_of_version_one_puts_beside_it() -> None:
    named = {parameter.name for _, operation in REGISTRY.all() for parameter in operation.parameters}
    assert named & COMMON_PARAMETERS == set()


def test_endpoint_leaves_out_the_usual_port_and_keeps_brackets() -> None:
    assert Endpoint.of("https://contacts.example.com:443/x").authority == "contacts.example.com"
    assert Endpoint.of("https://contacts.example.com:8443").authority == "contacts.example.com:8443"
    assert Endpoint.of("http://[::1]:8080").authority == "[::1]:8080"
    assert Endpoint.of("http://contacts.example.com").url == "http://contacts.example.com"


def test_terraform_resources_belong_to_operations_and_parameters_that_there_are() -> None:
    for (version, name), resource in RESOURCES.items():
        parameters = {parameter.name for parameter in REGISTRY.find(version, name).parameters}
        assert resource.arguments.keys() <= parameters
        assert not resource.tags or resource.tags in parameters


def test_terraform_resource_has_what_the_form_has() -> None:
    text = text_of(
        call_of(
            URL,
            "2022-04-19",
            "AddMessageContact",
            Name="tom",
            EmailAddress="tom@example.com",
            Title="CEO",
            MessageTypes=["SecurityMessage", "FaultMessage"],
        ),
        "terraform",
    )
    assert 'resource "alicloud_resource_manager_message_contact" "example" {' in text
    assert '  message_types        = ["SecurityMessage", "FaultMessage"]\n' in text
    assert "ALIBABA_CLOUD_ENDPOINT_RESOURCEDIRECTORYMASTER=127.0.0.1:8080" in text
    tags = [{"Key": "k", "Value": "${x}"}]
    text = text_of(call_of(URL, "2020-03-31", "CreateResourceAccount", DisplayName="Dev", Tag=tags), "terraform")
    assert '    "k" = "$${x}"\n' in text
