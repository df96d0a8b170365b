"""Users and their policies, through the vendor's own clients and a started service."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from alibabacloud_ram20150501 import models as ram
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_resourcedirectorymaster20220419 import models as directory
from alibabacloud_resourcedirectorymaster20220419.client import Client as DirectoryClient
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config

from tests import signing
from tests.conformance.driving import Key
from tests.conformance.service import RunningService, running_service


@dataclass(frozen=True)
class Clients:
    """The vendor's clients over one service."""

    service: RunningService

    def config(self, key: Key, algorithm: str | None = None) -> Config:
        config = Config(
            access_key_id=key.access_key_id,
            access_key_secret=key.access_key_secret,
            endpoint=self.service.endpoint,
            protocol="http",
        )
        if algorithm is not None:
            config.signature_algorithm = algorithm
        return config

    @property
    def ram(self) -> RamClient:
        return RamClient(self.config(self.service.key))

    def directory(self, key: Key | None = None, algorithm: str | None = None) -> DirectoryClient:
        return DirectoryClient(self.config(key or self.service.key, algorithm))

    def user(self, name: str, statements: list[dict[str, Any]]) -> Key:
        """The key of a new user with one policy."""
        self.ram.create_user(ram.CreateUserRequest(user_name=name))
        document = json.dumps({"Version": "1", "Statement": statements})
        self.ram.create_policy(ram.CreatePolicyRequest(policy_name=f"{name}-policy", policy_document=document))
        self.ram.attach_policy_to_user(
            ram.AttachPolicyToUserRequest(policy_type="Custom", policy_name=f"{name}-policy", user_name=name)
        )
        made = self.ram.create_access_key(ram.CreateAccessKeyRequest(user_name=name)).body.access_key
        return Key(made.access_key_id, made.access_key_secret)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    with running_service(tmp_path_factory.mktemp("permissions"), TRUSTED_PROXIES="127.0.0.1") as service:
        yield Clients(service)


def contact(name: str) -> directory.AddMessageContactRequest:
    return directory.AddMessageContactRequest(
        name=name, email_address=f"{name}@example.com", title="CEO", message_types=["SecurityMessage"]
    )


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_the_vendors_client_shows_why_a_call_was_refused(clients: Clients, algorithm: str | None) -> None:
    """With either signature; and the vendor's RAM client reads the sealed part."""
    name = "reader" if algorithm is None else "readerv"
    key = clients.user(name, [{"Effect": "Allow", "Action": "resourcemanager:Get*", "Resource": "*"}])
    client = clients.directory(key, algorithm)
    added = clients.directory().add_message_contact(contact(name)).body.contact.contact_id

    assert client.get_message_contact(directory.GetMessageContactRequest(contact_id=added)).body.contact.name == name
    with pytest.raises(ClientException) as refused:
        client.add_message_contact(contact("tom"))

    error = refused.value
    assert (error.status_code, error.code) == (403, "NoPermission")
    detail = dict(error.access_denied_detail)
    sealed = detail.pop("EncodedDiagnosticMessage")
    user = clients.ram.get_user(ram.GetUserRequest(user_name=name)).body.user
    account_id = detail.pop("AuthPrincipalOwnerId")
    assert detail == {
        "AuthAction": "resourcemanager:AddMessageContact",
        "AuthPrincipalDisplayName": user.user_id,
        "AuthPrincipalType": "SubUser",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }
    decoded = clients.ram.decode_diagnostic_message(
        ram.DecodeDiagnosticMessageRequest(encoded_diagnostic_message=sealed)
    ).body.decoded_diagnostic_message
    assert decoded.auth_resource == f"acs:resourcemanager:*:{account_id}:messagecontact/*"
    assert decoded.auth_principal.auth_principal_display_name == user.user_id
    assert decoded.explicit_deny is False
    assert {entry.condition_key for entry in decoded.auth_conditions} == {
        "acs:SourceIp",
        "acs:CurrentTime",
        "acs:SecureTransport",
    }


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}, True),
        ({"x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "https"}, False),
        ({"x-forwarded-for": "203.0.113.9, 198.51.100.1", "x-forwarded-proto": "https"}, False),
        ({"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "http"}, False),
        ({}, False),
    ],
)
def test_conditions_believe_what_a_trusted_proxy_says(
    clients: Clients, office: Key, headers: dict[str, str], allowed: bool
) -> None:
    request = signing.v1(
        "GetResourceDirectory",
        {},
        key_id=office.access_key_id,
        secret=office.access_key_secret,
        now_ms=time.time_ns() // 1_000_000,
    )
    connection = http.client.HTTPConnection(clients.service.endpoint, timeout=30)
    try:
        connection.request(request.method, request.target, headers={"host": signing.HOST, **headers})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()

    assert response.status == (200 if allowed else 403), body


@pytest.fixture(scope="module")
def office(clients: Clients) -> Key:
    """The key of a user that may only call from one network, over TLS."""
    return clients.user(
        "office",
        [
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {
                    "IpAddress": {"acs:SourceIp": "203.0.113.0/24"},
                    "Bool": {"acs:SecureTransport": "true"},
                },
            }
        ],
    )
