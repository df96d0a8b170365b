"""Policies: what they say, in which version, and who has them."""

from __future__ import annotations

from starlette.responses import Response

from message_contacts.console.site.access_parts import around, status_of
from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError

_PART = "/access/policies"
_POLICIES_ON_PAGE = 100
#: What a new policy begins with: it may be read as it is, and says where one goes on.
_FIRST_DOCUMENT = """{
  "Version": "1",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["resourcemanager:Get*", "resourcemanager:List*"],
      "Resource": "*"
    }
  ]
}"""
_FIELDS = {
    "PolicyName": "name",
    "EntityAlreadyExists.Policy": "name",
    "Description": "description",
    "NewDescription": "description",
    "PolicyDocument": "document",
    "MalformedPolicyDocument": "document",
}


async def list_policies(visit: Visit) -> Response:
    """Policies: the account's own, then those that come with the service."""
    kind = visit.query.text("type")
    asked = {"PolicyType": kind, "Marker": visit.query.text("after"), "MaxItems": _POLICIES_ON_PAGE}
    found = await visit.call("ListPolicies", asked)
    return visit.page(
        "access/policies.html",
        title=visit._("Policies"),
        policies=found["Policies"]["Policy"],
        kind=kind,
        after=visit.query.text("after"),
        next=found.get("Marker", ""),
        **around(visit, _PART),
    )


async def new_policy(visit: Visit) -> Response:
    """The form for a policy; it may begin with what a call was found to lack."""
    document = visit.query.raw("document") or _FIRST_DOCUMENT
    return _form(visit, {"document": document}, None)


async def create_policy(visit: Visit) -> Response:
    """Make a policy."""
    form = await visit.form()
    values = {"name": form.text("name"), "description": form.text("description"), "document": form.raw("document")}
    given = {
        "PolicyName": values["name"],
        "Description": values["description"],
        "PolicyDocument": values["document"].strip(),
    }
    attempt = await visit.attempt("CreatePolicy", given)
    if attempt.refusal is not None:
        return _form(visit, values, attempt.refusal)
    return visit.go(
        f"{_PART}/Custom/{values['name']}", said=visit._("Policy created. Attach it to the users it is for.")
    )


def _form(visit: Visit, values: dict[str, str], refusal: ApiError | None) -> Response:
    beside = errors_beside(refusal, _FIELDS)
    return visit.page(
        "access/policy_form.html",
        title=visit._("New policy"),
        status=status_of(refusal),
        values=values,
        errors=beside,
        refusal=None if beside else refusal,
        **around(visit, _PART),
    )


async def show_policy(visit: Visit) -> Response:
    """A policy, one of its versions, and the users that have it."""
    return await _policy_page(visit)


async def _policy_page(
    visit: Visit, *, refusal: ApiError | None = None, document: str | None = None, description: str | None = None
) -> Response:
    about = {"PolicyType": visit.path.get("type", "Custom"), "PolicyName": visit.path["name"]}
    policy = (await visit.call("GetPolicy", about))["Policy"]
    listed = (await visit.call("ListPolicyVersions", about))["PolicyVersions"]["PolicyVersion"]
    wanted = visit.query.text("version") or policy["DefaultVersion"]
    shown = (await visit.call("GetPolicyVersion", {**about, "VersionId": wanted}))["PolicyVersion"]
    holders = await visit.attempt("ListEntitiesForPolicy", about)
    beside = errors_beside(refusal, _FIELDS)
    return visit.page(
        "access/policy.html",
        title=policy["PolicyName"],
        status=status_of(refusal),
        policy=policy,
        versions=listed[::-1],
        shown=shown,
        holders=None if holders.fields is None else holders.fields["Users"]["User"],
        no_holders=holders.refusal,
        document=shown["PolicyDocument"] if document is None else document,
        description=policy["Description"] if description is None else description,
        errors=beside,
        refusal=None if beside else refusal,
        **around(visit, _PART),
    )


