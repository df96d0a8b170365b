"""Making, renaming and switching members. Where one goes, contacts are touched: see `contacts.detachment`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from message_contacts import errors
from message_contacts.changes import CountUp, Decision, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.directory.model import DirectoryRules, Folder, Member, MemberStatus, MemberType, Tags

#: Counter of a tenant's members.
MEMBERS = "members"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacancy:
    """What was found where a new member is to go."""

    #: None when it does not exist.
    folder: Folder | None
    #: Who has the display name already.
    namesake: Member | None
    account_name_used: bool
    #: How many members the directory has.
    members: int


def create_member(
    vacancy: Vacancy,
    *,
    member_id: str,
    display_name: str,
    account_name: str,
    tags: Tags,
    now: Instant,
    rules: DirectoryRules,
) -> Decision[Member]:
    """A new resource account.

    Raises: ENTITY_NOT_EXISTS_FOLDER, INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED,
        ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT, LIMIT_EXCEEDED_ACCOUNT.
    """
    folder = vacancy.folder
    if folder is None:
        raise errors.ENTITY_NOT_EXISTS_FOLDER()
    if vacancy.namesake is not None:
        raise errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED(member_id=vacancy.namesake.member_id)
    if vacancy.account_name_used:
        raise errors.ENTITY_ALREADY_EXISTS_RESOURCE_DIRECTORY_ACCOUNT()
    if vacancy.members >= rules.members:
        raise errors.LIMIT_EXCEEDED_ACCOUNT(members=vacancy.members)
    member = Member(
        account_id=folder.account_id,
        member_id=member_id,
        folder_id=folder.folder_id,
        display_name=display_name,
        account_name=account_name,
        type=MemberType.RESOURCE_ACCOUNT,
        status=MemberStatus.CREATE_SUCCESS,
        joined_at=now,
        modified_at=now,
        placed_at=now,
        tags=tags,
    )
    quota = CountUp(folder.account_id, MEMBERS, "", rules.members, errors.LIMIT_EXCEEDED_ACCOUNT)
    return Decision((Insert(member), quota), member)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUpdate:
    """What an update asks for: one of the two."""

    display_name: str | None
    type: MemberType | None


def update_member(
    member: Member | None, namesake: Member | None, update: MemberUpdate, *, now: Instant
) -> Decision[Member]:
    """The member under its new name, or of its new type. Its own name again changes nothing.

    Args:
        namesake: Who has the new display name now.
    Raises: MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE when neither or both are asked for, ENTITY_NOT_EXISTS_ACCOUNT,
        INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED, ACCOUNT_TYPE_MISMATCH when it is of that type already.
    """
    if (update.display_name is None) is (update.type is None):
        raise errors.MISSING_DISPLAY_NAME_OR_ACCOUNT_TYPE()
    if member is None:
        raise errors.ENTITY_NOT_EXISTS_ACCOUNT()
    if update.type is not None:
        if update.type is member.type:
            raise errors.ACCOUNT_TYPE_MISMATCH(member_id=member.member_id)
        after = replace(member, type=update.type, status=MemberStatus.SWITCH_SUCCESS, modified_at=now)
    elif update.display_name in (None, member.display_name):
        return Decision((RelyOn(member),), member)
    elif namesake is not None:
        raise errors.INVALID_PARAMETER_ACCOUNT_DISPLAY_NAME_ALREADY_USED(member_id=namesake.member_id)
    else:
        after = replace(member, display_name=update.display_name, modified_at=now)
    return Decision((Update(member, after),), after)


def can_be_deleted(member: Member) -> bool:
    """Whether the account may go for good: a cloud account is one of its own, and can only leave."""
    return member.type is MemberType.RESOURCE_ACCOUNT


def existing(member: Member | None) -> Member:
    """The member.

    Raises: ENTITY_NOT_EXISTS_ACCOUNT when there is none.
    """
    if member is None:
        raise errors.ENTITY_NOT_EXISTS_ACCOUNT()
    return member
