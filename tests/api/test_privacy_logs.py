"""No address, code, link, secret or signature is ever in the log, whatever happens and whoever words it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from message_contacts.operations.catalogue import REGISTRY
from tests.api.ram_users import ram_user
from tests.harness import Api

ROOT = Path(__file__).parents[2]
#: What has to be in the log, or this test has not seen what it is about.
EVENTS = (
    "request_handled",
    "request_refused",
    "request_failed",
    "job_done",
    "job_refused",
    "job_put_off",
    "job_failed",
    "verification_page",
    "tidying_failed",
    "address_suspended",
    "bounce_taken",
    "bounce_not_ours",
    "preferences_changed",
    "unsubscribed",
    "hand_over_asked",
    "library_message",
    "connection_refused",
)


def spellings(secret: str) -> set[str]:
    """How a secret may be written."""
    bare = {secret.replace("-", "")} if re.fullmatch(r"[0-9]+-[0-9]+", secret) else set()
    if re.fullmatch(r"86-[0-9]+", secret):
        bare.add(secret[3:])
    return {secret, quote(secret), quote(secret, safe=""), *bare}


def found_in(log: str, secrets: list[str]) -> dict[str, list[str]]:
    """The secrets in a log, each with the lines that hold it."""
    lines = log.splitlines()
    found = {}
    for spelling in {spelling for secret in secrets for spelling in spellings(secret)}:
        # A number counts only by itself: moments and ids have digits too.
        edge = r"(?<![0-9A-Za-z.]){}(?![0-9A-Za-z])" if spelling.isdigit() else "{}"
        pattern = re.compile(edge.format(re.escape(spelling)), re.IGNORECASE)
        if matches := [line for line in lines if pattern.search(line)]:
            found[spelling] = matches
    return found


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_whole_life_leaves_no_address_and_no_secret_in_the_log(database_path: Path, log_format: str) -> None:
    lived = subprocess.run(
        [sys.executable, "-m", "tests.fakes.logged_life", str(database_path), log_format],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert lived.returncode == 0, lived.stderr[-3000:]
    secrets = json.loads(lived.stdout)
    assert len(secrets) > 40

    missing = [event for event in EVENTS if event not in lived.stderr]
    assert missing == []
    assert "no such table: nowhere" in lived.stderr  # SQLite's own log is in it
    assert "never retrieved" in lived.stderr  # and asyncio's
    assert "RuntimeError" in lived.stderr  # and what bugs are called
    assert found_in(lived.stderr, secrets) == {}


def test_the_search_finds_what_it_is_to_find() -> None:
    secrets = ["86-13912345678", "Tom@example.com", "123456"]
    assert set(found_in("a +8613912345678 b", secrets)) == {"8613912345678"}
    assert set(found_in("a tom%40example.com b", secrets)) == {"Tom%40example.com"}
    assert set(found_in("code 123456, at 10.123456", secrets)) == {"123456"}
    assert found_in("at 10.123456", secrets) == {}


@pytest.mark.parametrize(
    ("operation", "version", "parameter", "others"),
    [
        ("SimulateAccess", "2026-11-01", "UserName", {"Operation": "GetUser"}),
        ("SimulateAccess", "2026-11-01", "UserAccessKeyId", {"Operation": "GetUser"}),
        ("SimulateAccess", "2026-11-01", "Operation", {"UserName": "dashboard"}),
        ("SimulateAccess", "2026-11-01", "OperationVersion", {"UserName": "dashboard", "Operation": "GetUser"}),
        ("GetMessage", "2026-11-01", "MessageId", {}),
        ("ExplainDelivery", "2026-11-01", "MessageId", {"ContactId": "c-0000000000000000"}),
        ("GetDelivery", "2026-11-01", "DeliveryId", {}),
        ("SendTestMessage", "2026-11-01", "WebhookId", {}),
        ("RetryFailedJob", "2026-11-01", "JobId", {}),
        ("DeleteAccessKey", "2015-05-01", "UserAccessKeyId", {}),
    ],
)
async def test_what_a_caller_writes_in_place_of_an_id_is_not_logged(
    operation: str, version: str, parameter: str, others: dict[str, str], api: Api
) -> None:
    with structlog.testing.capture_logs() as lines:
        status, _ = await api.error(operation, version, **others, **{parameter: "Erika Musterfrau"})
    assert status < 500
    assert "request_refused" in {line["event"] for line in lines}
    assert "Erika" not in str(lines)


async def test_nor_what_a_user_without_permissions_writes_there(api: Api) -> None:
    """Permissions are looked at before anything else is, so the resource that is refused is what was written."""
    user = await ram_user(api)
    with structlog.testing.capture_logs() as lines:
        for version, operation in REGISTRY.all():
            named = re.findall(r"{([A-Za-z]+)}", " ".join(operation.resources))
            await user.answer(operation.name, version, **dict.fromkeys(named, "erika@example.com"))
    resources = {line["context"].get("resource") for line in lines if line["event"] == "request_refused"}
    assert f"acs:resourcemanager:*:{api.account_id}:messagecontact/***" in resources
    assert f"acs:resourcemanager:*:{api.account_id}:messagecontact/*" in resources
    assert "erika" not in str(lines)
