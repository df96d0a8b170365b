"""Watches every commit of every test: what one change set touches is one tenant's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from message_contacts.changes import Change, Nonce
from message_contacts.storage.committing import ChangeCommitter, tenants_of

_several: list[set[str]] = []


@pytest.fixture(autouse=True, scope="session")
def _watch_commits() -> Iterator[None]:
    commit = ChangeCommitter.commit

    async def watched(self: ChangeCommitter, changes: tuple[Change, ...], nonce: Nonce | None) -> None:
        tenants = set(tenants_of(changes)) - {""}  # what is counted for the whole service is nobody's
        if len(tenants) > 1:
            _several.append(tenants)
        await commit(self, changes, nonce)

    ChangeCommitter.commit = watched  # type: ignore[method-assign]
    yield
    ChangeCommitter.commit = commit  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _changes_of_one_tenant() -> Iterator[None]:
    """Fail a test in which a change set spanned tenants."""
    _several.clear()
    yield
    assert not _several, f"a change set touches several tenants: {_several}"
