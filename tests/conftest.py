"""The service as tests use it: whole, in this process, on a clock that stands still."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from message_contacts.settings import PREFIX
from tests.harness import Api, open_api

#: Says at the end of a run which of the vendor's clients took part; watches whose rows are changed together.
pytest_plugins = ["tests.conformance.report", "tests.one_tenant", "tests.postgres"]

# A busy machine is no failure, neither of a test nor of what draws its examples.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

#: For `pytest.mark.parametrize("engine", ENGINES, indirect=True)`: every test of a module on both engines.
ENGINES = ["sqlite", "postgresql"]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on settings of the machine it runs on."""
    for name in [name for name in os.environ if name.startswith((PREFIX, "ALIBABA_CLOUD_", "ALICLOUD_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _no_cached_loggers() -> Iterator[None]:
    """A command that runs in this process configures logs for all of it; loggers must not keep to that ever after."""
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            structlog, "configure", lambda **given: configure(**{**given, "cache_logger_on_first_use": False})
        )
        yield


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command says where logs go, and which, for the whole process: not for the tests behind it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def database_path(tmp_path: Path, _migrated_template: Path) -> Path:
    """A migrated, empty database of this test's own."""
    path = tmp_path / "contacts.db"
    path.write_bytes(_migrated_template.read_bytes())
    return path


@pytest.fixture(scope="session")
def _migrated_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from message_contacts.storage import migrate  # noqa: PLC0415 - only tests that need a database pay for it

    path = tmp_path_factory.mktemp("template") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The database engine that this test is about."""
    chosen: str = getattr(request, "param", "sqlite")
    return chosen


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest) -> str:
    """Where this test's own database is, migrated and empty."""
    if engine == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{request.getfixturevalue('database_path')}"


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Api]:
    """A service with one tenant whose directory is enabled, called with signed requests."""
    async with open_api(database_url) as opened:
        yield opened
