"""A person who left traces everywhere, for tests of what privacy finds and takes away."""

from __future__ import annotations

from dataclasses import dataclass

from message_contacts.verification.challenge import PageState, Visitor
from tests.api.directory_tree import make_cloud_account
from tests.harness import Api

OWN = "2026-11-01"
SEND_EMAIL = "SendEmailVerificationForMessageContact"
SEND_PHONE = "SendPhoneVerificationForMessageContact"

NAME = "Erika"
EMAIL = "erika.mustermann@example.com"
PHONE = "86-13912345678"
REPLACEMENT = "erika.new@example.org"
VISITOR = Visitor("198.51.100.44", "Erikas Browser")
#: What must not be found anywhere once she is erased.
TRACES = (NAME, EMAIL, PHONE, "13912345678", REPLACEMENT, VISITOR.source_address, VISITOR.user_agent)


@dataclass(frozen=True)
class Traces:
    """What the person left."""

    contact_id: str
    #: Secret part of the link to the replacement, which waits.
    token: str


async def leave_traces(api: Api) -> Traces:
    """A contact with a confirmed address, a number that was never confirmed, a refused replacement, and a copy."""
    folder = await api.create_folder("Old")
    member = await api.create_member("Leaving", folder)
    contact_id = await api.add_contact(Name=NAME, EmailAddress=EMAIL, PhoneNumber=PHONE)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=EMAIL)
    await api.call(SEND_PHONE, ContactId=contact_id, PhoneNumber=PHONE)
    await api.work()
    service = api.service.verification
    confirmed = await service.confirm(await api.token_sent_to(EMAIL), VISITOR)
    assert confirmed.state is PageState.CONFIRMED
    await api.call("AssociateMembers", ContactId=contact_id, Members=[folder, member])
    await leave(api, member)
    await api.call("UpdateMessageContact", ContactId=contact_id, EmailAddress=REPLACEMENT)
    await api.call(SEND_EMAIL, ContactId=contact_id, EmailAddress=REPLACEMENT)
    await api.work()
    token = await api.token_sent_to(REPLACEMENT)
    assert (await service.refuse(token, VISITOR)).state is PageState.BLOCKED
    # Asked for, and not sent yet.
    await api.call(SEND_PHONE, ContactId=contact_id, PhoneNumber=PHONE)
    return Traces(contact_id, token)


async def leave(api: Api, member: str) -> None:
    """Have a member leave the directory; it takes copies of its contacts along."""
    await make_cloud_account(api, member)
    await api.call("RemoveCloudAccount", AccountId=member)


async def erase(api: Api, contact_id: str) -> dict[str, int]:
    """Erase a person and return how much that was."""
    erased: dict[str, int] = (await api.call("ErasePerson", OWN, ContactId=contact_id))["Erased"]
    return erased


async def not_known(api: Api, operation: str, contact_id: str) -> bool:
    """Whether an operation answers that nothing is known of a contact."""
    status, body = await api.error(operation, OWN, ContactId=contact_id)
    return (status, body["Code"]) == (404, "EntityNotExists.Contact")
