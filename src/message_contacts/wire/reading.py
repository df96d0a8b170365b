"""First stage of a request: from bytes to names and values, and the format of the answer.

Reading never fails. What it cannot read it notes, so that the refusal is given in the format that was asked for.

Only what says who calls is read before it is known who does: the query, and the form of an RPC request, whose signature
is over its parameters. A V3 signature is over the bytes of the body; they are taken apart once it is found to be right.

Source: contract/protocol.md sections 1, 3 and 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from message_contacts import errors
from message_contacts.errors import ApiError, ErrorDefinition
from message_contacts.protocol.parameters import MOST_NAMES, RepeatedName, TooManyNames, parse_form, parse_json_object
from message_contacts.quick import quickly_made

#: Bytes a request's body may have.
MAX_BODY = 1_048_576
#: Bytes of a form that RPC version 1 signs parameter by parameter: every byte of it costs before anybody is known.
MAX_SIGNED_FORM = 65_536

#: As ASGI gives them: lower-case names and values, in bytes.
RawHeaders = Iterable[tuple[bytes, bytes]]
Headers = Mapping[bytes, bytes]

_FORM = "application/x-www-form-urlencoded"
_JSON_TYPE = "application/json"
#: Names that a refusal repeats. Any other is a stranger's text, which has no place in a code.
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._\-]{0,63}")


class Format(StrEnum):
    """How an answer is written. Also the spellings of the parameter `Format`, in capitals."""

    JSON = "JSON"
    XML = "XML"


class Scheme(StrEnum):
    """How a call is named and signed."""

    V1 = "rpc-v1"
    V3 = "acs3"


# Members by names of their own: Python 3.11 takes about ten times as long to find one in its class.
_JSON, _XML = Format
_V1, _V3 = Scheme


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came, read but not yet believed."""

    request_id: str
    method: str
    #: Path as sent, not decoded; `/` is the only one with a meaning.
    path: str
    #: Values by lower-case name, as sent; several values of one name sorted and joined with `,`.
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    #: IP address it came from, and whether over TLS.
    source_address: str
    is_secure: bool
    scheme: Scheme
    #: Format of the answer; XML where the one asked for is not known.
    format: Format
    #: Parameters of the query string only: what a V3 signature covers.
    query: Mapping[str, str] = field(repr=False)
    #: Parameters of query and body; where both have a name, the body wins. Those of a V3 body come with `with_body`.
    parameters: Mapping[str, object] = field(repr=False)
    #: What was found wrong while reading, to be told after method and path were checked.
    flaw: ErrorDefinition | None

    @property
    def host(self) -> str:
        """The Host header: `HostId` of errors."""
        return self.header(b"host")

    def header(self, name: bytes) -> str:
        """The value of that header, its bytes as Latin-1; empty when there is none."""
        return self.headers.get(name, b"").decode("latin-1")


def read(
    request_id: str, *, method: str, target: str, raw_headers: RawHeaders, body: bytes, peer: str, secure: bool
) -> Request:
    """Take a request apart. Never raises for anything a client sends."""
    headers = collected(raw_headers)
    scheme = scheme_of(headers)
    path, _, query_text = target.partition("?")
    query, flaw = _parsed_form(query_text) if query_text else ({}, None)
    parameters: Mapping[str, object] = query
    if body and method == "POST" and scheme is _V1 and _media_type(headers) == _FORM:
        if len(body) > MAX_SIGNED_FORM:
            flaw = flaw or errors.REQUEST_BODY_TOO_LARGE
        else:
            sent, flaw_of_form = _parsed_form(body.decode("latin-1"))
            flaw = flaw or flaw_of_form
            if sent:
                parameters = {**query, **sent}
    answer_format = asked_format(scheme, query if scheme is _V3 else parameters, headers)
    return Request(
        request_id=request_id,
        method=method,
        path=path,
        headers=headers,
        body=body,
        source_address=peer,
        is_secure=secure,
        scheme=scheme,
        format=answer_format or _XML,
        query=query,
        parameters=parameters,
        flaw=flaw if answer_format else errors.INVALID_PARAMETER_FORMAT,
    )


