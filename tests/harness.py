"""A whole service in this process, called as clients call it: signed bytes in, bytes out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from message_contacts.bootstrap import CHANNELS, Service, build
from message_contacts.clock import MINUTE, Instant
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.outcome import Verdict
from message_contacts.settings import Settings
from message_contacts.verification.challenge import PageState, Visitor
from message_contacts.wire.rendering import Response
from tests import signing
from tests.fakes.clock import FakeClock
from tests.fakes.ids import CountingIds

ACCOUNT_ID = "1000000000000001"
KEY_ID = "MCtestkey"
SECRET = "test-secret"
ACCOUNT_NAME = "platform-team"
PUBLIC_URL = "http://127.0.0.1:8080"
_LINK = re.compile(r"https?://\S+/verify/(\S+)")
_CODE = re.compile(r"\b([0-9]{6})\b")


@dataclass(frozen=True)
class Api:
    """One tenant's view of a service."""

    service: Service
    clock: FakeClock
    account_id: str = ACCOUNT_ID
    key_id: str = KEY_ID
    secret: str = SECRET

    async def send(self, request: signing.SignedRequest, *, peer: str = "203.0.113.9") -> Response:
        """Hand over a request as it comes off the wire."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        return await self.service.gateway.handle(
            request.method, request.target, headers, request.body, peer, secure=False
        )

    async def answer(self, action: str, version: str = "2022-04-19", **parameters: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON body of a signed call."""
        request = signing.v3(
            action, parameters, key_id=self.key_id, secret=self.secret, now_ms=self.clock.now(), version=version
        )
        response = await self.send(request)
        return response.status, orjson.loads(response.body)

    async def call(self, action: str, version: str = "2022-04-19", **parameters: Any) -> dict[str, Any]:
        """The body of a call that succeeds, RequestId aside."""
        status, body = await self.answer(action, version, **parameters)
        assert status == 200, body
        del body["RequestId"]
        return body

    async def error(self, action: str, version: str = "2022-04-19", **parameters: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a call that is refused."""
        status, body = await self.answer(action, version, **parameters)
        assert status != 200, body
        return status, body

    async def add_contact(self, **parameters: Any) -> str:
        """Add a contact and return its id; what is not named is filled in."""
        given = {
            "Name": "Tom",
            "EmailAddress": "tom@example.com",
            "Title": "CEO",
            "MessageTypes": ["SecurityMessage"],
            **parameters,
        }
        contact_id: str = (await self.call("AddMessageContact", **given))["Contact"]["ContactId"]
        return contact_id

    async def contact(self, contact_id: str) -> dict[str, Any]:
        """What GetMessageContact shows."""
        contact: dict[str, Any] = (await self.call("GetMessageContact", ContactId=contact_id))["Contact"]
        return contact

    async def root_folder(self) -> str:
        """Id of the Root folder."""
        root: str = (await self.call("GetResourceDirectory"))["ResourceDirectory"]["RootFolderId"]
        return root

    async def create_folder(self, name: str, parent: str | None = None) -> str:
        """Create a folder and return its id."""
        created = await self.call("CreateFolder", FolderName=name, ParentFolderId=parent)
        folder_id: str = created["Folder"]["FolderId"]
        return folder_id

    async def create_member(self, name: str, folder: str | None = None) -> str:
        """Create a member and return its id."""
        created = await self.call("CreateResourceAccount", DisplayName=name, ParentFolderId=folder)
        member_id: str = created["Account"]["AccountId"]
        return member_id

    async def work(self, *channels: str) -> None:
        """Do all waiting work that is due now, and what comes of it, as a worker would; everything succeeds.

        Args:
            channels: Only that of these queues, if any are named.
        """
        outbox = self.service.storage.outbox
        for _ in range(1000):
            done = 0
            for channel in channels or CHANNELS:
                until = Instant(self.clock.now() + MINUTE)
                for job in await outbox.claim(channel, "test", now=self.clock.now(), until=until, limit=100):
                    outcome = await self.service.handlers[job.kind](job)
                    assert outcome.verdict is Verdict.ACCEPTED, outcome
                    settlement = Settlement(job, Fate.DONE, self.clock.now(), outcome.reason, becomes=outcome.becomes)
                    await outbox.settle("test", [settlement])
                    done += 1
            if not done:
                return
        raise AssertionError("the work has no end")

    async def inbox(self, recipient: str | None = None) -> list[dict[str, Any]]:
        """What was captured, oldest first."""
        messages: list[dict[str, Any]] = (
            await self.call("ListInboxMessages", "2026-11-01", Recipient=recipient, MaxResults=100)
        )["Messages"]
        return messages

    async def add_verified_contact(self, *nodes: str, **parameters: Any) -> str:
        """Add a contact, confirm its addresses by the captured inbox, and bind it; return its id."""
        contact_id = await self.add_contact(**parameters)
        contact = await self.contact(contact_id)
        await self.call(
            "SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=contact["EmailAddress"]
        )
        await self.work()
        await self.confirm(contact["EmailAddress"])
        if contact["PhoneNumber"]:
            await self.call(
                "SendPhoneVerificationForMessageContact", ContactId=contact_id, PhoneNumber=contact["PhoneNumber"]
            )
            await self.work()
            await self.confirm(contact["PhoneNumber"])
        if nodes:
            await self.call("AssociateMembers", ContactId=contact_id, Members=list(nodes))
        return contact_id

    async def confirm(self, recipient: str) -> None:
        """Follow the link in the newest message to an address."""
        found = self.service.verification
        view = await found.confirm(await self.token_sent_to(recipient), Visitor("203.0.113.9", "tests"))
        assert view.state is PageState.CONFIRMED, view

    async def token_sent_to(self, recipient: str) -> str:
        """The secret part of the link in the newest message to an address."""
        found = _LINK.search((await self.inbox(recipient))[-1]["Text"])
        assert found is not None
        return found[1]

    async def code_sent_to(self, recipient: str) -> str:
        """The code in the newest message to an address."""
        text = _LINK.sub("", (await self.inbox(recipient))[-1]["Text"])
        found = _CODE.search(text)
        assert found is not None
        return found[1]

    async def other_tenant(self, account_id: str = "1000000000000009") -> Api:
        """A second tenant of the same service, with an enabled directory."""
        administration = self.service.administration
        account = await administration.create_account("other-team", account_id=account_id)
        other = await self.as_account(account.account_id)
        await other.call("EnableResourceDirectory", EnableMode="CurrentAccount")
        return other

    async def as_account(self, account_id: str) -> Api:
        """The same service, called with a new key of another account (a member, perhaps)."""
        key = await self.service.administration.create_access_key(account_id)
        return replace(self, account_id=account_id, key_id=key.access_key_id, secret=key.secret)

    async def as_user(self, name: str) -> Api:
        """The same service, called with a new key of a RAM user of this account."""
        key = (await self.call("CreateAccessKey", "2015-05-01", UserName=name))["AccessKey"]
        return replace(self, key_id=key["AccessKeyId"], secret=key["AccessKeySecret"])


@asynccontextmanager
async def open_api(
    database: Path | str, settings: Mapping[str, Any] | None = None, **replacements: Any
) -> AsyncIterator[Api]:
    """A service on this database, with the root account of the tests.

    Args:
        database: Path of an SQLite file, or URL.
        settings: Settings that differ from the defaults.
        replacements: Parts that `bootstrap.build` is to use instead of its own.
    """
    clock = replacements.pop("clock", None) or FakeClock()
    chosen = Settings(
        **{
            "database_url": database if isinstance(database, str) else f"sqlite:///{database}",
            "encryption_key": b"k" * 32,
            "root_account_id": ACCOUNT_ID,
            "root_account_name": ACCOUNT_NAME,
            "root_access_key_id": KEY_ID,
            "root_access_key_secret": SECRET,
            "public_url": PUBLIC_URL,
            **(settings or {}),
        }
    )
    async with await build(chosen, clock=clock, ids=replacements.pop("ids", CountingIds()), **replacements) as service:
        await service.first_start()
        yield Api(service, clock)
