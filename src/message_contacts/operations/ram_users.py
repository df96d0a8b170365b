"""RAM users. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from message_contacts.access import ram_errors, users
from message_contacts.access.model import User
from message_contacts.operations import ram_parameters as given
from message_contacts.operations.call import Call
from message_contacts.operations.ram_fields import (
    NEW_USER_FIELDS,
    PAGE_FIELDS,
    SHOWN_USER_FIELDS,
    USER_FIELDS,
    new_user,
    page,
    shown_user,
)
from message_contacts.operations.ram_parameters import SOURCE, USER_RESOURCE, VERSIONS, table
from message_contacts.operations.registry import Access, Field, Items, Operation, operation

_CREATE = (
    given.USER_NAME.needed(),
    given.DISPLAY_NAME,
    given.MOBILE_PHONE,
    given.EMAIL,
    given.COMMENTS,
)
_ONE_USER = (given.USER_NAME.needed(),)
_UPDATE = (
    given.USER_NAME.needed(),
    given.NEW_USER_NAME,
    given.NEW_DISPLAY_NAME,
    given.NEW_MOBILE_PHONE,
    given.NEW_EMAIL,
    given.NEW_COMMENTS,
)
_PAGE = (given.MARKER_OF_USERS, given.MAX_ITEMS)


async def existing_user(call: Call, name: str) -> User:
    """The caller's user of that name. Raises: ENTITY_NOT_EXIST_USER."""
    return users.existing(await call.services.ram.user_by_name(call.account_id, name))


