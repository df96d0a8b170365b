"""Limits on calls a second: in two services on one database, and as the vendor's client sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_resourcedirectorymaster20220419 import models
from alibabacloud_resourcedirectorymaster20220419.client import Client
from alibabacloud_tea_openapi.exceptions import ThrottlingException
from alibabacloud_tea_openapi.models import Config

from tests.conformance.service import running_service
from tests.fakes.clock import FakeClock
from tests.harness import Api, open_api

LIMIT = 20


@pytest.fixture
async def two(database_path: Path) -> AsyncIterator[tuple[Api, Api]]:
    """Two services on one database, with one clock; LIMIT calls a second for each key."""
    clock = FakeClock()
    async with AsyncExitStack() as opened:
        yield tuple(
            [
                await opened.enter_async_context(
                    open_api(database_path, {"requests_per_second": LIMIT, "workers": 2}, clock=clock)
                )
                for _ in range(2)
            ]
        )  # type: ignore[misc]  # two of them


async def second(apis: tuple[Api, Api], split: tuple[int, int]) -> int:
    """One second of so many evenly spread calls to each service; how many were let through."""
    passed = 0
    for _ in range(20):
        apis[0].clock.advance(0.05)
        for api, calls in zip(apis, split, strict=True):
            for _ in range(calls // 20):
                status, body = await api.answer("GetResourceDirectory")
                assert status == 200 or body["Code"] == "Throttling.User"
                passed += status == 200
    for api in apis:
        assert api.service.sharing is not None
        await api.service.sharing.turn()
    return passed


@pytest.mark.parametrize("split", [(60, 0), (40, 40), (180, 20)], ids=["all to one", "even", "9:1"])
async def test_two_services_let_through_the_limit_together(two: tuple[Api, Api], split: tuple[int, int]):
    started = [await second(two, split) for _ in range(3)]
    assert sum(started[:2]) <= 2 * (2 + 1) * LIMIT  # until they have heard of each other; each had saved up a second
    passed = [await second(two, split) for _ in range(5)]
    assert max(passed) <= LIMIT * 1.1
    assert sum(passed) == pytest.approx(5 * LIMIT, rel=0.05)


async def test_an_account_is_limited_over_all_its_keys(database_path: Path):
    async with open_api(database_path, {"directory_requests_per_second": 3}) as api:
        second_key = await api.as_account(api.account_id)
        codes = [(await caller.answer("GetResourceDirectory"))[1].get("Code") for caller in (api, second_key) * 2]
        assert codes == [None, None, None, "Throttling.User"]
        api.clock.advance(1.0)
        assert (await second_key.answer("GetResourceDirectory"))[0] == 200


async def test_the_services_own_calls_are_not_limited(database_path: Path):
    async with open_api(database_path, {"directory_requests_per_second": 1}) as api:
        for _ in range(5):
            await api.service.invoke("GetResourceDirectory", "2022-04-19", api.account_id)


async def test_without_a_limit_nothing_is_counted_or_shared(api: Api):
    assert api.service.gateway.throttle is None
    assert api.service.sharing is None


def test_the_vendors_client_sees_a_throttling_exception_with_the_time_to_wait(tmp_path: Path):
    with running_service(tmp_path, REQUESTS_PER_SECOND="1") as service:
        client = Client(
            Config(
                access_key_id=service.key.access_key_id,
                access_key_secret=service.key.access_key_secret,
                endpoint=service.endpoint,
                protocol="http",
            )
        )
        refused: list[Any] = []
        for _ in range(20):
            try:
                client.list_message_contacts(models.ListMessageContactsRequest())
            except ThrottlingException as throttled:
                refused.append(throttled)
        assert refused
        assert {(error.code, error.status_code) for error in refused} == {("Throttling.User", 400)}
        assert all(0 < error.retry_after <= 1000 for error in refused)
