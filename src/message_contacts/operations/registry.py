"""What an operation is: its declaration, from which dispatch, checks, reference, CLI and tests follow.

A declaration names the parameters, the error table in the order of the reference, and the shape of the answer. Absent
and empty are the same, except where a parameter says that empty means something.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from message_contacts import errors
from message_contacts.errors import ErrorDefinition
from message_contacts.protocol.parameters import Arguments

if TYPE_CHECKING:
    from message_contacts.operations.call import Call, Rules

#: Version of the contact operations and the directory they need, product ResourceDirectoryMaster.
RESOURCE_DIRECTORY_MASTER = "2022-04-19"
#: Version of product ResourceManager, which offers the directory operations again.
RESOURCE_MANAGER = "2020-03-31"
#: Version of RAM: users, keys and policies.
RAM = "2015-05-01"
#: Version of STS: who am I.
STS = "2015-04-01"
#: Version of our own operations, product MessageContacts.
MESSAGE_CONTACTS = "2026-11-01"

PRODUCTS = {
    RESOURCE_DIRECTORY_MASTER: "ResourceDirectoryMaster",
    RESOURCE_MANAGER: "ResourceManager",
    RAM: "Ram",
    STS: "Sts",
    MESSAGE_CONTACTS: "MessageContacts",
}

#: How permissions and resources name a version's product family.
_FAMILIES = {RAM: "ram", STS: "sts", MESSAGE_CONTACTS: "messagecontacts"}

#: Where a resource takes its id from: `{X}`, or `{X|Y}` for the first of several parameters that is given.
_PLACEHOLDER = re.compile(r"\{([A-Za-z|]+)\}")
#: Policies, told apart by this parameter where an operation has it: those of the account, those of the program.
_POLICY = "policy/"
_POLICY_TYPE = "PolicyType"


class Kind(StrEnum):
    """How a parameter's value arrives."""

    TEXT = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    #: `Name.1=a&Name.2=b`
    TEXTS = "array<string>"
    #: `Name.1.Key=a&Name.1.Value=b`
    OBJECTS = "array<object>"


# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_TEXTS = Kind.TEXTS
_OBJECTS = Kind.OBJECTS


class Access(StrEnum):
    """What an operation does to what it names."""

    READ = "read"
    WRITE = "write"


