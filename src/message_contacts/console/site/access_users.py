"""RAM users: who they are, what they may do, and how they come and go."""

from __future__ import annotations

from starlette.responses import Response

from message_contacts.console.site.access_parts import all_policies, around, keys_of, status_of
from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError

_PART = "/access"
_USERS_ON_PAGE = 50
#: The form's field by parameter, and the errors that say no more than that.
_FIELDS = {
    "UserName": "name",
    "NewUserName": "name",
    "EntityAlreadyExists.User": "name",
    "DisplayName": "display_name",
    "NewDisplayName": "display_name",
    "Email": "email",
    "NewEmail": "email",
    "MobilePhone": "phone",
    "NewMobilePhone": "phone",
    "Comments": "comments",
    "NewComments": "comments",
}


async def list_users(visit: Visit) -> Response:
    """Users by name."""
    found = await visit.call("ListUsers", {"MaxItems": _USERS_ON_PAGE, "Marker": visit.query.text("after")})
    return visit.page(
        "access/users.html",
        title=visit._("Access"),
        users=found["Users"]["User"],
        after=visit.query.text("after"),
        next=found.get("Marker", ""),
        **around(visit, _PART),
    )


async def new_user(visit: Visit) -> Response:
    """The form for a user."""
    return _form(visit, visit._("New user"), {}, None)


async def create_user(visit: Visit) -> Response:
    """Make a user."""
    values = await _typed(visit)
    attempt = await visit.attempt(
        "CreateUser",
        {
            "UserName": values["name"],
            "DisplayName": values["display_name"],
            "Email": values["email"],
            "MobilePhone": values["phone"],
            "Comments": values["comments"],
        },
    )
    if attempt.refusal is not None:
        return _form(visit, visit._("New user"), values, attempt.refusal)
    return visit.go(
        f"/access/users/{values['name']}",
        said=visit._("User created. It may do nothing until it has a policy, and cannot call without a key."),
    )


async def show_user(visit: Visit) -> Response:
    """A user with its keys and policies."""
    return await _user_page(visit)


async def _user_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    name = visit.path["user_name"]
    user = (await visit.call("GetUser", {"UserName": name}))["User"]
    keys, no_keys = await keys_of(visit, name)
    attached = await visit.attempt("ListPoliciesForUser", {"UserName": name})
    has = [] if attached.fields is None else attached.fields["Policies"]["Policy"]
    policies, _ = await all_policies(visit)
    names = {(policy["PolicyType"], policy["PolicyName"]) for policy in has}
    return visit.page(
        "access/user.html",
        title=name,
        status=status_of(refusal),
        user=user,
        keys=keys,
        no_keys=no_keys,
        attached=has,
        no_policies=attached.refusal,
        to_attach=[each for each in policies if (each["PolicyType"], each["PolicyName"]) not in names],
        refusal=refusal,
        **around(visit, _PART),
    )


async def ask_edit(visit: Visit) -> Response:
    """The form with what is known of a user."""
    user = (await visit.call("GetUser", {"UserName": visit.path["user_name"]}))["User"]
    values = {
        "name": user["UserName"],
        "display_name": user["DisplayName"],
        "email": user["Email"],
        "phone": user["MobilePhone"],
        "comments": user["Comments"],
    }
    return _form(visit, visit._("Edit the user"), values, None, name=user["UserName"])


async def edit(visit: Visit) -> Response:
    """Change a user; what was cleared is taken away."""
    name, values = visit.path["user_name"], await _typed(visit)
    attempt = await visit.attempt(
        "UpdateUser",
        {
            "UserName": name,
            "NewUserName": values["name"],
            "NewDisplayName": values["display_name"],
            "NewEmail": values["email"],
            "NewMobilePhone": values["phone"],
            "NewComments": values["comments"],
        },
    )
    if attempt.refusal is not None:
        return _form(visit, visit._("Edit the user"), values, attempt.refusal, name=name)
    return visit.go(f"/access/users/{values['name'] or name}", said=visit._("User changed."))


