"""One call of each changing operation that changes something, and what its audit event is about.

Each entry prepares a fresh tenant and says what to call and which id the event must name; `None` as the id stands for
one that only the answer tells.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from message_contacts.clock import Instant
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.delivery.outcome import Outcome, Verdict
from message_contacts.verification.challenge import Visitor
from tests.api.publishing import OURS, deliveries, publish
from tests.api.ram_users import RAM, policy_document, statement, user_id
from tests.api.recipients import preference_links
from tests.harness import Api

EMAIL = "tom.mustermann@example.com"
OTHER_EMAIL = "thomas.mustermann@example.org"
PHONE = "86-13900001234"
NAME = "Mustermann"
DUTY = "duty@example.net"
WISH = "Ann Muster should get them"
NOTE = "Told Tom Muster by phone"
SUBJECT = "Maintenance of the shop"
URL_SECRET = "secret-of-the-robot"
VISITOR = Visitor("198.51.100.4", "Mosaic of the person")
POLICY = policy_document(statement("Allow", "resourcemanager:Get*"))
NEW_CONTACT = {"Name": NAME, "EmailAddress": EMAIL, "Title": "CEO", "MessageTypes": ["SecurityMessage"]}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A call that will change something."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: Id that the event names; None: known afterwards only.
    target: str | None = None
    #: Who calls, if not the tenant prepared.
    api: Api | None = None


Preparation = Callable[[Api], Awaitable[Asked]]
CHANGING: dict[str, Preparation] = {}


def changing(*operations: str) -> Callable[[Preparation], Preparation]:
    """Register the decorated function for operations."""

    def register(preparation: Preparation) -> Preparation:
        for operation in operations:
            CHANGING[operation] = preparation
        return preparation

    return register


async def contact(api: Api) -> str:
    """A contact with an e-mail address and a number."""
    return await api.add_contact(Name=NAME, EmailAddress=EMAIL, PhoneNumber=PHONE)


async def confirmed_contact(api: Api) -> str:
    """The same, its e-mail address confirmed."""
    contact_id = await contact(api)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    await api.service.verification.confirm(await api.token_sent_to(EMAIL), VISITOR)
    return contact_id


async def bare_account(api: Api) -> Api:
    """A tenant without a directory."""
    account = await api.service.administration.create_account("bare", account_id="1000000000000007")
    return await api.as_account(account.account_id)


@changing("AddMessageContact")
async def add(_api: Api) -> Asked:
    return Asked(parameters={**NEW_CONTACT, "PhoneNumber": PHONE})


@changing("UpdateMessageContact")
async def update(api: Api) -> Asked:
    contact_id = await confirmed_contact(api)
    return Asked(parameters={"ContactId": contact_id, "EmailAddress": OTHER_EMAIL, "Title": "Other"}, target=contact_id)


@changing("CancelMessageContactUpdate")
async def cancel(api: Api) -> Asked:
    asked = await update(api)
    await api.call("UpdateMessageContact", **asked.parameters)
    return Asked(
        parameters={"ContactId": asked.parameters["ContactId"], "EmailAddress": OTHER_EMAIL}, target=asked.target
    )


@changing("DeleteMessageContact", "ErasePerson")
async def delete(api: Api) -> Asked:
    contact_id = await confirmed_contact(api)
    return Asked(parameters={"ContactId": contact_id}, target=contact_id)


@changing("AssociateMembers")
async def bind(api: Api) -> Asked:
    contact_id, folder = await contact(api), await api.create_folder("Finance")
    return Asked(parameters={"ContactId": contact_id, "Members": [folder]}, target=contact_id)


@changing("DisassociateMembers")
async def unbind(api: Api) -> Asked:
    asked = await bind(api)
    await api.call("AssociateMembers", **asked.parameters)
    return asked


@changing("SendEmailVerificationForMessageContact")
async def send_mail(api: Api) -> Asked:
    contact_id = await contact(api)
    return Asked(parameters={"ContactId": contact_id, "EmailAddress": EMAIL}, target=contact_id)


@changing("SendPhoneVerificationForMessageContact")
async def send_text(api: Api) -> Asked:
    contact_id = await contact(api)
    return Asked(parameters={"ContactId": contact_id, "PhoneNumber": PHONE}, target=contact_id)


@changing("EnableResourceDirectory", "InitResourceDirectory")
async def enable(api: Api) -> Asked:
    return Asked(parameters={"EnableMode": "CurrentAccount"}, api=await bare_account(api))


@changing("DestroyResourceDirectory")
async def destroy(api: Api) -> Asked:
    await contact(api)
    directory = (await api.call("GetResourceDirectory"))["ResourceDirectory"]["ResourceDirectoryId"]
    return Asked(target=directory)


@changing("CreateFolder")
async def create_folder(_api: Api) -> Asked:
    return Asked(parameters={"FolderName": "Finance"})


@changing("UpdateFolder")
async def rename_folder(api: Api) -> Asked:
    folder = await api.create_folder("Finance")
    return Asked(parameters={"FolderId": folder, "NewFolderName": "Money"}, target=folder)


@changing("DeleteFolder")
async def delete_folder(api: Api) -> Asked:
    folder = await api.create_folder("Finance")
    await api.call("AssociateMembers", ContactId=await contact(api), Members=[folder])
    return Asked(parameters={"FolderId": folder}, target=folder)


@changing("CreateResourceAccount")
async def create_member(_api: Api) -> Asked:
    return Asked(parameters={"DisplayName": "Dev"})


@changing("UpdateAccount")
async def rename_member(api: Api) -> Asked:
    member = await api.create_member("Dev")
    return Asked(parameters={"AccountId": member, "NewDisplayName": "Development"}, target=member)


@changing("MoveAccount")
async def move(api: Api) -> Asked:
    member, folder = await api.create_member("Dev"), await api.create_folder("Finance")
    return Asked(parameters={"AccountId": member, "DestinationFolderId": folder}, target=member)


@changing("RemoveCloudAccount")
async def remove(api: Api) -> Asked:
    member = await api.create_member("Dev")
    await api.call("AssociateMembers", ContactId=await confirmed_contact(api), Members=[member])
    await api.call("UpdateAccount", AccountId=member, NewAccountType="CloudAccount")
    return Asked(parameters={"AccountId": member}, target=member)


@changing("DeleteAccount")
async def delete_member(api: Api) -> Asked:
    member = await api.create_member("Dev")
    await api.call("AssociateMembers", ContactId=await confirmed_contact(api), Members=[member])
    return Asked(parameters={"AccountId": member}, target=member)


@changing("TagResources")
async def tag(api: Api) -> Asked:
    member = await api.create_member("Dev")
    given = {"ResourceType": "Account", "ResourceId": [member], "Tag": [{"Key": "team", "Value": "a"}]}
    return Asked(parameters=given, target=member)


@changing("UntagResources")
async def untag(api: Api) -> Asked:
    asked = await tag(api)
    await api.call("TagResources", **asked.parameters)
    return Asked(parameters={**asked.parameters, "All": "true"}, target=asked.target)


@changing("DeleteDetachedContact")
async def delete_copy(api: Api) -> Asked:
    contact_id, folder = await confirmed_contact(api), await api.create_folder("Finance")
    await api.call("AssociateMembers", ContactId=contact_id, Members=[folder])
    await api.call("DeleteMessageContact", ContactId=contact_id, RetainContactInMembers="true")
    (copy,) = (await api.call("ListDetachedContacts", "2026-11-01"))["DetachedContacts"]
    return Asked(parameters={"DetachedContactId": copy["DetachedContactId"]}, target=copy["DetachedContactId"])


@changing("DeleteVerificationBlock")
async def lift_block(api: Api) -> Asked:
    contact_id = await contact(api)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    await api.work()
    token = await api.token_sent_to(EMAIL)
    await api.service.verification.refuse(token, VISITOR)
    return Asked(parameters={"Channel": "email", "Target": EMAIL}, target=token[:10])


@changing("RetryFailedJob")
async def retry(api: Api) -> Asked:
    contact_id = await contact(api)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=EMAIL)
    outbox, now = api.service.storage.outbox, api.clock.now()
    (job,) = await outbox.claim("email", "test", now=now, until=Instant(now + 60_000), limit=10)
    await outbox.settle("test", [Settlement(job, Fate.DEAD, now, "mailbox-unknown")])
    return Asked(parameters={"JobId": job.job_id}, target=job.job_id)


@changing("PublishMessage")
async def publish_one(api: Api) -> Asked:
    wording = {"MessageType": "FaultMessage", "Subject": SUBJECT, "Text": f"{SUBJECT}: at two."}
    return Asked(parameters={**wording, "Targets": [await api.root_folder()]})


async def published(api: Api) -> str:
    """A message that waits to be worked on."""
    return await publish(api, await api.root_folder(), Subject=SUBJECT)


@changing("CancelMessage")
async def cancel_message(api: Api) -> Asked:
    message_id = await published(api)
    return Asked(parameters={"MessageId": message_id}, target=message_id)


@changing("CloseIncident")
async def close_incident(api: Api) -> Asked:
    await published(api)
    await api.work()
    (incident,) = (await api.call("ListIncidents", OURS))["Incidents"]
    return Asked(parameters={"IncidentId": incident["IncidentId"], "Note": NOTE}, target=incident["IncidentId"])


@changing("SetFallbackAddress")
async def set_fallback(api: Api) -> Asked:
    return Asked(parameters={"EmailAddress": DUTY}, target=api.account_id)


@changing("ConfirmFallbackAddress", "DeleteFallbackAddress")
async def confirm_fallback(api: Api) -> Asked:
    await api.call("SetFallbackAddress", OURS, EmailAddress=DUTY)
    await api.work()
    return Asked(parameters={"Code": await api.code_sent_to(DUTY)}, target=api.account_id)


async def came_back(api: Api) -> str:
    """A delivery to a contact's address that came back, so that the address is suspended."""
    await api.add_verified_contact(
        await api.root_folder(), Name=NAME, EmailAddress=EMAIL, MessageTypes=["FaultMessage"]
    )
    message_id = await published(api)
    await api.work()
    (shown,) = await deliveries(api, message_id)
    delivery = await api.service.storage.messages.delivery(api.account_id, shown["DeliveryId"])
    assert delivery is not None
    await api.service.recipients.bounces.answered(delivery, Outcome(Verdict.NEVER, "unknown", status="5.1.1"))
    return delivery.delivery_id


