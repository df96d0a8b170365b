"""The operator's pages of a service that is well."""

from __future__ import annotations

from collections.abc import Sequence

from message_contacts.health import Ailment
from message_contacts.wire.operator_pages import OperatorPages


async def well() -> Sequence[Ailment]:
    return ()


async def metrics(accept: str) -> tuple[str, bytes]:
    """Says what was asked for."""
    return "text/plain; version=0.0.4", f"asked {accept}\n".encode()


PAGES = OperatorPages(ailments=well, impairments=tuple, metrics=metrics)
