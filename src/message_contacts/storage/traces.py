"""What goes with a person: the statements of an erasure that no record's own change covers."""

from __future__ import annotations

import re

from message_contacts.changes import EraseTraces
from message_contacts.storage.engine import Step

# SQLite goes by the key of a table whenever it can, even if that is through all a tenant has of something. The ids from
# an index in a query of their own lead it to the index.

DELETE_NODES_OF_CONTACT = """
    -- Take all objects of all copies of one contact away.
    DELETE FROM detached_node
     WHERE account_id = $1
       AND detached_id IN (SELECT detached_id FROM detached_contact WHERE account_id = $1 AND contact_id = $2)
"""

DELETE_COPIES_OF_CONTACT = """
    -- Take all copies of one contact away.
    DELETE FROM detached_contact
     WHERE account_id = $1
       AND detached_id IN (SELECT detached_id FROM detached_contact WHERE account_id = $1 AND contact_id = $2)
"""

DELETE_EVIDENCE_OF_CONTACT = """
    -- Take all evidence of one contact away.
    DELETE FROM evidence
     WHERE account_id = $1
       AND verification_id IN (SELECT verification_id FROM evidence WHERE account_id = $1 AND contact_id = $2)
"""

DELETE_AUDIT_PARTS = """
    -- Take what audit events tell of one person away; the events stay, and so does their chain.
    DELETE FROM audit_personal WHERE account_id = $1 AND person_id = $2
"""

DELETE_JOB = """
    -- Take work away, whether it waits, is under way or was given up.
    DELETE FROM job WHERE account_id = $1 AND job_id = $2
"""

DELETE_MESSAGES_TO = """
    -- Take all captured messages to an address away.
    DELETE FROM inbox_message WHERE account_id = $1 AND recipient_key = $2
"""

DELETE_MESSAGE = """
    -- Take one captured message away.
    DELETE FROM inbox_message WHERE account_id = $1 AND message_id = $2
"""

MASK_INCIDENT_NOTES = """
    -- Take an address out of what was noted about incidents.
    UPDATE incident SET note = regexp_replace(note, $1, '***', 'gi'), version = version + 1
     WHERE account_id = $2 AND note <> '' AND regexp_replace(note, $1, '', 'gi') <> note
"""

MASK_HAND_OVERS = """
    -- Take an address out of what others asked, and what was noted about it.
    UPDATE hand_over SET wish = regexp_replace(wish, $1, '***', 'gi'), note = regexp_replace(note, $1, '***', 'gi'),
           version = version + 1
     WHERE account_id = $2
       AND (regexp_replace(wish, $1, '', 'gi') <> wish OR regexp_replace(note, $1, '', 'gi') <> note)
"""

MASK_SIGNS = """
    -- Take an address out of what mail servers told about addresses of others, such as one that forwards to it.
    UPDATE suspension SET signs = regexp_replace(signs, $1, '***', 'gi'), version = version + 1
     WHERE account_id = $2 AND regexp_replace(signs, $1, '', 'gi') <> signs
"""

DECIDE_AGAIN_WHO_GETS = """
    -- Have those decide again who are just working out who gets a tenant's messages.
    UPDATE message_progress SET version = version + 1 WHERE account_id = $1
"""

DELETE_MESSAGES_OF_VERIFICATION = """
    -- Take the captured messages to an address that carry one verification away.
    DELETE FROM inbox_message WHERE account_id = $1 AND recipient_key = $2 AND verification_id = $3
"""


def _alone(address: str) -> str:
    """A regular expression, for Python and PostgreSQL alike, for an address that is not the end of a longer one.

    What is longer behind it counts: `ann@example.com.cn` is masked with `ann@example.com`, since a sentence may go on
    without a blank, and nothing of a person may stay.
    """
    return f"(?<![a-z0-9])(?<![a-z0-9][._+-]){re.escape(address)}(?![a-z0-9])"


def traces_erased(change: EraseTraces) -> list[Step]:
    """The steps of `changes.EraseTraces`."""
    account_id = change.account_id
    person = (account_id, change.person_id)
    steps = [
        Step(DELETE_NODES_OF_CONTACT, person),
        Step(DELETE_COPIES_OF_CONTACT, person),
        Step(DELETE_EVIDENCE_OF_CONTACT, person),
        Step(DELETE_AUDIT_PARTS, person),
        *(Step(DELETE_JOB, (account_id, job_id)) for job_id in change.job_ids),
        *(Step(DELETE_MESSAGES_TO, (account_id, address)) for address in change.own_addresses),
        *(
            Step(DELETE_MESSAGES_OF_VERIFICATION, (account_id, address, verification_id))
            for address in change.shared_addresses
            for verification_id in change.verification_ids
        ),
        *(Step(DELETE_MESSAGE, (account_id, message_id)) for message_id in change.message_ids),
        *(
            Step(statement, (_alone(address), account_id))
            for address in change.own_addresses
            for statement in (MASK_INCIDENT_NOTES, MASK_HAND_OVERS, MASK_SIGNS)
        ),
        Step(DECIDE_AGAIN_WHO_GETS, (account_id,)),
    ]
    # Some go through all that a tenant has of something.
    return [step._replace(many=True) for step in steps]
