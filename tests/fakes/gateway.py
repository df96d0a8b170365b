"""A gateway over a tiny registry: one operation that reads, one that changes, and everything they need in memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from message_contacts import errors
from message_contacts.access.authorizer import Authorizer
from message_contacts.access.keys import KeyRing, Vault
from message_contacts.access.model import AccessKey, KeyStatus
from message_contacts.changes import Nonce
from message_contacts.directory.model import ResourceDirectory
from message_contacts.errors import ApiError
from message_contacts.ids import RandomIds
from message_contacts.operations.call import Call, Rules, Services
from message_contacts.operations.invoke import Invoker
from message_contacts.operations.registry import Access, Kind, Parameter, Registry, operation
from message_contacts.protocol.signature import parse_timestamp
from message_contacts.protocol.signing import SignedRequest, Signer, sign_v1, sign_v3
from message_contacts.wire.pipeline import Gateway
from message_contacts.wire.rendering import Response
from message_contacts.wire.replay import NonceMemory
from tests.fakes.access import FakeAccessStore
from tests.fakes.clock import FakeClock

HOST = "contacts.example.com:8080"
ACCOUNT = "1000000000000001"
KEY = Signer(access_key_id="testid", access_key_secret="testsecret")
NOW = parse_timestamp("2026-03-30T08:00:00Z")
REQUEST_ID = "00000000-0000-4000-8000-000000000001"
VERSION = "2022-04-19"


class CountingRequestIds(RandomIds):
    """Request ids in order, so that whole answers can be compared."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def request(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._numbers):012d}"


@dataclass
class Seen:
    """What the handlers were given."""

    values: list[dict[str, Any]] = field(default_factory=list)
    nonces: list[Nonce | None] = field(default_factory=list)


class World:
    """The gateway, what it stands on, and a way to send it signed requests."""

    def __init__(self, *, nonce_capacity: int = 1000, **options: Any) -> None:
        self.clock = FakeClock(NOW)
        self.store = FakeAccessStore()
        self.vault = Vault(bytes(32))
        self.seen = Seen()
        #: What the handlers do instead of answering, if anything.
        self.failure: Exception | None = None
        self.answer: dict[str, Any] = {"Thing": {"Name": "tom", "Tags": ["a", "b"], "Good": True}}
        self.directories = {
            ACCOUNT: ResourceDirectory(
                account_id=ACCOUNT,
                directory_id="rd-abcdef",
                root_folder_id="r-abcdef",
                account_name="platform-team",
                created_at=NOW,
            )
        }
        self.add_key("testid", "testsecret")
        services = SimpleNamespace(
            directory=SimpleNamespace(directory=self._directory), access=self.store, clock=self.clock, rules=Rules()
        )
        self.gateway = Gateway(
            registry=self._registry(),
            invoker=Invoker(cast("Services", services), cast("Authorizer", None)),  # the account itself needs none
            keys=KeyRing(self.store, self.vault),
            access=self.store,
            clock=self.clock,
            ids=CountingRequestIds(),
            nonces=NonceMemory(nonce_capacity),
            **options,
        )
        self._nonces = itertools.count(1)

    def add_key(self, access_key_id: str, secret: str, *, status: KeyStatus = KeyStatus.ACTIVE) -> None:
        self.store.keys[access_key_id] = AccessKey(
            access_key_id=access_key_id,
            account_id=ACCOUNT,
            sealed_secret=self.vault.seal(secret, access_key_id),
            status=status,
            created_at=NOW,
        )

    def signed(
        self, action: str = "GetThing", parameters: dict[str, str] | None = None, **options: Any
    ) -> SignedRequest:
        """A V3 request; `scheme="v1"` makes it an RPC one."""
        sign = sign_v1 if options.pop("scheme", "v3") == "v1" else sign_v3
        defaults: dict[str, Any] = {
            "host": HOST,
            "action": action,
            "version": VERSION,
            "parameters": {"Name": "tom"} if parameters is None else parameters,
            "nonce": f"nonce-{next(self._nonces)}",
            "now": self.clock.now(),
        }
        signer = options.pop("signer", KEY)
        return sign(signer, **(defaults | options))

    async def send(self, request: SignedRequest, **changes: Any) -> Response:
        """Hand a request to the gateway; `changes` overwrite its parts, headers are merged and None removes one."""
        headers = dict(request.headers) | changes.get("headers", {})
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items() if value is not None]
        return await self.gateway.handle(
            changes.get("method", request.method),
            changes.get("target", request.target),
            raw + changes.get("more_headers", []),
            changes.get("body", request.body),
            "192.0.2.7",
            secure=changes.get("secure", False),
        )

    async def call(
        self, action: str = "GetThing", parameters: dict[str, str] | None = None, **options: Any
    ) -> Response:
        """Sign and send."""
        return await self.send(self.signed(action, parameters, **options))

    async def _directory(self, account_id: str) -> ResourceDirectory | None:
        return self.directories.get(account_id)

    def _registry(self) -> Registry:
        name = Parameter(name="Name", parse=_name, doc="", example="tom", required=True)
        things = Parameter(name="Things", kind=Kind.TEXTS, parse=lambda raw, _: raw, doc="", example=["a"])

        async def carry_out(call: Call, **values: Any) -> dict[str, Any]:
            self.seen.values.append(values)
            self.seen.nonces.append(call.nonce)
            if self.failure is not None:
                raise self.failure
            if call.nonce is not None:
                self.store.nonces.add(call.nonce.digest)
            return self.answer

        def declared(action: str, access: Access) -> Any:
            return operation(action, access=access, doc="", source="", parameters=[name, things])(carry_out)

        return Registry([declared("GetThing", Access.READ), declared("SetThing", Access.WRITE)])


def _name(raw: str, _: Rules) -> str:
    if raw == "bad":
        raise ApiError(errors.INVALID_PARAMETER_NAME, {})
    return raw
