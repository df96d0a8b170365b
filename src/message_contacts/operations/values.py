"""Values of parameters that mean the same everywhere."""

from __future__ import annotations

from message_contacts.operations.call import Rules

_BOOLEANS = {"true": True, "false": False}


def parse_boolean(text: str, _rules: Rules) -> bool:
    """`true` or `false` in any letter case. Raises: ValueError for anything else."""
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise ValueError(text)
    return value


def parse_text(text: str, _rules: Rules) -> str:
    """Any text, as it is."""
    return text
