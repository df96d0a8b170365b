"""Errors of webhooks: ours, version 2026-11-01."""

from __future__ import annotations

from message_contacts.errors import ErrorDefinition

NO_WEBHOOK = ErrorDefinition(404, "EntityNotExists.Webhook", "This webhook does not exist.")
NO_VERIFICATION = ErrorDefinition(
    404, "EntityNotExists.Webhook.Verification", "This webhook has no address that waits to be confirmed."
)
INVALID_CODE = ErrorDefinition(400, "InvalidParameter.Code", "The Code is wrong, has expired, or was tried too often.")
INVALID_FORM = ErrorDefinition(400, "InvalidParameter.Form", "The Form is invalid.")
INVALID_SECRET = ErrorDefinition(
    400,
    "InvalidParameter.Secret",
    "The Secret is invalid, or webhooks of this Form have none.",
)
INVALID_URL = ErrorDefinition(
    400,
    "InvalidParameter.Url",
    "The Url must be https://host/path without user, password or fragment, at most 2048 characters of ASCII.",
)
INVALID_URL_ADDRESS = ErrorDefinition(
    400, "InvalidParameter.Url.Address", "The Url leads to an address that webhooks may not reach."
)
UNREADABLE_ADDRESS = ErrorDefinition(
    409,
    "OperationDenied.AddressUnreadable",
    "No encryption key of the server opens the address of this webhook. Name the Url again, and the Secret if it is a "
    "Generic one.",
)
LIMIT_EXCEEDED_WEBHOOKS = ErrorDefinition(
    409, "LimitExceeded.Webhooks", "The maximum number of webhooks in the directory is reached."
)
