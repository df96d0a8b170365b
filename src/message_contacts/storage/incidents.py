"""What messages left over, and the fallback address."""

from __future__ import annotations

from message_contacts.delivery.messages import FallbackAddress, Incident, IncidentKind
from message_contacts.storage.engine import Parameters, Row
from message_contacts.storage.message_texts import ids_from_text, text_from_ids
from message_contacts.storage.records import Record

INCIDENT = """
    -- One incident.
    SELECT incident_id, message_id, kind, members, member_ids, opened_at, closed_at, closed_by, note, version
      FROM incident WHERE account_id = $1 AND incident_id = $2
"""

INCIDENT_OF_MESSAGE = """
    -- The incident of one kind that a message left.
    SELECT incident_id, message_id, kind, members, member_ids, opened_at, closed_at, closed_by, note, version
      FROM incident WHERE account_id = $1 AND message_id = $2 AND kind = $3
"""

INCIDENT_PAGE = """
    -- Incidents of a tenant by id, those behind one.
    SELECT incident_id, message_id, kind, members, member_ids, opened_at, closed_at, closed_by, note, version
      FROM incident WHERE account_id = $1 AND incident_id > $2
     ORDER BY incident_id LIMIT $3
"""

OPEN_INCIDENT_PAGE = """
    -- Incidents of a tenant that are open, by id, those behind one.
    SELECT incident_id, message_id, kind, members, member_ids, opened_at, closed_at, closed_by, note, version
      FROM incident WHERE account_id = $1 AND closed_at IS NULL AND incident_id > $2
     ORDER BY incident_id LIMIT $3
"""

INSERT_INCIDENT = """
    -- Open an incident.
    INSERT INTO incident (message_id, kind, members, member_ids, opened_at, closed_at, closed_by, note,
                          account_id, incident_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

UPDATE_INCIDENT = """
    -- Change an incident if nobody changed it since it was read.
    UPDATE incident SET message_id = $1, kind = $2, members = $3, member_ids = $4, opened_at = $5, closed_at = $6,
           closed_by = $7, note = $8, version = version + 1
     WHERE account_id = $9 AND incident_id = $10 AND version = $11
"""

DELETE_INCIDENT = """
    -- Delete an incident if nobody changed it since it was read.
    DELETE FROM incident WHERE account_id = $1 AND incident_id = $2 AND version = $3
"""

RELY_ON_INCIDENT = """
    -- Whether an incident is as it was read.
    SELECT 1 FROM incident WHERE account_id = $1 AND incident_id = $2 AND version = $3
"""

FALLBACK = """
    -- The fallback address of a tenant.
    SELECT account_id, address, confirmed_at, captured, waiting, reference, generation, waiting_captured, wrong_codes,
           expires_at, version
      FROM fallback_address WHERE account_id = $1
"""

INSERT_FALLBACK = """
    -- Set a fallback address for the first time.
    INSERT INTO fallback_address (address, confirmed_at, captured, waiting, reference, generation, waiting_captured,
                                  wrong_codes, expires_at, account_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

UPDATE_FALLBACK = """
    -- Change a fallback address if nobody changed it since it was read.
    UPDATE fallback_address SET address = $1, confirmed_at = $2, captured = $3, waiting = $4, reference = $5,
           generation = $6, waiting_captured = $7, wrong_codes = $8, expires_at = $9, version = version + 1
     WHERE account_id = $10 AND version = $11
"""

DELETE_FALLBACK = """
    -- Take a fallback address away if nobody changed it since it was read.
    DELETE FROM fallback_address WHERE account_id = $1 AND version = $2
"""

RELY_ON_FALLBACK = """
    -- Whether a fallback address is as it was read.
    SELECT 1 FROM fallback_address WHERE account_id = $1 AND version = $2
"""


def incident_from_row(account_id: str, row: Row) -> Incident:
    """An incident from its row."""
    incident_id, message_id, kind, members, member_ids, opened_at, closed_at, closed_by, note, version = row
    return Incident(
        account_id=account_id,
        incident_id=incident_id,
        message_id=message_id,
        kind=IncidentKind(kind),
        members=members,
        member_ids=ids_from_text(member_ids),
        opened_at=opened_at,
        closed_at=closed_at,
        closed_by=closed_by,
        note=note,
        version=version,
    )


def _incident_key(incident: Incident) -> Parameters:
    return incident.account_id, incident.incident_id


def _incident_values(incident: Incident) -> Parameters:
    return (
        incident.message_id,
        incident.kind.value,
        incident.members,
        text_from_ids(incident.member_ids),
        incident.opened_at,
        incident.closed_at,
        incident.closed_by,
        incident.note,
    )


def fallback_from_row(row: Row) -> FallbackAddress:
    """A fallback address from its row."""
    (
        account_id, address, confirmed_at, captured, waiting, reference, generation, waiting_captured, wrong_codes,
        expires_at, version,
    ) = row  # fmt: skip
    return FallbackAddress(
        account_id=account_id,
        address=address,
        confirmed_at=confirmed_at,
        captured=bool(captured),
        waiting=waiting,
        reference=reference,
        generation=generation,
        waiting_captured=bool(waiting_captured),
        wrong_codes=wrong_codes,
        expires_at=expires_at,
        version=version,
    )


def _fallback_key(fallback: FallbackAddress) -> Parameters:
    return (fallback.account_id,)


def _fallback_values(fallback: FallbackAddress) -> Parameters:
    return (
        fallback.address,
        fallback.confirmed_at,
        fallback.captured,
        fallback.waiting,
        fallback.reference,
        fallback.generation,
        fallback.waiting_captured,
        fallback.wrong_codes,
        fallback.expires_at,
    )


INCIDENT_RECORD: Record[Incident] = Record(
    insert=INSERT_INCIDENT,
    update=UPDATE_INCIDENT,
    delete=DELETE_INCIDENT,
    rely_on=RELY_ON_INCIDENT,
    key=_incident_key,
    values=_incident_values,
)
FALLBACK_RECORD: Record[FallbackAddress] = Record(
    insert=INSERT_FALLBACK,
    update=UPDATE_FALLBACK,
    delete=DELETE_FALLBACK,
    rely_on=RELY_ON_FALLBACK,
    key=_fallback_key,
    values=_fallback_values,
)
