"""Folders: create, look, rename, delete, list. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts import errors
from message_contacts.changes import Decision
from message_contacts.contacts import detachment
from message_contacts.contacts.detachment import FolderContents
from message_contacts.directory import folders
from message_contacts.directory.model import ACCOUNT_ID, Tags
from message_contacts.operations import paging
from message_contacts.operations.call import Call
from message_contacts.operations.directory_fields import (
    FOLDER_DETAIL_FIELDS,
    FOLDER_FIELDS,
    LISTED_FOLDER_FIELDS,
    TAGGED_FOLDER_FIELDS,
    folder_detail,
    folder_fields,
    listed_folder,
    tagged_folder,
)
from message_contacts.operations.directory_parameters import (
    CHILD_ID,
    FOLDER_ID_PARAMETER,
    FOLDER_NAME,
    FOLDER_RESOURCE,
    FOLDER_TO_CHANGE,
    PARENT_FOLDER_ID,
    PARENT_FOLDER_RESOURCE,
    QUERY_KEYWORD,
    TAG,
    TAG_FILTER,
    renamed,
)
from message_contacts.operations.registry import (
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    Access,
    Items,
    Operation,
    operation,
)
from message_contacts.webhooks.model import Webhook
from message_contacts.webhooks.rules import unbound

_BOTH = (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)


@operation(
    "CreateFolder",
    access=Access.WRITE,
    doc="Creates a folder below a folder, at most five levels below Root.",
    source="API reference, CreateFolder, 2026-07-04",
    parameters=[PARENT_FOLDER_ID, FOLDER_NAME.needed(), TAG],
    raises=[
        errors.INVALID_PARAMETER_PARENT_FOLDER_ID,
        errors.MISSING_PARAMETER_FOLDER_NAME,
        errors.INVALID_PARAMETER_FOLDER_NAME,
        errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH,
        errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
        errors.LIMIT_EXCEEDED_FOLDER_DEPTH,
        errors.QUOTA_EXCEEDED_FOLDER_COUNT,
    ],
    returns={"Folder": FOLDER_FIELDS},
    resources=[PARENT_FOLDER_RESOURCE],
)
async def create_folder(call: Call, *, parent_folder_id: str | None, folder_name: str, tag: Tags) -> Mapping[str, Any]:
    parent_id = parent_folder_id or call.directory.root_folder_id
    folder = await call.change(
        lambda: call.services.directory.lineage(call.account_id, parent_id),
        lambda above: folders.create_folder(
            above,
            folder_id=call.ids.folder(),
            name=folder_name,
            tags=tag,
            now=call.now,
            rules=call.rules.directory,
        ),
    )
    return {"Folder": folder_fields(folder)}


@operation(
    "GetFolder",
    access=Access.READ,
    doc="Returns one folder.",
    source="API reference, GetFolder, 2026-07-04",
    parameters=[FOLDER_ID_PARAMETER.needed()],
    raises=[
        errors.MISSING_PARAMETER_FOLDER_ID,
        errors.INVALID_PARAMETER_FOLDER_ID,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
    ],
    returns={"Folder": FOLDER_DETAIL_FIELDS},
    resources=[FOLDER_RESOURCE],
    versions=_BOTH,
)
async def get_folder(call: Call, *, folder_id: str) -> Mapping[str, Any]:
    lineage = await call.services.directory.lineage(call.account_id, folder_id)
    folders.existing(lineage)
    return {"Folder": folder_detail(call.directory, lineage)}


@operation(
    "UpdateFolder",
    access=Access.WRITE,
    doc="Renames a folder. Root keeps its name.",
    source="API reference, UpdateFolder, 2026-07-04",
    parameters=[FOLDER_TO_CHANGE.needed(), renamed(FOLDER_NAME, "NewFolderName").needed()],
    raises=[
        errors.MISSING_PARAMETER_FOLDER_NAME,
        errors.INVALID_PARAMETER_FOLDER_NAME,
        errors.INVALID_PARAMETER_FOLDER_NAME_LENGTH,
        errors.MISSING_PARAMETER_FOLDER_ID,
        errors.INVALID_PARAMETER_FOLDER_ID,
        errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
    ],
    never={"LimitExceeded.Folder.Depth": "A new name does not change where the folder is."},
    returns={"Folder": FOLDER_FIELDS},
    resources=[FOLDER_RESOURCE],
    versions=_BOTH,
)
async def update_folder(call: Call, *, folder_id: str, new_folder_name: str) -> Mapping[str, Any]:
    folder = await call.change(
        lambda: call.services.directory.folder(call.account_id, folder_id),
        lambda folder: folders.rename_folder(folder, new_folder_name),
    )
    return {"Folder": folder_fields(folder)}


@operation(
    "DeleteFolder",
    access=Access.WRITE,
    doc="Deletes an empty folder, and the bindings of contacts and webhooks to it.",
    source="API reference, DeleteFolder, 2026-07-04",
    parameters=[FOLDER_TO_CHANGE.needed()],
    raises=[
        errors.MISSING_PARAMETER_FOLDER_ID,
        errors.INVALID_PARAMETER_FOLDER_ID,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
        errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER,
        errors.DELETE_CONFLICT_FOLDER_ACCOUNT,
    ],
    resources=[FOLDER_RESOURCE],
    versions=_BOTH,
)
async def delete_folder(call: Call, *, folder_id: str) -> Mapping[str, Any]:
    async def read() -> tuple[FolderContents, Sequence[Webhook]]:
        bound = await call.services.webhooks.webhooks_bound_to(call.account_id, folder_id)
        return await _contents(call, folder_id), bound

    def decide(found: tuple[FolderContents, Sequence[Webhook]]) -> Decision[None]:
        contents, bound = found
        gone = detachment.delete_folder(contents)
        return Decision((*unbound(bound, folder_id), *gone.changes), None)

    await call.change(read, decide)
    return {}


async def _contents(call: Call, folder_id: str) -> FolderContents:
    directories, account_id = call.services.directory, call.account_id
    return FolderContents(
        folder=await directories.folder(account_id, folder_id),
        has_subfolders=await directories.has_subfolders(account_id, folder_id),
        has_members=await directories.has_members(account_id, folder_id),
        contacts=await call.services.contacts.contacts_bound_to(account_id, [folder_id]),
    )


@operation(
    "ListFoldersForParent",
    access=Access.READ,
    doc="Lists the direct child folders of a folder by creation date.",
    source="API reference, ListFoldersForParent, 2026-07-04",
    parameters=[PARENT_FOLDER_ID, QUERY_KEYWORD, paging.PAGE_NUMBER, paging.PAGE_SIZE, TAG_FILTER],
    raises=[
        errors.INVALID_PARAMETER_PARENT_FOLDER_ID,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
    ],
    returns={**paging.PAGE_FIELDS, "Folders": {"Folder": Items(TAGGED_FOLDER_FIELDS)}},
    resources=[PARENT_FOLDER_RESOURCE],
)
async def list_folders_for_parent(
    call: Call,
    *,
    parent_folder_id: str | None,
    query_keyword: str | None,
    page_number: int,
    page_size: int,
    tag: Tags,
) -> Mapping[str, Any]:
    parent_id = await existing_folder_id(call, parent_folder_id)
    page, total = await call.services.directory.subfolder_page(
        call.account_id,
        parent_id,
        keyword=query_keyword,
        tags=tag,
        offset=paging.offset(page_number, page_size),
        limit=page_size,
    )
    found = [tagged_folder(folder) for folder in page]
    return {"TotalCount": total, "PageSize": page_size, "PageNumber": page_number, "Folders": {"Folder": found}}


async def existing_folder_id(call: Call, folder_id: str | None) -> str:
    """The folder's id, or Root's when none is given. Raises: ENTITY_NOT_EXISTS_FOLDER."""
    if folder_id is None:
        return call.directory.root_folder_id
    if await call.services.directory.folder(call.account_id, folder_id) is None:
        raise errors.ENTITY_NOT_EXISTS_FOLDER(folder_id=folder_id)
    return folder_id


@operation(
    "ListAncestors",
    access=Access.READ,
    doc="Lists the folders above a folder or a member, Root first.",
    source="API reference, ListAncestors, 2026-07-04",
    parameters=[CHILD_ID.needed()],
    raises=[
        errors.MISSING_PARAMETER_CHILD_ID,
        errors.INVALID_PARAMETER_CHILD_ID,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
    ],
    returns={"Folders": {"Folder": Items(LISTED_FOLDER_FIELDS)}},
    resources=["folder/{ChildId}"],
    deniable_on=["account/{ChildId}"],
    versions=_BOTH,
)
async def list_ancestors(call: Call, *, child_id: str) -> Mapping[str, Any]:
    if ACCOUNT_ID.fullmatch(child_id):
        member = await call.services.directory.member(call.account_id, child_id)
        above = await call.services.directory.lineage(call.account_id, member.folder_id) if member else []
        folders.existing(above)
    else:
        lineage = await call.services.directory.lineage(call.account_id, child_id)
        folders.existing(lineage)
        above = lineage[:-1]
    return {"Folders": {"Folder": [listed_folder(folder) for folder in above]}}


OPERATIONS: tuple[Operation, ...] = (
    create_folder,
    get_folder,
    update_folder,
    delete_folder,
    list_folders_for_parent,
    list_ancestors,
)
