"""Paging of our own lists: `MaxResults` and `NextToken`, stable while entries come and go."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from message_contacts.errors import ErrorDefinition
from message_contacts.operations.call import Rules
from message_contacts.operations.paging import integer_between
from message_contacts.operations.registry import Field, Kind, Parameter, Shape

T = TypeVar("T")

_DEFAULT_RESULTS = 50
_MOST_RESULTS = 100
#: Characters of the longest key that a token is made of; an address with its channel has fewer.
_LONGEST_KEY = 512
_results = integer_between(1, _MOST_RESULTS)

INVALID_MAX_RESULTS = ErrorDefinition(400, "InvalidParameter.MaxResults", "The MaxResults is invalid.")
INVALID_NEXT_TOKEN = ErrorDefinition(400, "InvalidParameter.NextToken", "The NextToken is invalid.")


def _parse_max_results(text: str, rules: Rules) -> int:
    try:
        return _results(text, rules)
    except ValueError:
        raise INVALID_MAX_RESULTS() from None


def _parse_next_token(text: str, _rules: Rules) -> str:
    try:
        return read_token(text)
    except ValueError:
        raise INVALID_NEXT_TOKEN() from None


def read_token(text: str) -> str:
    """The key that a token was made of.

    Raises: ValueError for what `next_token` makes of no key: another text would begin the list anew, or anywhere.
    """
    key = decoded(text).decode("ascii")
    if not key.isprintable() or not 0 < len(key) <= _LONGEST_KEY:
        raise ValueError("not the key of an entry")
    return key


def encoded(raw: bytes) -> str:
    """Bytes as a token: base64 for URLs, without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(token: str) -> bytes:
    """What `encoded` made a token of. Raises: ValueError for any other text, though a lenient reader may take it."""
    raw = b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    if encoded(raw) != token:
        raise ValueError("not how tokens are written")
    return raw


MAX_RESULTS = Parameter(
    name="MaxResults",
    kind=Kind.INTEGER,
    parse=_parse_max_results,
    doc=f"Entries per page, 1 to {_MOST_RESULTS}.",
    example=str(_DEFAULT_RESULTS),
    default=_DEFAULT_RESULTS,
    invalid=(INVALID_MAX_RESULTS,),
)
NEXT_TOKEN = Parameter(
    name="NextToken",
    parse=_parse_next_token,
    doc="Token of the page wanted, from the page before.",
    example="Yy1xTDRIcUtPTnpPTTc",
    invalid=(INVALID_NEXT_TOKEN,),
)
TOKEN_FIELDS: Mapping[str, Shape] = {
    "NextToken": Field("string", "Token of the next page; absent on the last.", "Yy1xTDRIcUtPTnpPTTc")
}


def next_token(found: Sequence[T], limit: int, key: Callable[[T], str]) -> dict[str, Any]:
    """The answer's `NextToken` when `found` holds more than `limit` entries (the store was asked for one more)."""
    if len(found) <= limit:
        return {}
    return {"NextToken": encoded(key(found[limit - 1]).encode("ascii"))}
