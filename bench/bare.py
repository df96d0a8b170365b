"""An ASGI program that answers the same bytes to everything: what uvicorn, event loop and parser alone can do.

Started by servers.py through uvicorn's own command. BENCH_ANSWER in the environment names the file with the header
fields and the body of a real answer of ours.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]

_answer = json.loads(Path(os.environ["BENCH_ANSWER"]).read_text(encoding="utf-8"))
_HEADERS = [(name.encode(), value.encode()) for name, value in _answer["headers"]]
_BODY = _answer["body"].encode()


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer; `receive` is not even called."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
