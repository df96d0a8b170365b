"""Folders and members for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from message_contacts.directory.model import Folder, Member, MemberStatus, MemberType
from tests.factories import ACCOUNT
from tests.fakes.clock import START

MEMBER = "1700000000000001"
ROOT_ID = "r-AbCdEf"


def make_folder(**fields: Any) -> Folder:
    """A folder in Root."""
    return Folder(
        **{
            "account_id": ACCOUNT,
            "folder_id": "fd-0000000001",
            "parent_id": ROOT_ID,
            "name": "sales",
            "created_at": START,
            **fields,
        }
    )


ROOT = make_folder(folder_id=ROOT_ID, parent_id=None, name="root")


def make_lineage(levels: int) -> Sequence[Folder]:
    """Root and a chain of so many folders below it: `level1` to `level<n>`."""
    lineage = [ROOT]
    for level in range(1, levels + 1):
        lineage.append(
            make_folder(folder_id=f"fd-000000000{level}", parent_id=lineage[-1].folder_id, name=f"level{level}")
        )
    return lineage


def make_member(**fields: Any) -> Member:
    """A resource account in Root."""
    return Member(
        **{
            "account_id": ACCOUNT,
            "member_id": MEMBER,
            "folder_id": ROOT_ID,
            "display_name": "Dev",
            "account_name": "alice@rd-abcdef.aliyunid.com",
            "type": MemberType.RESOURCE_ACCOUNT,
            "status": MemberStatus.CREATE_SUCCESS,
            "joined_at": START,
            "modified_at": START,
            "placed_at": START,
            **fields,
        }
    )
