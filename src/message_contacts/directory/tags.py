"""Tags of folders and members: pairs of a key and a value, each key once.

No page of the directory gives the limits; they are those of the vendor's tags elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from message_contacts.directory.model import Tags

MAX_TAGS = 20
_KEY_LENGTHS = range(1, 129)
_MAX_VALUE_LENGTH = 128


def parse_tags(entries: Sequence[Mapping[str, str]]) -> Tags:
    """Tags in the order given; an absent value is empty.

    Raises: ValueError when a key is absent, too long or there twice, a value too long, or the tags too many.
    """
    tags = {entry.get("Key", ""): entry.get("Value", "") for entry in entries}
    if len(tags) < len(entries):
        raise ValueError("a key is there twice")
    if len(tags) > MAX_TAGS:
        raise ValueError("too many tags")
    if any(len(key) not in _KEY_LENGTHS or len(value) > _MAX_VALUE_LENGTH for key, value in tags.items()):
        raise ValueError("a key or a value is too long, or a key is empty")
    return tuple(tags.items())
