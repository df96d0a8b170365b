"""Answers of the directory operations: their fields, and how directories, folders and members fill them.

Source: contract/operations.json. Where the vendor would show something that does not exist here, the value says so: no
control policies, no real names, no security phones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts.directory import tree
from message_contacts.directory.model import Folder, Member, MemberStatus, MemberType, ResourceDirectory, Tags
from message_contacts.operations.dates import utc_time
from message_contacts.operations.registry import Field, Items, Shape

_DISABLED, _ENABLED = "Disabled", "Enabled"
#: Members are only ever made here, never invited.
_CREATED = "created"
_TAG: Mapping[str, Shape] = {
    "Key": Field("string", "Key of the tag.", "k1"),
    "Value": Field("string", "Value of the tag.", "v1"),
}
_TAGS: Mapping[str, Shape] = {"Tag": Items(_TAG)}

ENABLED_DIRECTORY_FIELDS: Mapping[str, Shape] = {
    "ResourceDirectoryId": Field("string", "Directory.", "rd-54****"),
    "MasterAccountId": Field("string", "Management account.", "507408460615****"),
    "MasterAccountName": Field("string", "Login name of the management account.", "alice@example.com"),
    "RootFolderId": Field("string", "Root folder.", "r-G9****"),
    "CreateTime": Field("string", "ISO 8601, UTC.", "2021-12-08T02:15:31.744Z"),
}
DIRECTORY_FIELDS: Mapping[str, Shape] = {
    **ENABLED_DIRECTORY_FIELDS,
    "ControlPolicyStatus": Field("string", "Always Disabled: there are no control policies.", "Disabled"),
    "MemberDeletionStatus": Field(
        "string", "Always Enabled: there is no switch, resource accounts can be deleted.", "Enabled"
    ),
    "MemberAccountDisplayNameSyncStatus": Field("string", "Always Disabled.", "Disabled"),
    "IdentityInformation": Field("string", "Always empty: nobody checks real names.", ""),
}
LISTED_FOLDER_FIELDS: Mapping[str, Shape] = {
    "FolderId": Field("string", "Folder.", "fd-evic31****"),
    "FolderName": Field("string", "Name.", "project-1"),
    "CreateTime": Field("string", "ISO 8601, UTC.", "2015-01-23T12:33:18.000Z"),
}
TAGGED_FOLDER_FIELDS: Mapping[str, Shape] = {**LISTED_FOLDER_FIELDS, "Tags": _TAGS}
FOLDER_FIELDS: Mapping[str, Shape] = {
    "FolderId": Field("string", "Folder.", "fd-u8B321****"),
    "FolderName": Field("string", "Name.", "rdFolder"),
    "ParentFolderId": Field("string", "Folder in which it lies; absent for Root.", "r-b1****"),
    "CreateTime": Field("string", "ISO 8601, UTC.", "2019-02-19T09:34:50.757Z"),
}
FOLDER_DETAIL_FIELDS: Mapping[str, Shape] = {
    **FOLDER_FIELDS,
    "ResourceDirectoryPath": Field("string", "Ids from the directory down.", "rd-3G****/r-Wm****/fd-Jyl5U7****"),
}
ACCOUNT_FIELDS: Mapping[str, Shape] = {
    "AccountId": Field("string", "Member.", "181761095690****"),
    "AccountName": Field("string", "Login name.", "alice@rd-3g****.aliyunid.com"),
    "DisplayName": Field("string", "Name shown.", "Dev"),
    "FolderId": Field("string", "Folder in which it lies.", "fd-r23M55****"),
    "ResourceDirectoryId": Field("string", "Directory.", "rd-3G****"),
    "Type": Field("string", f"One of {', '.join(MemberType)}.", "ResourceAccount"),
    "Status": Field("string", f"One of {', '.join(MemberStatus)}.", "CreateSuccess"),
    "JoinMethod": Field("string", "Always created.", "created"),
    "JoinTime": Field("string", "ISO 8601, UTC.", "2020-12-31T03:37:39.456Z"),
    "ModifyTime": Field("string", "ISO 8601, UTC.", "2020-12-31T03:37:39.456Z"),
}
ACCOUNT_DETAIL_FIELDS: Mapping[str, Shape] = {
    **ACCOUNT_FIELDS,
    "ResourceDirectoryPath": Field("string", "Ids from the directory down.", "rd-k3****/r-Wm****/181761095690****"),
    "IdentityInformation": Field("string", "Always empty: nobody checks real names.", ""),
    "Location": Field("string", "Names of the folders from Root down.", "root/sales"),
    "EmailStatus": Field("string", "Always empty: members have no address of their own.", ""),
    "HasSecureMobilePhone": Field("boolean", "Always false.", False),  # noqa: FBT003 - an example
    "SecureMobilePhone": Field("string", "Always empty.", ""),
    "Tags": Items(_TAG),
}
LISTED_ACCOUNT_FIELDS: Mapping[str, Shape] = {
    **ACCOUNT_FIELDS,
    "DeletionStatus": Field("string", "Always empty: a deletion is done at once, and the member is gone.", ""),
    "Tags": _TAGS,
}
ACCOUNT_IN_TREE_FIELDS: Mapping[str, Shape] = {
    **LISTED_ACCOUNT_FIELDS,
    "ResourceDirectoryPath": ACCOUNT_DETAIL_FIELDS["ResourceDirectoryPath"],
}


def enabled_directory(directory: ResourceDirectory) -> dict[str, Any]:
    """A directory as EnableResourceDirectory shows it."""
    return {
        "ResourceDirectoryId": directory.directory_id,
        "MasterAccountId": directory.account_id,
        "MasterAccountName": directory.account_name,
        "RootFolderId": directory.root_folder_id,
        "CreateTime": utc_time(directory.created_at),
    }


def directory_detail(directory: ResourceDirectory) -> dict[str, Any]:
    """A directory as GetResourceDirectory shows it."""
    return {
        **enabled_directory(directory),
        "ControlPolicyStatus": _DISABLED,
        "MemberDeletionStatus": _ENABLED,
        "MemberAccountDisplayNameSyncStatus": _DISABLED,
        "IdentityInformation": "",
    }


def listed_folder(folder: Folder) -> dict[str, Any]:
    """A folder as ListAncestors shows it."""
    return {
        "FolderId": folder.folder_id,
        "FolderName": folder.name,
        "CreateTime": utc_time(folder.created_at),
    }


def tagged_folder(folder: Folder) -> dict[str, Any]:
    """A folder as ListFoldersForParent shows it."""
    return {**listed_folder(folder), "Tags": {"Tag": tag_entries(folder.tags)}}


def folder_fields(folder: Folder) -> dict[str, Any]:
    """A folder as CreateFolder and UpdateFolder show it."""
    parent = {} if folder.parent_id is None else {"ParentFolderId": folder.parent_id}
    return {**listed_folder(folder), **parent}


def folder_detail(directory: ResourceDirectory, lineage: Sequence[Folder]) -> dict[str, Any]:
    """A folder as GetFolder shows it."""
    return {**folder_fields(lineage[-1]), "ResourceDirectoryPath": tree.path(directory, lineage)}


def account_fields(directory: ResourceDirectory, member: Member) -> dict[str, Any]:
    """A member as CreateResourceAccount and UpdateAccount show it."""
    return {
        "AccountId": member.member_id,
        "AccountName": member.account_name,
        "DisplayName": member.display_name,
        "FolderId": member.folder_id,
        "ResourceDirectoryId": directory.directory_id,
        "Type": member.type,
        "Status": member.status,
        "JoinMethod": _CREATED,
        "JoinTime": utc_time(member.joined_at),
        "ModifyTime": utc_time(member.modified_at),
    }


def listed_account(directory: ResourceDirectory, member: Member, *, include_tags: bool) -> dict[str, Any]:
    """A member as ListAccountsForParent shows it."""
    listed_tags = {"Tags": {"Tag": tag_entries(member.tags)}} if include_tags else {}
    return {**account_fields(directory, member), "DeletionStatus": "", **listed_tags}


def account_in_tree(
    directory: ResourceDirectory, lineage: Sequence[Folder], member: Member, *, include_tags: bool
) -> dict[str, Any]:
    """A member as ListAccounts shows it."""
    return {
        **listed_account(directory, member, include_tags=include_tags),
        "ResourceDirectoryPath": tree.member_path(directory, lineage, member),
    }


def account_detail(
    directory: ResourceDirectory, lineage: Sequence[Folder], member: Member, *, include_tags: bool
) -> dict[str, Any]:
    """A member as GetAccount shows it; its tags are a plain list, unlike those of the lists."""
    tags = {"Tags": tag_entries(member.tags)} if include_tags else {}
    return {
        **account_fields(directory, member),
        "ResourceDirectoryPath": tree.member_path(directory, lineage, member),
        "IdentityInformation": "",
        "Location": tree.location(lineage),
        "EmailStatus": "",
        "HasSecureMobilePhone": False,
        "SecureMobilePhone": "",
        **tags,
    }


def tag_entries(tags: Tags) -> list[dict[str, str]]:
    """Tags as objects."""
    return [{"Key": key, "Value": value} for key, value in tags]
