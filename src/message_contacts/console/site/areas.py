"""The pages of all areas."""

from __future__ import annotations

from message_contacts.console.site import (
    access_evaluation,
    access_keys,
    access_policies,
    access_users,
    audit_check,
    audit_events,
    contact_bulk,
    contact_changes,
    contact_list,
    contact_pages,
    directory_folders,
    directory_member_changes,
    directory_members,
    directory_tree,
    explorer_pages,
    inbox,
    message_aftercare,
    message_compose,
    message_list,
    message_targets,
    message_webhooks,
    overview,
)
from message_contacts.console.site.routes import Route

#: In the order of the navigation.
ROUTES: tuple[Route, ...] = (
    *overview.ROUTES,
    *contact_list.ROUTES,
    *contact_bulk.ROUTES,
    *contact_pages.ROUTES,
    *contact_changes.ROUTES,
    *directory_tree.ROUTES,
    *directory_folders.ROUTES,
    *directory_members.ROUTES,
    *directory_member_changes.ROUTES,
    *message_compose.ROUTES,
    *message_aftercare.ROUTES,
    *message_webhooks.ROUTES,
    *message_targets.ROUTES,
    *message_list.ROUTES,
    *inbox.ROUTES,
    *explorer_pages.ROUTES,
    *access_users.ROUTES,
    *access_keys.ROUTES,
    *access_policies.ROUTES,
    *access_evaluation.ROUTES,
    *audit_events.ROUTES,
    *audit_check.ROUTES,
)
