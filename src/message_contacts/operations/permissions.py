"""Which resources a call touches, as policies name them: made of the raw parameters, before anybody checks those."""

from __future__ import annotations

import re
from collections.abc import Sequence

from message_contacts.access.model import PolicyType
from message_contacts.operations.registry import Kind, Operation
from message_contacts.protocol.parameters import Arguments

PLACEHOLDER = re.compile(r"\{([A-Za-z]+)\}")
#: Characters of the longest id that is looked at. Nothing has a longer one, so a call that sends one is refused in any
#: case; until then it counts as a call about everything of its kind.
LONGEST_ID = 512
#: Values of a list that are looked at one by one; a longer list counts as a call about everything of its kind.
MOST_IDS = 200
_EVERYTHING = "*"
#: Policies of the program belong to no account: `acs:ram:*:system:policy/AdministratorAccess`. Who may give away an
#: account's own policies may not for that reason give away these.
_SYSTEM = "system"
_POLICY = "policy/{"


def resources_of(operation: Operation, arguments: Arguments, account_id: str) -> Sequence[str]:
    """`acs:<family>:*:<account>:<resource>` for each resource that the operation declares.

    A parameter that is absent, or whose value is no text, counts as `*`; a list is one resource for each of its values.
    """
    found: list[str] = []
    for template in operation.resources:
        owner = _SYSTEM if template.startswith(_POLICY) and _names_system_policy(arguments) else account_id
        prefix = f"acs:{operation.family}:*:{owner}:"
        placeholder = PLACEHOLDER.search(template)
        if placeholder is None:
            found.append(prefix + template)
            continue
        before, after = template[: placeholder.start()], template[placeholder.end() :]
        found += [f"{prefix}{before}{value}{after}" for value in _values(operation, placeholder[1], arguments)]
    return found


def _names_system_policy(arguments: Arguments) -> bool:
    try:
        return arguments.text("PolicyType") == PolicyType.SYSTEM
    except ValueError:
        return False


def _values(operation: Operation, name: str, arguments: Arguments) -> Sequence[str]:
    is_list = any(parameter.name == name and parameter.kind is Kind.TEXTS for parameter in operation.parameters)
    try:
        values = (arguments.texts(name) or []) if is_list else [arguments.text(name) or ""]
    except ValueError:
        return (_EVERYTHING,)
    if not values or len(values) > MOST_IDS:
        return (_EVERYTHING,)
    return [value if 0 < len(value) <= LONGEST_ID else _EVERYTHING for value in values]