async def _typed(visit: Visit) -> dict[str, str]:
    form = await visit.form()
    return {name: form.text(name) for name in ("name", "display_name", "email", "phone", "comments")}


def _form(visit: Visit, title: str, values: dict[str, str], refusal: ApiError | None, *, name: str = "") -> Response:
    beside = errors_beside(refusal, _FIELDS)
    return visit.page(
        "access/user_form.html",
        title=title,
        status=status_of(refusal),
        name=name,
        values=values,
        errors=beside,
        refusal=None if beside else refusal,
        **around(visit, _PART),
    )


async def ask_delete(visit: Visit) -> Response:
    """Whether a user is to go, and what it still has."""
    return await _delete_page(visit)


async def delete(visit: Visit) -> Response:
    """Delete a user; when asked to, with its keys and without its policies."""
    name, form = visit.path["user_name"], await visit.form()
    try:
        if "everything" in form:
            await _strip(visit, name)
        await visit.call("DeleteUser", {"UserName": name})
    except ApiError as refusal:
        return await _delete_page(visit, refusal=refusal)
    return visit.go("/access", said=visit._("User deleted."))


async def _strip(visit: Visit, name: str) -> None:
    """Take keys and policies from a user: it can do nothing from the first key on, whatever fails later."""
    for key in (await visit.call("ListAccessKeys", {"UserName": name}))["AccessKeys"]["AccessKey"]:
        await visit.call("DeleteAccessKey", {"UserName": name, "UserAccessKeyId": key["AccessKeyId"]})
    for policy in (await visit.call("ListPoliciesForUser", {"UserName": name}))["Policies"]["Policy"]:
        about = {"PolicyName": policy["PolicyName"], "PolicyType": policy["PolicyType"], "UserName": name}
        await visit.call("DetachPolicyFromUser", about)


async def _delete_page(visit: Visit, *, refusal: ApiError | None = None) -> Response:
    name = visit.path["user_name"]
    await visit.call("GetUser", {"UserName": name})
    keys, _ = await keys_of(visit, name)
    attached = await visit.attempt("ListPoliciesForUser", {"UserName": name})
    return visit.page(
        "access/delete_user.html",
        title=visit._("Delete the user"),
        status=status_of(refusal),
        name=name,
        keys=keys,
        attached=[] if attached.fields is None else attached.fields["Policies"]["Policy"],
        refusal=refusal,
        **around(visit, _PART),
    )


async def attach(visit: Visit) -> Response:
    """Give a user a policy."""
    return await _grant(visit, "AttachPolicyToUser", visit._("Policy attached; it counts from the next call on."))


async def detach(visit: Visit) -> Response:
    """Take a policy from a user."""
    return await _grant(
        visit, "DetachPolicyFromUser", visit._("Policy detached; it counts no more from the next call on.")
    )


async def _grant(visit: Visit, operation: str, said: str) -> Response:
    name = visit.path["user_name"]
    kind, _, policy = (await visit.form()).text("policy").partition("/")
    attempt = await visit.attempt(operation, {"PolicyType": kind, "PolicyName": policy, "UserName": name})
    if attempt.refusal is not None:
        return await _user_page(visit, refusal=attempt.refusal)
    return visit.go(f"/access/users/{name}", said=said)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/access", list_users),
    Route("GET", "/access/new-user", new_user),
    Route("POST", "/access/new-user", create_user),
    Route("GET", "/access/users/{user_name}", show_user),
    Route("GET", "/access/users/{user_name}/edit", ask_edit),
    Route("POST", "/access/users/{user_name}/edit", edit),
    Route("GET", "/access/users/{user_name}/delete", ask_delete),
    Route("POST", "/access/users/{user_name}/delete", delete),
    Route("POST", "/access/users/{user_name}/attach", attach),
    Route("POST", "/access/users/{user_name}/detach", detach),
)
