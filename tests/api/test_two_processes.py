"""Two server processes on one database: what must hold across them, asked over connections of which each takes some."""

from __future__ import annotations

import http.client
import json
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests import signing
from tests.conformance.service import RunningService, running_service
from tests.conftest import ENGINES
from tests.postgres import PostgresDatabases

ADDED = {"EmailAddress": "tom@example.com", "Title": "CEO", "MessageTypes": ["FaultMessage"]}
#: Names of the contract's form, as many as are needed.
NAMES = [f"N{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]


@pytest.fixture(scope="module", params=ENGINES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    settings = {"WORKERS": "2", "CONTACTS_PER_DIRECTORY": "30"}
    if request.param == "postgresql":
        databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
        settings["DATABASE_URL"] = databases.new(migrated=False)
        settings["ENCRYPTION_KEY"] = b64encode(b"k" * 32).decode()
    with running_service(tmp_path_factory.mktemp("two"), **settings) as running:
        yield running


def signed(service: RunningService, action: str, **parameters: Any) -> signing.SignedRequest:
    key = service.key
    return signing.v3(
        action,
        parameters,
        key_id=key.access_key_id,
        secret=key.access_key_secret,
        now_ms=time.time_ns() // 1_000_000,
    )


def sent(service: RunningService, request: signing.SignedRequest) -> dict[str, Any]:
    """The answer's body, over a connection of its own: the kernel says which process takes it."""
    connection = http.client.HTTPConnection(service.endpoint, timeout=30)
    try:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        connection.endheaders(request.body)
        body: dict[str, Any] = json.loads(connection.getresponse().read())
        return body
    finally:
        connection.close()


def codes(service: RunningService, requests: list[signing.SignedRequest]) -> Counter[str]:
    """How often each code ("" for success) came back to requests sent at the same time."""
    with ThreadPoolExecutor(16) as pool:
        return Counter(body.get("Code", "") for body in pool.map(lambda request: sent(service, request), requests))


def test_a_repeated_request_is_carried_out_once(service: RunningService) -> None:
    request = signed(service, "AddMessageContact", Name="Once", **ADDED)
    assert codes(service, [request] * 32) == {"": 1, "SignatureNonceUsed": 31}


def test_a_name_is_given_away_once(service: RunningService) -> None:
    requests = [signed(service, "AddMessageContact", Name="Tom", **ADDED) for _ in range(32)]
    assert codes(service, requests) == {"": 1, "InvalidParameter.Name.AlreadyUsed": 31}


def test_a_contact_changed_from_all_sides_loses_nothing(service: RunningService) -> None:
    contact_id = sent(service, signed(service, "AddMessageContact", Name="Shared", **ADDED))["Contact"]["ContactId"]
    folders = [
        sent(service, signed(service, "CreateFolder", FolderName=f"folder-{number}"))["Folder"]["FolderId"]
        for number in range(10)
    ]
    requests = [signed(service, "AssociateMembers", ContactId=contact_id, Members=[folder_id]) for folder_id in folders]
    assert codes(service, requests) == {"": 10}
    contact = sent(service, signed(service, "GetMessageContact", ContactId=contact_id))["Contact"]
    assert sorted(contact["Members"]) == sorted(folders)


def test_the_limit_of_contacts_holds(service: RunningService) -> None:
    present = sent(service, signed(service, "ListMessageContacts"))["TotalCount"]
    requests = [signed(service, "AddMessageContact", Name=name, **ADDED) for name in NAMES]
    assert codes(service, requests) == {"": 30 - present, "LimitExceeded.Contacts": len(NAMES) - 30 + present}
    assert sent(service, signed(service, "ListMessageContacts"))["TotalCount"] == 30
