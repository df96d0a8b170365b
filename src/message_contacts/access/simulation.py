"""What policies would say of a call that nobody makes, and how near their statements come to it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from message_contacts.access.conditions import Condition, Context
from message_contacts.access.evaluation import Decision, GrantedPolicy, Verdict, decide
from message_contacts.access.grants import AttachedPolicy, UnderstoodPolicies
from message_contacts.access.model import PolicyType
from message_contacts.access.policy_document import Effect
from message_contacts.access.system_policies import SYSTEM_POLICIES


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A statement that would allow the permission, but not this call."""

    policy: GrantedPolicy
    #: Counted from 1.
    statement: int
    names_resource: bool
    unmet: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What policies say, and why they do not say more."""

    decision: Decision
    #: The deciding statement as it stands in its policy, JSON; empty when none decides.
    statement: str
    #: Only where nothing allows the call.
    near_misses: tuple[NearMiss, ...]


def simulate(
    attached: Sequence[AttachedPolicy],
    permission: str,
    resources: Sequence[str],
    context: Context,
    *,
    deniable: Sequence[str] = (),
) -> Simulation:
    """Decide as `evaluation.decide` does about a user that has these policies, and tell what it was made of.

    Args:
        permission: E.g. `resourcemanager:AddMessageContact`.
        resources: One at least; each has to be allowed.
        deniable: What the call is about as well; it must not be denied on any of them.
    """
    granted = UnderstoodPolicies().of(attached)
    decision = decide(granted, permission, resources, context, deniable=deniable)
    statement = ""
    for policy, source in zip(granted, attached, strict=True):
        if policy is decision.policy:
            statement = _statement_text(source, decision.statement)
    misses = (
        tuple(_near_misses(granted, permission.lower(), decision.resource, context))
        if decision.verdict is Verdict.IMPLICIT_DENY
        else ()
    )
    return Simulation(decision=decision, statement=statement, near_misses=misses)


def _near_misses(granted: Sequence[GrantedPolicy], action: str, resource: str, context: Context) -> Sequence[NearMiss]:
    return [
        NearMiss(
            policy=policy,
            statement=position,
            names_resource=statement.names_resource(resource),
            unmet=statement.unmet(context),
        )
        for policy in granted
        for position, statement in enumerate(policy.document.statements, start=1)
        if statement.effect is Effect.ALLOW and statement.names_action(action)
    ]


def _statement_text(source: AttachedPolicy, position: int) -> str:
    text = source.document
    if source.policy_type is PolicyType.SYSTEM:
        text = SYSTEM_POLICIES[source.policy_name].document
    statements = json.loads(text)["Statement"]
    # A single statement may stand there without a list.
    chosen = statements[position - 1] if isinstance(statements, list) else statements
    return json.dumps(chosen, ensure_ascii=False)
