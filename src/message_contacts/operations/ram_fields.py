"""Answers of RAM's operations: their fields, and users, keys and policies as they show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts.access.model import AccessKey, Attachment, Policy, PolicyType, PolicyVersion, User
from message_contacts.access.system_policies import SystemPolicy
from message_contacts.operations.dates import utc_seconds
from message_contacts.operations.registry import Field, Shape
from message_contacts.operations.token_paging import next_token

_DATE = "ISO 8601, UTC."
_MOMENT = "2015-01-23T12:33:18Z"

_USER_NAME = Field("string", "Name of the user.", "dashboard")
_DISPLAY_NAME = Field("string", "Name shown to people; empty when none was given.", "Dashboard")
NEW_USER_FIELDS: Mapping[str, Shape] = {
    "UserId": Field("string", "Id of the user; stays when the name changes.", "222748924538****"),
    "UserName": _USER_NAME,
    "DisplayName": _DISPLAY_NAME,
    "MobilePhone": Field("string", "Country code and number, as given.", "86-1868888****"),
    "Email": Field("string", "E-mail address, as given.", "alice@example.com"),
    "Comments": Field("string", "What the user is for.", "Reads the contacts for the dashboard"),
    "CreateDate": Field("string", _DATE, _MOMENT),
}
USER_FIELDS: Mapping[str, Shape] = {**NEW_USER_FIELDS, "UpdateDate": Field("string", _DATE, _MOMENT)}
SHOWN_USER_FIELDS: Mapping[str, Shape] = {
    **USER_FIELDS,
    "LastLoginDate": Field("string", "Empty: users have no password to log in with.", ""),
}
HOLDER_FIELDS: Mapping[str, Shape] = {
    "UserId": NEW_USER_FIELDS["UserId"],
    "UserName": _USER_NAME,
    "DisplayName": _DISPLAY_NAME,
    "AttachDate": Field("string", _DATE, _MOMENT),
}
KEY_FIELDS: Mapping[str, Shape] = {
    "AccessKeyId": Field("string", "Id of the key.", "MCAbCdEfGhIjKlMnOpQrStUv"),
    "Status": Field("string", "`Active` or `Inactive`.", "Active"),
    "CreateDate": Field("string", _DATE, _MOMENT),
}
NEW_KEY_FIELDS: Mapping[str, Shape] = {
    **KEY_FIELDS,
    "AccessKeySecret": Field("string", "The secret; shown this once.", "PupkTg8jdmau1cXxYacgE736PJ****"),
}
_POLICY_NAME = Field("string", "Name of the policy.", "read-contacts")
_POLICY_TYPE = Field("string", "`System` or `Custom`.", "Custom")
_DESCRIPTION = Field("string", "What the policy is for.", "Reads contacts, changes nothing")
_DEFAULT_VERSION = Field("string", "The version in force.", "v1")
NEW_POLICY_FIELDS: Mapping[str, Shape] = {
    "PolicyName": _POLICY_NAME,
    "PolicyType": _POLICY_TYPE,
    "Description": _DESCRIPTION,
    "DefaultVersion": _DEFAULT_VERSION,
    "CreateDate": Field("string", _DATE, _MOMENT),
}
CHANGED_POLICY_FIELDS: Mapping[str, Shape] = {**NEW_POLICY_FIELDS, "UpdateDate": Field("string", _DATE, _MOMENT)}
POLICY_FIELDS: Mapping[str, Shape] = {
    **CHANGED_POLICY_FIELDS,
    "AttachmentCount": Field("integer", "How many users have it.", 1),
}
ATTACHED_POLICY_FIELDS: Mapping[str, Shape] = {
    "PolicyName": _POLICY_NAME,
    "PolicyType": _POLICY_TYPE,
    "Description": _DESCRIPTION,
    "DefaultVersion": _DEFAULT_VERSION,
    "AttachDate": Field("string", _DATE, _MOMENT),
}
POLICY_VERSION_FIELDS: Mapping[str, Shape] = {
    "VersionId": Field("string", "Version of the policy.", "v1"),
    "IsDefaultVersion": Field("boolean", "Whether it is in force.", example=True),
    "PolicyDocument": Field("string", "JSON, as given.", '{"Version": "1", "Statement": []}'),
    "CreateDate": Field("string", _DATE, _MOMENT),
}
PAGE_FIELDS: Mapping[str, Shape] = {
    "IsTruncated": Field("boolean", "Whether a page follows.", example=False),
    "Marker": Field("string", "Marker of the next page; absent on the last.", "ZGFzaGJvYXJk"),
}


def shown_user(user: User) -> dict[str, Any]:
    """The fields of a user, date of change included."""
    return {
        "UserId": user.user_id,
        "UserName": user.name,
        "DisplayName": user.display_name,
        "MobilePhone": user.mobile_phone,
        "Email": user.email,
        "Comments": user.comments,
        "CreateDate": utc_seconds(user.created_at),
        "UpdateDate": utc_seconds(user.updated_at),
    }


def new_user(user: User) -> dict[str, Any]:
    """The fields of a user just made."""
    fields = shown_user(user)
    del fields["UpdateDate"]
    return fields


def holder(user: User, attachment: Attachment) -> dict[str, Any]:
    """A user that has a policy."""
    return {
        "UserId": user.user_id,
        "UserName": user.name,
        "DisplayName": user.display_name,
        "AttachDate": utc_seconds(attachment.attached_at),
    }


def shown_key(key: AccessKey) -> dict[str, Any]:
    """The fields of an access key."""
    return {
        "AccessKeyId": key.access_key_id,
        "Status": key.status.value,
        "CreateDate": utc_seconds(key.created_at),
    }


def policy_heading(policy: Policy | SystemPolicy) -> dict[str, Any]:
    """What every answer shows of a policy."""
    return {
        "PolicyName": policy.name,
        "PolicyType": policy_type(policy).value,
        "Description": policy.description,
        "DefaultVersion": policy.default_version_id,
    }


def new_policy(policy: Policy | SystemPolicy) -> dict[str, Any]:
    """The fields of a policy just made."""
    return {**policy_heading(policy), "CreateDate": utc_seconds(policy.created_at)}


def changed_policy(policy: Policy | SystemPolicy) -> dict[str, Any]:
    """The fields of a policy, date of change included."""
    return {**new_policy(policy), "UpdateDate": utc_seconds(policy.updated_at)}


def shown_policy(policy: Policy | SystemPolicy, attachment_count: int) -> dict[str, Any]:
    """The fields of a policy and how many users have it."""
    return {**changed_policy(policy), "AttachmentCount": attachment_count}


def attached_policy(policy: Policy | SystemPolicy, attachment: Attachment) -> dict[str, Any]:
    """A policy that a user has."""
    return {**policy_heading(policy), "AttachDate": utc_seconds(attachment.attached_at)}


def policy_type(policy: Policy | SystemPolicy) -> PolicyType:
    """Which type a policy is of."""
    return PolicyType.SYSTEM if isinstance(policy, SystemPolicy) else PolicyType.CUSTOM


def shown_version(version: PolicyVersion, *, in_force: bool) -> dict[str, Any]:
    """A version of a custom policy."""
    return {
        "VersionId": version.version_id,
        "IsDefaultVersion": in_force,
        "PolicyDocument": version.document,
        "CreateDate": utc_seconds(version.created_at),
    }


def system_version(policy: SystemPolicy) -> dict[str, Any]:
    """The only version of a system policy."""
    return {
        "VersionId": policy.default_version_id,
        "IsDefaultVersion": True,
        "PolicyDocument": policy.document,
        "CreateDate": utc_seconds(policy.updated_at),
    }


def page(found: Sequence[Any], limit: int, key: Any) -> dict[str, Any]:
    """Whether a page follows, and its marker, when `found` holds more than `limit` entries."""
    token = next_token(found, limit, key)
    return {"IsTruncated": bool(token), **({"Marker": token["NextToken"]} if token else {})}
