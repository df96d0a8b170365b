"""Directory, folders and members, and the form of their names and ids.

Source: contract/operations.json (directory operations), contract/behaviour.md section 13.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from message_contacts.clock import Instant
from message_contacts.quick import quickly_made

#: Folder levels below Root.
MAX_DEPTH = 5
ROOT_NAME = "root"

FOLDER_ID = re.compile(r"(?:r|fd)-[0-9A-Za-z]{1,64}")
DIRECTORY_ID = re.compile(r"rd-[0-9A-Za-z]{1,64}")
ACCOUNT_ID = re.compile(r"[0-9]{16}")

Tags = tuple[tuple[str, str], ...]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDirectory:
    """The directory of one management account."""

    #: The management account; names the tenant.
    account_id: str
    directory_id: str
    root_folder_id: str
    #: Login name of the management account, as `GetResourceDirectory` shows it.
    account_name: str
    created_at: Instant
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder, Root included."""

    account_id: str
    folder_id: str
    #: None for Root.
    parent_id: str | None
    name: str
    created_at: Instant
    tags: Tags = ()
    version: int = 1


class MemberType(StrEnum):
    RESOURCE_ACCOUNT = "ResourceAccount"
    CLOUD_ACCOUNT = "CloudAccount"


class MemberStatus(StrEnum):
    CREATE_SUCCESS = "CreateSuccess"
    SWITCH_SUCCESS = "SwitchSuccess"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account in the tree."""

    account_id: str
    member_id: str
    folder_id: str
    display_name: str
    #: `<prefix>@<directory id in lower case>.aliyunid.com`.
    account_name: str
    type: MemberType
    status: MemberStatus
    joined_at: Instant
    modified_at: Instant
    #: When it came to its present folder; detached copies bound there earlier do not cover it.
    placed_at: Instant
    tags: Tags = ()
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedMember:
    """All that is left of a member that was deleted."""

    account_id: str
    member_id: str
    deleted_at: Instant


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the tree that a contact can be bound to: the directory, a folder or a member."""

    account_id: str
    #: `rd-...`, `r-...`, `fd-...` or 16 digits.
    node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRules:
    """Limits of a directory; settings."""

    folders: int = 100
    members: int = 200
