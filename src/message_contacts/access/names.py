"""What RAM users and policies may be called.

Source: the vendor's RAM client for Python, 1.3.0, notes on the parameters of CreateUser and CreatePolicy.
"""

from __future__ import annotations

import re

from message_contacts.errors import ErrorDefinition

#: Characters that each kind of text takes, at least one of them.
USER_NAME = re.compile(r"[A-Za-z0-9._-]+")
POLICY_NAME = re.compile(r"[A-Za-z0-9-]+")
#: Any script, but nothing that is not seen: control characters and line breaks.
DISPLAY_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+")
#: Country code and number, e.g. `86-1868888****`.
MOBILE_PHONE = re.compile(r"[0-9]{1,4}-[0-9]{5,20}")
EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,189}")
VERSION_ID = re.compile(r"v[1-9][0-9]{0,9}")

USER_NAME_LENGTH = 64
DISPLAY_NAME_LENGTH = 128
COMMENTS_LENGTH = 128
POLICY_NAME_LENGTH = 128
DESCRIPTION_LENGTH = 1024
DOCUMENT_LENGTH = 6144


def named(
    text: str, characters: re.Pattern[str], longest: int, *, invalid: ErrorDefinition, too_long: ErrorDefinition
) -> str:
    """The text, if it is a name of that kind. Raises: `invalid`, `too_long`."""
    if not characters.fullmatch(text):
        raise invalid()
    return bounded(text, longest, too_long)


def formed(text: str, form: re.Pattern[str], invalid: ErrorDefinition) -> str:
    """The text, if it has that form. Raises: `invalid`."""
    if not form.fullmatch(text):
        raise invalid()
    return text


def bounded(text: str, longest: int, too_long: ErrorDefinition) -> str:
    """The text, if it has at most so many characters. Raises: `too_long`."""
    if len(text) > longest:
        raise too_long(length=len(text))
    return text