@changing("DeleteSuspension")
async def lift_suspension(api: Api) -> Asked:
    return Asked(target=await came_back(api), parameters={"Address": EMAIL})


@changing("CloseHandOver")
async def close_hand_over(api: Api) -> Asked:
    link = await preferences_link(api)
    await api.service.recipients.preferences.ask_to_hand_over(link, WISH, VISITOR.source_address)
    (asked,) = (await api.call("ListHandOvers", OURS))["HandOvers"]
    return Asked(target=asked["HandOverId"], parameters={"HandOverId": asked["HandOverId"], "Note": NOTE})


async def preferences_link(api: Api) -> str:
    """The secret part of the link in a message to a contact, to what it wants of messages."""
    await api.add_verified_contact(
        await api.root_folder(), Name=NAME, EmailAddress=EMAIL, MessageTypes=["FaultMessage", "ProductMessage"]
    )
    await published(api)
    await api.work()
    return (await preference_links(api, EMAIL))[NAME].rpartition("/")[2]


@changing("CreateWebhook")
async def create_webhook(api: Api) -> Asked:
    return Asked(
        parameters={
            "Name": "duty chat",
            "Form": "DingTalk",
            "Url": f"https://oapi.dingtalk.com/robot/send?access_token={URL_SECRET}",
            "MessageTypes": ["FaultMessage"],
            "Members": [await api.root_folder()],
        }
    )


