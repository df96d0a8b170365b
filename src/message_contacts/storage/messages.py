"""Messages and how far they have come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from message_contacts.contacts.model import Channel, Contact, DetachedContact, MessageType
from message_contacts.delivery.message_store import Errand, Members
from message_contacts.delivery.messages import (
    Delivery,
    DeliveryState,
    FallbackAddress,
    Incident,
    Message,
    MessageState,
    Progress,
    Stage,
)
from message_contacts.delivery.rules import Severity
from message_contacts.storage import deliveries, fan_out, incidents
from message_contacts.storage.contacts import contact_from_row
from message_contacts.storage.detached import copy_from_row
from message_contacts.storage.engine import Database, Parameters, Row
from message_contacts.storage.message_texts import (
    ids_from_text,
    moments_from_text,
    reach_from_text,
    text_from_ids,
    text_from_moments,
    text_from_reach,
)
from message_contacts.storage.records import Record

#: Behind every id, in whatever order a database has letters: ids go on with hex digits.
_LAST = "m-g"
#: How a delivery ends that nobody got.
_LOST = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SKIPPED)

MESSAGE = """
    -- One message.
    SELECT message_id, message_type, severity, subject, text, html, markdown, targets, client_token, content_digest,
           state, published_at, expires_at, published_by, version
      FROM message WHERE account_id = $1 AND message_id = $2
"""

MESSAGE_WITH_WORD = """
    -- The message that was published with a token.
    SELECT message_id, message_type, severity, subject, text, html, markdown, targets, client_token, content_digest,
           state, published_at, expires_at, published_by, version
      FROM message WHERE account_id = $1 AND client_token = $2
"""

MESSAGE_PAGE = """
    -- Messages of a tenant, the newest first, those older than one, without what they say.
    SELECT message_id, message_type, severity, subject, '', NULL, NULL, targets, client_token, content_digest,
           state, published_at, expires_at, published_by, version
      FROM message WHERE account_id = $1 AND message_id < $2
     ORDER BY message_id DESC LIMIT $3
