"""Deliveries: how they are written, by rules and by workers, and how they are read."""

from __future__ import annotations

from message_contacts.contacts.model import Channel
from message_contacts.delivery.messages import DELIVER, Delivery, DeliveryState, Route, Try
from message_contacts.delivery.outbox import Fate, Settlement
from message_contacts.storage.engine import Parameters, Query, Row, Step
from message_contacts.storage.message_texts import (
    named_from_text,
    text_from_named,
    text_from_tries,
    tries_from_text,
)
from message_contacts.storage.records import Record

#: By value; calling the enumeration takes ten times as long, and a fan-out reads very many deliveries.
_CHANNELS = {each.value: each for each in Channel}
_STATES = {each.value: each for each in DeliveryState}
_ROUTES = {each.value: each for each in Route}

INSERT_DELIVERY = """
    -- Add a delivery, or a further contact to the one that its address has: that to be sent outranks that skipped.
    INSERT INTO delivery (message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
                          created_at, updated_at, attempts, reply, tries, sent_at, account_id, delivery_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (account_id, message_id, channel, address_key) DO UPDATE
       SET state = CASE WHEN excluded.state = 'pending' THEN excluded.state ELSE delivery.state END,
           route = CASE WHEN excluded.state = 'pending'
                             AND (delivery.state <> 'pending' OR excluded.route = 'subscribed')
                        THEN excluded.route ELSE delivery.route END,
           reason = CASE WHEN excluded.state = 'pending' AND delivery.state <> 'pending' THEN excluded.reason
                         ELSE delivery.reason END,
           contacts = CASE WHEN excluded.state = 'pending' AND delivery.state <> 'pending'
                           THEN excluded.contacts || delivery.contacts
                           WHEN delivery.contact_count < 100 THEN delivery.contacts || excluded.contacts
                           ELSE delivery.contacts END,
           contact_count = delivery.contact_count + excluded.contact_count,
           version = delivery.version + 1
"""

UPDATE_DELIVERY = """
    -- Change a delivery if nobody changed it since it was read.
    UPDATE delivery SET message_id = $1, channel = $2, address = $3, address_key = $4, state = $5, route = $6,
           reason = $7, contacts = $8, contact_count = $9, created_at = $10, updated_at = $11, attempts = $12,
           reply = $13, tries = $14, sent_at = $15, version = version + 1
     WHERE account_id = $16 AND delivery_id = $17 AND version = $18
"""

DELETE_DELIVERY = """
    -- Delete a delivery if nobody changed it since it was read.
    DELETE FROM delivery WHERE account_id = $1 AND delivery_id = $2 AND version = $3
"""

RELY_ON_DELIVERY = """
    -- Whether a delivery is as it was read.
    SELECT 1 FROM delivery WHERE account_id = $1 AND delivery_id = $2 AND version = $3
"""

DELIVERY_SENT = """
    -- A delivery was sent, whatever was said of it meanwhile: what a channel took over cannot be taken back.
    UPDATE delivery SET state = 'sent', reason = '', reply = $1, tries = tries || $2, attempts = attempts + 1,
           updated_at = $3, sent_at = $3, version = version + 1
     WHERE account_id = $4 AND delivery_id = $5 AND state NOT IN ('sent', 'delivered')
"""

DELIVERY_TRIED = """
    -- A try at a delivery failed, for now or for good.
    UPDATE delivery SET state = $1, reason = $2, reply = $3, tries = tries || $4, attempts = attempts + 1,
           updated_at = $5, version = version + 1
     WHERE account_id = $6 AND delivery_id = $7 AND state IN ('pending', 'deferred', 'failed')
"""

DELIVERY_ENDED = """
    -- A delivery ends without a try.
    UPDATE delivery SET state = $1, reason = $2, tries = tries || $3, updated_at = $4, version = version + 1
     WHERE account_id = $5 AND delivery_id = $6 AND state IN ('pending', 'deferred', 'failed')
"""

DELIVERY = """
    -- One delivery.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND delivery_id = $2
"""

