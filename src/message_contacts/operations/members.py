"""Members: create, look, rename, switch. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts import errors
from message_contacts.directory import members, names
from message_contacts.directory.members import MEMBERS, MemberUpdate, Vacancy
from message_contacts.directory.model import ACCOUNT_ID, Member, MemberType, Tags
from message_contacts.operations.call import Call
from message_contacts.operations.directory_fields import (
    ACCOUNT_DETAIL_FIELDS,
    ACCOUNT_FIELDS,
    account_detail,
    account_fields,
)
from message_contacts.operations.directory_parameters import (
    ACCOUNT_ID_PARAMETER,
    ACCOUNT_ID_WITHOUT_CODES,
    ACCOUNT_NAME_PREFIX,
    ACCOUNT_RESOURCE,
    DISPLAY_NAME,
    INCLUDE_TAGS,
    NEW_DISPLAY_NAME,
    PARENT_FOLDER_ID,
    PARENT_FOLDER_RESOURCE,
    TAG,
    matching,
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

_BOTH = (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)
_NO_MONEY = "There is no billing here: nobody pays for anybody, and no kind of account is refused for how it pays."
_NO_RESELLERS = "There are no resellers here; the parameter is accepted and changes nothing."


def _parse_resell_account_type(text: str, _rules: Any) -> str:
    if text not in _RESELL_ACCOUNT_TYPES:
        raise ValueError(text)
    return text


_RESELL_ACCOUNT_TYPES = ("resell", "non_resell")


@operation(
    "CreateResourceAccount",
    access=Access.WRITE,
    doc="Creates a member of type resource account.",
    source="API reference, CreateResourceAccount, 2026-07-04",
    parameters=[
        DISPLAY_NAME.needed(),
        PARENT_FOLDER_ID,
        ACCOUNT_NAME_PREFIX,
        Parameter(
            name="PayerAccountId",
            parse=matching(ACCOUNT_ID),
            doc="Billing account. Accepted, and changes nothing: there is no billing.",
            example="123233440000****",
        ),
        TAG,
        Parameter(
            name="ResellAccountType",
            parse=_parse_resell_account_type,
            doc="For resellers. Accepted, and changes nothing: there are none.",
            example="resell",
            choices=_RESELL_ACCOUNT_TYPES,
        ),
        DRY_RUN,
    ],
    raises=[
        errors.MISSING_PARAMETER_ACCOUNT_DISPLAY_NAME,
        errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME,
        errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH,
        errors.INVALID_PARAMETER_PARENT_FOLDER_ID,
        errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX,
        errors.INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_FOLDER,
        errors.LIMIT_EXCEEDED_ACCOUNT,
        errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED,
        errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT,
    ],
    never={
        "NotSupport.Site.Action": "There is only one kind of site.",
        "Invalid.PayRelation": _NO_MONEY,
        "NotSupport.PayerAccountInAnotherResourceDirectory": _NO_MONEY,
        "CreateAccountDisabled": "Every directory can create members.",
        "PaymentAccountEnterpriseVerifyError": _NO_MONEY,
        "PaymentAccountFinancialRelationshipVerifyError": _NO_MONEY,
        "PaymentAccountEnterpriseTypeError": _NO_MONEY,
        "PaymentAccountFinancialRelationshipsChangeFrequencyVerifyError": _NO_MONEY,
        "MemberAccountVirtualCloudOperatorVerifyError": _NO_RESELLERS,
        "MemberAccountResellerVerifyError": _NO_RESELLERS,
        "PaymentAccountVirtualCloudOperatorVerifyError": _NO_MONEY,
        "PaymentAccountResellerVerifyError": _NO_RESELLERS,
        "PaymentAccountCreditIdentityTypeError": _NO_MONEY,
        "InconsistentEnterpriseNameError": _NO_MONEY,
        "PaymentAccountEnterpriseInvoiceError": _NO_MONEY,
        "UnknownFinancialError": _NO_MONEY,
        "BusinessRestricted": _NO_MONEY,
        "FundAccountHasArrearsAmount": _NO_MONEY,
        "FundAccountOwnerPayedByOthers": _NO_MONEY,
        "UserOwnFundAccountPayForOthers": _NO_MONEY,
        "EcoRelationCheckFailed": _NO_MONEY,
        "NotSupport.SettingResellAccountType": _NO_RESELLERS,
    },
    returns={"Account": ACCOUNT_FIELDS},
    resources=[PARENT_FOLDER_RESOURCE],
)
async def create_resource_account(
    call: Call,
    *,
    display_name: str,
    parent_folder_id: str | None,
    account_name_prefix: str | None,
    tag: Tags,
    dry_run: bool,
    **_ignored: str | None,
) -> Mapping[str, Any]:
    folder_id = parent_folder_id or call.directory.root_folder_id
    prefix = account_name_prefix or call.ids.account_name_prefix()
    account_name = names.account_name(prefix, call.directory.directory_id)
    member = await change_or_check(
        call,
        lambda: _vacancy(call, folder_id, display_name, account_name),
        lambda vacancy: members.create_member(
            vacancy,
            member_id=call.ids.account(),
            display_name=display_name,
            account_name=account_name,
            tags=tag,
            now=call.now,
            rules=call.rules.directory,
        ),
        dry_run=dry_run,
    )
    return {"Account": account_fields(call.directory, member)}


async def _vacancy(call: Call, folder_id: str, display_name: str, account_name: str) -> Vacancy:
    directories, account_id = call.services.directory, call.account_id
    return Vacancy(
        folder=await directories.folder(account_id, folder_id),
        namesake=await directories.member_by_display_name(account_id, display_name),
        account_name_used=await directories.account_name_used(account_name),
        members=await call.services.verification.count(account_id, MEMBERS, ""),
    )


@operation(
    "GetAccount",
    access=Access.READ,
    doc="Returns one member.",
    source="API reference, GetAccount, 2026-07-04",
    parameters=[ACCOUNT_ID_PARAMETER.needed(), INCLUDE_TAGS],
    raises=[
        errors.MISSING_PARAMETER_ACCOUNT_ID,
        errors.INVALID_PARAMETER_ACCOUNT_ID,
        errors.ENTITY_NOT_EXISTS_ACCOUNT,
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
    ],
    returns={"Account": ACCOUNT_DETAIL_FIELDS},
    resources=[ACCOUNT_RESOURCE],
)
async def get_account(call: Call, *, account_id: str, include_tags: bool) -> Mapping[str, Any]:
    member = members.existing(await call.services.directory.member(call.account_id, account_id))
    lineage = await call.services.directory.lineage(call.account_id, member.folder_id)
    return {"Account": account_detail(call.directory, lineage, member, include_tags=include_tags)}


@operation(
    "UpdateAccount",
    access=Access.WRITE,
    doc="Renames a member, or switches its type: one of the two.",
    source="API reference, UpdateAccount, 2026-07-04",
    parameters=[
        ACCOUNT_ID_WITHOUT_CODES.needed(),
        NEW_DISPLAY_NAME,
        Parameter(
            name="NewAccountType",
            parse=lambda text, _rules: MemberType(text),
            doc="New type; not together with NewDisplayName.",
            example="ResourceAccount",
            choices=tuple(MemberType),
        ),
        DRY_RUN,
    ],
    raises=[
        errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY,
        errors.ENTITY_NOT_EXISTS_ACCOUNT,
        errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED,
        errors.MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE,
        errors.ACCOUNT_TYPE_MISMATCH,
    ],
    never={
        "PrimaryAkInUse": "Members have no primary access key.",
        "MissingSecurityInfo": "A member can be switched without a security phone.",
        "LegalEntityDifferent": "Nobody checks real names here.",
        "CallerIdentityError": "The management account's own key may do this.",
    },
    returns={"Account": ACCOUNT_FIELDS},
    resources=[ACCOUNT_RESOURCE],
)
async def update_account(
    call: Call,
    *,
    account_id: str,
    new_display_name: str | None,
    new_account_type: MemberType | None,
    dry_run: bool,
) -> Mapping[str, Any]:
    update = MemberUpdate(display_name=new_display_name, type=new_account_type)
    member = await change_or_check(
        call,
        lambda: _member_and_namesake(call, account_id, new_display_name),
        lambda found: members.update_member(*found, update, now=call.now),
        dry_run=dry_run,
    )
    return {"Account": account_fields(call.directory, member)}


async def _member_and_namesake(
    call: Call, member_id: str, display_name: str | None
) -> tuple[Member | None, Member | None]:
    member = await call.services.directory.member(call.account_id, member_id)
    if display_name is None:
        return member, None
    return member, await call.services.directory.member_by_display_name(call.account_id, display_name)


OPERATIONS: tuple[Operation, ...] = (create_resource_account, get_account, update_account)
