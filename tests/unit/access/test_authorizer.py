"""Letting calls pass and refusing them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from message_contacts import errors
from message_contacts.access.authorizer import Authorizer
from message_contacts.access.diagnosis import PURPOSE, Diagnoses
from message_contacts.access.grants import AttachedPolicy
from message_contacts.access.keys import Vault
from message_contacts.access.model import Caller, PolicyType
from message_contacts.clock import Instant
from message_contacts.errors import ApiError
from tests.fakes.clock import START, FakeClock

ACCOUNT = "1000000000000001"
USER = "200000000000000001"
RESOURCES = [f"acs:resourcemanager:*:{ACCOUNT}:account/1", f"acs:resourcemanager:*:{ACCOUNT}:folder/2"]


class Grants:
    """What one user has; counts how often it is asked for."""

    def __init__(self, *statements: dict[str, Any], exists: bool = True) -> None:
        self.asked = 0
        document = json.dumps({"Version": "1", "Statement": statements})
        self._attached = [AttachedPolicy(PolicyType.CUSTOM, "policy", "v3", document)] if statements else []
        self._exists = exists

    async def attached_policies(self, account_id: str, user_id: str) -> Sequence[AttachedPolicy] | None:
        assert (account_id, user_id) == (ACCOUNT, USER)
        self.asked += 1
        return self._attached if self._exists else None


class Observer:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.noted: list[tuple[Caller, dict[str, Any]]] = []

    def note(
        self,
        caller: Caller,
        *,
        operation_name: str,
        resources: Sequence[str],
        request_id: str,
        source_address: str,
        now: Instant,
    ) -> None:
        self.noted.append(
            (
                caller,
                {
                    "operation_name": operation_name,
                    "resources": resources,
                    "request_id": request_id,
                    "source_address": source_address,
                    "now": now,
                },
            )
        )


def authorizer(grants: Grants, observer: Observer | None = None) -> Authorizer:
    diagnoses = Diagnoses(Vault(b"k" * 32).derived(PURPOSE))
    return Authorizer(grants=grants, clock=FakeClock(), diagnoses=diagnoses, observer=observer or Observer())


async def check(judge: Authorizer, user_id: str | None = USER) -> None:
    await judge.check(
        Caller(ACCOUNT, "MCkey", user_id),
        operation_name="MoveAccount",
        permission="resourcemanager:MoveAccount",
        resources=RESOURCES,
        request_id="R-1",
        source_address="203.0.113.7",
        secure=True,
    )


async def test_the_account_itself_passes_and_nobody_is_asked() -> None:
    grants = Grants()

    await check(authorizer(grants), user_id=None)

    assert grants.asked == 0


async def test_an_allowed_call_passes_and_nobody_is_told() -> None:
    grants, observer = Grants({"Effect": "Allow", "Action": "*", "Resource": "*"}), Observer()

    await check(authorizer(grants, observer))

    assert grants.asked == 1
    assert observer.noted == []


@pytest.mark.parametrize(
    ("statements", "kind", "policy", "resource"),
    [
        ([], "ImplicitDeny", "", RESOURCES[0]),
        ([{"Effect": "Allow", "Action": "*", "Resource": RESOURCES[0]}], "ImplicitDeny", "", RESOURCES[1]),
        (
            [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "*", "Resource": RESOURCES[1]},
            ],
            "ExplicitDeny",
            "policy",
            RESOURCES[1],
        ),
    ],
)
async def test_a_refusal_says_what_is_lacking_and_seals_why(
    statements: list[dict[str, Any]], kind: str, policy: str, resource: str
) -> None:
    observer = Observer()
    judge = authorizer(Grants(*statements), observer)

    with pytest.raises(ApiError) as refused:
        await check(judge)

    detail = dict(refused.value.access_denied or {})
    diagnosis = judge.diagnoses.open(detail.pop("EncodedDiagnosticMessage"), ACCOUNT)
    assert refused.value.definition is errors.NO_PERMISSION
    assert detail == {
        "AuthAction": "resourcemanager:MoveAccount",
        "AuthPrincipalDisplayName": USER,
        "AuthPrincipalOwnerId": ACCOUNT,
        "AuthPrincipalType": "SubUser",
        "NoPermissionType": kind,
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }
    assert diagnosis.resource == resource
    assert (diagnosis.policy_name, diagnosis.policy_version_id) == (policy, "v3" if policy else "")
    assert diagnosis.request_id == "R-1"
    assert observer.noted == [
        (
            Caller(ACCOUNT, "MCkey", USER),
            {
                "operation_name": "MoveAccount",
                "resources": RESOURCES,
                "request_id": "R-1",
                "source_address": "203.0.113.7",
                "now": START,
            },
        )
    ]


async def test_a_refusal_for_what_is_implied_names_it_to_whoever_may_know() -> None:
    implied = f"acs:resourcemanager:*:{ACCOUNT}:folder/r-1"
    observer = Observer()
    grants = Grants(
        {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": implied}
    )
    judge = authorizer(grants, observer)

    with pytest.raises(ApiError) as refused:
        await judge.check(
            Caller(ACCOUNT, "MCkey", USER),
            operation_name="CreateFolder",
            permission="resourcemanager:CreateFolder",
            resources=RESOURCES,
            deniable=[implied],
            request_id="R-1",
            source_address="203.0.113.7",
            secure=True,
        )

    detail = refused.value.access_denied or {}
    assert detail["NoPermissionType"] == "ExplicitDeny"
    assert "r-1" not in str({name: value for name, value in detail.items() if name != "EncodedDiagnosticMessage"})
    assert judge.diagnoses.open(detail["EncodedDiagnosticMessage"], ACCOUNT).resource == implied
    assert observer.noted[0][1]["resources"] == [*RESOURCES, implied]


async def test_a_user_who_is_gone_is_nobody() -> None:
    observer = Observer()

    with pytest.raises(ApiError) as refused:
        await check(authorizer(Grants(exists=False), observer))

    assert refused.value.definition is errors.INVALID_ACCESS_KEY_ID_NOT_FOUND
    assert observer.noted == []
