"""Whether anybody has changed the audit trail: its chain, gone along part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from message_contacts.console.site.field_errors import errors_beside
from message_contacts.console.site.form import Form
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit

#: Parts that one page looks at: a person waits for it, and a script asks for the next one by itself.
_PARTS_OF_PAGE = 5
#: Breaks that are told, over all parts.
_MOST_BREAKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found so far; it travels in the page's own form, which nobody else can send."""

    events: int = 0
    unsealed: int = 0
    erased: int = 0
    pruned: int = 0
    sequence: int = 0
    hash: str = ""
    end: int = 0
    breaks: tuple[str, ...] = ()
    #: Where to go on; empty: at the end.
    token: str = ""

    @classmethod
    def of_form(cls, form: Form) -> Found:
        """What the page before had found."""
        return cls(
            events=_number(form, "events"),
            unsealed=_number(form, "unsealed"),
            erased=_number(form, "erased"),
            breaks=tuple(form.texts("breaks")[:_MOST_BREAKS]),
            token=form.text("token"),
        )

    def with_part(self, part: Mapping[str, Any]) -> Found:
        """The same with what another part tells."""
        return replace(
            self,
            events=self.events + part["Events"],
            unsealed=self.unsealed + part["Unsealed"],
            erased=self.erased + part["ErasedPersonalParts"],
            pruned=part["PrunedSequence"],
            sequence=part["Head"]["Sequence"],
            hash=part["Head"]["Hash"],
            end=part["EndSequence"],
            breaks=(*self.breaks, *part["Breaks"])[:_MOST_BREAKS],
            token=part.get("NextToken", ""),
        )


def _number(form: Form, name: str) -> int:
    return form.number(name, 0, most=10**15)


async def ask(visit: Visit) -> Response:
    """What checking means, and the button for it."""
    return visit.page(
        "audit/check.html", title=visit._("Check the trail"), found=None, heads="", errors={}, refusal=None
    )


async def check(visit: Visit) -> Response:
    """Go along the chain for some parts, on from where the page before ended."""
    form = await visit.form()
    found, heads = Found.of_form(form), form.text("heads")
    for _ in range(_PARTS_OF_PAGE):
        given = {"Heads": heads.split(), "NextToken": found.token}
        attempt = await visit.attempt("VerifyAuditTrail", given)
        if attempt.fields is None:
            beside = errors_beside(attempt.refusal, {"Heads": "heads"})
            return visit.page(
                "audit/check.html",
                title=visit._("Check the trail"),
                status=attempt.refusal.definition.status if attempt.refusal else 200,
                found=None,
                heads=heads,
                errors=beside,
                refusal=None if beside else attempt.refusal,
            )
        found = found.with_part(attempt.fields)
        if not found.token:
            break
    return visit.page(
        "audit/check.html",
        title=visit._("Check the trail"),
        found=found,
        heads=heads,
        errors={},
        refusal=None,
    )


ROUTES: tuple[Route, ...] = (
    Route("GET", "/audit/check", ask),
    Route("POST", "/audit/check", check),
)
