"""Tags of folders and members. Declarations and thin handlers.

A Terraform run asks for the tags of every folder and member it reads, and sets them by operations of their own: the
contract's operations have them only where something is created (docs/adr/0032). There are no resource groups here: the
type that the vendor takes when none is given has no resources to list, and nothing of it can be tagged.

Source: the vendor's clients of 2022-04-19, 2.3.1 of 2026-02-04, and of 2020-03-31, 2.6.2; API reference, TagResources,
2025-12-15, and UntagResources, 2026-07-04; what the Terraform provider of 2026-08-21 calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from message_contacts import errors
from message_contacts.changes import Decision
from message_contacts.directory import tags
from message_contacts.directory.model import Tags
from message_contacts.directory.tags import Resource
from message_contacts.operations import paging
from message_contacts.operations.call import Call, Rules
from message_contacts.operations.directory_parameters import MAX_RESULTS, TAG, TAG_FILTER, nodes_named
from message_contacts.operations.registry import (
    RESOURCE_DIRECTORY_MASTER,
    RESOURCE_MANAGER,
    Access,
    Field,
    Items,
    Kind,
    Operation,
    Parameter,
    operation,
)
from message_contacts.operations.values import parse_boolean

_BOTH = (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)
_MAX_RESOURCES = 50


class ResourceType(StrEnum):
    RESOURCE_GROUP = "ResourceGroup"
    ACCOUNT = "Account"
    FOLDER = "Folder"


def _at_most(count: int) -> Callable[[Sequence[str], Rules], list[str]]:
    """Parses a list of so many texts, each of them once. Raises: ValueError when there are more."""

    def parse(texts: Sequence[str], _rules: Rules) -> list[str]:
        if len(texts) > count:
            raise ValueError("too many")
        return list(dict.fromkeys(texts))

    return parse


_TAGGED = (ResourceType.ACCOUNT, ResourceType.FOLDER)
_RESOURCE_TYPE = Parameter(
    name="ResourceType",
    parse=lambda text, _rules: _TAGGED[_TAGGED.index(ResourceType(text))],
    doc="Kind of the resources.",
    example="Account",
    choices=_TAGGED,
    required=True,
)
_OLDER_RESOURCE_TYPE = replace(
    _RESOURCE_TYPE,
    parse=lambda text, _rules: ResourceType(text),
    doc="Kind of the resources. There are no resource groups.",
    choices=tuple(ResourceType),
    required=False,
    default=ResourceType.RESOURCE_GROUP,
)
_RESOURCE_ID = Parameter(
    name="ResourceId",
    kind=Kind.TEXTS,
    parse=_at_most(_MAX_RESOURCES),
    doc=f"Folders or members, at most {_MAX_RESOURCES}.",
    example=["181761095690****"],
    required=True,
)


@operation(
    "ListTagResources",
    access=Access.READ,
    doc="Lists the tags of folders or members. Resources that do not exist have none.",
    source="the vendor's Go client v2.3.1, ListTagResources, 2026-02-04",
    parameters=[
        _RESOURCE_TYPE,
        _RESOURCE_ID,
        TAG_FILTER,
        MAX_RESULTS,
        Parameter(
            name="NextToken",
            parse=paging.integer_between(0, paging.MAX_NUMBER),
            doc="Token of the page wanted, from the answer before.",
            example="10",
            default=0,
        ),
    ],
    returns={
        "TagResources": Items(
            {
                "ResourceId": Field("string", "Folder or member.", "181761095690****"),
                "ResourceType": Field("string", "As asked.", "Account"),
                "TagKey": Field("string", "Key of the tag.", "k1"),
                "TagValue": Field("string", "Value of the tag.", "v1"),
            }
        ),
        "NextToken": Field("string", "Token of the next page; absent on the last one.", "10"),
    },
    deniable_on=nodes_named("ResourceId"),
)
async def list_tag_resources(
    call: Call,
    *,
    resource_type: ResourceType,
    resource_id: Sequence[str],
    tag: Tags,
    max_results: int | None,
    next_token: int,
) -> Mapping[str, Any]:
    resources = {one: await _resource(call, resource_type, one) for one in resource_id}
    found = [
        {"ResourceId": one, "ResourceType": resource_type, "TagKey": key, "TagValue": value}
        for one, resource in resources.items()
        if resource is not None and set(tag) <= set(resource.tags)
        for key, value in resource.tags
    ]
    end = next_token + (max_results or paging.DEFAULT_PAGE_SIZE)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {"TagResources": found[next_token:end], **more}


@operation(
    "TagResources",
    access=Access.WRITE,
    doc="Puts tags on folders or members: on all of them or, when one does not exist, on none. A tag whose key is "
    "there already gets the new value.",
    source="API reference, TagResources, 2025-12-15",
    parameters=[
        _RESOURCE_TYPE,
        _RESOURCE_ID,
        replace(TAG, required=True, default=None, doc=f"Tags: each key once. A resource has at most {tags.MAX_TAGS}."),
    ],
    raises=[errors.ENTITY_NOT_EXISTS_ACCOUNT, errors.ENTITY_NOT_EXISTS_FOLDER],
    deniable_on=nodes_named("ResourceId"),
    versions=_BOTH,
)
async def tag_resources(
    call: Call, *, resource_type: ResourceType, resource_id: Sequence[str], tag: Tags
) -> Mapping[str, Any]:
    def decide(found: Sequence[Resource]) -> Decision[None]:
        try:
            return tags.add_tags(found, tag)
        except ValueError:
            raise errors.invalid("Tag")() from None

    await call.change(lambda: _existing(call, resource_type, resource_id), decide)
    return {}


@operation(
    "UntagResources",
    access=Access.WRITE,
    doc="Takes tags from folders or members: from all of them or, when one does not exist, from none.",
    source="API reference, UntagResources, 2026-07-04",
    parameters=[
        _RESOURCE_TYPE,
        _RESOURCE_ID,
        Parameter(
            name="TagKey",
            kind=Kind.TEXTS,
            parse=_at_most(tags.MAX_TAGS),
            doc=f"Keys of the tags, at most {tags.MAX_TAGS}. Needed unless All is true.",
            example=["k1"],
        ),
        Parameter(
            name="All",
            kind=Kind.BOOLEAN,
            parse=parse_boolean,
            doc="Take all tags, whatever TagKey says.",
            example="false",
            default=False,
        ),
    ],
    raises=[errors.missing("TagKey"), errors.ENTITY_NOT_EXISTS_ACCOUNT, errors.ENTITY_NOT_EXISTS_FOLDER],
    deniable_on=nodes_named("ResourceId"),
    versions=_BOTH,
)
async def untag_resources(
    call: Call,
    *,
    resource_type: ResourceType,
    resource_id: Sequence[str],
    tag_key: Sequence[str] | None,
    all: bool,  # noqa: A002 - handlers get parameters under the vendor's names, and this one is `All`
) -> Mapping[str, Any]:
    if not tag_key and not all:
        raise errors.missing("TagKey")()
    keys = None if all else tag_key
    await call.change(lambda: _existing(call, resource_type, resource_id), lambda found: tags.remove_tags(found, keys))
    return {}


async def _existing(call: Call, resource_type: ResourceType, resource_ids: Sequence[str]) -> Sequence[Resource]:
    """The resources, by id. Raises: ENTITY_NOT_EXISTS_ACCOUNT, ENTITY_NOT_EXISTS_FOLDER when one does not exist."""
    found: list[Resource] = []
    # In one order whoever changes them, so that two who do never wait for each other.
    for resource_id in sorted(resource_ids):
        resource = await _resource(call, resource_type, resource_id)
        if resource is None:
            account = resource_type is ResourceType.ACCOUNT
            raise errors.ENTITY_NOT_EXISTS_ACCOUNT() if account else errors.ENTITY_NOT_EXISTS_FOLDER()
        found.append(resource)
    return found


async def _resource(call: Call, resource_type: ResourceType, resource_id: str) -> Resource | None:
    match resource_type:
        case ResourceType.ACCOUNT:
            return await call.services.directory.member(call.account_id, resource_id)
        case ResourceType.FOLDER:
            return await call.services.directory.folder(call.account_id, resource_id)
        case ResourceType.RESOURCE_GROUP:
            return None


_OLDER_LIST = replace(
    list_tag_resources,
    versions=(RESOURCE_MANAGER,),
    source="the vendor's Python client, 2.6.2",
    parameters=tuple(
        _OLDER_RESOURCE_TYPE if parameter is _RESOURCE_TYPE else parameter
        for parameter in list_tag_resources.parameters
    ),
)

OPERATIONS: tuple[Operation, ...] = (list_tag_resources, _OLDER_LIST, tag_resources, untag_resources)
