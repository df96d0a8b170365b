"""Messages with everything filled in; tests name what matters to them."""

from __future__ import annotations

from typing import Any

from message_contacts.contacts.model import Channel, MessageType
from message_contacts.delivery.candidates import Because
from message_contacts.delivery.messages import (
    Delivery,
    DeliveryState,
    Message,
    MessageState,
    Named,
    Route,
    delivery_id,
)
from message_contacts.delivery.rules import Severity
from tests.factories import ACCOUNT
from tests.fakes.clock import START

MESSAGE_ID = "m-019f00000000000000000001"


def make_message(**fields: Any) -> Message:
    return Message(
        **{
            "account_id": ACCOUNT,
            "message_id": MESSAGE_ID,
            "message_type": MessageType.FAULT_MESSAGE,
            "severity": Severity.NORMAL,
            "subject": "Disk full",
            "text": "The disk is full.",
            "html": None,
            "markdown": None,
            "targets": ("r-AbCdEf",),
            "client_token": None,
            "content_digest": b"digest",
            "state": MessageState.EXPANDING,
            "published_at": START,
            "expires_at": None,
            "published_by": "MCkey",
            **fields,
        }
    )


def make_named(**fields: Any) -> Named:
    return Named(
        **{
            "contact_id": "c-0000000000000001",
            "detached_id": None,
            "name": "Tom",
            "because": Because.FOLDER,
            "node_id": "r-AbCdEf",
            "node_name": "root",
            "word": "passed",
            **fields,
        }
    )


def make_delivery(number: int = 1, **fields: Any) -> Delivery:
    message_id = fields.get("message_id", MESSAGE_ID)
    address = fields.get("address", f"{number}@example.com")
    return Delivery(
        **{
            "account_id": ACCOUNT,
            "delivery_id": delivery_id(message_id, number),
            "message_id": message_id,
            "channel": Channel.EMAIL,
            "address": address,
            "address_key": address.lower(),
            "state": DeliveryState.PENDING,
            "route": Route.SUBSCRIBED,
            "reason": "",
            "contacts": (make_named(),),
            "contact_count": 1,
            "created_at": START,
            "updated_at": START,
            **fields,
        }
    )
