"""Clients of the vendor, and the real service that they call."""

from __future__ import annotations

import pytest

from tests.conformance.roster import TERRAFORM, Client, Variant, taking_part

#: The run's summary says so.
collect_ignore = [] if TERRAFORM.absence() is None else ["test_terraform.py"]


@pytest.fixture(params=list(taking_part()), ids=lambda pair: f"{pair[0].name}:{pair[1].name}")
def ready_client(request: pytest.FixtureRequest) -> tuple[Client, Variant]:
    """Every client and variant that takes part, fetched and built."""
    client, variant = request.param
    client.toolchain.make_ready()
    return client, variant
