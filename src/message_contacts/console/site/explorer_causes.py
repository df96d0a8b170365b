"""Why errors are answered: what was wrong with the call, or what stood in its way, and what to do about it.

What a parameter's declaration already tells is worked out from there; the rest is said here, once for each code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from message_contacts import errors
from message_contacts.console.site.words import mark
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.registry import Operation, Registry

#: Code -> cause, translated where it is shown: what an operation finds out.
SPECIFIC = {
    "AccountTypeMismatch": mark("The member already has that type."),
    "AccountTypeOrStatusMismatch": mark(
        "A resource account cannot leave, and a cloud account cannot be deleted; or something still runs on the "
        "member, such as a contact being taken away in the background."
    ),
    "ConcurrentCallNotSupported": mark(
        "Other changes of the same thing kept winning until the wait was over, or a deletion of the contact "
        "is still running. Nothing was changed: try again."
    ),
    "ContactAddressNotVerified": mark("Nobody has confirmed the contact's address on this channel yet."),
    "ContactStatusMismatchAction": mark(
        "The contact is being deleted, or no change of an address waits that could be dropped."
    ),
    "DeleteConflict.Folder.Account": mark("Members are still in the folder. Move them first."),
    "DeleteConflict.Folder.SubFolder": mark("Folders are still in it. Delete them first."),
    "DeleteConflict.Policy.User": mark("A user still has the policy. Detach it first."),
    "DeleteConflict.Policy.Version": mark(
        "The policy has versions that are not in force. Delete them first, or set CascadingDelete."
    ),
    "DeleteConflict.Policy.Version.Default": mark("The version is in force. Put another one in force first."),
    "DeleteConflict.ResourceDirectory.Account": mark("Members are still in the directory."),
    "DeleteConflict.User.AccessKey": mark("The user still has access keys. Delete them first."),
    "DeleteConflict.User.Policy": mark("The user still has policies. Detach them first."),
    "EntityAlreadyExists.Policy": mark("The account has a policy of this name."),
    "EntityAlreadyExists.ResourceDirectory": mark("The account has a directory already."),
    "EntityAlreadyExists.ResourceDirectory.Account": mark("Another member has this login name."),
    "EntityAlreadyExists.User": mark("The account has a user of this name."),
    "EntityAlreadyExists.User.Policy": mark("The user has this policy already."),
    "EntityNotExist.Policy": mark("The account has no policy of this name and type."),
    "EntityNotExist.Policy.Version": mark("The policy has no such version."),
    "EntityNotExist.User": mark("The account has no user of this name."),
    "EntityNotExist.User.AccessKey": mark("The user, or whoever calls, has no key with this id."),
    "EntityNotExist.User.LoginProfile": mark("Users have no passwords here, so there is none to take away."),
    "EntityNotExist.User.MFADevice": mark("Users have no second factor here, so there is none to take away."),
    "EntityNotExist.User.Policy": mark("The user does not have this policy."),
    "EntityNotExists.Contact.Verification": mark(
        "The address does not wait for verification on this contact: it is another one, or it was confirmed already."
    ),
    "EntityNotExists.FallbackAddress": mark("No fallback address is set, or none waits for its code."),
    "EntityNotExists.ResourceDirectory": mark(
        "The account has not enabled a directory, or is a member of somebody else's."
    ),
    "EntityNotExists.Suspension": mark("Nothing keeps messages from this address."),
    "EntityNotExists.Webhook.Verification": mark("The webhook's address is in force already, and no other one waits."),
    "IdempotentParameterMismatch": mark("The same ClientToken came with other content before."),
    "Invalid.VerificationCode": mark("No codes are sent for this mode, so none can be right."),
    "InvalidMember": mark("A well-formed id that is not in this directory. The management account is no member."),
    "InvalidParameter.Account.DisplayName.AlreadyUsed": mark("Another member of the directory has this name."),
    "InvalidParameter.Code": mark(
        "The code is wrong, is older than the newest one, has expired, or was tried too often."
    ),
    "InvalidParameter.ContactIdAndAddress": mark("Both ContactId and Address are given."),
    "InvalidParameter.Folder.Name.AlreadyUsed": mark("Another folder of the same parent has this name."),
    "InvalidParameter.ManagementAccountName": mark(
        "MAName is not a name of the form that new management accounts have."
    ),
    "InvalidParameter.ManagementAccountSecurityInfo": mark("MASecureMobilePhone is not a country code and a number."),
    "InvalidParameter.MemberAndFolder": mark("Both Member and Folder are given."),
    "InvalidParameter.MessageId": mark("MessageId is malformed, or is given together with MessageType or Target."),
    "InvalidParameter.MobileCountryCode": mark("The country code is not one that the service takes."),
    "InvalidParameter.Name.AlreadyUsed": mark("Another one of the directory has this name."),
    "InvalidParameter.Operation": mark("There is no operation of this name."),
    "InvalidParameter.Url.Address": mark(
        "The host of the URL is, or leads to, an address that webhooks may not reach, such as one of a private network."
    ),
    "InvalidParameter.UserNameAndUserAccessKeyId": mark("Both UserName and UserAccessKeyId are given."),
    "LimitExceeded.Account": mark("The directory has as many members as it may have."),
    "LimitExceeded.ContactMembers": mark("The contact would be bound to more than ten objects."),
    "LimitExceeded.Contacts": mark(
        "The directory has as many contacts as it may have: 20 unless the operator set otherwise."
    ),
    "LimitExceeded.Folder.Depth": mark("The parent is already five levels below Root."),
    "LimitExceeded.Policy": mark("The account has as many policies as it may have."),
    "LimitExceeded.Policy.Version": mark("The policy has five versions. Delete one, or set RotateStrategy."),
    "LimitExceeded.TestMessages": mark("As many test messages as a day allows were sent."),
    "LimitExceeded.TextMessages": mark("As many text messages as a day allows were sent."),
    "LimitExceeded.User": mark("The account has as many users as it may have."),
    "LimitExceeded.User.AccessKey": mark("The user has as many access keys as it may have."),
    "LimitExceeded.User.Policy": mark("The user has as many policies as it may have."),
    "LimitExceeded.Webhooks": mark("The directory has as many webhooks as it may have."),
    "MalformedPolicyDocument": mark("The document is no JSON, or not a policy that can be evaluated."),
    "MissingDisplayNameOrAccountType": mark("Neither NewDisplayName nor NewAccountType is given, or both are."),
    "MissingParameter.ContactIdOrAddress": mark("Neither ContactId nor Address is given."),
    "MissingParameter.MemberOrFolder": mark("Neither Member nor Folder is given."),
    "MissingParameter.UserNameOrUserAccessKeyId": mark("Neither UserName nor UserAccessKeyId is given."),
    "NotSupport.AccountInAnotherResourceDirectory": mark("The caller is a member of another directory."),
    "OperationDenied.AddressUnreadable": mark(
        "The encryption key that sealed the webhook's address is gone, as after a restore without it."
    ),
    "QuotaExceeded.Folder.Count": mark("The directory has as many folders as it may have."),
    "ResourceDirectoryNotInUse": mark("The caller neither has a directory nor is a member of one."),
    "SendValidateCodeExceedsLimitForAccount": mark(
        "Too many verifications were sent to this address or from this account in the time set for it, or its "
        'owner said "this was not me".'
    ),
    "WebhookNotConfirmed": mark("Nobody has given back a code that was posted to the webhook's address yet."),
}

#: The same for what any call can be answered, before it is known which operation it calls or whatever that is.
COMMON = {
    "IncompleteSignature": mark(
        "The Authorization header lacks Credential, SignedHeaders or Signature, or a header that has to be "
        "signed is not."
    ),
    "InternalError": mark("A mistake of the service, which its log tells about. Nothing was changed."),
    "InvalidAccessKeyId.Inactive": mark("The access key was switched off."),
    "InvalidAccessKeyId.NotFound": mark("There is no such access key: it is misspelled, or was deleted."),
    "InvalidAction.NotFound": mark("The version has no operation of this name. Upper and lower case count."),
    "InvalidParameter.Format": mark("Format is neither JSON nor XML."),
    "InvalidProtocol.NeedSsl": mark("The operator takes calls over TLS only, and this one came without."),
    "InvalidRequest": mark("The bytes that came are no HTTP request."),
    "InvalidSecurityToken.Expired": mark("The temporary key is over."),
    "InvalidSecurityToken.Malformed": mark("The security token is not one that this service makes."),
    "InvalidSecurityToken.MismatchWithAccessKey": mark("The security token belongs to another access key."),
    "InvalidSignatureMethod": mark("The algorithm is not one of ACS3-HMAC-SHA256, HMAC-SHA1 and HMAC-SHA256."),
    "InvalidTimeStamp.Expired": mark(
        "The time of the request is more than 15 minutes before or after the service's. Look at the caller's clock."
    ),
    "InvalidTimeStamp.Format": mark("The time is not written as 2026-03-30T08:00:00Z."),
    "InvalidVersion": mark("There is no such API version."),
    "NoPermission": mark(
        "No policy of the user allows the call, or one denies it. The answer names the permission; "
        "DecodeDiagnosticMessage tells which policy."
    ),
    "RequestBodyTooLarge": mark("The body is larger than 1 MiB, or than 64 KiB for a form of an RPC call."),
    "RequestHeadersTooLarge": mark(
        "Request line and headers are larger than 64 KiB together: put long parameters into the body."
    ),
    "RequestTimeout": mark("The request did not arrive in whole within the time there is for it."),
    "ServiceUnavailable": mark(
        "The service is stopping or cannot reach its database. Nothing was changed, unless the connection "
        "broke during the commit itself."
    ),
    "SignatureDoesNotMatch": mark(
        "The text that was signed differs from what arrived, or the secret is wrong. The answer shows what "
        "the service signed: compare it with yours."
    ),
    "SignatureNonceUsed": mark("The same key sent the same nonce before. Every request needs a fresh one."),
    "Throttling": mark("The whole service has more calls than it takes."),
    "Throttling.Api": mark("The operation is called more often than is allowed."),
    "Throttling.User": mark(
        "The account makes more calls a second than the operator allows. x-acs-retry-after says when to try again."
    ),
    "UnsupportedHTTPMethod": mark("Calls are made with POST or GET."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of an error table."""

    status: int
    code: str
    message: str
    cause: str
    #: Names of the operations that answer it.
    operations: Sequence[str] = ()


