"""Turning an account into the management account of a directory. For the end of one see `contacts.dissolution`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from message_contacts import errors
from message_contacts.changes import Decision, Insert
from message_contacts.clock import Instant
from message_contacts.directory import names
from message_contacts.directory.model import ROOT_NAME, Folder, ResourceDirectory

_SECURE_PHONE = re.compile(r"[0-9]{1,4}-[0-9]{4,20}")


class EnableMode(StrEnum):
    CURRENT_ACCOUNT = "CurrentAccount"
    NEW_MANAGEMENT_ACCOUNT = "NewManagementAccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the calling account is."""

    #: Its enabled directory.
    directory: ResourceDirectory | None
    #: Login name of a management account; None for a member, or for one that was.
    account_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewManagementAccount:
    """The account that would be made to manage the directory."""

    name: str | None
    #: `<country code>-<number>`.
    secure_phone: str | None


def enable(
    standing: Standing,
    *,
    account_id: str,
    directory_id: str,
    root_folder_id: str,
    new_management_account: NewManagementAccount | None,
    now: Instant,
) -> Decision[ResourceDirectory]:
    """An enabled directory with its Root folder, managed by the calling account.

    A new management account is never made: nobody here sends the code it would need, so every code is wrong.

    Raises: INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME, INVALID_PARAMETER_MANAGEMENT_ACCOUNT_SECURITY_INFO,
        NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY for an account that is no management account,
        ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY, INVALID_VERIFICATION_CODE.
    """
    if new_management_account is not None:
        _check_form(new_management_account)
    if standing.account_name is None:
        raise errors.NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY(account_id=account_id)
    if standing.directory is not None:
        raise errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY(directory_id=standing.directory.directory_id)
    if new_management_account is not None:
        raise errors.INVALID_VERIFICATION_CODE()
    directory = ResourceDirectory(
        account_id=account_id,
        directory_id=directory_id,
        root_folder_id=root_folder_id,
        account_name=standing.account_name,
        created_at=now,
    )
    root = Folder(account_id=account_id, folder_id=root_folder_id, parent_id=None, name=ROOT_NAME, created_at=now)
    return Decision((Insert(directory), Insert(root)), directory)


def _check_form(account: NewManagementAccount) -> None:
    if account.name is None or not names.is_management_account_name(account.name):
        raise errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME()
    if account.secure_phone is not None and not _SECURE_PHONE.fullmatch(account.secure_phone):
        raise errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_SECURITY_INFO()
