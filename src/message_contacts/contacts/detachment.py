"""What becomes of contacts when a folder goes, or a member moves, leaves or is deleted.

A member keeps what it has: copies of deleted contacts that reached it through the folders it leaves are made its own
before it moves or leaves, and contacts in effect for it are copied when it leaves. Copies are made on the ground of the
directory's version, which a deletion with retention moves: the two cannot pass each other unseen.

A member that is deleted is gone for good: there is nobody left who could keep anything.

Source: contract/behaviour.md sections 7 and 8; of deletion, docs/adr/0032.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from message_contacts import errors
from message_contacts.changes import Change, CountDown, Decision, Delete, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts import bindings, deletion
from message_contacts.contacts.model import Contact, DetachedContact
from message_contacts.directory import members, tree
from message_contacts.directory.folders import FOLDERS
from message_contacts.directory.members import MEMBERS
from message_contacts.directory.model import DeletedMember, Folder, Member, MemberType, ResourceDirectory
from message_contacts.ids import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderContents:
    """A folder that is to go, and what is in it."""

    #: None when it does not exist.
    folder: Folder | None
    has_subfolders: bool
    has_members: bool
    #: Bound directly to it.
    contacts: Sequence[Contact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A member and all that reaches it where it is."""

    directory: ResourceDirectory | None
    #: None when it is not in the directory.
    member: Member | None
    #: The member's folder and all above it.
    lineage: Sequence[Folder]
    #: Bound directly to the member, its folder, any above it, or the directory.
    contacts: Sequence[Contact]
    #: Copies of deleted contacts that name the directory or a folder of the lineage.
    detached: Sequence[DetachedContact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """A member, and all that names it."""

    #: None when it is not in the directory.
    member: Member | None
    #: Bound directly to it.
    contacts: Sequence[Contact]
    #: Copies of deleted contacts that name it.
    detached: Sequence[DetachedContact]


def delete_folder(contents: FolderContents) -> Decision[None]:
    """An empty folder goes, and with it the bindings of contacts to it.

    Raises: ENTITY_NOT_EXISTS_FOLDER, DELETE_CONFLICT_FOLDER_SUB_FOLDER, DELETE_CONFLICT_FOLDER_ACCOUNT.
    """
    folder = contents.folder
    if folder is None:
        raise errors.ENTITY_NOT_EXISTS_FOLDER()
    if contents.has_subfolders:
        raise errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER(folder_id=folder.folder_id)
    if contents.has_members:
        raise errors.DELETE_CONFLICT_FOLDER_ACCOUNT(folder_id=folder.folder_id)
    unbound = (bindings.without(contact, folder.folder_id) for contact in contents.contacts)
    return Decision((*unbound, Delete(folder), CountDown(folder.account_id, FOLDERS)), None)


def move_member(place: Place, destination: Folder | None, *, now: Instant) -> Decision[None]:
    """The member in another folder. Where it is already, nothing changes.

    Direct bindings go with it; what it inherits follows from where it is.

    Raises: ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY, ENTITY_NOT_EXISTS_ACCOUNT, ENTITY_NOT_EXISTS_FOLDER,
        ACCOUNT_TYPE_OR_STATUS_MISMATCH while a contact bound to its present folder is being taken out of the members.
    """
    directory, member = _present(place)
    if destination is None:
        raise errors.ENTITY_NOT_EXISTS_FOLDER()
    if destination.folder_id == member.folder_id:
        return Decision((RelyOn(member),), None)
    of_folder = [contact for contact in place.contacts if _bound_to(contact, member.folder_id)]
    if any(contact.deleting for contact in of_folder):
        raise errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH(member_id=member.member_id, folder_id=member.folder_id)
    moved = replace(member, folder_id=destination.folder_id, placed_at=now, modified_at=now)
    return Decision(
        (
            RelyOn(directory),
            *(RelyOn(contact) for contact in of_folder),
            *_kept_copies(place, directory, member),
            Update(member, moved),
        ),
        None,
    )


def remove_member(place: Place, *, now: Instant, ids: Ids) -> Decision[None]:
    """The member out of the directory, with a copy of every contact in effect for it.

    A contact that is being taken out of the members leaves no copy, nor does one without a verified address.

    Raises: ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY, ENTITY_NOT_EXISTS_ACCOUNT, ACCOUNT_TYPE_OR_STATUS_MISMATCH for a
        resource account.
    """
    directory, member = _present(place)
    if member.type is not MemberType.CLOUD_ACCOUNT:
        raise errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH(member_id=member.member_id, type=member.type)
    left = [bindings.without(contact, member.member_id) for contact in place.contacts]
    copies = [
        Insert(copy)
        for contact in place.contacts
        if not contact.deleting
        and (copy := deletion.detached_copy(contact, [member.member_id], now=now, ids=ids)) is not None
    ]
    return Decision(
        (
            RelyOn(directory),
            *left,
            *copies,
            *_kept_copies(place, directory, member),
            Delete(member),
            CountDown(member.account_id, MEMBERS),
        ),
        None,
    )


def delete_member(belongings: Belongings, *, now: Instant) -> Decision[None]:
    """The member gone for good: no contact is bound to it any more, and no copy names it.

    Raises: ENTITY_NOT_EXISTS_ACCOUNT, ACCOUNT_TYPE_OR_STATUS_MISMATCH for a cloud account.
    """
    member = members.existing(belongings.member)
    if not members.can_be_deleted(member):
        raise errors.ACCOUNT_TYPE_OR_STATUS_MISMATCH(member_id=member.member_id, type=member.type)
    left = (bindings.without(contact, member.member_id) for contact in belongings.contacts)
    copies = (_without_keeper(copy, member.member_id) for copy in belongings.detached)
    deleted = DeletedMember(account_id=member.account_id, member_id=member.member_id, deleted_at=now)
    return Decision(
        (*left, *copies, Delete(member), CountDown(member.account_id, MEMBERS), Insert(deleted)),
        None,
    )


def was_there(copy: DetachedContact, placed_at: Instant) -> bool:
    """Whether a copy that names an object holds for a member that has been in that object's folders since then.

    A copy covers those who were there when it was made: a member placed later never had the contact.
    """
    return copy.detached_at >= placed_at


def _present(place: Place) -> tuple[ResourceDirectory, Member]:
    if place.directory is None:
        raise errors.ENTITY_NOT_EXISTS_RESOURCE_DIRECTORY()
    return place.directory, members.existing(place.member)


def _bound_to(contact: Contact, node_id: str) -> bool:
    return any(binding.node_id == node_id for binding in contact.bindings)


def _kept_copies(place: Place, directory: ResourceDirectory, member: Member) -> Iterator[Change]:
    """Copies that cover the member through the directory or folders, with the member named."""
    inherited = set(tree.node_ids(directory, place.lineage))
    for copy in place.detached:
        if (
            was_there(copy, member.placed_at)
            and member.member_id not in copy.node_ids
            and not inherited.isdisjoint(copy.node_ids)
        ):
            yield Update(copy, replace(copy, node_ids=(*copy.node_ids, member.member_id)))


def _without_keeper(copy: DetachedContact, node_id: str) -> Change:
    """The copy without an object that kept it; a copy that nobody else keeps goes."""
    left = tuple(each for each in copy.node_ids if each != node_id)
    return Update(copy, replace(copy, node_ids=left)) if left else Delete(copy)