class Implied(StrEnum):
    """The one thing that a call is about which leaves out the parameter naming it: its handler takes that."""

    #: The RAM user that calls; nothing where the account itself does.
    CALLING_USER = "the user that calls"
    #: Root of the caller's directory.
    ROOT_FOLDER = "Root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an operation."""

    #: Name on the wire, e.g. `EmailAddress`.
    name: str
    kind: Kind = Kind.TEXT
    #: Turns the raw value (str, or list for the two array kinds) into a domain value. Raises `ApiError` with one of
    #: `invalid`, or ValueError for the gateway's `Invalid<Name>`.
    parse: Callable[[Any, Rules], Any]
    doc: str
    example: str | Sequence[str] | Sequence[Mapping[str, str]]
    #: Whether it must be given.
    required: bool = False
    #: Error when a required one is absent or empty; None: the gateway's `Missing<Name>`.
    missing: ErrorDefinition | None = None
    #: Errors that `parse` may raise; empty: only the gateway's `Invalid<Name>`.
    invalid: tuple[ErrorDefinition, ...] = ()
    #: Value the handler gets when it is absent.
    default: object = None
    #: What the handler takes when it is absent, where that is one thing that policies can name.
    implied: Implied | None = None
    #: Whether empty is a value of its own (then `parse` gets "").
    empty_means_something: bool = False
    #: The values it can take, where they are few.
    choices: tuple[str, ...] = ()
    #: The handler's keyword: `EmailAddress` is `email_address`.
    keyword: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keyword", snake_case(self.name))

    @property
    def missing_error(self) -> ErrorDefinition:
        """What the caller is told when it is required and not there."""
        return self.missing or errors.missing(self.name)

    def given(self, arguments: Arguments) -> Any:
        """Its raw value in a call: text, or a list for the two array kinds; None where it counts as absent.

        Whoever asks what a call says asks here, so that permissions see what the handler gets.

        Raises: ValueError for a value of another kind.
        """
        kind = self.kind
        raw: Any
        if kind is _TEXTS:
            raw = arguments.texts(self.name)
        elif kind is _OBJECTS:
            raw = arguments.objects(self.name)
        else:
            raw = arguments.text(self.name)
        return raw if raw or self.empty_means_something else None

    def needed(self, missing: ErrorDefinition | None = None) -> Parameter:
        """The same parameter where it must be given."""
        return replace(self, required=True, missing=missing or self.missing)


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that a permission names, taken apart: `folder/{FolderId}` is `folder/`, FolderId and nothing."""

    before: str
    #: The first of them that is given has the id, or a list of ids; none: every call is about the same.
    parameters: tuple[Parameter, ...] = ()
    after: str = ""
    #: What it is when none of them is given, where that is one thing; None: everything of its kind, or nothing.
    implied: Implied | None = None
    #: Says whose the resource is, where that is not always the account; its value `System` means the program.
    owner: Parameter | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A value in an answer."""

    #: JSON type: `string`, `integer` or `boolean`.
    type: str
    doc: str
    example: str | int | bool = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list in an answer: of values, or of objects."""

    of: Field | Mapping[str, Shape]


Shape = Field | Items | Mapping[str, "Shape"]
Handler = Callable[..., Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of one or several API versions."""

    #: Name on the wire, e.g. `AddMessageContact`.
    name: str
    versions: tuple[str, ...]
    access: Access
    doc: str
    source: str
    parameters: tuple[Parameter, ...]
    #: The errors it answers, in the order of the reference's table: the order in which failed checks count.
    errors: tuple[ErrorDefinition, ...]
    #: Codes of the reference's table that never occur here, each with the reason.
    never: Mapping[str, str]
    #: Fields of the answer beside RequestId.
    returns: Mapping[str, Shape]
    #: Resources a permission names, below `acs:<product>:*:{account}:`; `{X}` is the raw parameter X, `*` if absent;
    #: `{X|Y}` the first of the two that is given. All of them are parameters of the operation.
    resources: tuple[str, ...]
    #: Resources that a call names beside those, written alike: it need not be allowed on them, and must not be denied.
    deniable_on: tuple[str, ...] = ()
    #: Whether the caller must have an enabled directory.
    needs_directory: bool
    handler: Handler
    #: Whether every caller may use it, whatever its policies say.
    always_allowed: bool = False
    #: Position of each error code in `errors`; codes that are not listed come last.
    rank: Mapping[str, int] = field(init=False, repr=False)
    #: The resources taken apart, with the parameters that they name: those of the declaration, never anything else
    #: that a call may carry.
    targets: tuple[Target, ...] = field(init=False, repr=False)
    #: Those that are one thing even in calls that do not name it.
    implying: tuple[Target, ...] = field(init=False, repr=False)
    #: `deniable_on` taken apart.
    naming: tuple[Target, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rank", {error.code: position for position, error in enumerate(self.errors)})
        object.__setattr__(self, "targets", tuple(self._target(resource) for resource in self.resources))
        object.__setattr__(self, "implying", tuple(target for target in self.targets if target.implied is not None))
        object.__setattr__(self, "naming", tuple(self._target(resource) for resource in self.deniable_on))

    @property
    def family(self) -> str:
        """The product family in its permissions and resources: `resourcemanager`, `ram`, `sts` or `messagecontacts`."""
        return _FAMILIES.get(self.versions[0], "resourcemanager")

    @property
    def permission(self) -> str:
        """The name under which policies know it, e.g. `resourcemanager:AddMessageContact`."""
        return f"{self.family}:{self.name}"

    def _target(self, resource: str) -> Target:
        """The resource taken apart. Raises: ValueError when it names what is no parameter here."""
        placeholder = _PLACEHOLDER.search(resource)
        if placeholder is None:
            return Target(resource)
        declared = {parameter.name: parameter for parameter in self.parameters}
        names = placeholder[1].split("|")
        if not declared.keys() >= set(names):
            raise ValueError(f"{self.name} has no parameters for {resource}")
        naming = tuple(declared[name] for name in names)
        return Target(
            before=resource[: placeholder.start()],
            parameters=naming,
            after=resource[placeholder.end() :],
            implied=next((parameter.implied for parameter in naming if not parameter.required), None),
            owner=declared.get(_POLICY_TYPE) if resource.startswith(_POLICY) else None,
        )

    async def __call__(self, call: Call, **values: object) -> Mapping[str, Any]:
        """Carry it out with values already checked; used by `invoke` only."""
        return await self.handler(call, **values)


def operation(
    name: str,
    *,
    access: Access,
    doc: str,
    source: str,
    parameters: Sequence[Parameter] = (),
    raises: Sequence[ErrorDefinition] = (),
    never: Mapping[str, str] | None = None,
    returns: Mapping[str, Shape] | None = None,
    resources: Sequence[str] = ("*",),
    deniable_on: Sequence[str] = (),
    versions: Sequence[str] = (RESOURCE_DIRECTORY_MASTER,),
    needs_directory: bool = True,
    always_allowed: bool = False,
) -> Callable[[Handler], Operation]:
    """Declare an operation; the decorated coroutine function becomes its handler."""

    def declare(handler: Handler) -> Operation:
        return Operation(
            name=name,
            versions=tuple(versions),
            access=access,
            doc=doc,
            source=source,
            parameters=tuple(parameters),
            errors=tuple(raises),
            never=never or {},
            returns=returns or {},
            resources=tuple(resources),
            deniable_on=tuple(deniable_on),
            needs_directory=needs_directory,
            handler=handler,
            always_allowed=always_allowed,
        )

    return declare


class Registry:
    """All operations of all versions."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_name: dict[tuple[str, str], Operation] = {}
        for entry in operations:
            for version in entry.versions:
                if (version, entry.name) in self._by_name:
                    raise ValueError(f"{entry.name} of {version} is declared twice")
                self._by_name[version, entry.name] = entry
        self.versions = frozenset(version for version, _ in self._by_name)

    def find(self, version: str, name: str) -> Operation:
        """The operation of that version and name.

        Raises: INVALID_VERSION, INVALID_ACTION_NOT_FOUND.
        """
        found = self._by_name.get((version, name))
        if found is None:
            raise (errors.INVALID_ACTION_NOT_FOUND if version in self.versions else errors.INVALID_VERSION)()
        return found

    def all(self) -> Sequence[tuple[str, Operation]]:
        """Version and operation, sorted."""
        return [(version, self._by_name[version, name]) for version, name in sorted(self._by_name)]


def snake_case(name: str) -> str:
    """`ListMessageContacts` is `list_message_contacts`, `MAName` is `ma_name`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
