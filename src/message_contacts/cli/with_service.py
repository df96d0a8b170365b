"""Commands that work on the database itself, whether a service runs or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from message_contacts.cli.loading import settings_for

if TYPE_CHECKING:
    from message_contacts.bootstrap import Service


def run_with_service(config: Path | None, work: Callable[[Service], Awaitable[None]]) -> None:
    """Do something with the service of the settings, on a database that is there.

    Raises: click.ClickException for everything that the operator can mend.
    """
    # Heavy to load: `--help` does without.
    from message_contacts.cli.logs import configure_logs  # noqa: PLC0415
    from message_contacts.cli.opening import need_database, opened  # noqa: PLC0415

    settings = settings_for(config)
    configure_logs(settings)
    need_database(settings)

    async def run() -> None:
        async with opened(settings) as service:
            await work(service)

    asyncio.run(run())
