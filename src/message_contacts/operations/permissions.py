"""Which resources a call touches, as policies name them: made of the raw parameters, before anybody checks those.

Only parameters that the operation declares are looked at, through their declarations, as its handler gets them: what
else a call carries changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import PolicyType
from message_contacts.operations.registry import Operation, Parameter, Target
from message_contacts.protocol.parameters import Arguments

#: Characters of the longest id that is looked at. Nothing has a longer one, so a call that sends one is refused in any
#: case; until then it counts as a call about everything of its kind.
LONGEST_ID = 512
#: Values of a list that are looked at one by one; a longer list counts as a call about everything of its kind.
MOST_IDS = 200
_EVERYTHING = "*"
#: Policies of the program belong to no account: `acs:ram:*:system:policy/AdministratorAccess`. Who may give away an
#: account's own policies may not for that reason give away these.
_SYSTEM = "system"


def resources_of(operation: Operation, arguments: Arguments, account_id: str) -> Sequence[str]:
    """`acs:<family>:*:<account>:<resource>` for each resource that the operation declares.

    A parameter that is absent, or whose value is no text, counts as `*`; a list is one resource for each of its values.
    """
    found: list[str] = []
    for target in operation.targets:
        owner = _SYSTEM if target.owner is not None and _names_system(target.owner, arguments) else account_id
        prefix = f"acs:{operation.family}:*:{owner}:{target.before}"
        if target.parameters:
            found += [f"{prefix}{value}{target.after}" for value in _ids(target, arguments)]
        else:
            found.append(prefix)
    return found


def _names_system(parameter: Parameter, arguments: Arguments) -> bool:
    try:
        return bool(parameter.given(arguments) == PolicyType.SYSTEM)
    except ValueError:
        return False


def _ids(target: Target, arguments: Arguments) -> Sequence[str]:
    try:
        raw = next((raw for parameter in target.parameters if (raw := parameter.given(arguments))), _EVERYTHING)
    except ValueError:
        return (_EVERYTHING,)
    values = raw if isinstance(raw, list) else [raw]
    if len(values) > MOST_IDS:
        return (_EVERYTHING,)
    return [value if 0 < len(value) <= LONGEST_ID else _EVERYTHING for value in values]
