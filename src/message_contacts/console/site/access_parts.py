"""What the pages about access have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from message_contacts.console.site.visit import Visit
from message_contacts.console.site.words import mark
from message_contacts.errors import ApiError

#: Users or policies read for a list to choose from.
MOST_TO_CHOOSE = 1_000
#: Parts of the area, for the links at the top of its pages.
_PARTS = (
    ("/access", mark("Users")),
    ("/access/policies", mark("Policies")),
    ("/access/evaluate", mark("May this key do this?")),
    ("/access/keys", mark("My keys")),
    ("/session", mark("My sessions")),
)


def around(visit: Visit, part: str) -> dict[str, Any]:
    """What every template of the area gets.

    Args:
        part: Path of the part that the page belongs to.
    """
    return {"parts_of_area": [(path, visit._(name)) for path, name in _PARTS], "part": part}


def status_of(refusal: ApiError | None) -> int:
    """The status of a page that shows a form again."""
    return 200 if refusal is None else refusal.definition.status


async def keys_of(visit: Visit, user_name: str | None) -> tuple[list[dict[str, Any]], ApiError | None]:
    """The keys of a user, or without a name of whoever is signed in, each with its last use as far as that is told."""
    about = {"UserName": user_name}
    found = await visit.attempt("ListAccessKeys", about)
    if found.fields is None:
        return [], found.refusal
    keys = [dict(key) for key in found.fields["AccessKeys"]["AccessKey"]]
    uses = await asyncio.gather(
        *(visit.attempt("GetAccessKeyLastUsed", {**about, "UserAccessKeyId": key["AccessKeyId"]}) for key in keys)
    )
    for key, use in zip(keys, uses, strict=True):
        key["LastUsedDate"] = None if use.fields is None else use.fields["AccessKeyLastUsed"]["LastUsedDate"]
    return keys, None


async def all_users(visit: Visit) -> tuple[Sequence[Mapping[str, Any]], ApiError | None]:
    """Users to choose from, by name; the first thousand."""
    found = await visit.attempt("ListUsers", {"MaxItems": MOST_TO_CHOOSE})
    return ([], found.refusal) if found.fields is None else (found.fields["Users"]["User"], None)


async def all_policies(visit: Visit) -> tuple[Sequence[Mapping[str, Any]], ApiError | None]:
    """Policies to choose from, the account's own first; the first thousand."""
    found = await visit.attempt("ListPolicies", {"MaxItems": MOST_TO_CHOOSE})
    return ([], found.refusal) if found.fields is None else (found.fields["Policies"]["Policy"], None)
