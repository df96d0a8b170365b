"""The directory as a whole: enable, look, destroy. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.changes import Decision
from message_contacts.contacts import dissolution
from message_contacts.contacts.dissolution import Estate
from message_contacts.contacts.model import Contact
from message_contacts.directory import enablement
from message_contacts.directory.enablement import EnableMode, NewManagementAccount, Standing
from message_contacts.directory.model import ResourceDirectory
from message_contacts.operations import paging
from message_contacts.operations.call import Call
from message_contacts.operations.directory_fields import (
    DIRECTORY_FIELDS,
    ENABLED_DIRECTORY_FIELDS,
    directory_detail,
    enabled_directory,
)
from message_contacts.operations.dry_run import DRY_RUN, change_or_check
from message_contacts.operations.registry import (
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    Access,
    Operation,
    Parameter,
    operation,
)
from message_contacts.operations.values import parse_text
from message_contacts.webhooks.model import Webhook
from message_contacts.webhooks.rules import gone

#: Why errors about identity, security phones and kinds of sites do not occur.
NO_REAL_NAMES = "Nobody checks real names, kinds of accounts or sites here, and a management account needs no phone."


@operation(
    "EnableResourceDirectory",
    access=Access.WRITE,
    doc="Turns the calling account into the management account of a new resource directory with a Root folder.",
    source="API reference, EnableResourceDirectory, 2026-07-04",
    parameters=[
        Parameter(
            name="EnableMode",
            parse=lambda text, _rules: EnableMode(text),
            doc="CurrentAccount: the calling account becomes the management account. The other mode is always refused.",
            example="CurrentAccount",
            required=True,
            choices=tuple(EnableMode),
        ),
        Parameter(
            name="MAName",
            parse=parse_text,  # its form matters only in that mode, and the rule looks at it
            doc="With NewManagementAccount: name of the new account, `<prefix>@rdadmin.aliyunid.com`.",
            example="user01@rdadmin.aliyunid.com",
        ),
        Parameter(
            name="MASecureMobilePhone",
            parse=parse_text,  # its form matters only in that mode, and the rule looks at it
            doc="With NewManagementAccount: security phone of the new account, `<country code>-<number>`.",
            example="xx-13900001234",
        ),
        Parameter(
            name="VerificationCode",
            parse=parse_text,  # its form matters only in that mode, and the rule looks at it
            doc="With NewManagementAccount: the code sent to that phone. No code is ever sent here.",
            example="123456",
        ),
        DRY_RUN,
    ],
    raises=[
        errors.NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY,
        errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY,
        errors.INVALID_VERIFICATION_CODE,
        errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME,
        errors.INVALID_PARAMETER_MANAGEMENT_ACCOUNT_SECURITY_INFO,
    ],
    never={
        "Invalid.EnterpriseName": NO_REAL_NAMES,
        "EnterpriseRealNameVerificationError": NO_REAL_NAMES,
        "InvalidParameter.ManagementAccountName.AlreadyUsed": "No management account is made, so no name is taken.",
        "MissingSecureMobilePhone": NO_REAL_NAMES,
        "MissingSecurityInfo": NO_REAL_NAMES,
        "NotSupport.Account.Site": NO_REAL_NAMES,
        "Invalid.AccountType": NO_REAL_NAMES,
    },
    returns={"ResourceDirectory": ENABLED_DIRECTORY_FIELDS},
    needs_directory=False,
)
async def enable_resource_directory(
    call: Call,
    *,
    enable_mode: EnableMode,
    ma_name: str | None,
    ma_secure_mobile_phone: str | None,
    verification_code: str | None,
    dry_run: bool,
) -> Mapping[str, Any]:
    current = enable_mode is EnableMode.CURRENT_ACCOUNT
    account = None if current else NewManagementAccount(name=ma_name, secure_phone=ma_secure_mobile_phone)
    directory = await enable(call, account, dry_run=dry_run)
    return {"ResourceDirectory": enabled_directory(directory)}


async def enable(call: Call, account: NewManagementAccount | None, *, dry_run: bool = False) -> ResourceDirectory:
    """Enable a directory for the calling account."""
    return await change_or_check(
        call,
        lambda: _standing(call),
        lambda standing: enablement.enable(
            standing,
            account_id=call.account_id,
            directory_id=call.ids.directory(),
            root_folder_id=call.ids.root_folder(),
            new_management_account=account,
            now=call.now,
        ),
        dry_run=dry_run,
    )


async def _standing(call: Call) -> Standing:
    directory = await call.services.directory.directory(call.account_id)
    account = await call.services.access.account(call.account_id)
    return Standing(directory=directory, account_name=account.name if account else None)


@operation(
    "GetResourceDirectory",
    access=Access.READ,
    doc="Returns the caller's directory, whether the caller is its management account or a member.",
    source="API reference, GetResourceDirectory, 2026-07-04",
    raises=[errors.RESOURCE_DIRECTORY_NOT_IN_USE],
    returns={"ResourceDirectory": DIRECTORY_FIELDS},
    needs_directory=False,
)
async def get_resource_directory(call: Call) -> Mapping[str, Any]:
    directory = call.enabled_directory or await call.services.directory.directory_of_member(call.account_id)
    if directory is None:
        raise errors.RESOURCE_DIRECTORY_NOT_IN_USE(account_id=call.account_id)
    return {"ResourceDirectory": directory_detail(directory)}


@operation(
    "DestroyResourceDirectory",
    access=Access.WRITE,
    doc="Turns the directory off for good, with its contacts and webhooks. Members and folders have to be gone before.",
    source="API reference, DestroyResourceDirectory, 2026-07-04",
    raises=[
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT,
        errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER,
    ],
    versions=[RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER],
)
async def destroy_resource_directory(call: Call) -> Mapping[str, Any]:
    async def read() -> tuple[Estate, list[Webhook]]:
        return await _estate(call), await _all_webhooks(call)

    def decide(found: tuple[Estate, list[Webhook]]) -> Decision[None]:
        estate, left = found
        ended = dissolution.destroy(estate)
        return Decision((*gone(left), *ended.changes), None)

    await call.change(read, decide)
    return {}


async def _all_webhooks(call: Call) -> list[Webhook]:
    found: list[Webhook] = []
    while True:
        after = found[-1].webhook_id if found else None
        page = await call.services.webhooks.webhook_page(call.account_id, after=after, limit=paging.MAX_PAGE_SIZE)
        found += page
        if len(page) < paging.MAX_PAGE_SIZE:
            return found


async def _estate(call: Call) -> Estate:
    directories, account_id, root_id = call.services.directory, call.account_id, call.directory.root_folder_id
    return Estate(
        directory=await directories.directory(account_id),
        root=await directories.folder(account_id, root_id),
        has_subfolders=await directories.has_subfolders(account_id, root_id),
        has_members=await directories.has_members(account_id, None),
        contacts=await _all_contacts(call),
    )


async def _all_contacts(call: Call) -> list[Contact]:
    contacts: list[Contact] = []
    while True:
        page, total = await call.services.contacts.contact_page(
            call.account_id, contact_id=None, node_id=None, offset=len(contacts), limit=paging.MAX_PAGE_SIZE
        )
        contacts += page
        if not page or len(contacts) >= total:
            return contacts


OPERATIONS: tuple[Operation, ...] = (enable_resource_directory, get_resource_directory, destroy_resource_directory)
