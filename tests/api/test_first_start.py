"""What the first start makes, and what later starts may not change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from message_contacts.bootstrap import Service, StartError, build
from message_contacts.settings import Settings
from tests.fakes.clock import FakeClock

ROOT = {"root_access_key_id": "MCroot", "root_access_key_secret": "root-secret", "encryption_key": b"k" * 32}


async def started(path: Path, **settings: Any) -> Service:
    return await build(Settings(database_url=f"sqlite:///{path}", **settings), clock=FakeClock())


async def test_first_start_makes_one_account_with_a_directory_and_a_key_shown_once(tmp_path: Path) -> None:
    path = tmp_path / "made" / "contacts.db"
    async with await started(path) as service:
        key = await service.first_start()
        assert key is not None
        assert len(key.secret) == 30
        (account,) = await service.administration.accounts()
        assert await service.storage.directory.directory(account.account_id) is not None
    assert (tmp_path / "made" / "contacts.db.key").stat().st_mode & 0o777 == 0o600
    async with await started(path) as service:
        assert await service.first_start() is None
        assert len(await service.administration.accounts()) == 1
        assert await service.gateway.keys.find(key.access_key_id) is not None


async def test_first_start_uses_the_key_of_the_settings_and_never_overwrites_it(database_path: Path) -> None:
    async with await started(database_path, **ROOT) as service:
        assert await service.first_start() is None
    async with await started(database_path, **{**ROOT, "root_access_key_secret": "another-secret"}) as service:
        with pytest.raises(StartError, match="differs from the secret"):
            await service.first_start()
    async with await started(database_path, **ROOT) as service:
        await service.first_start()
        known = await service.gateway.keys.find("MCroot")
        assert known is not None
        assert known.secret == "root-secret"


async def test_start_with_another_encryption_key_is_refused(database_path: Path) -> None:
    async with await started(database_path, **ROOT) as service:
        await service.first_start()
    async with await started(database_path, **{**ROOT, "encryption_key": b"x" * 32}) as service:
        with pytest.raises(StartError, match="sealed with another encryption key"):
            await service.first_start()


async def test_two_first_starts_at_once_make_one_account(database_path: Path) -> None:
    async with await started(database_path, **ROOT) as one, await started(database_path, **ROOT) as other:
        await asyncio.gather(one.first_start(), other.first_start())
        assert len(await one.administration.accounts()) == 1
        assert len(await one.administration.access_keys((await one.administration.accounts())[0].account_id)) == 1


async def test_without_the_setting_no_directory_is_enabled(database_path: Path) -> None:
    async with await started(database_path, **ROOT, enable_directory=False) as service:
        await service.first_start()
        (account,) = await service.administration.accounts()
        assert await service.storage.directory.directory(account.account_id) is None


async def test_key_file_that_holds_no_key_stops_the_start(database_path: Path) -> None:
    database_path.with_name(f"{database_path.name}.key").write_text("not a key\n")
    with pytest.raises(StartError, match="does not hold an encryption key"):
        await started(database_path)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"smtp_url": "smtp://user@mail.example.com", "smtp_from": "a@example.com"}, "user and a password"),
        ({"sms_url": "https://:not-a-secret@gateway.example.com/send"}, "whsec_"),
    ],
)
async def test_channel_that_cannot_be_used_stops_the_start(
    database_path: Path, settings: dict[str, str], complaint: str
) -> None:
    with pytest.raises(StartError, match=complaint):
        await started(database_path, encryption_key=b"k" * 32, **settings)
