"""A contact and the form of its fields.

Source: contract/behaviour.md sections 1 to 4, contract/operations.json (AddMessageContact).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Self, TypeVar

from message_contacts import errors
from message_contacts.clock import Instant
from message_contacts.quick import quickly_made

CONTACT_ID = re.compile(r"c-[0-9A-Za-z]{1,64}")
_NAME_LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]*")
_NAME_LENGTHS = range(2, 13)
_EMAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9+_.\-]+@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)+"
)
_EMAIL_MAX_LENGTH = 254
_PHONE_NUMBER = re.compile(r"([0-9]{1,4})-([0-9]{4,20})")
_MAINLAND_MOBILE = re.compile(r"1[3-9][0-9]{9}")
MAX_BINDINGS = 10


class Title(StrEnum):
    FINANCE_DIRECTOR = "FinanceDirector"
    TECHNICAL_DIRECTOR = "TechnicalDirector"
    MAINTENANCE_DIRECTOR = "MaintenanceDirector"
    CEO = "CEO"
    PROJECT_DIRECTOR = "ProjectDirector"
    OTHER = "Other"


class MessageType(StrEnum):
    SERVICE_MESSAGE = "ServiceMessage"
    FAULT_MESSAGE = "FaultMessage"
    ACCOUNT_EXPENSES = "AccountExpenses"
    SECURITY_MESSAGE = "SecurityMessage"
    ACTIVITY_MESSAGE = "ActivityMessage"
    PRODUCT_MESSAGE = "ProductMessage"


class Channel(StrEnum):
    """A way to reach people; also the queue in which messages for it wait."""

    EMAIL = "email"
    SMS = "sms"
    #: A group chat or program, which is no contact's address.
    WEBHOOK = "webhook"


#: The two kinds of address a contact has.
CONTACT_CHANNELS = (Channel.EMAIL, Channel.SMS)
# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_EMAIL, _SMS = CONTACT_CHANNELS


class Status(StrEnum):
    VERIFYING = "Verifying"
    ACTIVE = "Active"
    DELETING = "Deleting"


_VERIFYING = Status.VERIFYING
_ACTIVE = Status.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRules:
    """What the operator may set about contacts."""

    contacts_per_directory: int = 20
    phone_country_codes: frozenset[str] = frozenset({"86"})
    #: Channels on which a verification confirmed from the captured inbox counts: those that are captured now.
    captured_counts: frozenset[Channel] = field(default_factory=frozenset)


@quickly_made
@dataclass(frozen=True, slots=True)
class ContactName:
    """A contact's name: 2 to 12 letters, English or Chinese; compared exactly."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: INVALID_PARAMETER_NAME, INVALID_PARAMETER_NAME_LENGTH."""
        if not _NAME_LETTERS.fullmatch(text):
            raise errors.INVALID_PARAMETER_NAME()
        if len(text) not in _NAME_LENGTHS:
            raise errors.INVALID_PARAMETER_NAME_LENGTH(length=len(text))
        return cls(text)

    def __repr__(self) -> str:
        """Masked, as addresses are: names are personal as well."""
        return f"ContactName('{self.text[:1]}***')"


@quickly_made
@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An e-mail address, kept as given and compared without regard to case."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: INVALID_PARAMETER_EMAIL_ADDRESS, INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH."""
        if not _EMAIL_ADDRESS.fullmatch(text):
            raise errors.INVALID_PARAMETER_EMAIL_ADDRESS()
        if len(text) > _EMAIL_MAX_LENGTH:
            raise errors.INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH(length=len(text))
        return cls(text)

    @property
    def key(self) -> str:
        """The form in which two addresses are compared."""
        return self.text.lower()

    def masked(self) -> str:
        """For logs: first letter and domain, e.g. `t***@example.com`."""
        return self.text[0] + "***@" + self.text.rpartition("@")[2]

    def __repr__(self) -> str:
        """Masked: what shows a value by accident, a log or a trace, must not show an address."""
        return f"EmailAddress({self.masked()!r})"


