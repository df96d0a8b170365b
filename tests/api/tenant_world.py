"""Two tenants of one service that own one of everything, for tests of what one sees of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw

from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.delivery.preference_rules import Choice
from message_contacts.verification.challenge import Visitor
from tests.api.publishing import OURS, deliveries, publish
from tests.api.recipients import preference_links
from tests.harness import Api

RAM = "2015-05-01"
DOCUMENT = (
    '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "resourcemanager:GetFolder", "Resource": "*"}]}'
)


@dataclass(frozen=True)
class Tenant:
    """A tenant and the ids of what it owns, by kind."""

    api: Api
    ids: Mapping[str, str]
    #: Words that nobody but this tenant may ever read.
    private: frozenset[str]


async def settle(api: Api, letter: str) -> Tenant:
    """Give a tenant one of everything; `letter` makes its names and addresses its own."""
    root = await api.root_folder()
    folder = await api.create_folder(f"folder-{letter}")
    other_folder = await api.create_folder(f"spare-{letter}")
    empty_folder = await api.create_folder(f"empty-{letter}")
    member = await api.create_member(f"member-{letter}", folder)
    deleted_member = await api.create_member(f"former-{letter}", folder)
    await api.call("DeleteAccount", AccountId=deleted_member)
    email = f"tom@{letter}.example.com"
    phone = f"86-1390000{ord(letter):04d}"
    contact = await api.add_contact(Name=f"Tom{letter}", EmailAddress=email, PhoneNumber=phone)
    await api.call("AssociateMembers", ContactId=contact, Members=[folder, member])
    await _confirm(api, contact, email)
    blocked = f"no@{letter}.example.com"
    refusing = await api.add_contact(Name=f"Nick{letter}", EmailAddress=blocked)
    await api.call("SendEmailVerificationForMessageContact", ContactId=refusing, EmailAddress=blocked)
    await api.work()
    await api.service.verification.refuse(await api.token_sent_to(blocked), Visitor("198.51.100.4", ""))
    leaving_email = f"ann@{letter}.example.com"
    leaving = await api.add_contact(Name=f"Ann{letter}", EmailAddress=leaving_email)
    await api.call("AssociateMembers", ContactId=leaving, Members=[member])
    await _confirm(api, leaving, leaving_email)
    await api.call("DeleteMessageContact", ContactId=leaving, RetainContactInMembers="true")
    (copy,) = (await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"]
    ids = {
        **await _users(api, letter),
        **await _messages(api, letter, folder, empty_folder, email),
        "directory": (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"],
        "root folder": root,
        "folder": folder,
        "other folder": other_folder,
        "empty folder": empty_folder,
        "member": member,
        "deleted member": deleted_member,
        "account": api.account_id,
        "contact": contact,
        "contact without phone": refusing,
        "detached contact": copy["DetachedContactId"],
        "failed job": await _failed_job(api, contact, email),
        "address": email,
        "waiting address": f"new-{email}",
        "phone": phone,
        "blocked address": blocked,
        "access key": api.key_id,
    }
    return Tenant(api, ids, frozenset({*ids.values(), *_words(letter), leaving_email}))


def _words(letter: str) -> list[str]:
    """What a tenant alone may read and nothing can be asked by."""
    names = [f"Tom{letter}", f"Nick{letter}", f"Ann{letter}", f"chat-{letter}", f"night@{letter}.example.com"]
    return [*names, _subject(letter), _wish(letter), f"token-{letter}"]


def _subject(letter: str) -> str:
    return f"Maintenance of {letter}{letter}{letter}"


def _wish(letter: str) -> str:
    return f"Bill of {letter}{letter}{letter}"


async def _messages(api: Api, letter: str, folder: str, empty_folder: str, email: str) -> dict[str, str]:
    """A message that arrived and came back, one that nobody got, and what people said and set about messages."""
    wording = {"MessageType": "SecurityMessage", "Subject": _subject(letter)}
    await publish(api, empty_folder, **wording)
    await api.work()
    (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
    message = await publish(api, folder, **wording, ClientToken=f"client-{letter}")
    await api.work()
    (delivery,) = [each for each in await deliveries(api, message) if each["Address"] == email]
    link = (await preference_links(api, email))[f"Tom{letter}"].rpartition("/")[2]
    pages, bounces = api.service.recipients.preferences, api.service.recipients.bounces
    wanted = Choice(wanted=frozenset({MessageType.SECURITY_MESSAGE}), quiet=None, language="en")
    await pages.choose(link, wanted, "198.51.100.4")
    await pages.ask_to_hand_over(link, _wish(letter), "198.51.100.4")
    (hand_over,) = (await api.call("ListHandOvers", OURS))["HandOvers"]
    kept = await api.service.storage.messages.delivery(api.account_id, delivery["DeliveryId"])
    assert kept is not None
    await bounces.answered(kept, Outcome(Verdict.NEVER, "mailbox-unknown", status="5.1.1"))
    assert (await api.call("ListSuspensions", OURS))["Suspensions"]
    await api.call("SetFallbackAddress", OURS, EmailAddress=f"duty@{letter}.example.com")
    await api.work()
    code = await api.code_sent_to(f"duty@{letter}.example.com")
    await api.call("ConfirmFallbackAddress", OURS, Code=code)
    await api.call("SetFallbackAddress", OURS, EmailAddress=f"night@{letter}.example.com")
    return {
        "message": message,
        "client token": f"client-{letter}",
        "delivery": delivery["DeliveryId"],
        "incident": incident["IncidentId"],
        "hand-over": hand_over["HandOverId"],
        "fallback address": f"duty@{letter}.example.com",
        "webhook": await _webhook(api, letter, folder),
    }


async def _webhook(api: Api, letter: str, folder: str) -> str:
    """A webhook in force whose next address waits for its code."""
    url = f"https://oapi.dingtalk.com/robot/send?access_token=token-{letter}"
    made = await api.call(
        "CreateWebhook",
        OURS,
        Name=f"chat-{letter}",
        Form="DingTalk",
        Url=url,
        MessageTypes=["SecurityMessage"],
        Members=[folder],
    )
    webhook_id: str = made["Webhook"]["WebhookId"]
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()
    await api.call("ConfirmWebhook", OURS, WebhookId=webhook_id, Code=await api.code_sent_to(webhook_id))
    await api.call("UpdateWebhook", OURS, WebhookId=webhook_id, Url=f"{url}-next")
    await api.call("SendVerificationForWebhook", OURS, WebhookId=webhook_id)
    await api.work()
    return webhook_id


async def _users(api: Api, letter: str) -> dict[str, str]:
    """Two users and two policies, one of each in use; what the user in use was once refused."""
    for name in (f"user-{letter}", f"leaver-{letter}"):
        await api.call("CreateUser", RAM, UserName=name)
    user_id = (await api.call("GetUser", RAM, UserName=f"user-{letter}"))["User"]["UserId"]
    for name in (f"policy-{letter}", f"spare-{letter}"):
        await api.call("CreatePolicy", RAM, PolicyName=name, PolicyDocument=DOCUMENT)
        await api.call("CreatePolicyVersion", RAM, PolicyName=name, PolicyDocument=DOCUMENT)
    attached = {"PolicyName": f"policy-{letter}", "PolicyType": "Custom", "UserName": f"user-{letter}"}
    await api.call("AttachPolicyToUser", RAM, **attached)
    key = (await api.call("CreateAccessKey", RAM, UserName=f"user-{letter}"))["AccessKey"]
    user = replace(api, key_id=key["AccessKeyId"], secret=key["AccessKeySecret"])
    _, refused = await user.error("CreateFolder", FolderName="forbidden")
    return {
        "user": f"user-{letter}",
        "user id": user_id,
        "user without anything": f"leaver-{letter}",
        "user's key": key["AccessKeyId"],
        "policy": f"policy-{letter}",
        "policy without users": f"spare-{letter}",
        "diagnostic message": refused["AccessDeniedDetail"]["EncodedDiagnosticMessage"],
    }


def rows_of(path: Path, account_id: str) -> dict[str, list[Any]]:
    """Every row of a tenant, by table."""
    connection = apsw.Connection(str(path))
    try:
        tables = connection.execute(
            "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'account_id'"
            " WHERE m.type = 'table' ORDER BY m.name"
        ).fetchall()
        return {
            table: sorted(
                connection.execute(f'SELECT * FROM "{table}" WHERE account_id = ?', (account_id,)).fetchall(), key=repr
            )
            for (table,) in tables
        }
    finally:
        connection.close()


async def _confirm(api: Api, contact_id: str, email: str) -> None:
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=email)
    await api.work()
    await api.service.verification.confirm(await api.token_sent_to(email), Visitor("198.51.100.4", ""))


async def _failed_job(api: Api, contact_id: str, email: str) -> str:
    """Work that was given up: the sending of a changed address's verification."""
    changed = f"new-{email}"
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress=changed)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=changed)
    outbox, now = api.service.storage.outbox, api.clock.now()
    (job,) = await outbox.claim("email", "test", now=now, until=Instant(now + 60_000), limit=10)
    await outbox.settle("test", [Settlement(job, Fate.DEAD, now, "mailbox-unknown")])
    return job.job_id
