"""Access keys of RAM users, and of whoever calls. Declarations and thin handlers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from message_contacts.access import ram_errors, user_keys, users
from message_contacts.access.model import AccessKey, KeyStatus
from message_contacts.access.user_keys import KeyOwner
from message_contacts.changes import Decision
from message_contacts.operations import ram_parameters as given
from message_contacts.operations.call import Call
from message_contacts.operations.dates import utc_seconds
from message_contacts.operations.ram_fields import KEY_FIELDS, NEW_KEY_FIELDS, shown_key
from message_contacts.operations.ram_parameters import SOURCE, USER_RESOURCE, VERSIONS, table
from message_contacts.operations.ram_users import existing_user
from message_contacts.operations.registry import Access, Field, Implied, Items, Operation, operation

_USER_NAME = replace(given.USER_NAME, implied=Implied.CALLING_USER)
_OWNER = (_USER_NAME,)
_UPDATE = (_USER_NAME, given.USER_ACCESS_KEY_ID.needed(), given.STATUS.needed())
_DELETE = (_USER_NAME, given.USER_ACCESS_KEY_ID.needed())


async def _owner(call: Call, user_name: str | None) -> KeyOwner:
    """The user of that name; without a name the caller itself: a user, or the account. With its keys.

    Raises: ENTITY_NOT_EXIST_USER.
    """
    ram, user_id = call.services.ram, call.caller.user_id
    if user_name is not None:
        user = await existing_user(call, user_name)
    elif user_id is not None:
        user = users.existing(await ram.user(call.account_id, user_id))
    else:
        return KeyOwner(None, await ram.keys(call.account_id, None))
    return KeyOwner(user, await ram.keys(call.account_id, user.user_id))


@operation(
    "CreateAccessKey",
    access=Access.WRITE,
    doc="Makes an access key for a user; without UserName for whoever calls. The secret is shown this once.",
    source=SOURCE,
    parameters=_OWNER,
    raises=table(_OWNER, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.LIMIT_EXCEEDED_USER_ACCESS_KEY),
    returns={"AccessKey": NEW_KEY_FIELDS},
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def create_access_key(call: Call, *, user_name: str | None) -> Mapping[str, Any]:
    secret = call.ids.access_key_secret()

    def decide(owner: KeyOwner) -> Decision[AccessKey]:
        access_key_id = call.ids.access_key()
        key = AccessKey(
            access_key_id=access_key_id,
            account_id=call.account_id,
            sealed_secret=call.services.vault.seal(secret, access_key_id),
            status=KeyStatus.ACTIVE,
            created_at=call.now,
            user_id=owner.user.user_id if owner.user else None,
        )
        return user_keys.create(owner, key)

    key = await call.change(lambda: _owner(call, user_name), decide)
    return {"AccessKey": {**shown_key(key), "AccessKeySecret": secret}}


@operation(
    "ListAccessKeys",
    access=Access.READ,
    doc="Lists the access keys of a user, without UserName of whoever calls, oldest first.",
    source=SOURCE,
    parameters=_OWNER,
    raises=table(_OWNER, ram_errors.ENTITY_NOT_EXIST_USER),
    returns={"AccessKeys": {"AccessKey": Items(KEY_FIELDS)}},
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def list_access_keys(call: Call, *, user_name: str | None) -> Mapping[str, Any]:
    owner = await _owner(call, user_name)
    return {"AccessKeys": {"AccessKey": [shown_key(key) for key in owner.keys]}}


@operation(
    "UpdateAccessKey",
    access=Access.WRITE,
    doc="Switches an access key on or off, in force from the next call on. Without UserName a key of whoever calls.",
    source=SOURCE,
    parameters=_UPDATE,
    raises=table(_UPDATE, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_NOT_EXIST_USER_ACCESS_KEY),
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def update_access_key(
    call: Call, *, user_name: str | None, user_access_key_id: str, status: KeyStatus
) -> Mapping[str, Any]:
    await call.change(
        lambda: _owner(call, user_name), lambda owner: user_keys.switch(owner, user_access_key_id, status)
    )
    return {}


@operation(
    "DeleteAccessKey",
    access=Access.WRITE,
    doc="Deletes an access key for good. Without UserName a key of whoever calls, the calling one included.",
    source=SOURCE,
    parameters=_DELETE,
    raises=table(_DELETE, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_NOT_EXIST_USER_ACCESS_KEY),
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def delete_access_key(call: Call, *, user_name: str | None, user_access_key_id: str) -> Mapping[str, Any]:
    await call.change(lambda: _owner(call, user_name), lambda owner: user_keys.delete(owner, user_access_key_id))
    return {}


@operation(
    "GetAccessKeyLastUsed",
    access=Access.READ,
    doc="Tells when an access key was last used, up to a minute behind. Without UserName a key of whoever calls.",
    source=SOURCE,
    parameters=_DELETE,
    raises=table(_DELETE, ram_errors.ENTITY_NOT_EXIST_USER, ram_errors.ENTITY_NOT_EXIST_USER_ACCESS_KEY),
    returns={
        "AccessKeyLastUsed": {
            "LastUsedDate": Field("string", "ISO 8601, UTC; empty when it was never used.", "2026-11-21T08:15:00Z")
        }
    },
    resources=[USER_RESOURCE],
    versions=VERSIONS,
    needs_directory=False,
)
async def get_access_key_last_used(call: Call, *, user_name: str | None, user_access_key_id: str) -> Mapping[str, Any]:
    user_keys.existing(await _owner(call, user_name), user_access_key_id)
    used_at = await call.services.key_uses.last_use(call.account_id, user_access_key_id)
    return {"AccessKeyLastUsed": {"LastUsedDate": "" if used_at is None else utc_seconds(used_at)}}


OPERATIONS: tuple[Operation, ...] = (
    create_access_key,
    list_access_keys,
    update_access_key,
    delete_access_key,
    get_access_key_last_used,
)
