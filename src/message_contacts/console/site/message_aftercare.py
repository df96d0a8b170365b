"""What messages leave to be seen to: incidents, failed work, suspended addresses, hand-overs; the fallback address."""

from __future__ import annotations

from starlette.responses import Response

from message_contacts.console.site.message_targets import named_targets
from message_contacts.console.site.message_words import spoken
from message_contacts.console.site.routes import Route
from message_contacts.console.site.visit import Visit
from message_contacts.errors import ApiError

_A_PAGE = 50


async def incidents(visit: Visit) -> Response:
    """Messages that reached nobody where they should have."""
    return await _incidents(visit)


async def _incidents(visit: Visit, refusal: ApiError | None = None, at: str = "") -> Response:
    everything = bool(visit.query.text("all"))
    found = await visit.call(
        "ListIncidents",
        {
            "OnlyOpen": "false" if everything else "true",
            "MaxResults": _A_PAGE,
            "NextToken": visit.query.text("next"),
        },
    )
    return visit.page(
        "messages/incidents.html",
        title=visit._("Incidents"),
        status=200 if refusal is None else refusal.definition.status,
        found=found,
        everything=everything,
        refusal=refusal,
        at=at,
        **spoken(visit),
    )


async def incident_members(visit: Visit) -> Response:
    """The members of an incident, by name."""
    incident_id = visit.path["incident_id"]
    token, found = "", None
    while found is None:
        page = await visit.call("ListIncidents", {"MaxResults": 100, "NextToken": token})
        found = next((each for each in page["Incidents"] if each["IncidentId"] == incident_id), None)
        token = page.get("NextToken", "")
        if not token:
            break
    members = [] if found is None else await named_targets(visit, found["Members"])
    return visit.page(
        "messages/incident.html",
        title=visit._("Incident"),
        status=200 if found else 404,
        incident=found,
        members=members,
        **spoken(visit),
    )


async def close_incident(visit: Visit) -> Response:
    """Say that somebody has seen to it."""
    incident_id = visit.path["incident_id"]
    note = (await visit.form()).text("note")
    done = await visit.attempt("CloseIncident", {"IncidentId": incident_id, "Note": note})
    if done.refusal is not None:
        return await _incidents(visit, done.refusal, incident_id)
    return visit.go("/messages/incidents", said=visit._("The incident was closed."))


async def failed(visit: Visit) -> Response:
    """Work that was given up, to be tried again."""
    found = await visit.call("ListFailedJobs", {"MaxResults": _A_PAGE, "NextToken": visit.query.text("next")})
    return visit.page("messages/failed.html", title=visit._("Failed work"), found=found, **spoken(visit))


async def retry(visit: Visit) -> Response:
    """Try what was ticked again; each by itself, so that one that is gone stops none of the others."""
    job_ids = (await visit.form()).texts("job")
    done = [await visit.attempt("RetryFailedJob", {"JobId": job_id}) for job_id in job_ids]
    refusals = [each.refusal for each in done if each.refusal is not None]
    if len(refusals) == len(done) == 1:
        raise refusals[0]
    tried = len(done) - len(refusals)
    said = visit.ngettext("%(num)d is tried again.", "%(num)d are tried again.", tried) % {"num": tried}
    if refusals:
        said += " " + visit._("Refused: %(count)d, the first with: %(reason)s") % {
            "count": len(refusals),
            "reason": refusals[0].message,
        }
    return visit.go("/messages/failed", said=said)


async def suspensions(visit: Visit) -> Response:
    """Addresses to which nothing is sent any more, and why."""
    found = await visit.call("ListSuspensions", {"MaxResults": _A_PAGE, "NextToken": visit.query.text("next")})
    return visit.page("messages/suspensions.html", title=visit._("Suspended addresses"), found=found, **spoken(visit))


async def lift(visit: Visit) -> Response:
    """Send to an address again."""
    await visit.call("DeleteSuspension", {"Address": (await visit.form()).text("address")})
    return visit.go("/messages/suspensions", said=visit._("The next message is sent there again."))


async def hand_overs(visit: Visit) -> Response:
    """What contacts asked on their page of preferences."""
    return await _hand_overs(visit)


