"""The errors of RAM, each once: status, code and text, sorted by code, in the form of `message_contacts.errors`.

Source: the vendor's RAM reference, version 2015-05-01, page "Error messages" (document 28754) and the error tables of
the operations. Ours where the reference leaves a gap: the text of `MalformedPolicyDocument` (it only says "the error
details"), that of `EntityAlreadyExists.Policy` (it speaks of a group), and `InvalidParameter.NewDescription.Length`.
"""

from __future__ import annotations

from message_contacts.errors import ErrorDefinition

DELETE_CONFLICT_POLICY_USER = ErrorDefinition(
    409,
    "DeleteConflict.Policy.User",
    "The policy CAN NOT been attached to any user while deleting the policy.",
)
DELETE_CONFLICT_POLICY_VERSION = ErrorDefinition(
    409,
    "DeleteConflict.Policy.Version",
    "The policy CAN NOT has any version except the default version.",
)
DELETE_CONFLICT_POLICY_VERSION_DEFAULT = ErrorDefinition(
    409,
    "DeleteConflict.Policy.Version.Default",
    "The default policy version CAN NOT been deleted directly.",
)
DELETE_CONFLICT_USER_ACCESS_KEY = ErrorDefinition(
    409,
    "DeleteConflict.User.AccessKey",
    "The user CAN NOT has any access key while deleting the user.",
)
DELETE_CONFLICT_USER_POLICY = ErrorDefinition(
    409,
    "DeleteConflict.User.Policy",
    "The user CAN NOT has any attached policy while deleting the user.",
)
ENTITY_ALREADY_EXISTS_POLICY = ErrorDefinition(409, "EntityAlreadyExists.Policy", "The policy does already EXIST.")
ENTITY_ALREADY_EXISTS_USER = ErrorDefinition(409, "EntityAlreadyExists.User", "The user does already EXIST.")
ENTITY_ALREADY_EXISTS_USER_POLICY = ErrorDefinition(
    409,
    "EntityAlreadyExists.User.Policy",
    "The user has already been attached this policy.",
)
ENTITY_NOT_EXIST_POLICY = ErrorDefinition(404, "EntityNotExist.Policy", "The policy does not exist.")
ENTITY_NOT_EXIST_POLICY_VERSION = ErrorDefinition(
    404,
    "EntityNotExist.Policy.Version",
    "The policy version does not exist.",
)
ENTITY_NOT_EXIST_USER = ErrorDefinition(404, "EntityNotExist.User", "The user does not exist.")
ENTITY_NOT_EXIST_USER_ACCESS_KEY = ErrorDefinition(
    404,
    "EntityNotExist.User.AccessKey",
    "The user access key does not exist.",
)
ENTITY_NOT_EXIST_USER_LOGIN_PROFILE = ErrorDefinition(
    404,
    "EntityNotExist.User.LoginProfile",
    "The user login profile does not exist.",
)
ENTITY_NOT_EXIST_USER_MFA_DEVICE = ErrorDefinition(
    404,
    "EntityNotExist.User.MFADevice",
    "The user has not bound any MFA device.",
)
ENTITY_NOT_EXIST_USER_POLICY = ErrorDefinition(
    404,
    "EntityNotExist.User.Policy",
    "The indicate policy of the user does not exist.",
)
INVALID_PARAMETER_COMMENTS_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Comments.Length",
    'The parameter - "Comments" beyond the length limit.',
)
INVALID_PARAMETER_DESCRIPTION_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Description.Length",
    'The parameter - "Description" beyond the length limit.',
)
INVALID_PARAMETER_DISPLAY_NAME_INVALID_CHARS = ErrorDefinition(
    400,
    "InvalidParameter.DisplayName.InvalidChars",
    'The parameter - "DisplayName" contains invalid chars.',
)
INVALID_PARAMETER_DISPLAY_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.DisplayName.Length",
    'The parameter - "DisplayName" beyond the length limit.',
)
INVALID_PARAMETER_EMAIL_FORMAT = ErrorDefinition(
    400,
    "InvalidParameter.Email.Format",
    'The format of the parameter - "Email" is incorrect.',
)
INVALID_PARAMETER_MOBILE_PHONE_FORMAT = ErrorDefinition(
    400,
    "InvalidParameter.MobilePhone.Format",
    'The format of the parameter - "MobilePhone" is incorrect.',
)
INVALID_PARAMETER_NEW_COMMENTS_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.NewComments.Length",
    'The parameter - "NewComments" beyond the length limit.',
)
INVALID_PARAMETER_NEW_DESCRIPTION_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.NewDescription.Length",
    'The parameter - "NewDescription" beyond the length limit.',
)
INVALID_PARAMETER_NEW_DISPLAY_NAME_INVALID_CHARS = ErrorDefinition(
    400,
    "InvalidParameter.NewDisplayName.InvalidChars",
    'The parameter - "NewDisplayName" contains invalid chars.',
)
INVALID_PARAMETER_NEW_DISPLAY_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.NewDisplayName.Length",
    'The parameter - "NewDisplayName" beyond the length limit.',
)
INVALID_PARAMETER_NEW_EMAIL_FORMAT = ErrorDefinition(
    400,
    "InvalidParameter.NewEmail.Format",
    'The format of the parameter - "NewEmail" is incorrect.',
)
INVALID_PARAMETER_NEW_MOBILE_PHONE_FORMAT = ErrorDefinition(
    400,
    "InvalidParameter.NewMobilePhone.Format",
    'The format of the parameter - "NewMobilePhone" is incorrect.',
)
INVALID_PARAMETER_NEW_USER_NAME_INVALID_CHARS = ErrorDefinition(
    400,
    "InvalidParameter.NewUserName.InvalidChars",
    'The parameter - "NewUserName" contains invalid chars.',
)
INVALID_PARAMETER_NEW_USER_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.NewUserName.Length",
    'The parameter - "NewUserName" beyond the length limit.',
)
INVALID_PARAMETER_POLICY_DOCUMENT_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.PolicyDocument.Length",
    'The parameter - "PolicyDocument" beyond the length limit.',
)
INVALID_PARAMETER_POLICY_NAME_INVALID_CHARS = ErrorDefinition(
    400,
    "InvalidParameter.PolicyName.InvalidChars",
    'The parameter - "PolicyName" contains invalid chars.',
)
INVALID_PARAMETER_POLICY_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.PolicyName.Length",
    'The parameter - "PolicyName" beyond the length limit.',
)
INVALID_PARAMETER_POLICY_TYPE = ErrorDefinition(
    400,
    "InvalidParameter.PolicyType",
    'The parameter - "PolicyType" is incorrect.',
)
INVALID_PARAMETER_USER_NAME_INVALID_CHARS = ErrorDefinition(
    400,
    "InvalidParameter.UserName.InvalidChars",
    'The parameter - "UserName" contains invalid chars.',
)
INVALID_PARAMETER_USER_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.UserName.Length",
    'The parameter - "UserName" beyond the length limit.',
)
INVALID_PARAMETER_VERSION_ID_FORMAT = ErrorDefinition(
    400,
    "InvalidParameter.VersionId.Format",
    'The format of the parameter - "VersionId" is incorrect.',
)
LIMIT_EXCEEDED_POLICY = ErrorDefinition(409, "LimitExceeded.Policy", "The count of policy beyond the current limits.")
LIMIT_EXCEEDED_POLICY_VERSION = ErrorDefinition(
    409,
    "LimitExceeded.Policy.Version",
    "The count of policy version beyond the current limits.",
)
LIMIT_EXCEEDED_USER = ErrorDefinition(409, "LimitExceeded.User", "The count of users beyond the current limits.")
LIMIT_EXCEEDED_USER_ACCESS_KEY = ErrorDefinition(
    409,
    "LimitExceeded.User.AccessKey",
    "The access key count of the user access keys beyond the current limits.",
)
LIMIT_EXCEEDED_USER_POLICY = ErrorDefinition(
    409,
    "LimitExceeded.User.Policy",
    "The policy count of the user attached policies beyond the current limits.",
)
MALFORMED_POLICY_DOCUMENT = ErrorDefinition(400, "MalformedPolicyDocument", "The policy document is malformed.")