@changing("DeleteWebhook", "SendVerificationForWebhook", "UpdateWebhook")
async def webhook(api: Api) -> Asked:
    made = (await api.call("CreateWebhook", OURS, **(await create_webhook(api)).parameters))["Webhook"]
    return Asked(target=made["WebhookId"], parameters={"WebhookId": made["WebhookId"], "Secret": f"SEC{URL_SECRET}"})


@changing("ConfirmWebhook")
async def confirm_webhook(api: Api) -> Asked:
    asked = await webhook(api)
    await api.call("SendVerificationForWebhook", OURS, WebhookId=asked.target)
    await api.work()
    assert asked.target is not None
    code = await api.code_sent_to(asked.target)
    return Asked(target=asked.target, parameters={"WebhookId": asked.target, "Code": code})


@changing("CreateUser")
async def create_user(_api: Api) -> Asked:
    return Asked(
        parameters={
            "UserName": "alice",
            "DisplayName": NAME,
            "Email": EMAIL,
            "MobilePhone": PHONE,
            "Comments": f"Knows {NAME}",
        }
    )


async def user(api: Api) -> str:
    """A RAM user with everything filled in."""
    await api.call("CreateUser", RAM, **(await create_user(api)).parameters)
    return await user_id(api, "alice")


@changing("UpdateUser")
async def update_user(api: Api) -> Asked:
    return Asked(
        target=await user(api), parameters={"UserName": "alice", "NewUserName": "alicia", "NewEmail": OTHER_EMAIL}
    )


