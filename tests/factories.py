"""Domain values with everything filled in; tests name what matters to them."""

from __future__ import annotations

from typing import Any

from message_contacts.clock import DAY, Instant
from message_contacts.contacts.model import (
    Channel,
    Contact,
    ContactName,
    EmailAddress,
    MessageType,
    PhoneNumber,
    Slot,
    Title,
    Verified,
)
from message_contacts.directory.model import ResourceDirectory
from message_contacts.verification.model import Verification, VerificationState
from tests.fakes.clock import START

ACCOUNT = "1000000000000001"
EMAIL = EmailAddress("tom@example.com")
OTHER_EMAIL = EmailAddress("thomas@example.org")
PHONE = PhoneNumber("86-13900001234")
OTHER_PHONE = PhoneNumber("86-13900005678")
BY_PERSON = Verified(START, captured=False)
FROM_INBOX = Verified(START, captured=True)


def make_contact(**fields: Any) -> Contact:
    """A contact with an unverified e-mail address and no phone."""
    return Contact(
        **{
            "account_id": ACCOUNT,
            "contact_id": "c-0000000000000001",
            "name": ContactName("Tom"),
            "title": Title.CEO,
            "message_types": (MessageType.SECURITY_MESSAGE,),
            "email": Slot(shown=EMAIL),
            "phone": Slot(),
            "created_at": START,
            **fields,
        }
    )


def make_directory(**fields: Any) -> ResourceDirectory:
    """An enabled directory."""
    return ResourceDirectory(
        **{
            "account_id": ACCOUNT,
            "directory_id": "rd-AbCdEf",
            "root_folder_id": "r-AbCdEf",
            "account_name": "platform-team",
            "created_at": START,
            **fields,
        }
    )


def make_verification(**fields: Any) -> Verification:
    """A verification of the contact's e-mail address, sent once, waiting."""
    return Verification(
        **{
            "account_id": ACCOUNT,
            "verification_id": "0123456789",
            "contact_id": "c-0000000000000001",
            "channel": Channel.EMAIL,
            "address": EMAIL.text,
            "generation": 1,
            "state": VerificationState.WAITING,
            "sent_at": START,
            "expires_at": Instant(START + DAY),
            "captured": False,
            **fields,
        }
    )
