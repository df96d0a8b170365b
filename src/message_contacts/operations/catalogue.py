"""All operations there are."""

from __future__ import annotations

from message_contacts.operations import (
    bindings,
    contacts,
    copies,
    coverage,
    deletions,
    deliveries,
    directories,
    effective_contacts,
    evidence,
    explain,
    failed_jobs,
    fallback,
    folders,
    hand_overs,
    inbox,
    incidents,
    member_lists,
    member_moves,
    members,
    messages,
    preview,
    resource_manager,
    suspensions,
    tags,
    verification,
    webhooks,
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
        effective_contacts,
        coverage,
        preview,
        explain,
        messages,
        deliveries,
        incidents,
        fallback,
        suspensions,
        hand_overs,
        webhooks,
    )
    for entry in module.OPERATIONS
)