@changing("DeleteUser")
async def delete_user(api: Api) -> Asked:
    return Asked(target=await user(api), parameters={"UserName": "alice"})


@changing("CreateAccessKey")
async def create_key(api: Api) -> Asked:
    return Asked(target=await user(api), parameters={"UserName": "alice"})


@changing("DeleteAccessKey")
async def delete_key(api: Api) -> Asked:
    await user(api)
    key = (await api.call("CreateAccessKey", RAM, UserName="alice"))["AccessKey"]["AccessKeyId"]
    return Asked(target=key, parameters={"UserName": "alice", "UserAccessKeyId": key})


@changing("UpdateAccessKey")
async def switch_key(api: Api) -> Asked:
    asked = await delete_key(api)
    return Asked(target=asked.target, parameters={**asked.parameters, "Status": "Inactive"})


@changing("CreatePolicy")
async def create_policy(_api: Api) -> Asked:
    return Asked(target="readers", parameters={"PolicyName": "readers", "PolicyDocument": POLICY})


async def policy(api: Api) -> Mapping[str, Any]:
    """A custom policy with two versions."""
    await api.call("CreatePolicy", RAM, PolicyName="readers", PolicyDocument=POLICY)
    await api.call("CreatePolicyVersion", RAM, PolicyName="readers", PolicyDocument=POLICY)
    return {"PolicyName": "readers"}


@changing("CreatePolicyVersion")
async def create_policy_version(api: Api) -> Asked:
    return Asked(target="readers", parameters={**await policy(api), "PolicyDocument": POLICY})


@changing("DeletePolicy")
async def delete_policy(api: Api) -> Asked:
    await api.call("CreatePolicy", RAM, PolicyName="readers", PolicyDocument=POLICY)
    return Asked(target="readers", parameters={"PolicyName": "readers"})


@changing("DeletePolicyVersion", "SetDefaultPolicyVersion")
async def policy_version(api: Api) -> Asked:
    return Asked(target="readers", parameters={**await policy(api), "VersionId": "v2"})


@changing("UpdatePolicyDescription")
async def describe_policy(api: Api) -> Asked:
    return Asked(target="readers", parameters={**await policy(api), "NewDescription": "For the dashboard"})


@changing("AttachPolicyToUser")
async def attach(api: Api) -> Asked:
    target, named = await user(api), await policy(api)
    return Asked(target=target, parameters={**named, "PolicyType": "Custom", "UserName": "alice"})


@changing("DetachPolicyFromUser")
async def detach(api: Api) -> Asked:
    asked = await attach(api)
    await api.call("AttachPolicyToUser", RAM, **asked.parameters)
    return asked
