"""Replacing the encryption key while two services on one database answer: nothing fails, nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from message_contacts.access.keys import Vault
from message_contacts.access.model import KeyStatus
from message_contacts.bootstrap.key_file import DatedKey, KeyFile, key_file
from message_contacts.bootstrap.key_rotation import KeyRotation, key_rotation
from message_contacts.changes import Update
from message_contacts.clock import DAY, MINUTE
from message_contacts.verification.challenge import PageState, Visitor
from tests.fakes.clock import FakeClock
from tests.harness import Api, open_api

VISITOR = Visitor("192.0.2.1", "a browser")


def quietly(_: int) -> None:
    """Says nothing of progress."""


@pytest.fixture
async def services(database_path: Path) -> AsyncIterator[list[Api]]:
    """Two services that answer, and a third that the operator's command is."""
    clock = FakeClock()
    async with AsyncExitStack() as opened:
        yield [
            await opened.enter_async_context(open_api(database_path, {"encryption_key": None}, clock=clock))
            for _ in range(3)
        ]


@pytest.fixture
def command(services: list[Api]) -> KeyRotation:
    return key_rotation(services[2].service)


@pytest.fixture
def file(database_path: Path) -> KeyFile:
    return key_file(f"sqlite:///{database_path}")


async def asked(api: Api, name: str, address: str) -> None:
    """A contact that got its verification mail from this service."""
    contact_id = await api.add_contact(Name=name, EmailAddress=address)
    await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=address)
    await api.work()


async def keys_of(api: Api, number: int) -> list[Api]:
    """The service, called with as many keys as that."""
    return [await api.as_account(api.account_id) for _ in range(number)]


async def test_no_call_fails_while_the_key_is_replaced_again_and_again(
    services: list[Api], command: KeyRotation, file: KeyFile
):
    first, second, _ = services
    callers = await keys_of(first, 60)
    done = False
    calls = 0

    async def call_on(api: Api) -> None:
        nonlocal calls
        number = 0
        while not done or number < 60:
            caller = callers[number % 60]
            on_this = Api(api.service, api.clock, caller.account_id, caller.key_id, caller.secret)
            assert (await on_this.answer("GetResourceDirectory"))[0] == 200
            number += 1
            calls += 1
            await asyncio.sleep(0)

    async def make_keys() -> None:
        """Secrets that are sealed in the middle of it."""
        while not done:
            made = await second.as_account(second.account_id)
            assert (
                await Api(first.service, first.clock, made.account_id, made.key_id, made.secret).answer(
                    "GetResourceDirectory"
                )
            )[0] == 200
            await asyncio.sleep(0)

    async def rotate() -> None:
        nonlocal done
        for _ in range(5):
            await command.rotate(progress=quietly)
        done = True

    await asyncio.gather(call_on(first), call_on(second), make_keys(), rotate())
    await command.rotate(progress=quietly)
    report = await command.report()
    assert calls >= 120
    assert report.broken == ()
    assert len(file.read()) >= 4
    assert sum(key.secrets for key in report.keys[1:]) == 0


async def test_every_secret_is_sealed_anew_and_none_opens_with_the_old_key_alone(
    services: list[Api], command: KeyRotation, file: KeyFile
):
    before = file.read()[0].key
    callers = await keys_of(services[0], 250)
    told: list[int] = []
    rotated = await command.rotate(progress=told.append)
    assert (rotated.is_new, rotated.resealed) == (True, 251)
    assert told == sorted(told)
    assert told[-1] == 251
    current, accepted = file.read()
    assert accepted.key == before != current.key
    assert file.path.stat().st_mode & 0o777 == 0o600
    for caller in callers:
        stored = await services[2].service.storage.access.access_key(caller.key_id)
        assert stored is not None
        assert Vault(current.key).open(stored.sealed_secret, caller.key_id) == caller.secret


