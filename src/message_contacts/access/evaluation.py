"""Whether policies allow a call. Pure: policies and a request in, a decision out.

A statement that denies outweighs all that allow; what no statement allows is denied.

Source: the vendor's RAM guide, "Policy evaluation process".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from message_contacts.access.conditions import Context
from message_contacts.access.model import PolicyType
from message_contacts.access.policy_document import Effect, PolicyDocument
from message_contacts.quick import quickly_made


class Verdict(StrEnum):
    """How policies decide; the refusals in the spelling of `AccessDeniedDetail.NoPermissionType`."""

    ALLOWED = "Allowed"
    #: No statement allows it.
    IMPLICIT_DENY = "ImplicitDeny"
    #: A statement denies it.
    EXPLICIT_DENY = "ExplicitDeny"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedPolicy:
    """A policy that a user has, in the version in force."""

    type: PolicyType
    name: str
    version_id: str
    document: PolicyDocument


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What policies say about a call, and what made them say so."""

    verdict: Verdict
    #: The resource that was decided last: the refused one, or the last of those that are allowed.
    resource: str
    #: The policy that allows or denies; None when nothing does.
    policy: GrantedPolicy | None
    #: Which of the policy's statements, counted from 1; 0 when there is none.
    statement: int


def decide(
    policies: Sequence[GrantedPolicy],
    action: str,
    resources: Sequence[str],
    context: Context,
    *,
    deniable: Sequence[str] = (),
) -> Decision:
    """Whether policies allow an action on all of several resources.

    Args:
        action: Name of a permission, e.g. `resourcemanager:AddMessageContact`; letter case does not count.
        resources: One at least. The first one that is refused decides; an explicit refusal anywhere comes first.
        deniable: More resources, on which it must not be denied, but need not be allowed.
    """
    action = action.lower()
    decisions = [_decide_one(policies, action, resource, context) for resource in resources]
    for verdict in (Verdict.EXPLICIT_DENY, Verdict.IMPLICIT_DENY):
        for decision in decisions:
            if decision.verdict is verdict:
                return decision
        if deniable and verdict is Verdict.EXPLICIT_DENY:
            for resource in deniable:
                decision = _decide_one(policies, action, resource, context)
                if decision.verdict is verdict:
                    return decision
    return decisions[-1]


def _decide_one(policies: Sequence[GrantedPolicy], action: str, resource: str, context: Context) -> Decision:
    allowed: tuple[GrantedPolicy | None, int] = (None, 0)
    for policy in policies:
        for position, statement in enumerate(policy.document.statements, start=1):
            # Once something allows it, only a statement that denies can still change anything.
            if statement.effect is Effect.ALLOW and allowed[0] is not None:
                continue
            if not statement.covers(action, resource, context):
                continue
            if statement.effect is Effect.DENY:
                return Decision(verdict=Verdict.EXPLICIT_DENY, resource=resource, policy=policy, statement=position)
            allowed = policy, position
    by, position = allowed
    verdict = Verdict.IMPLICIT_DENY if by is None else Verdict.ALLOWED
    return Decision(verdict=verdict, resource=resource, policy=by, statement=position)
