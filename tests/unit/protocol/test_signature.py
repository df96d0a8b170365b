"""Signatures: the published vectors, and what must hold for any request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_contacts.clock import Instant
from message_contacts.protocol import signature
from message_contacts.protocol.parameters import parse_form
from message_contacts.wire.reading import collected

VECTORS = json.loads((Path(__file__).parents[3] / "contract" / "signature_vectors.json").read_text("utf-8"))["vectors"]
V1 = [vector for vector in VECTORS if vector["scheme"] == "rpc-v1"]
V3 = [vector for vector in VECTORS if vector["scheme"] == "acs3-hmac-sha256"]

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
values = st.text(st.characters(codec="utf-8"), max_size=20)
parameter_sets = st.dictionaries(names, values, max_size=8)


def assert_first_difference(steps: list[tuple[str, Any, Any]]) -> None:
    """Compare the forms in the order in which they arise: the first one that differs is where the mistake is."""
    for form, computed, expected in steps:
        assert computed == expected, f"the {form} differs"


def test_every_vector_is_of_a_known_scheme():
    assert len(V1) + len(V3) == len(VECTORS) == 22


@pytest.mark.parametrize("vector", V1, ids=lambda vector: vector["id"])
def test_v1_signature_agrees_with_the_vector(vector: dict[str, Any]):
    algorithm = vector["params"].get("SignatureMethod", "HMAC-SHA1")
    to_sign = signature.v1_string_to_sign(vector["method"], vector["params"])
    assert_first_difference(
        [
            (
                "canonical query",
                signature.canonical_query(vector["params"]),
                unquote(vector["string_to_sign"].split("&")[2]),
            ),
            ("string to sign", to_sign, vector["string_to_sign"]),
            (
                "signature",
                signature.v1_signature(to_sign, vector["access_key_secret"], algorithm),
                vector["expected_signature"],
            ),
        ]
    )


@pytest.mark.parametrize("vector", V3, ids=lambda vector: vector["id"])
def test_v3_signature_agrees_with_the_vector(vector: dict[str, Any]):
    headers = collected([(name.encode(), value.encode()) for name, value in vector["headers"].items()])
    signed_headers = vector.get("signed_headers") or b";".join(sorted(headers)).decode()
    if vector["body"] is not None:
        assert signature.payload_hash(vector["body"].encode()) == vector["payload_sha256"]
    canonical = signature.v3_canonical_request(
        vector["method"], vector["query"], headers, signed_headers, vector["payload_sha256"]
    )
    to_sign = signature.v3_string_to_sign(canonical)
    steps = [
        ("canonical request", canonical.decode(), vector["canonical_request"]),
        ("string to sign", to_sign, f"ACS3-HMAC-SHA256\n{vector['canonical_request_sha256']}"),
    ]
    if vector["expected_signature"] is not None:  # the gateway's own example does not tell the secret
        computed = signature.v3_signature(to_sign, vector["access_key_secret"])
        steps.append(("signature", computed, vector["expected_signature"]))
    assert_first_difference(steps)


@settings(deadline=None)  # a busy machine is no failure
@given(values)
def test_percent_encoding_agrees_with_a_slow_implementation_and_comes_back(text: str):
    encoded = signature.percent_encode(text)
    assert encoded == quote(text.encode(), safe="-_.~")
    assert parse_form("name=" + encoded)[0] == {"name": text}


@settings(deadline=None)  # a busy machine is no failure
@given(parameter_sets, st.randoms())
def test_the_order_of_parameters_does_not_matter(parameters: dict[str, str], random: Any):
    shuffled = list(parameters.items())
    random.shuffle(shuffled)
    assert signature.v1_string_to_sign("POST", dict(shuffled)) == signature.v1_string_to_sign("POST", parameters)
    assert signature.canonical_query(dict(shuffled)) == signature.canonical_query(parameters)


@settings(deadline=None)  # a busy machine is no failure
@given(parameter_sets, st.sampled_from(["GET", "POST"]))
def test_v1_agrees_with_a_slow_implementation(parameters: dict[str, str], method: str):
    def encode(text: str) -> str:
        return quote(text.encode("utf-8"), safe="-_.~")

    pairs = sorted(parameters.items(), key=lambda pair: pair[0].encode("utf-8"))
    canonical = "&".join(encode(name) + "=" + encode(value) for name, value in pairs if name != "Signature")
    expected = method + "&" + encode("/") + "&" + encode(canonical)
    assert signature.v1_string_to_sign(method, parameters) == expected
    digest = hmac.new(b"secret&", expected.encode("ascii"), hashlib.sha1).digest()
    assert signature.v1_signature(expected, "secret") == base64.b64encode(digest).decode()


@settings(deadline=None)  # a busy machine is no failure
@given(parameter_sets, st.dictionaries(st.from_regex(r"x-acs-[a-z]{1,8}", fullmatch=True), values, max_size=5))
def test_v3_agrees_with_a_slow_implementation(query: dict[str, str], headers: dict[str, str]):
    raw = {name: value.encode("utf-8") for name, value in headers.items()}
    listed = ";".join([*sorted(raw), "absent"])
    lines = ["GET", "/", signature.canonical_query(query)]
    expected = "\n".join(lines).encode() + b"\n"
    for name in sorted(raw):
        expected += name.encode() + b":" + raw[name].strip(b" \t") + b"\n"
    expected += b"absent:\n\n" + listed.encode() + b"\nhash"
    given_headers = {name.encode(): value for name, value in raw.items()}
    canonical = signature.v3_canonical_request("GET", query, given_headers, listed, "hash")
    assert canonical == expected
    assert signature.v3_string_to_sign(canonical) == "ACS3-HMAC-SHA256\n" + hashlib.sha256(expected).hexdigest()


def test_a_header_that_ends_in_a_byte_of_a_letter_keeps_it():
    """0xA0 is the end of an encoded letter, but a blank to whoever takes the bytes for Latin-1 text."""
    value = "agent à".encode()
    canonical = signature.v3_canonical_request("GET", {}, {b"user-agent": b" %b\t" % value}, "user-agent", "")
    assert b"user-agent:%b\n" % value in canonical


def test_a_name_of_a_signed_header_is_taken_as_it_is():
    canonical = signature.v3_canonical_request("GET", {}, {b"x-acs-%b": b"1"}, "X-Acs-%b;x-acs-100%", "")
    assert b"\nx-acs-%b:1\nx-acs-100%:\n\nX-Acs-%b;x-acs-100%\n" in canonical


def test_comparing_with_a_signature_that_is_no_ascii_refuses_it():
    assert not signature.same("abc", "äöü")
    assert signature.same("abc", "abc")


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-30", "2026-03-30T08:00:00", "2026-03-30 08:00:00Z", "2026-03-30T08:00:00z", "2026-02-30T08:00:00Z",
     "2026-03-30T24:00:00Z", "2026-03-30T08:00:60Z", "2026-3-30T08:00:00Z", "2026-W14-1T08:00:00Z",
     "２026-03-30T08:00:00Z",
     "2026-03-30T08:00:00Z\n", "0000-01-01T00:00:00Z", "2026-03-30T08:00:00+00:00"],
)  # fmt: skip
def test_a_timestamp_of_another_form_is_refused(text: str):
    with pytest.raises(ValueError, match=r"timestamp|range|day|hour|second|year"):
        signature.parse_timestamp(text)


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(min_value=0, max_value=253402300799))
def test_a_timestamp_comes_back(seconds: int):
    moment = Instant(seconds * 1000)
    assert signature.parse_timestamp(signature.format_timestamp(moment)) == moment