async def describe(visit: Visit) -> Response:
    """Describe a policy anew."""
    text = (await visit.form()).text("description")
    attempt = await visit.attempt("UpdatePolicyDescription", {**_named(visit), "NewDescription": text})
    if attempt.refusal is not None:
        return await _policy_page(visit, refusal=attempt.refusal, description=text)
    return _back(visit, visit._("Description changed."))


async def add_version(visit: Visit) -> Response:
    """Give a policy another version."""
    form = await visit.form()
    document = form.raw("document")
    given = {
        **_named(visit),
        "PolicyDocument": document.strip(),
        "SetAsDefault": "true" if "default" in form else "false",
        "RotateStrategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded" if "rotate" in form else None,
    }
    attempt = await visit.attempt("CreatePolicyVersion", given)
    if attempt.fields is None:
        return await _policy_page(visit, refusal=attempt.refusal, document=document)
    version = attempt.fields["PolicyVersion"]["VersionId"]
    said = visit._("Version %(version)s saved.") % {"version": version}
    return visit.go(f"{_PART}/Custom/{visit.path['name']}", said=said, version=version)


async def put_in_force(visit: Visit) -> Response:
    """Let another version count."""
    version = visit.path["version"]
    attempt = await visit.attempt("SetDefaultPolicyVersion", {**_named(visit), "VersionId": version})
    if attempt.refusal is not None:
        return await _policy_page(visit, refusal=attempt.refusal)
    return _back(visit, visit._("Version %(version)s is in force from the next call on.") % {"version": version})


async def ask_delete_version(visit: Visit) -> Response:
    """Whether a version is to go."""
    return await _delete_page(visit, version=visit.path["version"])


async def delete_version(visit: Visit) -> Response:
    """Delete a version that is not in force."""
    version = visit.path["version"]
    attempt = await visit.attempt("DeletePolicyVersion", {**_named(visit), "VersionId": version})
    if attempt.refusal is not None:
        return await _delete_page(visit, version=version, refusal=attempt.refusal)
    return _back(visit, visit._("Version deleted."))


async def ask_delete(visit: Visit) -> Response:
    """Whether a policy is to go."""
    return await _delete_page(visit)


async def delete(visit: Visit) -> Response:
    """Delete a policy with all its versions."""
    attempt = await visit.attempt("DeletePolicy", {**_named(visit), "CascadingDelete": "true"})
    if attempt.refusal is not None:
        return await _delete_page(visit, refusal=attempt.refusal)
    return visit.go(_PART, said=visit._("Policy deleted."))


async def _delete_page(visit: Visit, *, version: str = "", refusal: ApiError | None = None) -> Response:
    about = {**_named(visit), "PolicyType": "Custom"}
    policy = (await visit.call("GetPolicy", about))["Policy"]
    return visit.page(
        "access/delete_policy.html",
        title=visit._("Delete the version") if version else visit._("Delete the policy"),
        status=status_of(refusal),
        policy=policy,
        version=version,
        refusal=refusal,
        **around(visit, _PART),
    )


def _named(visit: Visit) -> dict[str, str]:
    return {"PolicyName": visit.path["name"]}


def _back(visit: Visit, said: str) -> Response:
    return visit.go(f"{_PART}/Custom/{visit.path['name']}", said=said)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/access/policies", list_policies),
    Route("GET", "/access/new-policy", new_policy),
    Route("POST", "/access/new-policy", create_policy),
    Route("GET", "/access/policies/{type}/{name}", show_policy),
    Route("POST", "/access/policies/Custom/{name}/describe", describe),
    Route("POST", "/access/policies/Custom/{name}/versions", add_version),
    Route("POST", "/access/policies/Custom/{name}/versions/{version}/default", put_in_force),
    Route("GET", "/access/policies/Custom/{name}/versions/{version}/delete", ask_delete_version),
    Route("POST", "/access/policies/Custom/{name}/versions/{version}/delete", delete_version),
    Route("GET", "/access/policies/Custom/{name}/delete", ask_delete),
    Route("POST", "/access/policies/Custom/{name}/delete", delete),
)