@quickly_made
@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A mobile number, `<country code>-<number>`."""

    text: str

    @classmethod
    def parse(cls, text: str, country_codes: frozenset[str]) -> Self:
        """Read a number of one of the allowed country codes.

        Raises: INVALID_PARAMETER_PHONE_NUMBER, INVALID_PARAMETER_MOBILE_COUNTRY_CODE.
        """
        parts = _PHONE_NUMBER.fullmatch(text)
        if parts is None:
            raise errors.INVALID_PARAMETER_PHONE_NUMBER()
        country_code, number = parts.groups()
        if country_code not in country_codes:
            raise errors.INVALID_PARAMETER_MOBILE_COUNTRY_CODE(country_code=country_code)
        if country_code == "86" and not _MAINLAND_MOBILE.fullmatch(number):
            raise errors.INVALID_PARAMETER_PHONE_NUMBER()
        return cls(text)

    @property
    def key(self) -> str:
        """The form in which two numbers are compared."""
        return self.text

    def masked(self) -> str:
        """For logs: country code and the last two digits, e.g. `86-***34`."""
        country_code, _, number = self.text.partition("-")
        return f"{country_code}-***{number[-2:]}"

    def __repr__(self) -> str:
        """Masked: what shows a value by accident, a log or a trace, must not show an address."""
        return f"PhoneNumber({self.masked()!r})"


Address = EmailAddress | PhoneNumber
A = TypeVar("A", EmailAddress, PhoneNumber)


@quickly_made
@dataclass(frozen=True, slots=True)
class Verified:
    """That a person confirmed an address."""

    at: Instant
    #: Confirmed from the captured inbox: counts only while the channel is captured.
    captured: bool


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(Generic[A]):
    """One kind of address of a contact: what is shown, and what may replace it."""

    #: The address that Get and List return; None when the slot is empty (only the phone's can be).
    shown: A | None = None
    #: How the shown address was confirmed; None when it was not.
    verified: Verified | None = None
    #: A replacement that is not confirmed yet; only beside a shown address that was confirmed.
    waiting: A | None = None
    #: Public id of the verification last sent for the pending address; None before the first.
    verification_id: str | None = None
    #: The shown address was put into an empty slot by an update and never confirmed: cancelling the update empties it.
    added_by_update: bool = False

    def in_force(self, *, captured_counts: bool) -> bool:
        """Whether the shown address gets messages."""
        return self.verified is not None and (captured_counts or not self.verified.captured)

    def pending(self, *, captured_counts: bool) -> A | None:
        """The address that waits for its owner to confirm it, if any."""
        if self.waiting is not None:
            return self.waiting
        return None if self.in_force(captured_counts=captured_counts) else self.shown


@quickly_made
@dataclass(frozen=True, slots=True)
class Binding:
    """A contact's tie to one object of the tree."""

    #: Directory, folder or member id, as given by the caller.
    node_id: str
    bound_at: Instant


@dataclass(frozen=True, slots=True)
class WithdrawalFailure:
    """A member in which a contact could not be withdrawn, and the types it still gets there."""

    member_id: str
    message_types: tuple[MessageType, ...]


class DeletionState(StrEnum):
    DELETING = "Deleting"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deletion with RetainContactInMembers=false: running, or failed for some members."""

    state: DeletionState
    failures: tuple[WithdrawalFailure, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person whom an organisation wants to reach."""

    account_id: str
    contact_id: str
    name: ContactName
    title: Title
    #: In the order given; no duplicates.
    message_types: tuple[MessageType, ...]
    email: Slot[EmailAddress]
    phone: Slot[PhoneNumber]
    created_at: Instant
    #: Direct bindings, oldest first.
    bindings: tuple[Binding, ...] = ()
    deletion: Deletion | None = None
    version: int = 1

    def status(self, rules: ContactRules) -> Status:
        """Worked out from the rest: behaviour.md section 4."""
        if self.deleting:
            return Status.DELETING
        for channel, slot in ((_EMAIL, self.email), (_SMS, self.phone)):
            if slot.shown is None:
                continue
            # `slot.in_force`, the channel looked for only where it matters.
            verified = slot.verified
            if verified is None or (verified.captured and channel not in rules.captured_counts):
                return _VERIFYING
        return _ACTIVE

    def slot(self, channel: Channel) -> Slot[EmailAddress] | Slot[PhoneNumber]:
        """The address slot of that channel."""
        return self.email if channel is Channel.EMAIL else self.phone

    def pending_addresses(self, rules: ContactRules) -> list[Address]:
        """The addresses that wait to be confirmed, e-mail before phone; none while a deletion runs."""
        if self.deleting:
            return []
        email = self.email.pending(captured_counts=Channel.EMAIL in rules.captured_counts)
        phone = self.phone.pending(captured_counts=Channel.SMS in rules.captured_counts)
        return [address for address in (email, phone) if address is not None]

    @property
    def deleting(self) -> bool:
        """Whether a deletion is running; then the contact can only be read."""
        return self.deletion is not None and self.deletion.state is DeletionState.DELETING


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedContact:
    """What members keep of a contact that was deleted, or that they left behind: behaviour.md section 7."""

    account_id: str
    detached_id: str
    #: The contact it was.
    contact_id: str
    name: ContactName
    title: Title
    message_types: tuple[MessageType, ...]
    #: Verified addresses of that moment; None where there was none.
    email: EmailAddress | None
    email_captured: bool
    phone: PhoneNumber | None
    phone_captured: bool
    #: Directory, folders and members whose members of that moment keep the copy.
    node_ids: tuple[str, ...]
    detached_at: Instant
    version: int = 1
