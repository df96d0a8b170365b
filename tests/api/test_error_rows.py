"""Each row of the contact operations' error tables, provoked through signed calls; bodies compared whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import RESOURCE_DIRECTORY_MASTER
from tests.api.error_rows import ROWS, TOM, Rival, Stage, StubbornIds
from tests.assertions import assert_error
from tests.harness import open_api


@pytest.fixture
async def stage(database_path: Path) -> AsyncIterator[Stage]:
    """A tenant with Tom and a member; the rival and the ids behave until a row says otherwise."""
    rival, ids = Rival(), StubbornIds()
    async with open_api(database_path, seam=rival, ids=ids) as api:
        assert await api.add_contact() == TOM
        yield Stage(api, await api.create_member("Shop"), rival, ids)


@pytest.mark.parametrize(("operation", "code"), ROWS)
async def test_call_is_refused_with_the_row_of_its_table(operation: str, code: str, stage: Stage) -> None:
    table = {error.code: error for error in REGISTRY.find(RESOURCE_DIRECTORY_MASTER, operation).errors}
    assert_error(await ROWS[operation, code](stage), table[code])
