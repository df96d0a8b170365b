"""The API explorer: every operation, what it takes, what it says, and the same call as a program.

GET  /explorer                              operations, by product and subject
GET  /explorer/errors                       every error and why it is answered
GET  /explorer/changes                      what changed in which release
GET  /explorer/{version}/{action}           form, what is signed, samples; runs nothing     POST  runs, or shows again
GET  /explorer/{version}/{action}/errors    the errors of one operation
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from message_contacts.console.site import explorer_causes as causes
from message_contacts.console.site.explorer_answers import Shown, shown
from message_contacts.console.site.explorer_forms import arguments, examples, fields, rows_of
from message_contacts.console.site.explorer_history import UNRELEASED, releases
from message_contacts.console.site.explorer_subjects import VERSIONS, groups, searched_text
from message_contacts.console.site.form import Form
from message_contacts.console.site.routes import Route
from message_contacts.console.site.samples import signed
from message_contacts.console.site.samples.call import Argument, Endpoint, SampleCall
from message_contacts.console.site.samples.catalogue import samples
from message_contacts.console.site.visit import Visit
from message_contacts.operations.registry import PRODUCTS, Access, Operation

#: Beginnings of the names of operations that take something away: the console asks before it runs them.
_DESTRUCTIVE = re.compile(r"(Delete|Destroy|Remove|Erase|Clear|Cancel|Detach|Disassociate|Unbind)")


async def list_operations(visit: Visit) -> Response:
    """Every operation, or those that are looked for."""
    words, version = visit.query.text("q"), visit.query.text("version")
    found = groups(visit.calls.registry, words=words, version=version if version in VERSIONS else "")
    return visit.page(
        "explorer/list.html",
        title=visit._("API explorer"),
        products=[(of, PRODUCTS[of], [group for group in found if group.version == of]) for of in VERSIONS],
        versions=[(of, f"{PRODUCTS[of]} {of}") for of in VERSIONS],
        words=words,
        version=version,
        count=sum(len(group.operations) for group in found),
        searched_text=searched_text,
        Access=Access,
    )


async def show_operation(visit: Visit) -> Response:
    """An operation with an empty form, or one that the link fills in."""
    return _operation_page(visit, visit.query, answer=None)


async def use_operation(visit: Visit) -> Response:
    """What was asked for with the form: to run it, to show its samples, or to have more rows."""
    version, operation = _operation(visit)
    form = await visit.form()
    if form.text("do") != "run":
        return _operation_page(visit, form, answer=None)
    if is_destructive(operation) and form.text("confirmed") != "yes":
        return visit.page(
            "explorer/confirm.html",
            title=visit._("Run %(name)s?") % {"name": operation.name},
            operation=operation,
            version=version,
            product=PRODUCTS[version],
            given=_sample_call(visit, version, operation, arguments(operation, form)).flat,
            sent=[(name, value) for name, value in form if name not in {"csrf", "do"}],
        )
    # Any operation, as often as somebody likes: as the call of a program it would count, so it counts here.
    answered = await visit.answer(operation.name, arguments(operation, form), version=version, is_limited=True)
    answer = shown(operation.name, answered, host=Endpoint.of(visit.frame.public_url).authority)
    return _operation_page(visit, form, answer=answer)


async def show_operation_errors(visit: Visit) -> Response:
    """The errors of one operation, and those of the vendor's table that never occur here."""
    version, operation = _operation(visit)
    return visit.page(
        "explorer/operation_errors.html",
        title=visit._("Errors of %(name)s") % {"name": operation.name},
        operation=operation,
        version=version,
        product=PRODUCTS[version],
        rows=causes.of_operation(visit._, operation),
    )


async def show_errors(visit: Visit) -> Response:
    """Every error there is."""
    words = visit.query.text("q")
    registry = visit.calls.registry
    return visit.page(
        "explorer/errors.html",
        title=visit._("Errors and their causes"),
        words=words,
        common=_matching(causes.common(visit._), words),
        rows=_matching(causes.everything(visit._, registry), words),
        version_of={operation.name: of for of in reversed(VERSIONS) for at, operation in registry.all() if at == of},
    )


async def show_changes(visit: Visit) -> Response:
    """What changed about operations in which release."""
    return visit.page(
        "explorer/changes.html",
        title=visit._("Changes by release"),
        releases=releases(visit.calls.registry),
        unreleased=UNRELEASED,
        versions=[(of, f"{PRODUCTS[of]} {of}") for of in VERSIONS],
    )


def is_destructive(operation: Operation) -> bool:
    """Whether it takes something away, so that the console asks before it runs it."""
    return operation.access is Access.WRITE and _DESTRUCTIVE.match(operation.name) is not None


def _operation(visit: Visit) -> tuple[str, Operation]:
    """Version and operation of the path. Raises: INVALID_VERSION, INVALID_ACTION_NOT_FOUND."""
    version = visit.path["version"]
    return version, visit.calls.registry.find(version, visit.path["action"])


def _sample_call(visit: Visit, version: str, operation: Operation, given: Mapping[str, Argument]) -> SampleCall:
    return SampleCall(
        operation=operation, version=version, arguments=given, endpoint=Endpoint.of(visit.frame.public_url)
    )


def _operation_page(visit: Visit, form: Form, *, answer: Shown | None) -> Response:
    version, operation = _operation(visit)
    given = arguments(operation, form)
    rows = rows_of(operation, form)
    asked, _, wanted = form.text("do").partition(":")
    if asked == "more" and wanted in rows:
        rows[wanted] += 1
    # Before anything is entered a program with the examples says more than one that names nothing.
    is_example = not given and visit.request.method == "GET"
    call = _sample_call(visit, version, operation, examples(operation) if is_example else given)
    return visit.page(
        "explorer/operation.html",
        title=operation.name,
        operation=operation,
        version=version,
        product=PRODUCTS[version],
        fields=fields(operation, given, rows=rows),
        answer=answer,
        cause=_cause(visit, operation, answer),
        is_example=is_example and bool(call.arguments),
        is_destructive=is_destructive(operation),
        samples=samples(call),
        signatures=[("V3", signed.v3(call)), ("RPC 1.0", signed.v1(call))],
        resources=[f"acs:{operation.family}:*:*:{resource}" for resource in operation.resources],
        deniable_on=[f"acs:{operation.family}:*:*:{resource}" for resource in operation.deniable_on],
        history=_history(visit, version, operation),
        Access=Access,
    )


def _history(visit: Visit, version: str, operation: Operation) -> list[tuple[str, Any]]:
    """Release and change, for the changes of one operation, the newest first."""
    return [
        (release.name, change)
        for release in releases(visit.calls.registry)
        for change in release.changes
        if (change.version, change.operation) == (version, operation.name)
    ]


def _cause(visit: Visit, operation: Operation, answer: Shown | None) -> str:
    if answer is None or not answer.code:
        return ""
    rows = [*causes.of_operation(visit._, operation), *causes.common(visit._)]
    return next((row.cause for row in rows if row.code == answer.code), "")


def _matching(rows: list[causes.Row], words: str) -> list[causes.Row]:
    wanted = words.lower().split()
    return [row for row in rows if all(word in f"{row.code} {row.message} {row.cause}".lower() for word in wanted)]


ROUTES = (
    Route("GET", "/explorer", list_operations),
    Route("GET", "/explorer/errors", show_errors),
    Route("GET", "/explorer/changes", show_changes),
    Route("GET", "/explorer/{version}/{action}", show_operation),
    Route("POST", "/explorer/{version}/{action}", use_operation),
    Route("GET", "/explorer/{version}/{action}/errors", show_operation_errors),
)
