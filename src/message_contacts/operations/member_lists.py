"""Lists of members. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts import errors
from message_contacts.clock import Instant
from message_contacts.directory.model import Member, Tags
from message_contacts.operations import paging
from message_contacts.operations.call import Call
from message_contacts.operations.directory_fields import (
    ACCOUNT_IN_TREE_FIELDS,
    LISTED_ACCOUNT_FIELDS,
    account_in_tree,
    listed_account,
)
from message_contacts.operations.directory_parameters import (
    ANY_ACCOUNT_RESOURCE,
    INCLUDE_TAGS,
    MAX_RESULTS,
    NEXT_TOKEN,
    PARENT_FOLDER_ID,
    PARENT_FOLDER_RESOURCE,
    QUERY_KEYWORD,
    TAG_FILTER,
    position,
)
from message_contacts.operations.folders import existing_folder_id
from message_contacts.operations.registry import Access, Field, Items, Operation, operation
from message_contacts.operations.token_paging import next_token as next_token_for


@operation(
    "ListAccounts",
    access=Access.READ,
    doc="Lists all members of the directory by joining date.",
    source="API reference, ListAccounts, 2026-07-04",
    parameters=[
        paging.PAGE_NUMBER,
        paging.PAGE_SIZE,
        QUERY_KEYWORD,
        TAG_FILTER,
        INCLUDE_TAGS,
        MAX_RESULTS,
        NEXT_TOKEN,
    ],
    raises=[errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY],
    returns={
        **paging.PAGE_FIELDS,
        "NextToken": Field("string", "Token of the next page; only with token paging, absent on the last page.", ""),
        "Accounts": {"Account": Items(ACCOUNT_IN_TREE_FIELDS)},
    },
    resources=[ANY_ACCOUNT_RESOURCE],
)
async def list_accounts(
    call: Call,
    *,
    page_number: int,
    page_size: int,
    query_keyword: str | None,
    tag: Tags,
    include_tags: bool,
    max_results: int | None,
    next_token: tuple[Instant, str] | None,
) -> Mapping[str, Any]:
    by_token = max_results is not None or next_token is not None
    size = (max_results or paging.DEFAULT_PAGE_SIZE) if by_token else page_size
    page, total = await call.services.directory.member_page(
        call.account_id,
        folder_id=None,
        keyword=query_keyword,
        tags=tag,
        after=next_token,
        offset=0 if by_token else paging.offset(page_number, size),
        limit=size + 1,  # one more tells whether a page follows
    )
    where: dict[str, Any] = next_token_for(page, size, position) if by_token else {"PageNumber": page_number}
    accounts = await _in_tree(call, page[:size], include_tags=include_tags)
    return {"TotalCount": total, "PageSize": size, **where, "Accounts": {"Account": accounts}}


async def _in_tree(call: Call, page: Sequence[Member], *, include_tags: bool) -> list[dict[str, Any]]:
    """Members with their paths; each folder is looked up once."""
    folder_ids = {member.folder_id for member in page}
    above = {folder_id: await call.services.directory.lineage(call.account_id, folder_id) for folder_id in folder_ids}
    return [
        account_in_tree(call.directory, above[member.folder_id], member, include_tags=include_tags) for member in page
    ]


@operation(
    "ListAccountsForParent",
    access=Access.READ,
    doc="Lists the members directly in a folder by joining date.",
    source="API reference, ListAccountsForParent, 2026-07-04",
    parameters=[PARENT_FOLDER_ID, QUERY_KEYWORD, paging.PAGE_NUMBER, paging.PAGE_SIZE, TAG_FILTER, INCLUDE_TAGS],
    raises=[
        errors.INVALID_PARAMETER_PARENT_FOLDER_ID,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
    ],
    returns={**paging.PAGE_FIELDS, "Accounts": {"Account": Items(LISTED_ACCOUNT_FIELDS)}},
    resources=[PARENT_FOLDER_RESOURCE],
)
async def list_accounts_for_parent(
    call: Call,
    *,
    parent_folder_id: str | None,
    query_keyword: str | None,
    page_number: int,
    page_size: int,
    tag: Tags,
    include_tags: bool,
) -> Mapping[str, Any]:
    page, total = await call.services.directory.member_page(
        call.account_id,
        folder_id=await existing_folder_id(call, parent_folder_id),
        keyword=query_keyword,
        tags=tag,
        after=None,
        offset=paging.offset(page_number, page_size),
        limit=page_size,
    )
    found = [listed_account(call.directory, member, include_tags=include_tags) for member in page]
    return {"TotalCount": total, "PageSize": page_size, "PageNumber": page_number, "Accounts": {"Account": found}}


OPERATIONS: tuple[Operation, ...] = (list_accounts, list_accounts_for_parent)