def cause(_: Callable[[str], str], definition: ErrorDefinition, operation: Operation | None = None) -> str:
    """Why an error is answered; empty when there is nothing to add to its message.

    Args:
        _: Translates.
        operation: Whose error it is, to tell which parameter is meant.
    """
    code = definition.code
    found = SPECIFIC.get(code) or COMMON.get(code)
    if found is not None:
        return _(found)
    for parameter in operation.parameters if operation is not None else ():
        if code in {parameter.missing_error.code, f"MissingParameter.{parameter.name}"}:
            return _("%(name)s is absent or empty.") % {"name": parameter.name}
        named = {errors.invalid(parameter.name).code, f"InvalidParameter.{parameter.name}"}
        if definition in parameter.invalid or code in named:
            values = {"name": parameter.name, "what": parameter.doc}
            if code.endswith(".Length"):
                return _("%(name)s is too short or too long, or has too many entries. Wanted: %(what)s") % values
            if code.endswith(".Duplicate"):
                return _("%(name)s names something twice.") % values
            return _("%(name)s is not what it has to be. Wanted: %(what)s") % values
    if code.startswith("EntityNotExist"):
        return _("The call names something that does not exist in this account, or no longer.")
    return ""


def of_operation(_: Callable[[str], str], operation: Operation) -> list[Row]:
    """The error table of an operation, in the order in which the errors count."""
    return [
        Row(
            status=definition.status,
            code=definition.code,
            message=definition.message,
            cause=cause(_, definition, operation),
        )
        for definition in operation.errors
    ]


def common(_: Callable[[str], str]) -> list[Row]:
    """What any call can be answered, by code."""
    known = {entry.code: entry for entry in vars(errors).values() if isinstance(entry, ErrorDefinition)}
    return [
        Row(status=known[code].status, code=code, message=known[code].message, cause=_(text))
        for code, text in COMMON.items()
    ]


def everything(_: Callable[[str], str], registry: Registry) -> list[Row]:
    """Every error that some operation lists, by code."""
    found: dict[str, tuple[ErrorDefinition, Operation, set[str]]] = {}
    for _version, operation in registry.all():
        for definition in operation.errors:
            found.setdefault(definition.code, (definition, operation, set()))[2].add(operation.name)
    return [
        Row(
            status=definition.status,
            code=code,
            message=definition.message,
            cause=cause(_, definition, first),
            operations=sorted(names),
        )
        for code, (definition, first, names) in sorted(found.items())
    ]
