"""Tags of folders and members: pairs of a key and a value, each key once.

No page of the directory gives the limits; they are those of the vendor's tags elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from message_contacts.changes import Decision, RelyOn, Update
from message_contacts.directory.model import Folder, Member, Tags

MAX_TAGS = 20
_KEY_LENGTHS = range(1, 129)
_MAX_VALUE_LENGTH = 128

#: What can have tags.
Resource = Folder | Member


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


def add_tags(resources: Sequence[Resource], added: Tags) -> Decision[None]:
    """The tags on all of the resources; one whose key is there already gets the new value in its place.

    Raises: ValueError when a resource would have too many.
    """
    return _with_tags({resource: tuple({**dict(resource.tags), **dict(added)}.items()) for resource in resources})


def remove_tags(resources: Sequence[Resource], keys: Collection[str] | None) -> Decision[None]:
    """None of the resources with a tag of one of these keys any more, or with any tag when no keys are named."""
    return _with_tags(
        {
            resource: tuple((key, value) for key, value in resource.tags if keys is not None and key not in keys)
            for resource in resources
        }
    )


def _with_tags(wanted: Mapping[Resource, Tags]) -> Decision[None]:
    if any(len(tags) > MAX_TAGS for tags in wanted.values()):
        raise ValueError("too many tags")
    return Decision(
        tuple(
            RelyOn(resource) if tags == resource.tags else Update(resource, replace(resource, tags=tags))
            for resource, tags in wanted.items()
        ),
        None,
    )