ERRAND = """
    -- One delivery, what of its message matters to it, and whether anything is known of addresses of the tenant.
    SELECT delivery_id, delivery.message_id, channel, address, address_key, delivery.state, route, reason, contacts,
           contact_count, created_at, updated_at, attempts, reply, tries, sent_at, delivery.version,
           message.state, expires_at,
           EXISTS (SELECT 1 FROM suspension WHERE account_id = $1 AND suspended_at IS NOT NULL)
           OR EXISTS (SELECT 1 FROM preference WHERE account_id = $1)
      FROM delivery CROSS JOIN message
     WHERE delivery.account_id = $1 AND delivery_id = $2
       AND message.account_id = delivery.account_id AND message.message_id = delivery.message_id
"""

DELIVERY_PAGE = """
    -- Deliveries of a tenant by id, between two.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND delivery_id > $2 AND delivery_id < $3
     ORDER BY delivery_id LIMIT $4
"""

DELIVERY_PAGE_IN_STATE = """
    -- Deliveries of a tenant in one state by id, between two.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND state = $2 AND delivery_id > $3 AND delivery_id < $4
     ORDER BY delivery_id LIMIT $5
"""

DELIVERY_PAGE_TO_ADDRESS = """
    -- Deliveries of a tenant to one address by id, between two, in one state if given.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery
     WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND delivery_id > $4 AND delivery_id < $5
       AND ($6 = '' OR state = $6)
     ORDER BY delivery_id LIMIT $7
"""

NEWEST_DELIVERIES = """
    -- Deliveries of a tenant by id, the last first, between two.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND delivery_id > $2 AND delivery_id < $3
     ORDER BY delivery_id DESC LIMIT $4
"""

NEWEST_DELIVERIES_IN_STATE = """
    -- Deliveries of a tenant in one state by id, the last first, between two.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND state = $2 AND delivery_id > $3 AND delivery_id < $4
     ORDER BY delivery_id DESC LIMIT $5
"""

NEWEST_DELIVERIES_TO_ADDRESS = """
    -- Deliveries of a tenant to one address by id, the last first, between two, in one state if given.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery
     WHERE account_id = $1 AND channel = $2 AND address_key = $3 AND delivery_id > $4 AND delivery_id < $5
       AND ($6 = '' OR state = $6)
     ORDER BY delivery_id DESC LIMIT $7
"""

PENDING_OF_MESSAGE = """
    -- Deliveries of a message that wait for their first try, by id, those behind one: what it takes to let them go.
    SELECT delivery_id, channel FROM delivery
     WHERE account_id = $1 AND state = 'pending' AND delivery_id > $2 AND delivery_id < $3
     ORDER BY delivery_id LIMIT $4
"""

DELIVERY_AT = """
    -- The delivery of a message to one address.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND message_id = $2 AND channel = $3 AND address_key = $4
"""

LOST_OF_MESSAGE = """
    -- Deliveries to persons that were to be sent and have ended in a state, by id, between two.
    SELECT delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
           created_at, updated_at, attempts, reply, tries, sent_at, version
      FROM delivery WHERE account_id = $1 AND state = $2 AND delivery_id > $3 AND delivery_id < $4
       AND channel <> 'webhook' AND (tries <> '' OR reason = 'erased')
     ORDER BY delivery_id LIMIT $5
"""

COUNT_IN_STATE = """
    -- How many deliveries between two ids are in a state.
    SELECT count(*) FROM delivery WHERE account_id = $1 AND state = $2 AND delivery_id > $3 AND delivery_id < $4
"""

ANY_IN_STATE = """
    -- Whether any delivery between two ids is in a state.
    SELECT 1 FROM delivery WHERE account_id = $1 AND state = $2 AND delivery_id > $3 AND delivery_id < $4 LIMIT 1
"""


def ids_of_message(message_id: str) -> tuple[str, str]:
    """Ids between which all deliveries of a message are: they begin with its hex digits."""
    digits = message_id.partition("-")[2]
    return f"d-{digits}", f"d-{digits}g"


