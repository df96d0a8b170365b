"""The call that a sample makes: an operation, its arguments, and where to send it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from message_contacts.operations.registry import PRODUCTS, Kind, Operation
from message_contacts.protocol.parameters import flattened

#: A text, a list of texts, or a list of objects of texts; "" is a text that is sent though empty.
Argument = str | Sequence[str] | Sequence[Mapping[str, str]]

#: Environment variables in which the vendor's clients look for the access key.
KEY_ID = "ALIBABA_CLOUD_ACCESS_KEY_ID"
KEY_SECRET = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"  # noqa: S105 - the name of a variable
#: The service has no regions, but several clients insist on one.
REGION = "cn-hangzhou"

#: What RPC version 1 sends among the parameters, the signature aside.
COMMON_PARAMETERS = frozenset(
    {
        "AccessKeyId",
        "Action",
        "Format",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureVersion",
        "Timestamp",
        "Version",
    }
)

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a call goes."""

    #: `http` or `https`.
    scheme: str
    #: Name or address, an IPv6 one in brackets.
    host: str
    #: None: the scheme's own.
    port: int | None

    @classmethod
    def of(cls, public_url: str) -> Endpoint:
        """The endpoint of a service that is reached at that URL."""
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        port = parts.port if parts.port != _DEFAULT_PORTS.get(parts.scheme) else None
        return cls(scheme=parts.scheme, host=f"[{host}]" if ":" in host else host, port=port)

    @property
    def authority(self) -> str:
        """Host, and the port where it is not the scheme's own: what clients put into the Host header."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCall:
    """A call to be shown."""

    operation: Operation
    version: str
    #: By parameter, in the order of the declaration; what is not sent is not there.
    arguments: Mapping[str, Argument]
    endpoint: Endpoint

    @property
    def action(self) -> str:
        """Name of the operation."""
        return self.operation.name

    @property
    def product(self) -> str:
        """Product of the version, e.g. `ResourceDirectoryMaster`."""
        return PRODUCTS[self.version]

    @property
    def flat(self) -> dict[str, str]:
        """The arguments as they travel: `MessageTypes.1`, `Tag.1.Key`."""
        return flattened(self.arguments)

    def kind(self, parameter: str) -> Kind:
        """How a parameter's value arrives."""
        return next(entry.kind for entry in self.operation.parameters if entry.name == parameter)


def sdk_name(name: str) -> str:
    """The spelling of the vendor's Python SDKs: `PageNumber` is `page_number`, `MAName` is `maname`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
