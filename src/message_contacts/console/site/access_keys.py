"""Access keys of users, and of whoever is signed in: made, switched on and off, deleted."""

from __future__ import annotations

from starlette.responses import Response

from message_contacts.console.site.access_parts import around, keys_of, status_of
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError


async def own_keys(visit: Visit) -> Response:
    """The keys of whoever is signed in."""
    return await _own_page(visit)


async def _own_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    keys, no_keys = await keys_of(visit, None)
    return visit.page(
        "access/keys.html",
        title=visit._("My keys"),
        status=status_of(refusal or no_keys),
        keys=keys,
        no_keys=no_keys,
        refusal=refusal,
        **around(visit, "/access/keys"),
    )


async def create(visit: Visit) -> Response:
    """Make a key, and show its secret on the page that answers: nothing shows it again."""
    name = _name(visit)
    attempt = await visit.attempt("CreateAccessKey", {"UserName": name})
    if attempt.fields is None:
        return await _refused(visit, attempt.refusal)
    return visit.page(
        "access/new_key.html",
        title=visit._("New access key"),
        made=attempt.fields["AccessKey"],
        user_name=name,
        **around(visit, _part(name)),
    )


async def switch(visit: Visit) -> Response:
    """Switch a key on or off."""
    name, status = _name(visit), (await visit.form()).text("status")
    given = {"UserName": name, "UserAccessKeyId": visit.path["key_id"], "Status": status}
    attempt = await visit.attempt("UpdateAccessKey", given)
    if attempt.refusal is not None:
        return await _refused(visit, attempt.refusal)
    said = (
        visit._("Key switched on.") if status == "Active" else visit._("Key switched off; calls with it are refused.")
    )
    return visit.go(_page(name), said=said)


async def ask_delete(visit: Visit) -> Response:
    """Whether a key is to go."""
    return await _delete_page(visit)


async def delete(visit: Visit) -> Response:
    """Delete a key for good."""
    name = _name(visit)
    attempt = await visit.attempt("DeleteAccessKey", {"UserName": name, "UserAccessKeyId": visit.path["key_id"]})
    if attempt.refusal is not None:
        return await _delete_page(visit, refusal=attempt.refusal)
    return visit.go(_page(name), said=visit._("Key deleted."))


async def _delete_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    name, key_id = _name(visit), visit.path["key_id"]
    keys, no_keys = await keys_of(visit, name)
    if no_keys is not None:
        raise no_keys
    key = next((key for key in keys if key["AccessKeyId"] == key_id), None)
    return visit.page(
        "access/delete_key.html",
        title=visit._("Delete the access key"),
        status=status_of(refusal) if key or refusal else 404,
        key=key,
        key_id=key_id,
        user_name=name,
        back=_page(name),
        refusal=refusal,
        **around(visit, _part(name)),
    )


async def _refused(visit: Visit, refusal: ApiError | None) -> Response:
    name = _name(visit)
    if name is None:
        return await _own_page(visit, refusal=refusal)
    keys, no_keys = await keys_of(visit, name)
    return visit.page(
        "access/keys.html",
        title=name,
        status=status_of(refusal),
        keys=keys,
        no_keys=no_keys,
        refusal=refusal,
        **around(visit, _part(name)),
    )


def _name(visit: Visit) -> str | None:
    """The user whose keys they are; None: whoever is signed in."""
    return visit.path.get("user_name")


def _page(name: str | None) -> str:
    return "/access/keys" if name is None else f"/access/users/{name}"


def _part(name: str | None) -> str:
    return "/access/keys" if name is None else "/access"


ROUTES: tuple[Route, ...] = (
    Route("GET", "/access/keys", own_keys),
    Route("POST", "/access/keys", create),
    Route("POST", "/access/keys/{key_id}/status", switch),
    Route("GET", "/access/keys/{key_id}/delete", ask_delete),
    Route("POST", "/access/keys/{key_id}/delete", delete),
    Route("POST", "/access/users/{user_name}/keys", create),
    Route("POST", "/access/users/{user_name}/keys/{key_id}/status", switch),
    Route("GET", "/access/users/{user_name}/keys/{key_id}/delete", ask_delete),
    Route("POST", "/access/users/{user_name}/keys/{key_id}/delete", delete),
)
