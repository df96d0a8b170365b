"""The rules of publishing and of cancelling, and of closing what a message left over.

Pure: what was read and what is asked in, a `Decision` out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import orjson

from message_contacts.changes import Change, Decision, Enqueue, Insert, Job, Update
from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.messages import (
    EXPAND_MESSAGE,
    Incident,
    Message,
    MessageState,
    Progress,
    Stage,
)
from message_contacts.delivery.rules import Severity
from message_contacts.errors import ErrorDefinition
from message_contacts.ids import Ids

IDEMPOTENT_PARAMETER_MISMATCH = ErrorDefinition(
    409,
    "IdempotentParameterMismatch",
    "The ClientToken was used before with other parameters.",
)
NO_MESSAGE = ErrorDefinition(404, "EntityNotExists.Message", "This message does not exist.")
NO_INCIDENT = ErrorDefinition(404, "EntityNotExists.Incident", "This incident does not exist.")
NO_TARGET = ErrorDefinition(404, "EntityNotExists.Target", "A target does not exist in the directory.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a caller wants to have published."""

    message_type: MessageType
    severity: Severity
    subject: str
    text: str
    html: str | None
    markdown: str | None
    targets: tuple[str, ...]
    expires_at: Instant | None

    def digest(self) -> bytes:
        """A hash over all of it."""
        said = [
            self.message_type,
            self.severity,
            self.subject,
            self.text,
            self.html,
            self.markdown,
            self.targets,
            self.expires_at,
        ]
        return hashlib.sha256(orjson.dumps(said)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What was found where a message is to be published."""

    #: The message that was published with the same token.
    same_token: Message | None
    #: Those of the targets that are in the directory.
    known_targets: frozenset[str]


def publish(
    desk: Desk,
    wording: Wording,
    *,
    account_id: str,
    client_token: str | None,
    published_by: str,
    now: Instant,
    ids: Ids,
) -> Decision[Message]:
    """The message, and the work of finding out who gets it. Asked again with the same token, the message there is.

    Raises: IDEMPOTENT_PARAMETER_MISMATCH, NO_TARGET.
    """
    digest = wording.digest()
    if desk.same_token is not None:
        if desk.same_token.content_digest != digest:
            raise IDEMPOTENT_PARAMETER_MISMATCH(message_id=desk.same_token.message_id)
        return Decision((), desk.same_token)
    if missing := [target for target in wording.targets if target not in desk.known_targets]:
        raise NO_TARGET(target=missing[0])
    message = Message(
        account_id=account_id,
        message_id=ids.message(now),
        message_type=wording.message_type,
        severity=wording.severity,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        markdown=wording.markdown,
        targets=wording.targets,
        client_token=client_token,
        content_digest=digest,
        state=MessageState.EXPANDING,
        published_at=now,
        expires_at=wording.expires_at,
        published_by=published_by,
    )
    progress = Progress(account_id=account_id, message_id=message.message_id)
    return Decision((Insert(message), Insert(progress), Enqueue(next_step(progress, now=now, ids=ids))), message)


def next_step(progress: Progress, *, now: Instant, ids: Ids) -> Job:
    """The job that takes a message further from where it is."""
    return Job(
        job_id=ids.job(now),
        account_id=progress.account_id,
        kind=EXPAND_MESSAGE,
        channel="internal",
        payload={"message_id": progress.message_id, "step": progress.step},
        due_at=now,
        created_at=now,
    )


def cancel(message: Message | None, progress: Progress | None, *, now: Instant, ids: Ids) -> Decision[Message]:
    """Nothing more of the message is sent; deliveries that wait become expired, a batch at a time.

    What a channel has taken over stays sent. Cancelling again changes nothing.

    Raises: NO_MESSAGE.
    """
    if message is None:
        raise NO_MESSAGE()
    if message.state is MessageState.CANCELLED:
        return Decision((), message)
    cancelled = replace(message, state=MessageState.CANCELLED)
    # Progress first, as each step of an expansion: two that change both must not wait for each other in a circle.
    changes: list[Change] = []
    if progress is not None:
        # The job of its next step finds that there is something else to do.
        changes.append(Update(progress, replace(progress, stage=Stage.WITHDRAW, node="", after=())))
    else:
        withdrawal = Progress(account_id=message.account_id, message_id=message.message_id, stage=Stage.WITHDRAW)
        changes += [Insert(withdrawal), Enqueue(next_step(withdrawal, now=now, ids=ids))]
    return Decision((*changes, Update(message, cancelled)), cancelled)


def close(incident: Incident | None, note: str, *, closed_by: str, now: Instant) -> Decision[Incident]:
    """Somebody has seen to it. One that is closed stays as it is.

    Raises: NO_INCIDENT.
    """
    if incident is None:
        raise NO_INCIDENT()
    if incident.closed_at is not None:
        return Decision((), incident)
    closed = replace(incident, closed_at=now, closed_by=closed_by, note=note)
    return Decision((Update(incident, closed),), closed)
