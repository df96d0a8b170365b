"""What the directory rules ask of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from message_contacts.clock import Instant
from message_contacts.directory.model import DeletedMember, Folder, Member, ResourceDirectory, Tags


class DirectoryStore(Protocol):
    """The tree of one tenant at a time. Changes go through `changes.Committer`."""

    async def directory(self, account_id: str) -> ResourceDirectory | None:
        """The account's enabled directory, or None."""
        ...

    async def directory_of_member(self, member_id: str) -> ResourceDirectory | None:
        """The directory that has this member, whoever manages it; None when none has. Crosses tenants, by name."""
        ...

    async def folder(self, account_id: str, folder_id: str) -> Folder | None:
        """The folder (Root included), or None."""
        ...

    async def lineage(self, account_id: str, folder_id: str) -> Sequence[Folder]:
        """The folder and all above it, Root first; empty when it does not exist."""
        ...

    async def subfolder_page(
        self, account_id: str, parent_id: str, *, keyword: str | None, tags: Tags, offset: int, limit: int
    ) -> tuple[Sequence[Folder], int]:
        """Direct child folders by creation date, then id; and how many match over all pages."""
        ...

    async def has_subfolders(self, account_id: str, folder_id: str) -> bool:
        """Whether any folder lies directly in it."""
        ...

    async def has_members(self, account_id: str, folder_id: str | None) -> bool:
        """Whether any member lies directly in it; with None, anywhere in the directory."""
        ...

    async def member(self, account_id: str, member_id: str) -> Member | None:
        """The member, or None."""
        ...

    async def deleted_member(self, account_id: str, member_id: str) -> DeletedMember | None:
        """The member that was deleted from the account's present directory, or None."""
        ...

    async def member_by_display_name(self, account_id: str, display_name: str) -> Member | None:
        """The member that is shown under exactly this name, or None."""
        ...

    async def account_name_used(self, account_name: str) -> bool:
        """Whether a member has this login name."""
        ...

    async def member_page(
        self,
        account_id: str,
        *,
        folder_id: str | None,
        keyword: str | None,
        tags: Tags,
        after: tuple[Instant, str] | None,
        offset: int,
        limit: int,
    ) -> tuple[Sequence[Member], int]:
        """Members by joining date, then id; and how many match over all pages.

        Args:
            folder_id: Only those directly in it; None: the whole directory.
            keyword: Part of the display name, if given.
            tags: Only those that have all of these, keys and values alike.
            after: Joining date and id behind which a token page starts, if given (then `offset` is 0). That member may
                have left since.
        """
        ...
