"""The loop every Python driver shares: one JSON line in, one call through a client, one JSON line out.

In: `{"action", "version", "parameters"}`, and `access_key_id` or `access_key_secret` where a call uses others than the
environment names. Out: `{"ok": true, "body"}` or `{"ok": false, "status", "code", "message", "request_id"}`, without
what the client does not tell its caller.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Refusal(Exception):  # noqa: N818 - an answer like any other
    """A call that the service refused, as far as the client tells."""

    def __init__(self, **told: object) -> None:
        super().__init__(told.get("code"))
        self.told = {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class Account:
    """Where to call and as whom."""

    endpoint: str
    access_key_id: str
    access_key_secret: str


Call = Callable[[str, str, dict[str, Any]], dict[str, Any]]


def run(connect: Callable[[Account, str], Call]) -> None:
    """Answer calls until the input ends.

    Args:
        connect: Makes a caller for an account and the variant named in the environment.
    """
    variant = os.environ["CONFORMANCE_VARIANT"]
    connected = functools.cache(lambda account: connect(account, variant))
    for line in sys.stdin:
        request = json.loads(line)
        account = Account(
            os.environ["CONFORMANCE_ENDPOINT"],
            request.get("access_key_id") or os.environ["CONFORMANCE_ACCESS_KEY_ID"],
            request.get("access_key_secret") or os.environ["CONFORMANCE_ACCESS_KEY_SECRET"],
        )
        try:
            body = connected(account)(request["action"], request["version"], request["parameters"])
            answer = {"ok": True, "body": body}
        except Refusal as refusal:
            answer = {"ok": False, **refusal.told}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def flattened(parameters: dict[str, Any]) -> dict[str, str]:
    """Parameters as these clients want them from callers: `MessageTypes.1`, `Tag.1.Key`, and text throughout."""
    flat: dict[str, str] = {}
    for name, value in parameters.items():
        items = enumerate(value, 1) if isinstance(value, list) else [(0, value)]
        for position, item in items:
            key = f"{name}.{position}" if position else name
            if isinstance(item, dict):
                flat |= {f"{key}.{field}": str(text) for field, text in item.items()}
            else:
                flat[key] = str(item).lower() if isinstance(item, bool) else str(item)
    return flat
