"""Applications that are only made when somebody asks for them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from message_contacts.console.by_prefix import when_asked_for


async def _nothing(*_: Any) -> dict[str, Any]:
    return {}


async def test_it_is_made_once_however_many_ask_at_the_same_time_and_beside_the_event_loop() -> None:
    made_on: list[threading.Thread] = []
    answered: list[str] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        answered.append(scope["path"])

    def make() -> Any:
        made_on.append(threading.current_thread())
        return application

    pages = when_asked_for(make)
    assert made_on == []

    await asyncio.gather(*(pages({"type": "http", "path": path}, _nothing, _nothing) for path in "abc"))
    await pages({"type": "http", "path": "d"}, _nothing, _nothing)

    assert sorted(answered) == ["a", "b", "c", "d"]
    assert len(made_on) == 1
    assert made_on[0] is not threading.main_thread()


async def test_whoever_leaves_meanwhile_does_not_keep_the_others_from_it() -> None:
    may_go_on = threading.Event()
    answered: list[str] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        answered.append(scope["path"])

    def make() -> Any:
        may_go_on.wait(10)
        return application

    pages = when_asked_for(make)
    first = asyncio.ensure_future(pages({"type": "http", "path": "first"}, _nothing, _nothing))
    second = asyncio.ensure_future(pages({"type": "http", "path": "second"}, _nothing, _nothing))
    await asyncio.sleep(0)
    first.cancel()
    may_go_on.set()
    await second

    with pytest.raises(asyncio.CancelledError):
        await first
    assert answered == ["second"]