async def test_an_interrupted_rotation_is_finished_before_another_key_is_made(
    services: list[Api], command: KeyRotation, file: KeyFile
):
    await keys_of(services[0], 250)

    class Interruption(Exception):  # noqa: N818 - Ctrl-C, say
        pass

    def interrupt(number: int) -> None:
        raise Interruption

    with pytest.raises(Interruption):
        await command.rotate(progress=interrupt)
    assert len(file.read()) == 2
    assert [key.secrets for key in (await command.report()).keys] == [100, 151]
    again = await command.rotate(progress=quietly)
    assert (again.is_new, again.resealed) == (False, 151)
    assert len(file.read()) == 2
    assert (await command.rotate(progress=quietly)).is_new


async def test_a_key_that_is_switched_or_deleted_meanwhile_stays_as_it_was_made(
    services: list[Api], command: KeyRotation
):
    switched, deleted = await keys_of(services[0], 2)
    administration = services[0].service.administration
    committer = command.committer
    happened = asyncio.Event()
    commits = 0

    class Meanwhile:
        async def commit(self, changes, nonce):
            nonlocal commits
            commits += 1
            if commits == 1:
                await administration.set_access_key_status(switched.key_id, KeyStatus.INACTIVE)
                await administration.delete_access_key(deleted.key_id)
                happened.set()
            await happened.wait()  # no key is sealed anew before
            await committer.commit(changes, nonce)

    assert (await replace(command, committer=Meanwhile()).rotate(progress=quietly)).resealed == 2
    assert (await switched.answer("GetResourceDirectory"))[1]["Code"] == "InvalidAccessKeyId.Inactive"
    assert (await deleted.answer("GetResourceDirectory"))[1]["Code"] == "InvalidAccessKeyId.NotFound"
    assert [key.secrets for key in (await command.report()).keys] == [2, 0]


async def test_links_and_codes_sent_before_go_on_working_in_every_process(services: list[Api], command: KeyRotation):
    first, second, _ = services
    await asked(first, "Tom", "tom@example.com")
    await asked(first, "Lena", "lena@example.com")
    token, code = await first.token_sent_to("tom@example.com"), await first.code_sent_to("lena@example.com")
    reference = (await first.token_sent_to("lena@example.com"))[:10]
    await command.rotate(progress=quietly)
    assert (await second.service.verification.confirm(token, VISITOR)).state is PageState.CONFIRMED
    confirmed = await first.service.verification.confirm_by_code(reference, code, VISITOR)
    assert confirmed.state is PageState.CONFIRMED
    # And one sent after it, by a process that has not met the new key, is read by the other.
    await asked(second, "Ann", "ann@example.com")
    new = await second.token_sent_to("ann@example.com")
    assert command.vault.keys[0] == second.service.vault.keys[0]
    assert (await first.service.verification.confirm(new, VISITOR)).state is PageState.CONFIRMED


async def test_a_key_is_forgotten_only_when_neither_links_nor_secrets_need_it(
    services: list[Api], command: KeyRotation, file: KeyFile
):
    first = services[0]
    await asked(first, "Tom", "tom@example.com")
    await command.rotate(progress=quietly)
    gone, report = await command.forget()
    assert (gone, len(file.read())) == ((), 2)
    assert report.keys[1].late_until is not None
    assert report.keys[1].links_until == first.clock.now() + DAY
    first.clock.advance(61)
    gone, report = await command.forget()
    assert gone == ()
    assert report.keys[1].late_until is None
    assert report.keys[1].is_needed
    first.clock.advance(DAY / 1000)
    gone, left = await command.forget()
    assert ([key.replaced for key in gone], left) == ([report.keys[1].replaced], await command.report())
    assert len(file.read()) == 1
    assert (await first.answer("GetResourceDirectory"))[0] == 200
    assert (await command.forget())[0] == ()


async def test_a_key_that_seals_a_secret_is_not_forgotten(services: list[Api], command: KeyRotation, file: KeyFile):
    first = services[0]
    old = Vault(file.read()[0].key)
    await command.rotate(progress=quietly)
    # As if a process had been held up with a secret it had sealed before.
    late = await first.service.storage.access.access_key(first.key_id)
    assert late is not None
    await _overwrite(first, late.access_key_id, old.seal(first.secret, first.key_id))
    first.clock.advance(2 * MINUTE / 1000)
    gone, report = await command.forget()
    assert gone == ()
    assert report.keys[1].secrets == 1
    assert (await command.rotate(progress=quietly)).resealed == 1
    assert len((await command.forget())[0]) == 1


