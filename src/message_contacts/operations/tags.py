"""Tags of folders and members, version 2020-03-31. Declaration and thin handler.

A Terraform run asks for the tags of every member it reads. There are no resource groups here, so the type that the
vendor takes when none is given has no resources.

Source: the vendor's Python client of that version, 2.6.2 (ListTagResources).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from message_contacts.directory.model import Folder, Member, Tags
from message_contacts.operations import paging
from message_contacts.operations.call import Call
from message_contacts.operations.directory_parameters import MAX_RESULTS, TAG_FILTER
from message_contacts.operations.registry import (
    RESOURCE_MANAGER,
    Access,
    Field,
    Items,
    Kind,
    Operation,
    Parameter,
    operation,
)

_MAX_RESOURCES = 50


class ResourceType(StrEnum):
    RESOURCE_GROUP = "ResourceGroup"
    ACCOUNT = "Account"
    FOLDER = "Folder"


def _parse_resource_ids(texts: Sequence[str], _rules: Any) -> list[str]:
    if len(texts) > _MAX_RESOURCES:
        raise ValueError("too many resources")
    return list(dict.fromkeys(texts))


@operation(
    "ListTagResources",
    access=Access.READ,
    doc="Lists the tags of folders or members. Resources that do not exist have none.",
    source="the vendor's Python client, 2.6.2",
    parameters=[
        Parameter(
            name="ResourceType",
            parse=lambda text, _rules: ResourceType(text),
            doc="Kind of the resources. There are no resource groups.",
            example="Account",
            choices=tuple(ResourceType),
            default=ResourceType.RESOURCE_GROUP,
        ),
        Parameter(
            name="ResourceId",
            kind=Kind.TEXTS,
            parse=_parse_resource_ids,
            doc="Folders or members, at most 50.",
            example=["181761095690****"],
            required=True,
        ),
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
    versions=[RESOURCE_MANAGER],
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


async def _resource(call: Call, resource_type: ResourceType, resource_id: str) -> Folder | Member | None:
    match resource_type:
        case ResourceType.ACCOUNT:
            return await call.services.directory.member(call.account_id, resource_id)
        case ResourceType.FOLDER:
            return await call.services.directory.folder(call.account_id, resource_id)
        case ResourceType.RESOURCE_GROUP:
            return None


OPERATIONS: tuple[Operation, ...] = (list_tag_resources,)
