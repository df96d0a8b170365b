"""`/metrics` of a whole service: what a call leaves there, and that it says nothing about anybody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from structlog.testing import capture_logs

from message_contacts.changes import Enqueue, Job
from message_contacts.clock import SECOND, Instant
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.metrics import FAMILIES
from tests import signing
from tests.harness import KEY_ID, Api, open_api

FRESH = 5.0


async def scraped(api: Api, accept: str = "") -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by name and labels."""
    api.clock.advance(FRESH)
    content_type, text = await api.service.meter.page(accept)
    parse = parse_open_metrics if content_type.startswith("application/openmetrics-text") else parse_text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text.decode())
        for sample in family.samples
    }


def of(samples: dict, name: str, **labels: str) -> float | None:
    return samples.get((f"message_contacts_{name}", frozenset(labels.items())))


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
async def test_calls_are_told_by_operation_and_code(api: Api, accept: str):
    await api.add_contact()
    await api.error("AddMessageContact", Name="Tom", EmailAddress="tom@example.com", Title="CEO",
                    MessageTypes=["SecurityMessage"])  # fmt: skip
    await api.error("NoSuchThing")
    samples = await scraped(api, accept)
    assert of(samples, "requests_total", operation="AddMessageContact", code="OK") == 1
    assert of(samples, "requests_total", operation="AddMessageContact", code="InvalidParameter.Name.AlreadyUsed") == 1
    assert of(samples, "requests_total", operation="unknown", code="InvalidAction.NotFound") == 1
    assert of(samples, "request_duration_seconds_count", operation="AddMessageContact", code="OK") == 1
    assert of(samples, "requests_unauthenticated_total", code="InvalidAction.NotFound") == 1
    assert of(samples, "commit_duration_seconds_count") == of(samples, "commit_group_size_count") > 1
    assert of(samples, "database_up") == 1


async def test_refusals_before_the_caller_is_known_are_told_apart(api: Api):
    for key_id, secret in (("nobody", "x"), (KEY_ID, "wrong")):
        request = signing.v3("GetResourceDirectory", {}, key_id=key_id, secret=secret, now_ms=api.clock.now())
        assert (await api.send(request)).status >= 400
    await api.error("GetMessageContact", ContactId="c-0000000000000000")  # this one is known
    samples = await scraped(api)
    assert of(samples, "requests_unauthenticated_total", code="InvalidAccessKeyId.NotFound") == 1
    assert of(samples, "requests_unauthenticated_total", code="SignatureDoesNotMatch") == 1
    assert of(samples, "requests_unauthenticated_total", code="EntityNotExists.Contact") is None


async def test_labels_do_not_grow_with_what_strangers_send(api: Api):
    with capture_logs():
        for number in range(50):
            await api.error(f"NoSuchThing{number}")
            await api.error("GetResourceDirectory", version=f"1999-01-{number:02}")
            request = signing.v3("GetResourceDirectory", {}, key_id=f"key{number}", secret="x", now_ms=api.clock.now())
            await api.send(request)
            target = f"/?Stranger{number}=a&Stranger{number}=b"
            await api.service.gateway.handle("GET", target, [], b"", "203.0.113.9", secure=False)
    series = {(name, labels) for name, labels in await scraped(api) if name == "message_contacts_requests_total"}
    assert {dict(labels)["operation"] for _, labels in series} == {"unknown", "GetResourceDirectory"}
    assert {dict(labels)["code"] for _, labels in series} == {
        "InvalidAction.NotFound", "InvalidVersion", "InvalidAccessKeyId.NotFound", "Invalid*"
    }  # fmt: skip


async def test_nothing_is_said_about_anybody(api: Api):
    contact_id = await api.add_contact(Name="Tomandjerry", EmailAddress="tom.and.jerry@example.com")
    await api.call(
        "SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress="tom.and.jerry@example.com"
    )
    await api.work()
    api.clock.advance(FRESH)
    text = (await api.service.meter.page(""))[1].decode()
    for private in ("Tomandjerry", "jerry", "@", contact_id, api.account_id, api.key_id, "203.0.113"):
        assert private not in text
    assert re.search(r"[0-9]{16}", re.sub(r"(?m)^.* ", "", text)) is None


