"""What messages and deliveries keep as compact text in one column, and back.

A delivery's contacts and tries are lines of JSON, so that the database can add one without reading the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson

from message_contacts.clock import Instant
from message_contacts.delivery.candidates import Because
from message_contacts.delivery.messages import DeliveryState, Named, Reach, Try

#: By value, as in `deliveries`.
_BECAUSE = {each.value: each for each in Because}


def text_from_ids(ids: Sequence[str]) -> str:
    """Ids as JSON."""
    return orjson.dumps(ids).decode()


def ids_from_text(text: str) -> tuple[str, ...]:
    """What `text_from_ids` wrote."""
    return tuple(orjson.loads(text))


def text_from_named(contacts: Iterable[Named]) -> str:
    """Contacts of a delivery, a line each."""
    return "".join(
        orjson.dumps(
            [each.contact_id, each.detached_id, each.name, each.because, each.node_id, each.node_name, each.word]
        ).decode()
        + "\n"
        for each in contacts
    )


def named_from_text(text: str) -> tuple[Named, ...]:
    """What `text_from_named` wrote."""
    return tuple(_named(orjson.loads(line)) for line in text.splitlines())


def _named(values: list[str | None]) -> Named:
    contact_id, detached_id, name, because, node_id, node_name, word = values
    return Named(
        contact_id or "",
        detached_id,
        name or "",
        None if because is None else _BECAUSE[because],
        node_id or "",
        node_name or "",
        word or "",
    )


def text_from_tries(tries: Iterable[Try]) -> str:
    """Tries of a delivery, a line each."""
    return "".join(orjson.dumps([each.at, each.state, each.reply]).decode() + "\n" for each in tries)


def tries_from_text(text: str) -> tuple[Try, ...]:
    """What `text_from_tries` wrote."""
    return tuple(
        Try(Instant(at), DeliveryState(state), reply)
        for at, state, reply in (orjson.loads(line) for line in text.splitlines())
    )


def text_from_reach(reach: Mapping[str, Reach]) -> str:
    """Who is reached through each object, as JSON."""
    return orjson.dumps({node_id: [each.subscribed, each.anybody] for node_id, each in reach.items()}).decode()


def reach_from_text(text: str) -> Mapping[str, Reach]:
    """What `text_from_reach` wrote."""
    return {node_id: Reach(subscribed, anybody) for node_id, (subscribed, anybody) in orjson.loads(text).items()}


def text_from_moments(moments: Mapping[str, int]) -> str:
    """A moment for each object, as JSON."""
    return orjson.dumps(dict(moments)).decode()


def moments_from_text(text: str) -> Mapping[str, int]:
    """What `text_from_moments` wrote."""
    moments: dict[str, int] = orjson.loads(text)
    return moments
