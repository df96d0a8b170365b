"""From a change set to the steps that carry it out, and the store's side of committing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, assert_never

from message_contacts import errors
from message_contacts.access.console_sessions import ConsoleSession, ConsoleTicket
from message_contacts.access.model import AccessKey, Account, Attachment, Policy, PolicyVersion, User
from message_contacts.audit.model import AuditEvent, PersonalPart
from message_contacts.changes import (
    Change,
    ClearInbox,
    CountDown,
    CountUp,
    Delete,
    DueNow,
    Enqueue,
    EraseTraces,
    Insert,
    Nonce,
    RelyOn,
    Requeue,
    Update,
)
from message_contacts.clock import Clock, Instant
from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.delivery.messages import Delivery, FallbackAddress, Incident, Message, Progress
from message_contacts.delivery.standing import HandOver, Preference, Suspension
from message_contacts.directory.model import DeletedMember, Folder, Member, ResourceDirectory
from message_contacts.storage.access import ACCESS_KEY_RECORD, ACCOUNT_RECORD
from message_contacts.storage.attachments import ATTACHMENT_RECORD
from message_contacts.storage.audit import INSERT_EVENT, INSERT_PERSONAL_PART
from message_contacts.storage.audit_rows import event_row, personal_part_row
from message_contacts.storage.console_sessions import CONSOLE_SESSION_RECORD, CONSOLE_TICKET_RECORD
from message_contacts.storage.contacts import CONTACT_RECORD
from message_contacts.storage.deliveries import DELIVERY_RECORD
from message_contacts.storage.detached import COPY_RECORD
from message_contacts.storage.engine import Database, Parameters, Step
from message_contacts.storage.hand_overs import HAND_OVER_RECORD
from message_contacts.storage.inbox import cleared
from message_contacts.storage.incidents import FALLBACK_RECORD, INCIDENT_RECORD
from message_contacts.storage.messages import MESSAGE_RECORD, PROGRESS_RECORD
from message_contacts.storage.outbox import due_now, enqueued, requeued
from message_contacts.storage.policies import POLICY_RECORD, POLICY_VERSION_RECORD
from message_contacts.storage.preferences import PREFERENCE_RECORD
from message_contacts.storage.records import Record
from message_contacts.storage.standing import SUSPENSION_RECORD
from message_contacts.storage.traces import traces_erased
from message_contacts.storage.tree import (
    DIRECTORY_RECORD,
    FOLDER_RECORD,
    INSERT_DELETED_MEMBER,
    MEMBER_RECORD,
    deleted_member_row,
)
from message_contacts.storage.users import USER_RECORD
from message_contacts.storage.verification import (
    BLOCK_RECORD,
    INSERT_EVIDENCE,
    VERIFICATION_RECORD,
    evidence_row,
)
from message_contacts.storage.webhooks import WEBHOOK_RECORD
from message_contacts.verification.model import Block, Evidence, Verification
from message_contacts.webhooks.model import Webhook

USE_NONCE = """
    -- Keep a nonce. No row: a change with it was committed and the request could still be repeated.
    INSERT INTO nonce (digest, expires_at) VALUES ($1, $2)
    ON CONFLICT (digest) DO UPDATE SET expires_at = excluded.expires_at WHERE nonce.expires_at <= $3
"""

COUNT_UP = """
    -- Raise a counter below its limit. No row: it stands there already.
    INSERT INTO counter (account_id, counter, period, value, raised_at)
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), 1, CAST($4 AS BIGINT) WHERE CAST($5 AS BIGINT) >= 1
    ON CONFLICT (account_id, counter, period)
    DO UPDATE SET value = counter.value + 1, raised_at = excluded.raised_at WHERE counter.value < $5
"""

COUNT_DOWN = """
    -- Lower a counter, never below nought.
    UPDATE counter SET value = value - 1 WHERE account_id = $1 AND counter = $2 AND period = $3 AND value > 0
