"""Requests signed by us: the published ones come out byte by byte, and secrets stay out of sight."""

from __future__ import annotations

import json
from pathlib import Path

from message_contacts.protocol.signature import parse_timestamp
from message_contacts.protocol.signing import FORM, Signer, sign_v1, sign_v3

VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parents[3] / "contract" / "signature_vectors.json").read_text("utf-8"))[
        "vectors"
    ]
}
NOW = parse_timestamp("2026-03-30T08:00:00Z")
NONCE = "3156853299f313e23d1673dc12e1703d"
KEY = Signer(access_key_id="testid", access_key_secret="testsecret")
BUSINESS = VECTORS["v3-own-query"]["query"]


def test_sign_v3_makes_the_published_request():
    vector = VECTORS["v3-own-query"]
    request = sign_v3(
        KEY, host="resourcedirectory.aliyuncs.com", action="AddMessageContact", version="2022-04-19",
        parameters=BUSINESS, nonce=NONCE, now=NOW,
    )  # fmt: skip
    assert request.target == "/?" + vector["canonical_request"].split("\n")[2]
    assert request.headers["authorization"] == (
        f"ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={vector['signed_headers']},"
        f"Signature={vector['expected_signature']}"
    )


def test_sign_v3_signs_a_form_and_its_type():
    vector = VECTORS["v3-own-form"]
    request = sign_v3(
        KEY, host="resourcedirectory.aliyuncs.com", action="AddMessageContact", version="2022-04-19",
        parameters={}, nonce=NONCE, now=NOW, body=vector["body"].encode(), content_type=FORM,
    )  # fmt: skip
    assert request.target == "/"
    assert request.headers["authorization"].endswith(vector["expected_signature"])


def test_sign_v1_makes_the_published_request_in_query_and_in_form():
    for in_form in (False, True):
        request = sign_v1(
            KEY, host="h", action="AddMessageContact", version="2022-04-19", parameters=BUSINESS, nonce=NONCE, now=NOW,
            answer_format="json", in_form=in_form,
        )  # fmt: skip
        where = request.body.decode() if in_form else request.target
        assert "Signature=aRUmnjZ8pY4m32sibbhpb5Vk%2BRs%3D&" in where


def test_a_signer_does_not_show_its_secret():
    signer = Signer(access_key_id="testid", access_key_secret="very-secret", security_token="token-secret")
    assert "secret" not in repr(signer)
