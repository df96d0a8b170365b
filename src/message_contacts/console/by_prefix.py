"""Several groups of pages as one application, made when somebody asks for them if need be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def by_prefix(applications: Mapping[str, ASGIApp]) -> ASGIApp:
    """The application of the first prefix that a path begins with; the path reaches it unchanged.

    Args:
        applications: By prefix; the last one is `/`.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        found = next(application for prefix, application in applications.items() if scope["path"].startswith(prefix))
        await found(scope, receive, send)

    return answer


def when_asked_for(make: Callable[[], ASGIApp]) -> ASGIApp:
    """An application that is made beside the event loop when the first request comes, once.

    Args:
        make: Called on another thread.
    """
    made: asyncio.Future[ASGIApp] | None = None

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal made
        if made is None:
            made = asyncio.ensure_future(asyncio.to_thread(make))
        application = await asyncio.shield(made)  # for all others, should this visitor leave
        await application(scope, receive, send)

    return answer
