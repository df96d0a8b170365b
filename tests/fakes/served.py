"""A process that serves a little application: `python -m tests.fakes.served <workers> [<certificate> <key>]`.

Prints its port when it answers, and "stopped" when it has stopped as it should.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from message_contacts.wire.app import ASGIApp
from message_contacts.wire.server import StartError, serve


def application() -> ASGIApp:
    """Answers its process id; `/slow` after half a second. Fails to start if FAIL_TO_START says how."""
    if os.environ.get("FAIL_TO_START") == "factory":
        raise OSError("no database")
    return _application


async def _application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        if os.environ.get("FAIL_TO_START") == "lifespan":
            await send({"type": "lifespan.startup.failed", "message": "no database"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    body = b"%d" % os.getpid()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _main() -> None:
    workers = int(sys.argv[1])
    certificate, key = (Path(sys.argv[2]), Path(sys.argv[3])) if len(sys.argv) > 2 else (None, None)
    try:
        serve(
            "tests.fakes.served:application",
            host="127.0.0.1",
            port=0,
            workers=workers,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            on_started=lambda listening: print(listening.port, flush=True),  # noqa: T201 - read by the test
        )
    except (StartError, OSError):
        sys.exit("did not start")
    print("stopped", flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    _main()