def page(
    account_id: str,
    *,
    message_id: str | None,
    state: DeliveryState | None,
    address: tuple[Channel, str] | None,
    after: str | None,
    limit: int,
    newest_first: bool,
) -> Query:
    """The query of `delivery.message_store.MessageStore.delivery_page`."""
    first, last = ids_of_message(message_id) if message_id is not None else ("", "d-g")
    if after is not None:
        first, last = (first, after) if newest_first else (after, last)
    if address is not None:
        channel, key = address
        wanted = "" if state is None else state.value
        to_address = NEWEST_DELIVERIES_TO_ADDRESS if newest_first else DELIVERY_PAGE_TO_ADDRESS
        return to_address, (account_id, channel.value, key, first, last, wanted, limit)
    if state is not None:
        in_state = NEWEST_DELIVERIES_IN_STATE if newest_first else DELIVERY_PAGE_IN_STATE
        return in_state, (account_id, state.value, first, last, limit)
    return NEWEST_DELIVERIES if newest_first else DELIVERY_PAGE, (account_id, first, last, limit)


def settled(settlement: Settlement) -> list[Step]:
    """The steps that record a try at a delivery, in the commit that ends the try; none for jobs of other kinds."""
    job = settlement.job
    delivery_id = job.payload.get("delivery_id")
    if job.kind != DELIVER or delivery_id is None:  # without one it is another release's, and none was tried
        return []
    key = (job.account_id, str(delivery_id))
    state, reply = settlement.delivery_state, settlement.reason
    moment = settlement.due_at if settlement.ended_at is None else settlement.ended_at
    tried = text_from_tries([Try(moment, state, reply)])
    if settlement.fate is not Fate.DONE:
        reason = reply if state is DeliveryState.FAILED else ""
        return [Step(DELIVERY_TRIED, (state.value, reason, reply, tried, moment, *key))]
    if state is DeliveryState.SENT:
        return [Step(DELIVERY_SENT, (reply, tried, moment, *key))]
    return [Step(DELIVERY_ENDED, (state.value, reply, tried, moment, *key))]


def channel_from_row(row: Row) -> tuple[str, Channel]:
    """A delivery's id and channel from a row of `PENDING_OF_MESSAGE`."""
    delivery_id, channel = row
    return delivery_id, _CHANNELS[channel]


def delivery_from_row(account_id: str, row: Row) -> Delivery:
    """A delivery from its row."""
    (
        delivery_id, message_id, channel, address, address_key, state, route, reason, contacts, contact_count,
        created_at, updated_at, attempts, reply, tries, sent_at, version,
    ) = row  # fmt: skip
    return Delivery(
        account_id=account_id,
        delivery_id=delivery_id,
        message_id=message_id,
        channel=_CHANNELS[channel],
        address=address,
        address_key=address_key,
        state=_STATES[state],
        route=_ROUTES[route],
        reason=reason,
        contacts=named_from_text(contacts),
        contact_count=contact_count,
        created_at=created_at,
        updated_at=updated_at,
        attempts=attempts,
        reply=reply,
        tries=tries_from_text(tries),
        sent_at=sent_at,
        version=version,
    )


def _key(delivery: Delivery) -> Parameters:
    return delivery.account_id, delivery.delivery_id


def _values(delivery: Delivery) -> Parameters:
    return (
        delivery.message_id,
        delivery.channel.value,
        delivery.address,
        delivery.address_key,
        delivery.state.value,
        delivery.route.value,
        delivery.reason,
        text_from_named(delivery.contacts),
        delivery.contact_count,
        delivery.created_at,
        delivery.updated_at,
        delivery.attempts,
        delivery.reply,
        text_from_tries(delivery.tries),
        delivery.sent_at,
    )


DELIVERY_RECORD: Record[Delivery] = Record(
    insert=INSERT_DELIVERY,
    update=UPDATE_DELIVERY,
    delete=DELETE_DELIVERY,
    rely_on=RELY_ON_DELIVERY,
    key=_key,
    values=_values,
)