@operation(
    "CreateUser",
    access=Access.WRITE,
    doc="Makes a user that may do nothing until it has a policy.",
    source=SOURCE,
    parameters=_CREATE,
    raises=table(_CREATE, ram_errors.ENTITY_ALREADY_EXISTS_USER, ram_errors.LIMIT_EXCEEDED_USER),
    returns={"User": NEW_USER_FIELDS},
    resources=[given.ANY_USER_RESOURCE],
    deniable_on=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def create_user(
    call: Call,
    *,
    user_name: str,
    display_name: str | None,
    mobile_phone: str | None,
    email: str | None,
    comments: str | None,
) -> Mapping[str, Any]:
    async def read() -> User:
        return User(
            account_id=call.account_id,
            user_id=call.ids.user(),
            name=user_name,
            display_name=display_name or "",
            mobile_phone=mobile_phone or "",
            email=email or "",
            comments=comments or "",
            created_at=call.now,
            updated_at=call.now,
        )

    return {"User": new_user(await call.change(read, users.create))}


@operation(
    "GetUser",
    access=Access.READ,
    doc="Shows a user.",
    source=SOURCE,
    parameters=_ONE_USER,
    raises=table(_ONE_USER, ram_errors.ENTITY_NOT_EXIST_USER),
    returns={"User": SHOWN_USER_FIELDS},
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def get_user(call: Call, *, user_name: str) -> Mapping[str, Any]:
    return {"User": {**shown_user(await existing_user(call, user_name)), "LastLoginDate": ""}}


@operation(
    "UpdateUser",
    access=Access.WRITE,
    doc="Changes a user. What is not given stays as it is.",
    source=SOURCE,
    parameters=_UPDATE,
    raises=table(_UPDATE, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_ALREADY_EXISTS_USER),
    returns={"User": USER_FIELDS},
    resources=[USER_RESOURCE],
    # Else a denial by name would be left behind with the name.
    deniable_on=["user/{NewUserName}"],
    versions=VERSIONS,
    needs_directory=False,
)
async def update_user(
    call: Call,
    *,
    user_name: str,
    new_user_name: str | None,
    new_display_name: str | None,
    new_mobile_phone: str | None,
    new_email: str | None,
    new_comments: str | None,
) -> Mapping[str, Any]:
    new = users.NewFields(new_user_name, new_display_name, new_mobile_phone, new_email, new_comments)
    user = await call.change(
        lambda: call.services.ram.user_by_name(call.account_id, user_name),
        lambda user: users.update(user, new, call.now),
    )
    return {"User": shown_user(user)}


@operation(
    "ListUsers",
    access=Access.READ,
    doc="Lists users by name.",
    source=SOURCE,
    parameters=_PAGE,
    raises=table(_PAGE),
    returns={**PAGE_FIELDS, "Users": {"User": Items(USER_FIELDS)}},
    resources=[given.ANY_USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_users(call: Call, *, marker: str | None, max_items: int) -> Mapping[str, Any]:
    found = await call.services.ram.user_page(call.account_id, after=marker or "", limit=max_items + 1)
    shown = [shown_user(user) for user in found[:max_items]]
    return {**page(found, max_items, lambda user: user.name), "Users": {"User": shown}}


@operation(
    "DeleteUser",
    access=Access.WRITE,
    doc="Deletes a user that has neither keys nor policies any more.",
    source=SOURCE,
    parameters=_ONE_USER,
    raises=table(
        _ONE_USER,
        ram_errors.ENTITY_NOT_EXIST_USER,
        ram_errors.DELETE_CONFLICT_USER_ACCESS_KEY,
        ram_errors.DELETE_CONFLICT_USER_POLICY,
    ),
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def delete_user(call: Call, *, user_name: str) -> Mapping[str, Any]:
    async def read() -> users.Holdings:
        ram, account_id = call.services.ram, call.account_id
        user = await existing_user(call, user_name)
        return users.Holdings(
            user, await ram.keys(account_id, user.user_id), await ram.attachments(account_id, user.user_id)
        )

    await call.change(read, users.delete)
    return {}


@operation(
    "ListGroupsForUser",
    access=Access.READ,
    doc="Lists the groups a user is in. There are no groups, so the list is empty.",
    source=SOURCE,
    parameters=_ONE_USER,
    raises=table(_ONE_USER, ram_errors.ENTITY_NOT_EXIST_USER),
    returns={
        "Groups": {
            "Group": Items(
                {
                    "GroupId": Field("string", "Id of the group.", ""),
                    "GroupName": Field("string", "Name of the group.", ""),
                    "Comments": Field("string", "What the group is for.", ""),
                    "JoinDate": Field("string", "When the user joined it.", ""),
                }
            )
        }
    },
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_groups_for_user(call: Call, *, user_name: str) -> Mapping[str, Any]:
    await existing_user(call, user_name)
    return {"Groups": {"Group": []}}


@operation(
    "DeleteLoginProfile",
    access=Access.WRITE,
    doc="Takes a user's password away. Users have none, which is what the answer says; Terraform asks "
    "before a deletion.",
    source=SOURCE,
    parameters=_ONE_USER,
    raises=table(_ONE_USER, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_NOT_EXIST_USER_LOGIN_PROFILE),
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def delete_login_profile(call: Call, *, user_name: str) -> Mapping[str, Any]:
    await existing_user(call, user_name)
    raise ram_errors.ENTITY_NOT_EXIST_USER_LOGIN_PROFILE()


@operation(
    "UnbindMFADevice",
    access=Access.WRITE,
    doc="Takes a user's second factor away. Users have none, which is what the answer says; Terraform asks "
    "before a deletion.",
    source=SOURCE,
    parameters=_ONE_USER,
    raises=table(_ONE_USER, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_NOT_EXIST_USER_MFA_DEVICE),
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def unbind_mfa_device(call: Call, *, user_name: str) -> Mapping[str, Any]:
    await existing_user(call, user_name)
    raise ram_errors.ENTITY_NOT_EXIST_USER_MFA_DEVICE()


OPERATIONS: tuple[Operation, ...] = (
    create_user,
    get_user,
    update_user,
    list_users,
    delete_user,
    list_groups_for_user,
    delete_login_profile,
    unbind_mfa_device,
)
