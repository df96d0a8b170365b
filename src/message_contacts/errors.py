"""Every error once: status, code and text, sorted by code.

The constant is the code in capitals, so either leads to the other. Rules raise entries (calling one makes the exception),
the wire renders them, and nobody else knows a status number. Anything that is not an `ApiError` is a bug.

Source: contract/operations.json (tables of the operations) and contract/protocol.md, section 8 (gateway).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class ApiError(Exception):
    """A call that was refused, for a reason its caller is told.

    Attributes:
        definition: Entry of the table below.
        message: Text for the caller; the table's text unless the protocol demands a longer one.
        context: What was refused, for the log only. Never put secrets or whole addresses here.
        retry_after_ms: Milliseconds after which a throttled call may be tried again, else None.
        access_denied: Fields of `AccessDeniedDetail`, only with permission errors.
    """

    def __init__(
        self,
        definition: ErrorDefinition,
        context: Mapping[str, object],
        *,
        message: str | None = None,
        retry_after_ms: int | None = None,
        access_denied: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(definition.code)
        self.definition = definition
        self.message = definition.message if message is None else message
        self.context = context
        self.retry_after_ms = retry_after_ms
        self.access_denied = access_denied


@dataclass(frozen=True, slots=True)
class ErrorDefinition:
    """One row of the error table."""

    #: HTTP status of the answer.
    status: int
    #: Code on the wire, e.g. `EntityNotExists.Contact`.
    code: str
    #: Text on the wire, word for word from the reference.
    message: str

    def __call__(self, **context: object) -> ApiError:
        """Make the exception to raise; the keywords go to the log, never to the client."""
        return ApiError(self, context)


def missing(parameter: str) -> ErrorDefinition:
    """The gateway's error for an absent parameter whose operation lists no code of its own."""
    return ErrorDefinition(400, f"Missing{parameter}", f"{parameter} is mandatory for this action.")


def invalid(parameter: str) -> ErrorDefinition:
    """The gateway's error for an unusable value whose operation lists no code of its own."""
    return ErrorDefinition(400, f"Invalid{parameter}", f"Specified parameter {parameter} is not valid.")


