"""The errors of RAM, each once: status, code and text, sorted by code, in the form of `message_contacts.errors`.

Source: the vendor's RAM reference, version 2015-05-01, error tables of the operations.
"""

from __future__ import annotations

from message_contacts.errors import ErrorDefinition

ENTITY_ALREADY_EXISTS_USER = ErrorDefinition(409, "EntityAlreadyExists.User", "The user does already exist.")