async def test_waiting_work_is_told_with_its_age(api: Api):
    def job(number: int, kind: str, channel: str, *, due_in: float) -> Enqueue:
        due_at = Instant(api.clock.now() + round(due_in * SECOND))
        job_id = f"j-{number:012d}"
        return Enqueue(Job(job_id=job_id, account_id=api.account_id, kind=kind, channel=channel, payload={},
                           due_at=due_at, created_at=api.clock.now()))  # fmt: skip

    jobs = (
        job(1, "send-verification", "email", due_in=-60),
        job(2, "send-verification", "email", due_in=-30),
        job(3, "of-a-newer-release", "email", due_in=3600),
        job(4, "send-verification", "sms", due_in=3600),
    )
    await api.service.storage.committer.commit(jobs, None)
    samples = await scraped(api)
    assert of(samples, "jobs_waiting", channel="email") == 3
    assert of(samples, "jobs_waiting", channel="sms") == 1
    assert of(samples, "jobs_waiting", channel="internal") == 0
    assert of(samples, "jobs_first_due", channel="email", kind="send-verification") == 2
    assert of(samples, "jobs_first_due", channel="email", kind="unknown") == 1
    assert of(samples, "jobs_overdue_seconds", channel="email") == 60 + FRESH
    assert of(samples, "jobs_overdue_seconds", channel="sms") == 0
    assert of(samples, "jobs_dead") == 0


async def test_given_up_work_is_told(api: Api):
    for name in ("Ann", "Tom"):
        address = f"{name}@example.com"
        contact_id = await api.add_contact(Name=name, EmailAddress=address)
        await api.call("SendEmailVerificationForMessageContact", ContactId=contact_id, EmailAddress=address)
    outbox = api.service.storage.outbox
    until = Instant(api.clock.now() + SECOND)
    jobs = await outbox.claim("email", "test", now=api.clock.now(), until=until, limit=10)
    assert len(jobs) == 2
    await outbox.settle("test", [Settlement(jobs[0], Fate.DEAD, api.clock.now(), "mailbox-unknown")])
    samples = await scraped(api)
    assert of(samples, "jobs_dead") == 1
    assert of(samples, "jobs_waiting", channel="email") == 1


async def test_the_age_of_the_oldest_unsealed_audit_event(api: Api):
    await api.service.sealer.seal()
    assert of(await scraped(api), "audit_unsealed_seconds") == 0
    await api.add_contact()
    api.clock.advance(20.0)
    assert of(await scraped(api), "audit_unsealed_seconds") == 20 + FRESH
    await api.service.sealer.seal()
    assert of(await scraped(api), "audit_unsealed_seconds") == 0


async def test_without_a_database_the_rest_is_told_all_the_same(api: Api, monkeypatch: pytest.MonkeyPatch):
    from message_contacts import errors  # noqa: PLC0415 - its only use

    async def fails(*_: object) -> None:
        raise errors.SERVICE_UNAVAILABLE()

    await api.add_contact()
    monkeypatch.setattr(api.service.storage.backlogs, "look", fails)
    samples = await scraped(api)
    assert of(samples, "database_up") == 0
    assert of(samples, "jobs_waiting", channel="email") is None
    assert of(samples, "requests_total", operation="AddMessageContact", code="OK") == 1


async def test_the_database_is_asked_once_however_many_scrape(api: Api, monkeypatch: pytest.MonkeyPatch):
    asked = []
    look = api.service.storage.backlogs.look

    async def counted(*arguments):
        asked.append(1)
        return await look(*arguments)

    monkeypatch.setattr(api.service.storage.backlogs, "look", counted)
    for _ in range(10):
        await api.service.meter.page("")
    assert len(asked) == 1


async def test_throttled_calls_are_told(database_path: Path):
    async with open_api(database_path, {"requests_per_second": 1}) as api:
        await api.answer("GetResourceDirectory")
        await api.answer("GetResourceDirectory")
        samples = await scraped(api)
    assert of(samples, "requests_total", operation="GetResourceDirectory", code="Throttling.User") == 1


async def test_every_series_is_declared(api: Api):
    await api.add_contact()
    api.clock.advance(FRESH)
    text = (await api.service.meter.page(""))[1].decode()
    declared = {family.shown_name for family in FAMILIES}
    assert {family.name for family in parse_text(text)} <= declared | {name.removesuffix("_total") for name in declared}
