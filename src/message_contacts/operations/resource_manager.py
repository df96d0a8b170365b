"""The directory operations again as product ResourceManager has them, version 2020-03-31.

Operations whose parameters and answers are the same are declared once for both versions, beside the others. Here are
those that know fewer parameters or show fewer fields, derived from the newer declaration, and the ones that only this
version has.

Source: the vendor's Python client of that version, 2.6.2; what a Terraform run calls, provider of 2026-08-21.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from message_contacts import errors
from message_contacts.directory import members
from message_contacts.operations import directories, folders, member_lists, paging
from message_contacts.operations import members as member_operations
from message_contacts.operations.call import Call
from message_contacts.operations.directory_fields import (
    ACCOUNT_DETAIL_FIELDS,
    DIRECTORY_FIELDS,
    ENABLED_DIRECTORY_FIELDS,
    LISTED_ACCOUNT_FIELDS,
    LISTED_FOLDER_FIELDS,
    enabled_directory,
)
from message_contacts.operations.directory_parameters import ACCOUNT_ID_WITHOUT_CODES, ACCOUNT_RESOURCE
from message_contacts.operations.registry import RESOURCE_MANAGER, Access, Field, Items, Operation, Shape, operation

_VERSIONS = (RESOURCE_MANAGER,)


def _older(newer: Operation, *, unknown: Collection[str] = (), returns: Mapping[str, Shape] | None = None) -> Operation:
    """The operation without the parameters this version does not know, and with the fields of the answer it shows."""
    shown = newer.returns if returns is None else returns
    defaults = {parameter.keyword: parameter.default for parameter in newer.parameters if parameter.name in unknown}

    async def handler(call: Call, **values: object) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = _cut(await newer.handler(call, **defaults, **values), shown)
        return answer

    return replace(
        newer,
        versions=_VERSIONS,
        parameters=tuple(parameter for parameter in newer.parameters if parameter.name not in unknown),
        returns=shown,
        handler=handler,
    )


def _cut(value: Any, shape: Shape) -> Any:
    """The value without the fields that its shape does not name."""
    if isinstance(shape, Items):
        return [_cut(item, shape.of) for item in value]
    if isinstance(shape, Field):
        return value
    return {name: _cut(item, shape[name]) for name, item in value.items() if name in shape}


def _without(fields: Mapping[str, Shape], *names: str) -> Mapping[str, Shape]:
    return {name: shape for name, shape in fields.items() if name not in names}


_LISTED_ACCOUNT = _without(LISTED_ACCOUNT_FIELDS, "AccountName", "DeletionStatus")
_ACCOUNT_IN_TREE = {**_LISTED_ACCOUNT, "ResourceDirectoryPath": ACCOUNT_DETAIL_FIELDS["ResourceDirectoryPath"]}


@operation(
    "InitResourceDirectory",
    access=Access.WRITE,
    doc="Turns the calling account into the management account of a new resource directory with a Root folder.",
    source="API reference, InitResourceDirectory, 2026-03-31",
    raises=[
        errors.NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY,
        errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY,
    ],
    never={
        "EnterpriseRealNameVerificationError": directories.NO_REAL_NAMES,
        "Invalid.AccountType": directories.NO_REAL_NAMES,
    },
    returns={"ResourceDirectory": ENABLED_DIRECTORY_FIELDS},
    versions=_VERSIONS,
    needs_directory=False,
)
async def init_resource_directory(call: Call) -> Mapping[str, Any]:
    return {"ResourceDirectory": enabled_directory(await directories.enable(call, None))}


@operation(
    "GetPayerForAccount",
    access=Access.READ,
    doc="Tells who pays for a member. Nobody does: there is no billing, and the answer names no account.",
    source="API reference, GetPayerForAccount, 2026-03-31",
    parameters=[ACCOUNT_ID_WITHOUT_CODES.needed()],
    raises=[errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY, errors.ENTITY_NOT_EXISTS_ACCOUNT],
    returns={
        "PayerAccountId": Field("string", "Absent: there is no billing.", ""),
        "PayerAccountName": Field("string", "Absent: there is no billing.", ""),
    },
    resources=[ACCOUNT_RESOURCE],
    versions=_VERSIONS,
)
async def get_payer_for_account(call: Call, *, account_id: str) -> Mapping[str, Any]:
    members.existing(await call.services.directory.member(call.account_id, account_id))
    return {}


OPERATIONS: tuple[Operation, ...] = (
    init_resource_directory,
    _older(directories.enable_resource_directory, unknown=["DryRun"]),
    _older(
        directories.get_resource_directory,
        returns={"ResourceDirectory": _without(DIRECTORY_FIELDS, "MemberAccountDisplayNameSyncStatus")},
    ),
    _older(folders.create_folder, unknown=["Tag"]),
    _older(
        folders.list_folders_for_parent,
        unknown=["Tag"],
        returns={**paging.PAGE_FIELDS, "Folders": {"Folder": Items(LISTED_FOLDER_FIELDS)}},
    ),
    _older(member_operations.create_resource_account, unknown=["DryRun"]),
    _older(
        member_operations.get_account,
        returns={"Account": _without(ACCOUNT_DETAIL_FIELDS, "HasSecureMobilePhone", "SecureMobilePhone")},
    ),
    _older(member_operations.update_account, unknown=["DryRun"]),
    _older(
        member_lists.list_accounts,
        unknown=["QueryKeyword", "MaxResults", "NextToken"],
        returns={**paging.PAGE_FIELDS, "Accounts": {"Account": Items(_ACCOUNT_IN_TREE)}},
    ),
    _older(
        member_lists.list_accounts_for_parent,
        returns={**paging.PAGE_FIELDS, "Accounts": {"Account": Items(_LISTED_ACCOUNT)}},
    ),
    get_payer_for_account,
)
