"""All operations there are."""

from __future__ import annotations

from message_contacts.operations import (
    audit,
    bindings,
    contacts,
    copies,
    deletions,
    diagnoses,
    directories,
    evidence,
    failed_jobs,
    folders,
    inbox,
    member_lists,
    member_moves,
    members,
    privacy,
    ram_attachments,
    ram_keys,
    ram_policies,
    ram_policy_versions,
    ram_users,
    resource_manager,
    sts,
    tags,
    verification,
)
from message_contacts.operations.registry import Registry

REGISTRY = Registry(
    entry
    for module in (
        contacts,
        deletions,
        bindings,
        verification,
        directories,
        folders,
        members,
        member_moves,
        member_lists,
        resource_manager,
        tags,
        ram_users,
        ram_keys,
        ram_policies,
        ram_policy_versions,
        ram_attachments,
        sts,
        inbox,
        copies,
        evidence,
        failed_jobs,
        audit,
        privacy,
        diagnoses,
    )
    for entry in module.OPERATIONS
)