def with_body(request: Request) -> Request:
    """The request with the parameters of its body, once its V3 signature is found to be right.

    Raises: ApiError when they cannot be read.
    """
    if not request.body or request.method != "POST" or request.scheme is not _V3:
        return request
    sent, flaw = _parsed_body(_media_type(request.headers), request.body)
    if flaw is not None:
        raise ApiError(flaw, {})
    return replace(request, parameters={**request.query, **sent}) if sent else request


def admit(request: Request, *, needs_tls: bool) -> None:
    """Check what counts before anybody asks which operation is meant: method, path, size, format, repeated names.

    Raises: ApiError.
    """
    if request.method not in {"GET", "POST"}:
        raise errors.UNSUPPORTED_HTTP_METHOD()
    if request.path != "/":
        raise errors.INVALID_ACTION_NOT_FOUND()
    if needs_tls and not request.is_secure:
        raise errors.INVALID_PROTOCOL_NEED_SSL()
    if len(request.body) > MAX_BODY:
        raise errors.REQUEST_BODY_TOO_LARGE(bytes=len(request.body))
    if request.flaw is not None:
        raise ApiError(request.flaw, {})


def collected(raw_headers: RawHeaders) -> dict[bytes, bytes]:
    """Headers by lower-case name; several values of one name sorted and joined with `,`, as V3 signs them."""
    raw_headers = list(raw_headers)
    headers = dict(raw_headers)
    if len(headers) == len(raw_headers) and b"".join(headers).islower():
        return headers
    return _collected_one_by_one(raw_headers)


def _collected_one_by_one(raw_headers: RawHeaders) -> dict[bytes, bytes]:
    """The same, where a name repeats or has capitals (or there is nothing at all)."""
    headers: dict[bytes, bytes] = {}
    repeated: dict[bytes, list[bytes]] = {}
    for given_name, value in raw_headers:
        name = given_name.lower()
        if name in headers:
            repeated.setdefault(name, [headers[name]]).append(value)
        else:
            headers[name] = value
    for name, several in repeated.items():
        headers[name] = b",".join(sorted(several))
    return headers


def scheme_of(headers: Headers) -> Scheme:
    """V3 when `Authorization` begins with `ACS3-`; every other request is RPC version 1, also an unsigned one."""
    return _V3 if headers.get(b"authorization", b"").startswith(b"ACS3-") else _V1


def asked_format(scheme: Scheme, parameters: Mapping[str, object], headers: Headers) -> Format | None:
    """The format of the answer; None when the request names one that does not exist.

    RPC version 1 means XML by saying nothing. V3 means JSON, unless the query has `Format=XML` or `Accept` asks for XML
    and not for JSON.
    """
    asked = parameters.get("Format")
    if isinstance(asked, str) and asked:
        return _FORMATS.get(asked.upper())
    if scheme is _V1:
        return _XML
    accept = headers.get(b"accept", b"").lower()
    return _XML if b"xml" in accept and b"json" not in accept else _JSON


_FORMATS = {"JSON": _JSON, "XML": _XML}


def _media_type(headers: Headers) -> str:
    return headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()


def _parsed_body(media_type: str, body: bytes) -> tuple[Mapping[str, object], ErrorDefinition | None]:
    """What a V3 body says. An RPC signature would not cover JSON, so that there it would be anybody's word."""
    if media_type == _FORM:
        return _parsed_form(body.decode("latin-1"))
    if media_type == _JSON_TYPE:
        try:
            return parse_json_object(body), None
        except RepeatedName as repeated:
            return {}, _repeated(repeated.name)
        except TooManyNames:
            return {}, errors.invalid("Parameters")
        except ValueError:
            return {}, errors.invalid("Body")
    return {}, None


def _parsed_form(text: str) -> tuple[Mapping[str, str], ErrorDefinition | None]:
    if text.count("&") >= MOST_NAMES:
        return {}, errors.invalid("Parameters")
    values, repeated = parse_form(text)
    return values, None if repeated is None else _repeated(repeated)


def _repeated(name: str) -> ErrorDefinition:
    return errors.invalid(name if _PLAIN_NAME.fullmatch(name) else "Parameters")
