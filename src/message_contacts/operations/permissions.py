"""Which resources a call touches, as policies name them: made of the raw parameters, before anybody checks those.

Only parameters that the operation declares are looked at, through their declarations, as its handler gets them: what
else a call carries changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.access.model import Caller, PolicyType
from message_contacts.directory.model import ResourceDirectory
from message_contacts.operations.call import Services
from message_contacts.operations.registry import Implied, Operation, Parameter, Target
from message_contacts.protocol.parameters import Arguments

#: Characters of the longest id that is looked at. Nothing has a longer one, so a call that sends one is refused in any
#: case; until then it counts as a call about everything of its kind.
LONGEST_ID = 128
#: Values of a list that are looked at one by one; a longer list counts as a call about everything of its kind.
MOST_IDS = 50
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
        prefix = _prefix(operation, target, arguments, account_id)
        if target.parameters:
            found += [f"{prefix}{value}{target.after}" for value in _ids(target, arguments)]
        else:
            found.append(prefix)
    return found


async def deniable_resources(
    operation: Operation,
    arguments: Arguments,
    caller: Caller,
    *,
    directory: ResourceDirectory | None,
    services: Services,
) -> Sequence[str]:
    """What else a call is about: things it names beside those it has to be allowed on, and those that its handler takes
    for parameters left out.

    What denies the operation on one of them denies this call too (docs/adr/0026). Nothing is looked up for a call that
    names what it is about.

    Args:
        caller: A RAM user; need not exist any more.
        directory: The caller's; None when it has none, and so no folders either.
    """
    found: list[str] = []
    for target in operation.naming:
        prefix = _prefix(operation, target, arguments, caller.account_id)
        found += [f"{prefix}{value}{target.after}" for value in _ids(target, arguments) if value != _EVERYTHING]
    for target in operation.implying:
        if _is_named(target, arguments):
            continue
        if target.implied is Implied.ROOT_FOLDER:
            name = None if directory is None else directory.root_folder_id
        else:
            user = None if caller.user_id is None else await services.ram.user(caller.account_id, caller.user_id)
            name = None if user is None else user.name
        if name is not None:
            found.append(f"{_prefix(operation, target, arguments, caller.account_id)}{name}{target.after}")
    return found


def _prefix(operation: Operation, target: Target, arguments: Arguments, account_id: str) -> str:
    owner = _SYSTEM if target.owner is not None and _names_system(target.owner, arguments) else account_id
    return f"acs:{operation.family}:*:{owner}:{target.before}"


def _is_named(target: Target, arguments: Arguments) -> bool:
    """Whether the call names it, if only by a value that its operation is going to refuse."""
    try:
        return any(parameter.given(arguments) for parameter in target.parameters)
    except ValueError:
        return True


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
