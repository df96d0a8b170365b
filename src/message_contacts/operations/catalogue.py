"""All operations there are."""

from __future__ import annotations

from message_contacts.operations import (
    bindings,
    contacts,
    copies,
    deletions,
    directories,
    evidence,
    failed_jobs,
    folders,
    inbox,
    member_lists,
    member_moves,
    members,
    resource_manager,
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
        inbox,
        copies,
        evidence,
        failed_jobs,
    )
    for entry in module.OPERATIONS
)
