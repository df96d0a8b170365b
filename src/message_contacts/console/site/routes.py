"""What an area of the console answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from message_contacts.console.site.visit import Visit

Handler = Callable[[Visit], Awaitable[Response]]


class Route(NamedTuple):
    """One page, or one form's target."""

    #: GET (which HEAD goes with) or POST.
    method: str
    #: Below the console, e.g. `/contacts/{contact_id}`.
    path: str
    handler: Handler