"""

INSERT_MESSAGE = """
    -- Add a message.
    INSERT INTO message (message_type, severity, subject, text, html, markdown, targets, client_token, content_digest,
                         state, published_at, expires_at, published_by, account_id, message_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""

UPDATE_MESSAGE = """
    -- Change a message if nobody changed it since it was read.
    UPDATE message SET message_type = $1, severity = $2, subject = $3, text = $4, html = $5, markdown = $6,
           targets = $7, client_token = $8, content_digest = $9, state = $10, published_at = $11, expires_at = $12,
           published_by = $13, version = version + 1
     WHERE account_id = $14 AND message_id = $15 AND version = $16
"""

DELETE_MESSAGE = """
    -- Delete a message if nobody changed it since it was read.
    DELETE FROM message WHERE account_id = $1 AND message_id = $2 AND version = $3
"""

RELY_ON_MESSAGE = """
    -- Whether a message is as it was read.
    SELECT 1 FROM message WHERE account_id = $1 AND message_id = $2 AND version = $3
"""

PROGRESS = """
    -- How far a message has come.
    SELECT message_id, step, stage, node, after, numbers, reaches_somebody, reach, wanted, unreached,
           unreached_members, version
      FROM message_progress WHERE account_id = $1 AND message_id = $2
"""

INSERT_PROGRESS = """
    -- Begin with a message.
    INSERT INTO message_progress (step, stage, node, after, numbers, reaches_somebody, reach, wanted, unreached,
                                  unreached_members, account_id, message_id, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

UPDATE_PROGRESS = """
    -- Take a message further if nobody did since it was read.
    UPDATE message_progress SET step = $1, stage = $2, node = $3, after = $4, numbers = $5, reaches_somebody = $6,
           reach = $7, wanted = $8, unreached = $9, unreached_members = $10, version = version + 1
     WHERE account_id = $11 AND message_id = $12 AND version = $13
"""

DELETE_PROGRESS = """
    -- Be done with a message if nobody took it further since it was read.
    DELETE FROM message_progress WHERE account_id = $1 AND message_id = $2 AND version = $3
"""

RELY_ON_PROGRESS = """
    -- Whether a message is where it was.
    SELECT 1 FROM message_progress WHERE account_id = $1 AND message_id = $2 AND version = $3
"""


class Messages:
    """`delivery.message_store.MessageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def message(self, account_id: str, message_id: str) -> Message | None:
        rows = await self._database.rows(MESSAGE, (account_id, message_id))
        return _message_from_row(account_id, rows[0]) if rows else None

    async def message_by_token(self, account_id: str, client_token: str) -> Message | None:
        rows = await self._database.rows(MESSAGE_WITH_WORD, (account_id, client_token))
        return _message_from_row(account_id, rows[0]) if rows else None

    async def message_page(self, account_id: str, *, before: str | None, limit: int) -> Sequence[Message]:
        (rows,) = await self._database.report((MESSAGE_PAGE, (account_id, before or _LAST, limit)))
        return [_message_from_row(account_id, row) for row in rows]

    async def counts(self, account_id: str, message_id: str) -> Mapping[DeliveryState, int]:
        first, last = deliveries.ids_of_message(message_id)
        found = await self._database.report(
            *((deliveries.COUNT_IN_STATE, (account_id, state.value, first, last)) for state in DeliveryState)
        )
        return {state: rows[0][0] for state, rows in zip(DeliveryState, found, strict=True) if rows[0][0]}

    async def progress(self, account_id: str, message_id: str) -> Progress | None:
        rows = await self._database.rows(PROGRESS, (account_id, message_id))
        return _progress_from_row(account_id, rows[0]) if rows else None

    async def contacts_of_node(
        self, account_id: str, node_id: str, *, after: tuple[str, ...], limit: int
    ) -> Sequence[Contact]:
        behind = fan_out.behind(after)
        (rows,) = await self._database.report((fan_out.CONTACTS_OF_NODE_BEHIND, (account_id, node_id, *behind, limit)))
        return [contact_from_row(account_id, row) for row in rows]

    async def copies_of_node(
        self, account_id: str, node_id: str, *, after: tuple[str, ...], limit: int
    ) -> Sequence[DetachedContact]:
        behind = after[0] if after else ""
        (rows,) = await self._database.report((fan_out.COPIES_OF_NODE_BEHIND, (account_id, node_id, behind, limit)))
        return [copy_from_row(account_id, row) for row in rows]

    async def members_of_folder(
        self, account_id: str, folder_id: str, *, after: tuple[str, ...], limit: int
    ) -> Members:
        behind = fan_out.behind(after)
        (rows,) = await self._database.report(
            (fan_out.MEMBER_PLACES_OF_FOLDER, (account_id, folder_id, *behind, limit))
        )
        places = [fan_out.place_from_row(row) for row in rows]
        if not places:
            return Members([], {}, {})
        stretch = (account_id, folder_id, *behind, places[-1].joined_at, places[-1].member_id)
        contacts, copies = await self._database.report(
            (fan_out.CONTACTS_OF_MEMBERS, stretch), (fan_out.COPIES_OF_MEMBERS, stretch)
        )
        return Members(
            places, fan_out.contacts_by_member(account_id, contacts), fan_out.copies_by_member(account_id, copies)
        )

    async def members_named(self, account_id: str, member_ids: Sequence[str]) -> Members:
        contacts: dict[str, list[Contact]] = {}
        copies: dict[str, list[DetachedContact]] = {}
        found = await self._database.report(
            *((fan_out.MEMBER_PLACE, (account_id, member_id)) for member_id in member_ids)
        )
        places = [fan_out.place_from_row(rows[0]) for rows in found if rows]
        for place in places:
            bound, kept = await self._database.report(
                (fan_out.CONTACTS_OF_NODE_BEHIND, (account_id, place.member_id, -1, "", fan_out.ALL)),
                (fan_out.COPIES_OF_NODE_BEHIND, (account_id, place.member_id, "", fan_out.ALL)),
            )
            contacts[place.member_id] = [contact_from_row(account_id, row) for row in bound]
            copies[place.member_id] = [copy_from_row(account_id, row) for row in kept]
        return Members(places, contacts, copies)

    async def delivery(self, account_id: str, delivery_id: str) -> Delivery | None:
        rows = await self._database.rows(deliveries.DELIVERY, (account_id, delivery_id))
        return deliveries.delivery_from_row(account_id, rows[0]) if rows else None

    async def delivery_page(
        self,
        account_id: str,
        *,
        message_id: str | None,
        state: DeliveryState | None,
        address: tuple[Channel, str] | None,
        after: str | None,
        limit: int,
        newest_first: bool = False,
    ) -> Sequence[Delivery]:
        (rows,) = await self._database.report(
            deliveries.page(
                account_id,
                message_id=message_id,
                state=state,
                address=address,
                after=after,
                limit=limit,
                newest_first=newest_first,
            )
        )
        return [deliveries.delivery_from_row(account_id, row) for row in rows]

    async def pending(
        self, account_id: str, message_id: str, *, after: str | None, limit: int
    ) -> Sequence[tuple[str, Channel]]:
        first, last = deliveries.ids_of_message(message_id)
        (rows,) = await self._database.report(
            (deliveries.PENDING_OF_MESSAGE, (account_id, after or first, last, limit))
        )
        return [deliveries.channel_from_row(row) for row in rows]

    async def errand(self, account_id: str, delivery_id: str) -> Errand | None:
        rows = await self._database.rows(deliveries.ERRAND, (account_id, delivery_id))
        if not rows:
            return None
        *row, state, expires_at, anything_known = rows[0]
        delivery = deliveries.delivery_from_row(account_id, tuple(row))
        return Errand(delivery, MessageState(state), expires_at, bool(anything_known))

    async def deliveries_at(
        self, account_id: str, message_id: str, places: Sequence[tuple[Channel, str]]
    ) -> Mapping[tuple[Channel, str], Delivery]:
        if not places:
            return {}
        found = await self._database.report(
            *((deliveries.DELIVERY_AT, (account_id, message_id, channel.value, key)) for channel, key in places)
        )
        return {
            place: deliveries.delivery_from_row(account_id, rows[0])
            for place, rows in zip(places, found, strict=True)
            if rows
        }

    async def lost(self, account_id: str, message_id: str, *, limit: int) -> Sequence[Delivery]:
        first, last = deliveries.ids_of_message(message_id)
        found = await self._database.report(
            *((deliveries.LOST_OF_MESSAGE, (account_id, state.value, first, last, limit)) for state in _LOST)
        )
        return [deliveries.delivery_from_row(account_id, row) for rows in found for row in rows][:limit]

    async def has_any(self, account_id: str, message_id: str, state: DeliveryState) -> bool:
        first, last = deliveries.ids_of_message(message_id)
        return bool(await self._database.rows(deliveries.ANY_IN_STATE, (account_id, state.value, first, last)))

    async def incident(self, account_id: str, incident_id: str) -> Incident | None:
        rows = await self._database.rows(incidents.INCIDENT, (account_id, incident_id))
        return incidents.incident_from_row(account_id, rows[0]) if rows else None

    async def incident_of(self, account_id: str, message_id: str, kind: str) -> Incident | None:
        rows = await self._database.rows(incidents.INCIDENT_OF_MESSAGE, (account_id, message_id, kind))
        return incidents.incident_from_row(account_id, rows[0]) if rows else None

    async def incident_page(
        self, account_id: str, *, only_open: bool, after: str | None, limit: int
    ) -> Sequence[Incident]:
        page = incidents.OPEN_INCIDENT_PAGE if only_open else incidents.INCIDENT_PAGE
        (rows,) = await self._database.report((page, (account_id, after or "", limit)))
        return [incidents.incident_from_row(account_id, row) for row in rows]

    async def fallback(self, account_id: str) -> FallbackAddress | None:
        rows = await self._database.rows(incidents.FALLBACK, (account_id,))
        return incidents.fallback_from_row(rows[0]) if rows else None


def _message_from_row(account_id: str, row: Row) -> Message:
    (
        message_id, message_type, severity, subject, text, html, markdown, targets, client_token, content_digest,
        state, published_at, expires_at, published_by, version,
    ) = row  # fmt: skip
    return Message(
        account_id=account_id,
        message_id=message_id,
        message_type=MessageType(message_type),
        severity=Severity(severity),
        subject=subject,
        text=text,
        html=html,
        markdown=markdown,
        targets=ids_from_text(targets),
        client_token=client_token,
        content_digest=bytes(content_digest),
        state=MessageState(state),
        published_at=published_at,
        expires_at=expires_at,
        published_by=published_by,
        version=version,
    )


def _message_key(message: Message) -> Parameters:
    return message.account_id, message.message_id


def _message_values(message: Message) -> Parameters:
    return (
        message.message_type.value,
        message.severity.value,
        message.subject,
        message.text,
        message.html,
        message.markdown,
        text_from_ids(message.targets),
        message.client_token,
        message.content_digest,
        message.state.value,
        message.published_at,
        message.expires_at,
        message.published_by,
    )


def _progress_from_row(account_id: str, row: Row) -> Progress:
    (
        message_id, step, stage, node, after, numbers, reaches_somebody, reach, wanted, unreached, unreached_members,
        version,
    ) = row  # fmt: skip
    return Progress(
        account_id=account_id,
        message_id=message_id,
        step=step,
        stage=Stage(stage),
        node=node,
        after=tuple(orjson.loads(after)),
        numbers=numbers,
        reaches_somebody=bool(reaches_somebody),
        reach=reach_from_text(reach),
        wanted=moments_from_text(wanted),
        unreached=unreached,
        unreached_members=ids_from_text(unreached_members),
        version=version,
    )


def _progress_key(progress: Progress) -> Parameters:
    return progress.account_id, progress.message_id


def _progress_values(progress: Progress) -> Parameters:
    return (
        progress.step,
        progress.stage.value,
        progress.node,
        text_from_ids(progress.after),
        progress.numbers,
        progress.reaches_somebody,
        text_from_reach(progress.reach),
        text_from_moments(progress.wanted),
        progress.unreached,
        text_from_ids(progress.unreached_members),
    )


MESSAGE_RECORD: Record[Message] = Record(
    insert=INSERT_MESSAGE,
    update=UPDATE_MESSAGE,
    delete=DELETE_MESSAGE,
    rely_on=RELY_ON_MESSAGE,
    key=_message_key,
    values=_message_values,
)
PROGRESS_RECORD: Record[Progress] = Record(
    insert=INSERT_PROGRESS,
    update=UPDATE_PROGRESS,
    delete=DELETE_PROGRESS,
    rely_on=RELY_ON_PROGRESS,
    key=_progress_key,
    values=_progress_values,
)