async def _overwrite(api: Api, access_key_id: str, sealed: bytes) -> None:
    key = await api.service.storage.access.access_key(access_key_id)
    assert key is not None
    await api.service.storage.committer.commit((Update(key, replace(key, sealed_secret=sealed)),), None)


async def test_keys_from_settings_are_handed_round_one_process_after_the_other(database_path: Path):
    old, new = b"o" * 32, b"n" * 32
    clock = FakeClock()

    def settings(key: bytes, *accepted: bytes) -> dict[str, object]:
        return {"encryption_key": key, "encryption_keys_accepted": accepted}

    async with (
        open_api(database_path, settings(old, new), clock=clock) as first,
        open_api(database_path, settings(new, old), clock=clock) as second,
    ):
        by_first, by_second = await first.as_account(first.account_id), await second.as_account(first.account_id)
        for caller in (by_first, by_second):
            for api in (first, second):
                on_this = Api(api.service, clock, caller.account_id, caller.key_id, caller.secret)
                assert (await on_this.answer("GetResourceDirectory"))[0] == 200
        rotated = await key_rotation(second.service).rotate(progress=quietly)
        assert (rotated.is_new, rotated.resealed) == (False, 2)
        assert (await by_first.answer("GetResourceDirectory"))[0] == 200
    async with open_api(database_path, settings(new), clock=clock) as alone:
        report = await key_rotation(alone.service).report()
        assert ([key.secrets for key in report.keys], report.broken) == ([3], ())


async def test_a_key_that_is_not_here_is_reported_and_its_secrets_are_left_alone(database_path: Path):
    async with open_api(database_path) as api:
        await api.as_account(api.account_id)
    async with open_api(
        database_path, {"encryption_key": b"x" * 32, "root_access_key_id": None, "root_access_key_secret": None}
    ) as other:
        made = await other.as_account(other.account_id)
        command = key_rotation(other.service)
        assert (await command.rotate(progress=quietly)).resealed == 0
        report = await command.report()
        assert [each.noun for each in report.broken] == ["access key", "access key"]
        assert made.key_id not in [each.id for each in report.broken]


# The file


def test_two_who_make_the_file_at_once_agree(tmp_path: Path):
    first, second = KeyFile(tmp_path / "key"), KeyFile(tmp_path / "key")
    first.make()
    kept = first.read()
    second.make()
    assert second.read() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_keys_and_moments_are_read_as_they_were_written(tmp_path: Path, clock: FakeClock):
    file = KeyFile(tmp_path / "key")
    keys = [DatedKey(b"n" * 32, clock.now()), DatedKey(b"o" * 32)]
    file.replace(keys)
    assert file.read() == keys
    assert "nnn" not in repr(keys)


def test_the_file_is_looked_into_only_when_it_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = KeyFile(tmp_path / "key")
    file.make()
    assert file.newer() is not None
    reads = []
    monkeypatch.setattr(KeyFile, "read", lambda self: reads.append(self) or [])
    assert [file.newer() for _ in range(1000)] == [None] * 1000
    assert reads == []


@pytest.mark.parametrize("spoil", ["delete", "garbage"])
def test_a_file_that_is_spoilt_while_the_service_runs_does_not_take_its_keys_away(tmp_path: Path, spoil: str):
    file = KeyFile(tmp_path / "key")
    file.make()
    vault = Vault(file.read()[0].key, newer=file.newer)
    sealed = vault.seal("secret", "id")
    if spoil == "delete":
        file.path.unlink()
    else:
        file.path.write_text("garbage\n")
    assert vault.open(vault.seal("other", "id"), "id") == "other"
    assert vault.open(sealed, "id") == "secret"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
