"""What a refusal of a signature tells, and what it keeps to itself."""

from __future__ import annotations

import pytest

from message_contacts import errors
from message_contacts.access.keys import KnownKey
from message_contacts.errors import ApiError
from message_contacts.protocol.signing import SignedRequest, Signer
from message_contacts.wire.authentication import check_signature, claims_of
from message_contacts.wire.reading import Request, read
from tests.fakes.gateway import World

SIGNER = Signer(access_key_id="testid", access_key_secret="testsecret", security_token="token/of+a=caller")
KEY = KnownKey(access_key_id="testid", account_id="1000000000000001", secret="testsecret", is_active=True)
OTHER_KEY = KnownKey(access_key_id="testid", account_id="1000000000000001", secret="other", is_active=True)


def as_read(request: SignedRequest) -> Request:
    headers = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    return read(
        "id", method=request.method, target=request.target, raw_headers=headers, body=b"", peer="", secure=False
    )


def test_a_signed_token_takes_part_in_the_signature():
    for scheme in ("v1", "v3"):
        request = as_read(World().signed(signer=SIGNER, scheme=scheme))
        claims = claims_of(request)
        assert claims.security_token == SIGNER.security_token
        check_signature(request, claims, KEY)


def test_a_v3_mismatch_does_not_tell_the_token_but_the_hash_it_is_part_of():
    request = as_read(World().signed(signer=SIGNER))
    with pytest.raises(ApiError) as refused:
        check_signature(request, claims_of(request), OTHER_KEY)
    assert refused.value.definition is errors.SIGNATURE_DOES_NOT_MATCH
    assert "token/of" not in refused.value.message
    assert "\nx-acs-security-token:******\n" in refused.value.message


def test_neither_request_nor_claims_show_secrets_when_printed():
    for scheme in ("v1", "v3"):
        request = as_read(World().signed(signer=SIGNER, scheme=scheme, parameters={"Name": "somebody"}))
        shown = f"{request} {claims_of(request)}"
        assert "token/of" not in shown
        assert "token%2Fof" not in shown
        assert "somebody" not in shown
        assert claims_of(request).signature not in shown