"""

#: How each kind of record with a version is written.
RECORDS: Mapping[type, Record[Any]] = {
    Account: ACCOUNT_RECORD,
    AccessKey: ACCESS_KEY_RECORD,
    ConsoleSession: CONSOLE_SESSION_RECORD,
    ConsoleTicket: CONSOLE_TICKET_RECORD,
    User: USER_RECORD,
    Policy: POLICY_RECORD,
    PolicyVersion: POLICY_VERSION_RECORD,
    Attachment: ATTACHMENT_RECORD,
    ResourceDirectory: DIRECTORY_RECORD,
    Folder: FOLDER_RECORD,
    Member: MEMBER_RECORD,
    Contact: CONTACT_RECORD,
    DetachedContact: COPY_RECORD,
    Verification: VERIFICATION_RECORD,
    Block: BLOCK_RECORD,
    Message: MESSAGE_RECORD,
    Progress: PROGRESS_RECORD,
    Delivery: DELIVERY_RECORD,
    Incident: INCIDENT_RECORD,
    FallbackAddress: FALLBACK_RECORD,
    Suspension: SUSPENSION_RECORD,
    Preference: PREFERENCE_RECORD,
    HandOver: HAND_OVER_RECORD,
    Webhook: WEBHOOK_RECORD,
}


#: Rows that are only ever added: the statement and its parameters.
ADDED: Mapping[type, tuple[str, Callable[[Any], Parameters]]] = {
    AuditEvent: (INSERT_EVENT, event_row),
    DeletedMember: (INSERT_DELETED_MEMBER, deleted_member_row),
    Evidence: (INSERT_EVIDENCE, evidence_row),
    PersonalPart: (INSERT_PERSONAL_PART, personal_part_row),
}


class ChangeCommitter:
    """`changes.Committer`."""

    def __init__(self, database: Database, clock: Clock, on_enqueued: Callable[[str], None]) -> None:
        self._database = database
        self._clock = clock
        self._on_enqueued = on_enqueued

    async def commit(self, changes: tuple[Change, ...], nonce: Nonce | None) -> None:
        steps = compiled(changes, nonce, self._clock.now())
        channels = {change.job.channel for change in changes if type(change) is Enqueue or type(change) is Requeue}
        channels |= {change.channel for change in changes if type(change) is DueNow}
        tenant = next(tenants_of(changes), "")
        if not channels:
            await self._database.commit(steps, tenant=tenant)
            return

        def wake() -> None:
            for channel in channels:
                self._on_enqueued(channel)

        await self._database.commit(steps, tenant=tenant, committed=wake)


def compiled(changes: tuple[Change, ...], nonce: Nonce | None, now: Instant) -> list[Step]:
    """The steps of a change set, the nonce first: its refusal outranks all others."""
    steps: list[Step] = []
    if nonce is not None:
        steps.append(Step(USE_NONCE, (nonce.digest, nonce.expires_at, now), errors.SIGNATURE_NONCE_USED))
    for change in changes:
        match change:
            case Insert():
                steps += _inserted(change.row)
            case Update():
                steps += _record(change.before).updated(change.before, change.after)
            case Delete():
                steps += _record(change.row).deleted(change.row)
            case RelyOn():
                steps += _record(change.row).relied_on(change.row)
            case CountUp():
                steps.append(
                    Step(
                        COUNT_UP,
                        (change.account_id, change.counter, change.period, now, change.limit),
                        change.error,
                    )
                )
            case CountDown():
                steps.append(Step(COUNT_DOWN, (change.account_id, change.counter, change.period)))
            case Enqueue() | Requeue() | DueNow() | ClearInbox():
                steps.append(_single(change))
            case EraseTraces():
                # These first: some of the traces are found in the same rows, which would then not be as they were read.
                steps += compiled(change.untold, None, now) + traces_erased(change)
            case _:
                assert_never(change)
    return steps


def _single(change: Enqueue | Requeue | DueNow | ClearInbox) -> Step:
    match change:
        case Enqueue():
            return enqueued(change)
        case Requeue():
            return requeued(change)
        case DueNow():
            return due_now(change)
        case ClearInbox():
            return cleared(change)


def _inserted(row: object) -> list[Step]:
    added = ADDED.get(type(row))
    if added is not None:
        sql, parameters = added
        return [Step(sql, parameters(row))]
    return _record(row).inserted(row)


def tenants_of(changes: tuple[Change, ...]) -> Iterator[str]:
    """Whose rows and counters are changed or relied on, in the order of the changes; of one tenant all of them.

    While calls are answered, nothing looks at more than the first; the tests look at all, at every commit of theirs.
    """
    for change in changes:
        for part in (change, *(getattr(change, name, None) for name in ("row", "before", "job"))):
            account_id: str | None = getattr(part, "account_id", None)
            if account_id is not None:
                yield account_id


def _record(row: object) -> Record[Any]:
    record = RECORDS.get(type(row))
    if record is None:
        raise TypeError(f"no way to write this with a version: {type(row).__name__}")
    return record