async def _hand_overs(visit: Visit, refusal: ApiError | None = None, at: str = "") -> Response:
    everything = bool(visit.query.text("all"))
    found = await visit.call(
        "ListHandOvers",
        {
            "OnlyOpen": "false" if everything else "true",
            "MaxResults": _A_PAGE,
            "NextToken": visit.query.text("next"),
        },
    )
    return visit.page(
        "messages/hand_overs.html",
        title=visit._("Hand-overs"),
        status=200 if refusal is None else refusal.definition.status,
        found=found,
        everything=everything,
        refusal=refusal,
        at=at,
        **spoken(visit),
    )


async def close_hand_over(visit: Visit) -> Response:
    """Say that somebody has seen to it."""
    hand_over_id = visit.path["hand_over_id"]
    note = (await visit.form()).text("note")
    done = await visit.attempt("CloseHandOver", {"HandOverId": hand_over_id, "Note": note})
    if done.refusal is not None:
        return await _hand_overs(visit, done.refusal, hand_over_id)
    return visit.go("/messages/hand-overs", said=visit._("The request was closed."))


async def fallback(visit: Visit) -> Response:
    """The address for messages that would reach nobody."""
    return await _fallback(visit)


async def _fallback(
    visit: Visit, *, address: str = "", of_address: ApiError | None = None, of_code: ApiError | None = None
) -> Response:
    found = await visit.attempt("GetFallbackAddress")
    if found.refusal is not None and found.refusal.definition.status != 404:
        raise found.refusal
    refusal = of_address or of_code
    return visit.page(
        "messages/fallback.html",
        title=visit._("Fallback address"),
        status=200 if refusal is None else refusal.definition.status,
        fallback=found.fields["FallbackAddress"] if found.fields else None,
        address=address,
        of_address=of_address,
        of_code=of_code,
        **spoken(visit),
    )


async def set_fallback(visit: Visit) -> Response:
    """Name an address and send it a code."""
    address = (await visit.form()).text("address")
    done = await visit.attempt("SetFallbackAddress", {"EmailAddress": address})
    if done.refusal is not None:
        return await _fallback(visit, address=address, of_address=done.refusal)
    return visit.go("/messages/fallback", said=visit._("A code was sent to the address. Enter it here."))


async def confirm_fallback(visit: Visit) -> Response:
    """Give the code back."""
    done = await visit.attempt("ConfirmFallbackAddress", {"Code": (await visit.form()).text("code")})
    if done.refusal is not None:
        return await _fallback(visit, of_code=done.refusal)
    return visit.go("/messages/fallback", said=visit._("The fallback address is in force."))


async def ask_delete_fallback(visit: Visit) -> Response:
    """Whether to do without."""
    found = await visit.call("GetFallbackAddress")
    return visit.page(
        "messages/fallback_delete.html",
        title=visit._("Take the fallback address away?"),
        fallback=found["FallbackAddress"],
        **spoken(visit),
    )


async def delete_fallback(visit: Visit) -> Response:
    """Do without."""
    await visit.call("DeleteFallbackAddress")
    return visit.go("/messages/fallback", said=visit._("The fallback address was taken away."))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/messages/incidents", incidents),
    Route("GET", "/messages/incidents/{incident_id}", incident_members),
    Route("POST", "/messages/incidents/{incident_id}/close", close_incident),
    Route("GET", "/messages/failed", failed),
    Route("POST", "/messages/failed/retry", retry),
    Route("GET", "/messages/suspensions", suspensions),
    Route("POST", "/messages/suspensions/lift", lift),
    Route("GET", "/messages/hand-overs", hand_overs),
    Route("POST", "/messages/hand-overs/{hand_over_id}/close", close_hand_over),
    Route("GET", "/messages/fallback", fallback),
    Route("POST", "/messages/fallback", set_fallback),
    Route("POST", "/messages/fallback/confirm", confirm_fallback),
    Route("GET", "/messages/fallback/delete", ask_delete_fallback),
    Route("POST", "/messages/fallback/delete", delete_fallback),
)
