"""Lists as compact text in one column, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson

from message_contacts.clock import Instant
from message_contacts.contacts.model import Binding, MessageType, WithdrawalFailure
from message_contacts.directory.model import Tags


def text_from_message_types(types: Sequence[MessageType]) -> str:
    """Message types between commas, in their order."""
    return ",".join(types)


@lru_cache(maxsize=2048)  # there are 1,956 ordered choices from six types
def message_types_from_text(text: str) -> tuple[MessageType, ...]:
    """What `text_from_message_types` wrote."""
    return tuple(MessageType(value) for value in text.split(",")) if text else ()


def text_from_tags(tags: Tags) -> str:
    """Tags as JSON with each pair on a line of its own: `tag_line` finds one without parsing."""
    return "[" + ",".join(tag_line(key, value) for key, value in tags) + "]"


def tag_line(key: str, value: str) -> str:
    """The text that a list of tags contains exactly if it has this pair.

    JSON never has a bare line feed inside a string, so a line can only begin where a pair does.
    """
    return "\n" + orjson.dumps([key, value]).decode()


def tags_from_text(text: str) -> Tags:
    """What `text_from_tags` wrote."""
    if text == "[]":
        return ()
    return tuple((key, value) for key, value in orjson.loads(text))


def text_from_bindings(bindings: Sequence[Binding]) -> str:
    """Bindings as JSON, in their order."""
    return orjson.dumps([[binding.node_id, binding.bound_at] for binding in bindings]).decode() if bindings else "[]"


def bindings_from_text(text: str) -> tuple[Binding, ...]:
    """What `text_from_bindings` wrote."""
    if text == "[]":
        return ()
    return tuple(Binding(node_id, Instant(bound_at)) for node_id, bound_at in orjson.loads(text))


def text_from_failures(failures: Sequence[WithdrawalFailure]) -> str:
    """Failures of a deletion as JSON."""
    return orjson.dumps([[failure.member_id, failure.message_types] for failure in failures]).decode()


def failures_from_text(text: str) -> tuple[WithdrawalFailure, ...]:
    """What `text_from_failures` wrote."""
    return tuple(
        WithdrawalFailure(member_id, tuple(MessageType(value) for value in types))
        for member_id, types in orjson.loads(text)
    )


def text_from_payload(payload: Mapping[str, str | int]) -> str:
    """A job's payload as JSON."""
    return orjson.dumps(dict(payload)).decode()


def payload_from_text(text: str) -> Mapping[str, str | int]:
    """What `text_from_payload` wrote."""
    payload: dict[str, str | int] = orjson.loads(text)
    return payload
