"""Several groups of pages as one application."""

from __future__ import annotations

from collections.abc import Mapping

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