ACCOUNT_TYPE_MISMATCH = ErrorDefinition(
    409,
    "AccountTypeMismatch",
    "The type or status of the member account cannot satisfy the current operation.",
)
ACCOUNT_TYPE_OR_STATUS_MISMATCH = ErrorDefinition(
    409,
    "AccountTypeOrStatusMismatch",
    "You cannot perform the action on the member account.",
)
CONCURRENT_CALL_NOT_SUPPORTED = ErrorDefinition(
    429,
    "ConcurrentCallNotSupported",
    "The operation conflicts with other operations. Please try again later.",
)
CONTACT_STATUS_MISMATCH_ACTION = ErrorDefinition(
    400,
    "ContactStatusMismatchAction",
    "The status of the contact does not allow the specified operation.",
)
DELETE_CONFLICT_FOLDER_ACCOUNT = ErrorDefinition(409, "DeleteConflict.Folder.Account", "This folder has accounts.")
DELETE_CONFLICT_FOLDER_SUB_FOLDER = ErrorDefinition(
    409,
    "DeleteConflict.Folder.SubFolder",
    "This folder has sub folders.",
)
DELETE_CONFLICT_RESOURCE_DIRECTORY_ACCOUNT = ErrorDefinition(
    409,
    "DeleteConflict.ResourceDirectory.Account",
    "Failed to delete the resource directory because one or more member accounts exist. We recommend that you first remove these member accounts.",
)
ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY = ErrorDefinition(
    409,
    "EntityAlreadyExists.ResourceDirectory",
    "The resource directory for the account is already enabled. We recommend that you do not enable the resource directory again.",
)
ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT = ErrorDefinition(
    409,
    "EntityAlreadyExists.ResourceDirectory.Account",
    "The email address that the system generates when you create a member account already exists. Try again later.",
)
ENTITY_NOT_EXISTS_ACCOUNT = ErrorDefinition(
    404,
    "EntityNotExists.Account",
    "This resource directory account does not exist.",
)
ENTITY_NOT_EXISTS_CONTACT = ErrorDefinition(404, "EntityNotExists.Contact", "This Contact does not exist.")
ENTITY_NOT_EXISTS_CONTACT_VERIFICATION = ErrorDefinition(
    404,
    "EntityNotExists.Contact.Verification",
    "This contact verification does not exist.",
)
ENTITY_NOT_EXISTS_FOLDER = ErrorDefinition(
    404,
    "EntityNotExists.Folder",
    "The resource directory folder does not exist.",
)
ENTITY_NOT_EXISTS_MEMBER = ErrorDefinition(404, "EntityNotExists.Member", "This Member does not exist.")
ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY = ErrorDefinition(
    404,
    "EntityNotExists.ResourceDirectory",
    "The resource directory for the account is not enabled. We recommend that you first enable the resource directory for the account.",
)
INCOMPLETE_SIGNATURE = ErrorDefinition(
    400,
    "IncompleteSignature",
    "The request signature does not conform to Aliyun standards.",
)
INTERNAL_ERROR = ErrorDefinition(500, "InternalError", "The request processing has failed due to some unknown error.")
INVALID_VERIFICATION_CODE = ErrorDefinition(409, "Invalid.VerificationCode", "The verification code is invalid.")
INVALID_ACCESS_KEY_ID_INACTIVE = ErrorDefinition(
    400,
    "InvalidAccessKeyId.Inactive",
    "Specified access key is disabled.",
)
INVALID_ACCESS_KEY_ID_NOT_FOUND = ErrorDefinition(
    404,
    "InvalidAccessKeyId.NotFound",
    "Specified access key is not found.",
)
INVALID_ACTION_NOT_FOUND = ErrorDefinition(
    404,
    "InvalidAction.NotFound",
    "Specified api is not found, please check your url and method.",
)
INVALID_MEMBER = ErrorDefinition(400, "InvalidMember", "The member does not exist in the resource directory.")
INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX = ErrorDefinition(
    400,
    "InvalidParameter.Account.AccountNamePrefix",
    "The account name prefix is invalid.",
)
INVALID_PARAMETER_ACCOUNT_ACCOUNT_NAME_PREFIX_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Account.AccountNamePrefix.Length",
    "The account name prefix exceeds the length limit.",
)
INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME = ErrorDefinition(
    400,
    "InvalidParameter.Account.DisplayName",
    "The DisplayName of account is invalid.",
)
INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED = ErrorDefinition(
    409,
    "InvalidParameter.Account.DisplayName.AlreadyUsed",
    "The displayname of account has been used.",
)
INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Account.DisplayName.Length",
    "The DisplayName of the account exceeds the length limit.",
)
INVALID_PARAMETER_ACCOUNT_ID = ErrorDefinition(400, "InvalidParameter.AccountId", "The AccountId is invalid.")
INVALID_PARAMETER_CHILD_ID = ErrorDefinition(400, "InvalidParameter.ChildId", "The ChildId is invalid.")
INVALID_PARAMETER_CONTACT_ID = ErrorDefinition(400, "InvalidParameter.ContactId", "The ContactId is invalid.")
INVALID_PARAMETER_DESTINATION_FOLDER_ID = ErrorDefinition(
    400,
    "InvalidParameter.DestinationFolderId",
    "The DestinationFolderId is invalid.",
)
INVALID_PARAMETER_EMAIL_ADDRESS = ErrorDefinition(400, "InvalidParameter.EmailAddress", "The EmailAddress is invalid.")
INVALID_PARAMETER_EMAIL_ADDRESS_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.EmailAddress.Length",
    "The EmailAddress exceeds the length limit.",
)
INVALID_PARAMETER_FOLDER_NAME = ErrorDefinition(400, "InvalidParameter.Folder.Name", "The Name of folder is invalid.")
INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED = ErrorDefinition(
    400,
    "InvalidParameter.Folder.Name.AlreadyUsed",
    "The name already exists under the same parent. Please change to another name.",
)
INVALID_PARAMETER_FOLDER_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Folder.Name.Length",
    "The Name of folder exceeds the length limit.",
)
INVALID_PARAMETER_FOLDER_ID = ErrorDefinition(400, "InvalidParameter.FolderId", "The FolderId is invalid.")
INVALID_PARAMETER_FORMAT = ErrorDefinition(400, "InvalidParameter.Format", "Specified parameter format is not valid.")
INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME = ErrorDefinition(
    409,
    "InvalidParameter.ManagementAccountName",
    "The management account name is in the wrong format.",
)
INVALID_PARAMETER_MANAGEMENT_ACCOUNT_NAME_ALREADY_USED = ErrorDefinition(
    409,
    "InvalidParameter.ManagementAccountName.AlreadyUsed",
    "The ManagementAccountName has been used.",
)
INVALID_PARAMETER_MANAGEMENT_ACCOUNT_SECURITY_INFO = ErrorDefinition(
    409,
    "InvalidParameter.ManagementAccountSecurityInfo",
    "The parameter management account secure mobile phone is invalid.",
)
INVALID_PARAMETER_MEMBER = ErrorDefinition(400, "InvalidParameter.Member", "The Member is invalid.")
INVALID_PARAMETER_MEMBERS = ErrorDefinition(400, "InvalidParameter.Members", "The Members is invalid.")
INVALID_PARAMETER_MEMBERS_DUPLICATE = ErrorDefinition(
    400,
    "InvalidParameter.Members.Duplicate",
    "The Members contains duplicate values.",
)
INVALID_PARAMETER_MEMBERS_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Members.Length",
    "The maximum number of Members exceeds the limit.",
)
INVALID_PARAMETER_MESSAGE_TYPES = ErrorDefinition(400, "InvalidParameter.MessageTypes", "The MessageTypes is invalid.")
INVALID_PARAMETER_MOBILE_COUNTRY_CODE = ErrorDefinition(
    400,
    "InvalidParameter.MobileCountryCode",
    "The current site does not support the country code.",
)
INVALID_PARAMETER_NAME = ErrorDefinition(400, "InvalidParameter.Name", "The Name is invalid.")
INVALID_PARAMETER_NAME_ALREADY_USED = ErrorDefinition(
    400,
    "InvalidParameter.Name.AlreadyUsed",
    "The Name already exists. Please change to another name.",
)
INVALID_PARAMETER_NAME_LENGTH = ErrorDefinition(
    400,
    "InvalidParameter.Name.Length",
    "The Name exceeds the length limit.",
)
INVALID_PARAMETER_PARENT_FOLDER_ID = ErrorDefinition(
    400,
    "InvalidParameter.ParentFolderId",
    "The ParentFolderId is invalid.",
)
INVALID_PARAMETER_PHONE_NUMBER = ErrorDefinition(400, "InvalidParameter.PhoneNumber", "The PhoneNumber is invalid.")
INVALID_PARAMETER_TITLE = ErrorDefinition(400, "InvalidParameter.Title", "The Title is invalid.")
INVALID_PROTOCOL_NEED_SSL = ErrorDefinition(
    404,
    "InvalidProtocol.NeedSsl",
    "Your request is denied as lack of ssl protect.",
)
INVALID_REQUEST = ErrorDefinition(400, "InvalidRequest", "The request is not well-formed HTTP.")
INVALID_SECURITY_TOKEN_EXPIRED = ErrorDefinition(
    400,
    "InvalidSecurityToken.Expired",
    "Specified SecurityToken is expired.",
)
INVALID_SECURITY_TOKEN_MALFORMED = ErrorDefinition(
    400,
    "InvalidSecurityToken.Malformed",
    "Specified SecurityToken is malformed.",
)
INVALID_SECURITY_TOKEN_MISMATCH_WITH_ACCESS_KEY = ErrorDefinition(
    400,
    "InvalidSecurityToken.MismatchWithAccessKey",
    "Specified SecurityToken mismatch with the AccessKey.",
)
INVALID_SIGNATURE_METHOD = ErrorDefinition(400, "InvalidSignatureMethod", "Specified signature method is not valid.")
INVALID_TIME_STAMP_EXPIRED = ErrorDefinition(
    400,
    "InvalidTimeStamp.Expired",
    "Specified time stamp or date value is expired.",
)
INVALID_TIME_STAMP_FORMAT = ErrorDefinition(
    400,
    "InvalidTimeStamp.Format",
    "Specified time stamp or date value is not well formatted.",
)
INVALID_VERSION = ErrorDefinition(400, "InvalidVersion", "Specified parameter Version is not valid.")
LIMIT_EXCEEDED_ACCOUNT = ErrorDefinition(
    409,
    "LimitExceeded.Account",
    "The maximum number of member accounts in a resource directory exceeds the limit.",
)
LIMIT_EXCEEDED_CONTACT_MEMBERS = ErrorDefinition(
    400,
    "LimitExceeded.ContactMembers",
    "The maximum number of contact members exceeds the limit.",
)
LIMIT_EXCEEDED_CONTACTS = ErrorDefinition(
    400,
    "LimitExceeded.Contacts",
    "The maximum number of contacts in a resource directory exceeds the limit.",
)
LIMIT_EXCEEDED_FOLDER_DEPTH = ErrorDefinition(
    409,
    "LimitExceeded.Folder.Depth",
    "The folder depth exceeds the limit of 5.",
)
MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE = ErrorDefinition(
    409,
    "MissingDisplayNameOrAccountType",
    "Either display name or account type must be specified.",
)
MISSING_PARAMETER_ACCOUNT_DISPLAY_NAME = ErrorDefinition(
    400,
    "MissingParameter.Account.DisplayName",
    "You must specify DisplayName.",
)
MISSING_PARAMETER_ACCOUNT_ID = ErrorDefinition(400, "MissingParameter.AccountId", "You must specify AccountId.")
MISSING_PARAMETER_CHILD_ID = ErrorDefinition(400, "MissingParameter.ChildId", "You must specify ChildId.")
MISSING_PARAMETER_CONTACT_ID = ErrorDefinition(400, "MissingParameter.ContactId", "You must specify ContactId.")
MISSING_PARAMETER_DESTINATION_FOLDER_ID = ErrorDefinition(
    400,
    "MissingParameter.DestinationFolderId",
    "You must specify DestinationFolderId.",
)
MISSING_PARAMETER_EMAIL_ADDRESS = ErrorDefinition(
    400,
    "MissingParameter.EmailAddress",
    "You must specify EmailAddress.",
)
MISSING_PARAMETER_FOLDER_NAME = ErrorDefinition(
    400,
    "MissingParameter.Folder.Name",
    "You must specify the resource folder name.",
)
MISSING_PARAMETER_FOLDER_ID = ErrorDefinition(400, "MissingParameter.FolderId", "You must specify FolderId.")
MISSING_PARAMETER_MESSAGE_TYPES = ErrorDefinition(
    400,
    "MissingParameter.MessageTypes",
    "You must specify MessageTypes.",
)
MISSING_PARAMETER_NAME = ErrorDefinition(400, "MissingParameter.Name", "You must specify Name.")
MISSING_PARAMETER_PHONE_NUMBER = ErrorDefinition(400, "MissingParameter.PhoneNumber", "You must specify PhoneNumber.")
MISSING_PARAMETER_TITLE = ErrorDefinition(400, "MissingParameter.Title", "You must specify Title.")
NO_PERMISSION = ErrorDefinition(403, "NoPermission", "You are not authorized to perform this operation.")
NOT_SUPPORT_ACCOUNT_IN_ANOTHER_RESOURCE_DIRECTORY = ErrorDefinition(
    409,
    "NotSupport.AccountInAnotherResourceDirectory",
    "The specified account is an Alibaba Cloud account or already exists in another resource directory.",
)
QUOTA_EXCEEDED_FOLDER_COUNT = ErrorDefinition(
    409,
    "QuotaExceeded.Folder.Count",
    "The number of folders exceeds the quota.",
)
REQUEST_BODY_TOO_LARGE = ErrorDefinition(
    413,
    "RequestBodyTooLarge",
    "The body of the request exceeds the size limit.",
)
REQUEST_HEADERS_TOO_LARGE = ErrorDefinition(
    431,
    "RequestHeadersTooLarge",
    "The request line and headers exceed the size limit.",
)
REQUEST_TIMEOUT = ErrorDefinition(
    408,
    "RequestTimeout",
    "The request was not received within the time limit.",
)
RESOURCE_DIRECTORY_NOT_IN_USE = ErrorDefinition(
    404,
    "ResourceDirectoryNotInUse",
    "The specified account is not an Alibaba Cloud account or a member account of the resource directory.",
)
SEND_VALIDATE_CODE_EXCEEDS_LIMIT_FOR_ACCOUNT = ErrorDefinition(
    409,
    "SendValidateCodeExceedsLimitForAccount",
    "For the same account, the number of verification codes sent exceeds the limit.",
)
SERVICE_UNAVAILABLE = ErrorDefinition(
    503,
    "ServiceUnavailable",
    "The request has failed due to a temporary failure of the server.",
)
SIGNATURE_DOES_NOT_MATCH = ErrorDefinition(
    400,
    "SignatureDoesNotMatch",
    "Specified signature is not matched with our calculation.",
)
SIGNATURE_NONCE_USED = ErrorDefinition(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
THROTTLING = ErrorDefinition(400, "Throttling", "Request was denied due to request throttling.")
THROTTLING_API = ErrorDefinition(400, "Throttling.Api", "Request was denied due to api flow control.")
THROTTLING_USER = ErrorDefinition(400, "Throttling.User", "Request was denied due to user flow control.")
UNSUPPORTED_HTTP_METHOD = ErrorDefinition(405, "UnsupportedHTTPMethod", "This http method is not supported.")
