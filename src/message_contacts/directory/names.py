"""What folders and members may be called.

Source: contract/operations.json (CreateFolder, CreateResourceAccount, EnableResourceDirectory). The English pages allow
letters, digits and a few signs; the Chinese ones Chinese characters too, which are accepted.
"""

from __future__ import annotations

import re

from message_contacts import errors

_FOLDER_NAME = re.compile(r"[0-9A-Za-z_.\-\u4e00-\u9fff]*")
_FOLDER_NAME_LENGTHS = range(1, 25)
_DISPLAY_NAME = re.compile(r"[0-9A-Za-z_.\- \u4e00-\u9fff]*")
_DISPLAY_NAME_LENGTHS = range(2, 51)
#: Letters and digits, single `_`, `.` or `-` between them.
_LOGIN_PREFIX = re.compile(r"[0-9A-Za-z]+(?:[_.\-][0-9A-Za-z]+)*")
_ACCOUNT_NAME_PREFIX_LENGTHS = range(2, 38)
_MANAGEMENT_ACCOUNT_PREFIX_LENGTHS = range(2, 51)
_MANAGEMENT_ACCOUNT_DOMAIN = "rdadmin.aliyunid.com"


def parse_folder_name(text: str) -> str:
    """A folder's name: 1 to 24 characters.

    Raises: INVALID_PARAMETER_FOLDER_NAME, INVALID_PARAMETER_FOLDER_NAME_LENGTH.
    """
    if not _FOLDER_NAME.fullmatch(text):
        raise errors.INVALID_PARAMETER_FOLDER_NAME()
    if len(text) not in _FOLDER_NAME_LENGTHS:
        raise errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH(length=len(text))
    return text


def parse_display_name(text: str) -> str:
    """The name a member is shown under: 2 to 50 characters.

    Raises: INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME, INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH.
    """
    if not _DISPLAY_NAME.fullmatch(text):
        raise errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME()
    if len(text) not in _DISPLAY_NAME_LENGTHS:
        raise errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH(length=len(text))
    return text


def parse_account_name_prefix(text: str) -> str:
    """The part of a member's login name before the `@`: 2 to 37 characters.

    Raises: INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX, INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH.
    """
    if not _LOGIN_PREFIX.fullmatch(text):
        raise errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX()
    if len(text) not in _ACCOUNT_NAME_PREFIX_LENGTHS:
        raise errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH(length=len(text))
    return text


def account_name(prefix: str, directory_id: str) -> str:
    """A member's login name: `alice@rd-3g1a2b.aliyunid.com`, the directory's id in lower case."""
    return f"{prefix}@{directory_id.lower()}.aliyunid.com"


def is_management_account_name(text: str) -> bool:
    """Whether it could be the name of a management account made for a directory: `user01@rdadmin.aliyunid.com`."""
    prefix, _, domain = text.partition("@")
    return (
        domain == _MANAGEMENT_ACCOUNT_DOMAIN
        and len(prefix) in _MANAGEMENT_ACCOUNT_PREFIX_LENGTHS
        and _LOGIN_PREFIX.fullmatch(prefix) is not None
    )
