"""The call as a resource of the vendor's Terraform provider, where one makes that call.

Source: documentation of the provider alicloud, pages of the resources named here, 2026-08-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from message_contacts.console.site.samples.call import REGION, Argument, SampleCall
from message_contacts.console.site.samples.literals import hcl_literal, shell_word
from message_contacts.operations.registry import RAM, RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource that is made by an operation."""

    type: str
    #: Parameter of the operation -> argument of the resource.
    arguments: Mapping[str, str]
    #: Parameters that hold tags, which a resource takes as a map.
    tags: str = ""


_MEMBER = Resource(
    type="alicloud_resource_manager_account",
    arguments={
        "DisplayName": "display_name",
        "ParentFolderId": "folder_id",
        "AccountNamePrefix": "account_name_prefix",
        "PayerAccountId": "payer_account_id",
        "ResellAccountType": "resell_account_type",
    },
    tags="Tag",
)
_FOLDER = Resource(
    type="alicloud_resource_manager_folder",
    arguments={"FolderName": "folder_name", "ParentFolderId": "parent_folder_id"},
)
#: Its `status` is that of control policies, which there are none of here.
_DIRECTORY = Resource(type="alicloud_resource_manager_resource_directory", arguments={})

#: Version and operation -> the resource that makes it. The provider's own calls of the directory's operations are those
#: of 2020-03-31; for whoever looks at the newer version they come to the same.
RESOURCES: Mapping[tuple[str, str], Resource] = MappingProxyType(
    {
        (RESOURCE_DIRECTORY_MASTER, "AddMessageContact"): Resource(
            type="alicloud_resource_manager_message_contact",
            arguments={
                "Name": "message_contact_name",
                "EmailAddress": "email_address",
                "PhoneNumber": "phone_number",
                "Title": "title",
                "MessageTypes": "message_types",
            },
        ),
        **{(version, "CreateFolder"): _FOLDER for version in (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)},
        **{(version, "CreateResourceAccount"): _MEMBER for version in (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)},
        **{
            (version, "EnableResourceDirectory"): _DIRECTORY
            for version in (RESOURCE_DIRECTORY_MASTER, RESOURCE_MANAGER)
        },
        (RESOURCE_MANAGER, "InitResourceDirectory"): _DIRECTORY,
        (RAM, "CreateUser"): Resource(
            type="alicloud_ram_user",
            arguments={
                "UserName": "name",
                "DisplayName": "display_name",
                "MobilePhone": "mobile",
                "Email": "email",
                "Comments": "comments",
            },
        ),
        (RAM, "CreatePolicy"): Resource(
            type="alicloud_ram_policy",
            arguments={
                "PolicyName": "policy_name",
                "PolicyDocument": "policy_document",
                "Description": "description",
            },
        ),
        (RAM, "CreateAccessKey"): Resource(type="alicloud_ram_access_key", arguments={"UserName": "user_name"}),
        (RAM, "AttachPolicyToUser"): Resource(
            type="alicloud_ram_user_policy_attachment",
            arguments={"PolicyName": "policy_name", "PolicyType": "policy_type", "UserName": "user_name"},
        ),
    }
)


def resource(call: SampleCall) -> str | None:
    """A configuration with the resource that makes the call; None where there is none."""
    found = RESOURCES.get((call.version, call.action))
    if found is None:
        return None
    endpoint = shell_word(call.endpoint.authority)
    arguments = {
        found.arguments[name]: _value(value) for name, value in call.arguments.items() if name in found.arguments
    }
    tags = call.arguments.get(found.tags, "") if found.tags else ""
    lines = [
        "# The provider reads the access key from the environment, and where to call:",
        *(f"#   export ALIBABA_CLOUD_ENDPOINT_{product}={endpoint}" for product in _PRODUCTS[call.version]),
        f"#   export ALIBABA_CLOUD_REGION={REGION}",
        "#   export ALIBABA_CLOUD_ACCOUNT_TYPE=International",
        "",
        "terraform {",
        "  required_providers {",
        '    alicloud = { source = "aliyun/alicloud" }',
        "  }",
        "}",
        "",
        'provider "alicloud" {',
        *(['  protocol = "HTTP"'] if call.endpoint.scheme == "http" else []),
        "}",
        "",
        f'resource "{found.type}" "example" {{',
        *_aligned(arguments, "  "),
        *(["  tags = {", *_aligned(_pairs(tags), "    "), "  }"] if tags else []),
        "}",
    ]
    return "\n".join(lines) + "\n"


#: Names of the variables by which the provider is told where a product is.
_PRODUCTS = {
    RESOURCE_DIRECTORY_MASTER: ("RESOURCEDIRECTORYMASTER", "RESOURCEMANAGER"),
    RESOURCE_MANAGER: ("RESOURCEMANAGER",),
    RAM: ("RAM",),
}


def _value(value: Argument) -> str:
    if isinstance(value, str):
        return hcl_literal(value)
    return "[" + ", ".join(hcl_literal(item) for item in value if isinstance(item, str)) + "]"


def _pairs(tags: Argument) -> dict[str, str]:
    pairs = [item for item in tags if isinstance(item, Mapping)]
    return {hcl_literal(item.get("Key", "")): hcl_literal(item.get("Value", "")) for item in pairs}


def _aligned(values: Mapping[str, str], margin: str) -> list[str]:
    """Lines whose equals signs stand in one column, as `terraform fmt` puts them."""
    width = max((len(name) for name in values), default=0)
    return [f"{margin}{name.ljust(width)} = {text}" for name, text in values.items()]
