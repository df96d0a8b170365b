"""Invented tenants and contacts, the same on every run: who they are follows from their number alone.

So the requests to a database of a million contacts are made without reading it.
"""

from __future__ import annotations

import hashlib
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass

CONTACTS_EACH = 10

#: Prime, and so has no divisor in common with the number of texts of any length.
_STRIDE = 2_305_843_009_213_693_951
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_TITLES = ("FinanceDirector", "TechnicalDirector", "MaintenanceDirector", "CEO", "ProjectDirector", "Other")
_TYPES = ("ServiceMessage", "FaultMessage", "AccountExpenses", "SecurityMessage", "ActivityMessage", "ProductMessage")


def _digits(what: str, number: int, alphabet: str, length: int) -> str:
    value = int.from_bytes(hashlib.blake2b(f"{what} {number}".encode(), digest_size=32).digest(), "big")
    text = []
    for _ in range(length):
        value, digit = divmod(value, len(alphabet))
        text.append(alphabet[digit])
    return "".join(text)


def _scattered(number: int, alphabet: str, length: int) -> str:
    """Another text for every number, as long as there are texts of that length left, and in no order to be seen."""
    value = number * _STRIDE % len(alphabet) ** length
    text = []
    for _ in range(length):
        value, digit = divmod(value, len(alphabet))
        text.append(alphabet[digit])
    return "".join(text)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A management account with an enabled directory, one access key, one member and `CONTACTS_EACH` contacts."""

    number: int

    @property
    def account_id(self) -> str:
        return "1" + _digits("account", self.number, string.digits, 15)

    @property
    def directory_id(self) -> str:
        # Unique among all tenants: drawn at random, a million of them would meet.
        return "rd-" + _scattered(self.number, _BASE62, 6)

    @property
    def root_folder_id(self) -> str:
        return "r-" + _digits("root", self.number, _BASE62, 6)

    @property
    def member_id(self) -> str:
        return "2" + _digits("member", self.number, string.digits, 15)

    @property
    def access_key_id(self) -> str:
        return "LTAI" + _digits("key", self.number, _BASE62, 20)

    @property
    def secret(self) -> str:
        return _digits("secret", self.number, _BASE62, 30)

    def contact_id(self, number: int) -> str:
        """Of the contact with this number, from 0 to CONTACTS_EACH - 1."""
        return "c-" + _digits("contact", self.number * CONTACTS_EACH + number, _BASE62, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a contact is made of."""

    name: str
    email_address: str
    phone_number: str
    title: str
    message_types: tuple[str, ...]

    def pairs(self) -> list[tuple[str, str]]:
        """As parameters of AddMessageContact."""
        return [
            ("Name", self.name),
            ("EmailAddress", self.email_address),
            ("PhoneNumber", self.phone_number),
            ("Title", self.title),
            *((f"MessageTypes.{number}", each) for number, each in enumerate(self.message_types, start=1)),
        ]


class People:
    """Draws people. Names have 2 to 12 letters, English or Chinese, and never occur twice in one tenant.

    Args:
        newcomers: Whether these are to be added to a prepared database; no newcomer has a name that is in it.
    """

    def __init__(self, seed: str, *, newcomers: bool) -> None:
        self._random = random.Random(seed)
        self._parity = int(newcomers)
        self._taken: set[tuple[int, str]] = set()

    def draw(self, tenant: int) -> Person:
        """Somebody whose name is new in this tenant."""
        draw = self._random.random
        while True:
            name = self._name()
            if (tenant, name) not in self._taken:
                break
        self._taken.add((tenant, name))
        first = int(draw() * len(_TYPES))
        return Person(
            name=name,
            email_address=f"{_BASE62[int(draw() * 62)].lower()}{int(draw() * 10**9)}@example.com",
            phone_number=f"86-13{int(draw() * 10**9):09d}",
            title=_TITLES[int(draw() * len(_TITLES))],
            message_types=tuple(_TYPES[(first + step) % len(_TYPES)] for step in range(1 + int(draw() * 3))),
        )

    def _name(self) -> str:
        draw = self._random.random
        length = 2 + int(draw() * 11)
        if draw() < 0.5:
            codes = [ord(_BASE62[10 + int(draw() * 52)]) for _ in range(length)]
        else:
            codes = [0x4E00 + int(draw() * 0x51A0) for _ in range(length)]
        # The sum of its letters' codes, even or odd, tells the two kinds of people apart.
        if sum(codes) % 2 != self._parity:
            last = codes[-1]
            codes[-1] = last + 1 if chr(last) not in "Zz" else last - 1
        return "".join(map(chr, codes))


def tenants(count: int) -> Iterator[Tenant]:
    """The tenants of a database with that many."""
    return (Tenant(number) for number in range(count))
