"""What the tests of the directory operations share."""

from __future__ import annotations

from typing import Any

from message_contacts.verification.challenge import PageState, Visitor
from tests.harness import Api

#: `tests.fakes.clock.START` as the directory shows it.
NOW = "2026-11-21T08:00:00.000Z"
#: Well-formed, and nobody's.
NO_FOLDER = "fd-zzzzzzzzzz"
NO_MEMBER = "1999999999999999"
STRANGER = "1000000000000077"


async def directory_of(api: Api) -> dict[str, Any]:
    """The tenant's directory as GetResourceDirectory shows it."""
    shown: dict[str, Any] = (await api.call("GetResourceDirectory"))["ResourceDirectory"]
    return shown


async def account_without_directory(api: Api) -> Api:
    """A management account of the same service that has not enabled a directory."""
    await api.service.administration.create_account("stranger", account_id=STRANGER)
    return await api.as_account(STRANGER)


async def chain(api: Api, levels: int) -> list[str]:
    """Ids of so many folders, each in the one before, the first in Root."""
    folder_ids: list[str] = []
    for level in range(1, levels + 1):
        folder_ids.append(await api.create_folder(f"level{level}", folder_ids[-1] if folder_ids else None))
    return folder_ids


async def make_cloud_account(api: Api, member_id: str) -> None:
    """Switch a member to the type that can be removed."""
    await api.call("UpdateAccount", AccountId=member_id, NewAccountType="CloudAccount")


async def verified_contact(api: Api, name: str, *bound_to: str) -> str:
    """A contact whose e-mail address its owner has confirmed, bound to these objects."""
    email = f"{name.lower()}@example.com"
    contact_id = await api.add_contact(Name=name, EmailAddress=email)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=email)
    await api.work()
    view = await api.service.verification.confirm(await api.token_sent_to(email), Visitor("198.51.100.4", "Browser"))
    assert view.state is PageState.CONFIRMED
    if bound_to:
        await api.call("AssociateMembers", ContactId=contact_id, Members=list(bound_to))
    return contact_id


async def copies_naming(api: Api, *node_ids: str) -> list[str]:
    """Names of the contacts of which detached copies name any of these objects, oldest first."""
    found = await api.service.storage.contacts.detached_contacts(api.account_id, node_ids)
    return [copy.name.text for copy in found]
