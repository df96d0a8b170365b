"""Contacts whose addresses their owners confirmed, for tests in a browser."""

from __future__ import annotations

import re
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.browser.conftest import Tenant

_LINK = re.compile(r"https?://\S+/verify/\S+")


def verified_contact(tenant: Tenant, name: str, email: str, *nodes: str, types: list[str]) -> str:
    """Add a contact, open the link of its mail, press the button there, and bind it; its id."""
    contact: str = tenant.call("AddMessageContact", Name=name, EmailAddress=email, Title="CEO", MessageTypes=types)[
        "Contact"
    ]["ContactId"]
    tenant.call("SendEmailVerificationForMessageContact", ContactId=contact, EmailAddress=email)
    (mail,) = tenant.call("ListInboxMessages", "2026-11-01", Recipient=email, WaitSeconds=20)["Messages"]
    found = _LINK.search(mail["Text"])
    assert found is not None
    with urlopen(Request(found[0], data=urlencode({"action": "confirm"}).encode(), method="POST")) as answer:
        assert answer.status == 200
    if nodes:
        tenant.call("AssociateMembers", ContactId=contact, Members=list(nodes))
    return contact
