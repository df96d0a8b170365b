"""The vendor's clients, unmodified, live the whole life of a contact against the real service."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

import pytest

from tests.conformance.confirming import Person
from tests.conformance.driving import Driver
from tests.conformance.roster import ROSTER, Client, Variant
from tests.conformance.scenario import Play
from tests.conformance.service import RunningService, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service that all clients of this run call."""
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def operator(service: RunningService) -> Iterator[Driver]:
    """Whoever runs the service; calls through a client that only needs Python."""
    client = next(client for client in ROSTER if client.name == "terraform-style")
    with Driver(client, client.variants[0], service.endpoint, service.key) as driver:
        yield driver


@pytest.fixture(scope="session")
def own_names() -> random.Random:
    """Names that no other client of the run uses."""
    return random.Random()


def test_client_lives_the_life_of_a_contact(
    ready_client: tuple[Client, Variant], service: RunningService, operator: Driver, own_names: random.Random
) -> None:
    client, variant = ready_client
    letters = "".join(own_names.choices(string.ascii_lowercase, k=5))
    digits = "".join(own_names.choices(string.digits, k=8))
    with Driver(client, variant, service.endpoint, service.key) as driver:
        person = Person(operator, service.base_url)
        Play(driver, operator, person, letters=letters, digits=digits).perform()
