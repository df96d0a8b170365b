"""What an operation found wrong with a form, beside the field it is about."""

from __future__ import annotations

from collections.abc import Mapping

from message_contacts.errors import ApiError


def errors_beside(refusal: ApiError | None, fields: Mapping[str, str]) -> dict[str, str]:
    """The refusal's text by the form's field; empty when it is about none of them.

    Args:
        fields: The form's field by the name of a parameter, or by an error code or how several of them begin.
    """
    if refusal is None:
        return {}
    code = refusal.definition.code
    parts = code.split(".")
    for name, field in fields.items():
        if (
            code == name
            or code.startswith(f"{name}.")
            or name in parts
            or parts[0] in {f"Missing{name}", f"Invalid{name}"}
        ):
            return {field: refusal.message}
    return {}
