"""Whether a RAM user may make a call: finds its policies, asks them, and refuses in the vendor's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from message_contacts import errors
from message_contacts.access.conditions import KEYS, Context
from message_contacts.access.diagnosis import Diagnoses, Diagnosis
from message_contacts.access.evaluation import Verdict, decide
from message_contacts.access.grants import GrantStore, UnderstoodPolicies
from message_contacts.access.model import Caller
from message_contacts.clock import Clock, Instant
from message_contacts.errors import ApiError

#: The only kind of policy there is here: attached to a user, good in the whole account.
POLICY_TYPE = "AccountLevelIdentityBasedPolicy"
#: A caller that has policies is a RAM user.
PRINCIPAL_TYPE = "SubUser"


class RefusalObserver(Protocol):
    """Is told of every call that was refused for lack of permission."""

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
        """Remember it; must neither wait nor fail."""
        ...


class NobodyObserves:
    """Forgets every refusal."""

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
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """Decides about the calls of RAM users. An account's own calls need no permission and never come here."""

    grants: GrantStore
    clock: Clock
    diagnoses: Diagnoses
    observer: RefusalObserver = field(default_factory=NobodyObserves)
    _policies: UnderstoodPolicies = field(default_factory=UnderstoodPolicies)

    async def check(
        self,
        caller: Caller,
        *,
        operation_name: str,
        permission: str,
        resources: Sequence[str],
        deniable: Sequence[str] = (),
        request_id: str,
        source_address: str,
        secure: bool,
    ) -> None:
        """Let a RAM user's call pass, or refuse it.

        Args:
            permission: E.g. `resourcemanager:AddMessageContact`.
            resources: All that the call touches; each has to be allowed.
            deniable: What it is about as well; it need not be allowed on any of them, and must not be denied.
            secure: Whether the call came over TLS.
        Raises:
            ApiError: NO_PERMISSION with its details; INVALID_ACCESS_KEY_ID_NOT_FOUND when the user is gone.
        """
        user_id = caller.user_id
        if user_id is None:
            return
        attached = await self.grants.attached_policies(caller.account_id, user_id)
        if attached is None:  # deleted since the key was looked up
            raise errors.INVALID_ACCESS_KEY_ID_NOT_FOUND()
        now = self.clock.now()
        context = Context(source_address=source_address, now=now, secure=secure)
        decision = decide(self._policies.of(attached), permission, resources, context, deniable=deniable)
        if decision.verdict is Verdict.ALLOWED:
            return
        self.observer.note(
            caller,
            operation_name=operation_name,
            resources=resources if decision.resource in resources else [*resources, decision.resource],
            request_id=request_id,
            source_address=source_address,
            now=now,
        )
        raise ApiError(
            errors.NO_PERMISSION,
            {
                "permission": permission,
                "resource": decision.resource,
                "verdict": decision.verdict.value,
                "policy": None if decision.policy is None else decision.policy.name,
                "statement": decision.statement,
            },
            access_denied=self._detail(
                Diagnosis(
                    request_id=request_id,
                    action=permission,
                    resource=decision.resource,
                    account_id=caller.account_id,
                    user_id=user_id,
                    verdict=decision.verdict.value,
                    policy_type="" if decision.policy is None else decision.policy.type.value,
                    policy_name="" if decision.policy is None else decision.policy.name,
                    policy_version_id="" if decision.policy is None else decision.policy.version_id,
                    conditions={key: context.text(key) or "" for key in KEYS},
                )
            ),
        )

    def _detail(self, diagnosis: Diagnosis) -> Mapping[str, str]:
        """`AccessDeniedDetail`: what the caller may know in the open, the rest sealed."""
        return {
            "AuthAction": diagnosis.action,
            "AuthPrincipalDisplayName": diagnosis.user_id,
            "AuthPrincipalOwnerId": diagnosis.account_id,
            "AuthPrincipalType": PRINCIPAL_TYPE,
            "EncodedDiagnosticMessage": self.diagnoses.seal(diagnosis),
            "NoPermissionType": diagnosis.verdict,
            "PolicyType": POLICY_TYPE,
        }
