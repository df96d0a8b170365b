"""The table of contacts: search, filters, order, pages, and what is shown as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from message_contacts.console.site import contact_nodes
from message_contacts.console.site.contact_words import spoken
from message_contacts.console.site.form import Form
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.contacts.search import SortBy
from message_contacts.errors import ApiError
from message_contacts.operations.contact_search import COUNTED_AT_MOST, NO_NODE

_A_PAGE = 50
_EXPORTED_AT_ONCE = 100
#: Bindings of a contact that the table names.
BINDINGS_NAMED = 2
#: What programs that open tables take for the beginning of a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "ContactId",
    "Name",
    "Title",
    "Status",
    "EffectiveEmailAddress",
    "PendingEmailAddress",
    "EffectivePhoneNumber",
    "PendingPhoneNumber",
    "MessageTypes",
    "Members",
    "CreateDate",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which contacts a list is about, and in which order: what the address of the page says."""

    q: str = ""
    status: str = ""
    type: str = ""
    #: `yes`: bound to anything; `no`: to nothing.
    bound: str = ""
    #: Directory, folder or member.
    node: str = ""
    #: `yes`: bound to something above the node as well.
    inherited: str = ""
    sort: str = SortBy.NAME
    #: `yes`: back to front.
    down: str = ""

    @classmethod
    def read(cls, form: Form) -> Filter:
        """The filter that a query string or form names."""
        sort = form.text("sort")
        return cls(
            q=form.text("q"),
            status=form.text("status"),
            type=form.text("type"),
            bound=form.text("bound"),
            node=form.text("node_filter"),
            inherited=form.text("inherited"),
            sort=sort if sort in set(SortBy) else SortBy.NAME,
            down=form.text("down"),
        )

    @property
    def is_set(self) -> bool:
        """Whether it leaves anybody out."""
        return bool(self.q or self.status or self.type or self.bound or self.node)

    def query(self, **changed: str) -> dict[str, str]:
        """As the address of a page says it; the usual order is not named."""
        fields = {
            "q": self.q,
            "status": self.status,
            "type": self.type,
            "bound": self.bound,
            "node_filter": self.node,
            "inherited": self.inherited,
            "sort": self.sort,
            "down": self.down,
            **changed,
        }
        if fields["sort"] == SortBy.NAME:
            fields["sort"] = ""
        return {name: value for name, value in fields.items() if value}

    def arguments(self) -> dict[str, Any]:
        """As SearchMessageContacts takes it."""
        return {
            "Query": self.q,
            "Status": self.status,
            "MessageType": self.type,
            "Node": self.node,
            "Inherited": "true" if self.node and self.inherited else None,
            "Bound": {"yes": "true", "no": "false"}.get(self.bound),
            "SortBy": self.sort,
            "Descending": "true" if self.down else None,
        }


async def list_contacts(visit: Visit) -> Response:
    """A page of the table."""
    asked = Filter.read(visit.query)
    found, refusal = await visit.attempt(
        "SearchMessageContacts",
        {**asked.arguments(), "MaxResults": _A_PAGE, "NextToken": visit.query.text("page")},
    )
    if refusal is not None and not _is_about_the_question(refusal):
        raise refusal
    contacts = found["Contacts"] if found else []
    wanted = [node_id for contact in contacts for node_id in contact["Members"][:BINDINGS_NAMED]]
    names = await contact_nodes.names_of(visit, [*([asked.node] if asked.node else []), *wanted])
    return visit.page(
        "contacts/list.html",
        title=visit._("Contacts"),
        status=200 if refusal is None else refusal.definition.status,
        contacts=contacts,
        count=found["MatchCount"] if found else 0,
        counted_at_most=COUNTED_AT_MOST,
        next=found.get("NextToken", "") if found else "",
        previous=found.get("PreviousToken", "") if found else "",
        asked=asked,
        names=names,
        named=BINDINGS_NAMED,
        refusal=refusal,
        **spoken(visit),
    )


def _is_about_the_question(refusal: ApiError) -> bool:
    """Whether it can be put right by asking otherwise, on the same page."""
    return refusal.definition.code.startswith("InvalidParameter.") or refusal.definition is NO_NODE


async def choose_node(visit: Visit) -> Response:
    """The tree, to choose the object whose contacts are wanted."""
    return await _chooser(visit, visit.query)


async def filter_by_node(visit: Visit) -> Response:
    """The list with the object that was chosen; or the tree again, with a folder opened or a search done."""
    form = await visit.form()
    chosen = form.text("node")
    if "toggle" in form or "search" in form or not chosen:
        return await _chooser(visit, form)
    return visit.go("/contacts", **Filter.read(form).query(node_filter=chosen))


async def _chooser(visit: Visit, form: Form) -> Response:
    return visit.page(
        "contacts/choose.html",
        title=visit._("Contacts by binding"),
        asked=Filter.read(form),
        picker=await contact_nodes.picker(visit, form, single=True),
        **spoken(visit),
    )


async def export(visit: Visit) -> Response:
    """All contacts that match, as a file."""
    asked, form = Filter.read(visit.query), visit.query.text("form")
    first = await _page_of(visit, asked, "")  # refused here, if at all
    as_csv = form != "json"
    body = _csv(visit, asked, first) if as_csv else _json(visit, asked, first)
    return StreamingResponse(
        body,
        media_type="text/csv; charset=utf-8" if as_csv else "application/json",
        headers={
            "Content-Disposition": f'attachment; filename="contacts.{"csv" if as_csv else "json"}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _page_of(visit: Visit, asked: Filter, token: str) -> Mapping[str, Any]:
    return await visit.call(
        "SearchMessageContacts", {**asked.arguments(), "MaxResults": _EXPORTED_AT_ONCE, "NextToken": token}
    )


async def _pages(visit: Visit, asked: Filter, first: Mapping[str, Any]) -> AsyncIterator[list[Mapping[str, Any]]]:
    page = first
    while True:
        yield page["Contacts"]
        token = page.get("NextToken")
        if not token:
            return
        page = await _page_of(visit, asked, token)


async def _csv(visit: Visit, asked: Filter, first: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """Rows as tables take them; the mark at the beginning tells them that it is UTF-8."""
    yield b"\xef\xbb\xbf" + _rows([_COLUMNS])
    async for contacts in _pages(visit, asked, first):
        yield _rows([[_cell(contact.get(column, "")) for column in _COLUMNS] for contact in contacts])


async def _json(visit: Visit, asked: Filter, first: Mapping[str, Any]) -> AsyncIterator[bytes]:
    between = b"["
    async for contacts in _pages(visit, asked, first):
        for contact in contacts:
            yield between + b"\n" + orjson.dumps(contact)
            between = b","
    yield b"[]\n" if between == b"[" else b"\n]\n"


def _rows(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """A value as text that no program computes: a quotation mark stands before what would be a formula."""
    text = value if isinstance(value, str) else " ".join(value)
    return "'" + text if text.startswith(_FORMULA_SIGNS) else text


ROUTES: tuple[Route, ...] = (
    Route("GET", "/contacts", list_contacts),
    Route("GET", "/contacts/export", export),
    Route("GET", "/contacts/by-binding", choose_node),
    Route("POST", "/contacts/by-binding", filter_by_node),
    Route("GET", "/contacts/branch", contact_nodes.open_branch),
)
