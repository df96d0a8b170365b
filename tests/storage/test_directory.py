from __future__ import annotations

from dataclasses import replace

import pytest

from message_contacts.changes import Delete, Insert, RelyOn, Stale, Update
from message_contacts.directory.model import DeletedMember, Folder, Member, MemberStatus, MemberType
from message_contacts.errors import ApiError
from message_contacts.storage import Storage
from tests.factories import ACCOUNT, make_contact, make_directory
from tests.fakes.clock import START
from tests.storage.making import (
    MEMBER,
    OTHER_ACCOUNT,
    ROOT,
    after,
    commit,
    make_folder,
    make_member,
    other_directory,
    plant,
)

TAGS = (("环境", 'a"],["b'), ("team", "platform"))


async def test_a_directory_is_read_as_it_was_written(storage: Storage) -> None:
    await plant(storage)

    assert await storage.directory.directory(ACCOUNT) == make_directory()
    assert await storage.directory.directory(OTHER_ACCOUNT) is None


async def test_a_directory_changes_and_goes(storage: Storage) -> None:
    before = make_directory()
    await commit(storage, Insert(before))

    await commit(storage, Update(before, replace(before, account_name="renamed")))
    changed = await storage.directory.directory(ACCOUNT)

    assert changed == replace(before, account_name="renamed", version=2)
    with pytest.raises(Stale):
        await commit(storage, RelyOn(before))
    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.directory.directory(ACCOUNT) is None


@pytest.mark.parametrize(
    "second",
    [make_directory(directory_id="rd-GhIjKl"), replace(other_directory(), directory_id="rd-aBcDeF")],
    ids=["the account has one", "the id differs in case only"],
)
async def test_a_second_directory_is_stale(storage: Storage, second: object) -> None:
    await plant(storage)

    with pytest.raises(Stale):
        await commit(storage, Insert(second))


@pytest.mark.parametrize("left", [make_folder(), make_member(), make_contact()], ids=["folder", "member", "contact"])
async def test_a_directory_with_something_in_it_cannot_go(storage: Storage, left: object) -> None:
    await plant(storage, left)

    with pytest.raises(Stale):
        await commit(storage, Delete(make_directory()))
    with pytest.raises(Stale):
        await commit(storage, Delete(make_folder(ROOT, parent_id=None, name="root")), Delete(make_directory()))


async def test_the_directory_of_a_member_is_found_across_tenants(storage: Storage) -> None:
    await plant(storage, make_member())

    assert await storage.directory.directory_of_member(MEMBER) == make_directory()
    assert await storage.directory.directory_of_member("2000000000000009") is None


@pytest.mark.parametrize("folder", [make_folder(), make_folder(tags=TAGS)], ids=["plain", "tags"])
async def test_a_folder_is_read_as_it_was_written(storage: Storage, folder: Folder) -> None:
    await plant(storage, folder)

    assert await storage.directory.folder(ACCOUNT, folder.folder_id) == folder
    assert await storage.directory.folder(OTHER_ACCOUNT, folder.folder_id) is None


async def test_a_folder_changes_and_goes(storage: Storage) -> None:
    before = make_folder()
    await plant(storage, before)

    await commit(storage, Update(before, replace(before, name="renamed", tags=TAGS)))
    changed = await storage.directory.folder(ACCOUNT, before.folder_id)

    assert changed == replace(before, name="renamed", tags=TAGS, version=2)
    with pytest.raises(Stale):
        await commit(storage, Delete(before))
    await commit(storage, RelyOn(changed), Delete(changed))
    assert await storage.directory.folder(ACCOUNT, before.folder_id) is None


async def test_a_folder_name_used_by_a_sibling_is_refused(storage: Storage) -> None:
    await plant(storage, make_folder("fd-0000000001", name="taken"))

    with pytest.raises(ApiError) as refused:
        await commit(storage, Insert(make_folder("fd-0000000002", name="taken")))
    assert refused.value.definition.code == "InvalidParameter.Folder.Name.AlreadyUsed"

    await commit(storage, Insert(make_folder("fd-0000000003", name="taken", parent_id="fd-0000000001")))


async def test_a_folder_in_a_parent_that_is_gone_is_stale(storage: Storage) -> None:
    await plant(storage)

    with pytest.raises(Stale):
        await commit(storage, Insert(make_folder(parent_id="fd-0000000009")))


async def test_a_folder_id_already_drawn_is_stale(storage: Storage) -> None:
    await plant(storage, make_folder(name="one"))

    with pytest.raises(Stale):
        await commit(storage, Insert(make_folder(name="two")))


async def test_lineage_goes_from_root_down_to_the_folder(storage: Storage) -> None:
    first = make_folder("fd-0000000001")
    second = make_folder("fd-0000000002", parent_id=first.folder_id)
    third = make_folder("fd-0000000003", parent_id=second.folder_id)
    await plant(storage, first, second, third, make_folder("fd-0000000004"))

    lineage = await storage.directory.lineage(ACCOUNT, third.folder_id)

    assert [folder.folder_id for folder in lineage] == [ROOT, first.folder_id, second.folder_id, third.folder_id]
    assert lineage[-1] == third
    assert [folder.folder_id for folder in await storage.directory.lineage(ACCOUNT, ROOT)] == [ROOT]
    assert await storage.directory.lineage(ACCOUNT, "fd-0000000009") == []
    assert await storage.directory.lineage(OTHER_ACCOUNT, third.folder_id) == []


async def subfolders(storage: Storage, **asked: object) -> tuple[list[str], int]:
    given: dict[str, object] = {"keyword": None, "tags": (), "offset": 0, "limit": 10, **asked}
    found, total = await storage.directory.subfolder_page(ACCOUNT, ROOT, **given)  # type: ignore[arg-type]
    return [folder.folder_id for folder in found], total


async def test_a_page_of_subfolders_goes_by_creation_date_then_id(storage: Storage) -> None:
    await plant(
        storage,
        make_folder("fd-0000000003", created_at=after(1)),
        make_folder("fd-0000000002", created_at=after(2)),
        make_folder("fd-0000000001", created_at=after(2)),
        make_folder("fd-0000000004", parent_id="fd-0000000001"),
    )

    assert await subfolders(storage) == (["fd-0000000003", "fd-0000000001", "fd-0000000002"], 3)
    assert await subfolders(storage, offset=1, limit=1) == (["fd-0000000001"], 3)
    assert await subfolders(storage, offset=3) == ([], 3)


async def test_a_keyword_is_part_of_a_name_and_no_pattern(storage: Storage) -> None:
    await plant(
        storage,
        make_folder("fd-0000000001", name="100%_sure"),
        make_folder("fd-0000000002", name="100 unsure"),
        make_folder("fd-0000000003", name="财务部"),
    )

    assert await subfolders(storage, keyword="sure") == (["fd-0000000001", "fd-0000000002"], 2)
    assert await subfolders(storage, keyword="%_") == (["fd-0000000001"], 1)
    assert await subfolders(storage, keyword="财务") == (["fd-0000000003"], 1)
    assert await subfolders(storage, keyword="Sure") == ([], 0)


async def test_all_tags_asked_for_must_be_there(storage: Storage) -> None:
    await plant(
        storage,
        make_folder("fd-0000000001", tags=TAGS),
        make_folder("fd-0000000002", tags=TAGS[:1]),
        make_folder("fd-0000000003", tags=(("环境", 'a"'), ("b", ""))),
        make_folder("fd-0000000004", tags=(("team", "platform2"),)),
    )

    assert await subfolders(storage, tags=TAGS[:1]) == (["fd-0000000001", "fd-0000000002"], 2)
    assert await subfolders(storage, tags=TAGS) == (["fd-0000000001"], 1)
    assert await subfolders(storage, tags=TAGS[1:]) == (["fd-0000000001"], 1)
    assert await subfolders(storage, tags=TAGS[:1], offset=1, limit=5) == (["fd-0000000002"], 2)
    assert await subfolders(storage, tags=(("team", "other"),)) == ([], 0)


async def test_whether_a_folder_has_folders_or_members(storage: Storage) -> None:
    folder = make_folder()
    await plant(storage, folder)
    assert await storage.directory.has_subfolders(ACCOUNT, ROOT)
    assert not await storage.directory.has_subfolders(ACCOUNT, folder.folder_id)
    assert not await storage.directory.has_members(ACCOUNT, None)

    await commit(storage, Insert(make_member(folder_id=folder.folder_id)))

    assert await storage.directory.has_members(ACCOUNT, folder.folder_id)
    assert not await storage.directory.has_members(ACCOUNT, ROOT)
    assert await storage.directory.has_members(ACCOUNT, None)
    assert not await storage.directory.has_members(OTHER_ACCOUNT, None)


@pytest.mark.parametrize(
    "member",
    [
        make_member(),
        make_member(
            type=MemberType.CLOUD_ACCOUNT,
            status=MemberStatus.SWITCH_SUCCESS,
            modified_at=after(1),
            placed_at=after(2),
            tags=TAGS,
        ),
    ],
    ids=["plain", "everything"],
)
async def test_a_member_is_read_as_it_was_written(storage: Storage, member: Member) -> None:
    await plant(storage, member)

    assert await storage.directory.member(ACCOUNT, member.member_id) == member
    assert await storage.directory.member(OTHER_ACCOUNT, member.member_id) is None


async def test_a_member_moves_and_leaves(storage: Storage) -> None:
    before = make_member()
    await plant(storage, before, make_folder())

    await commit(storage, Update(before, replace(before, folder_id="fd-0000000001", placed_at=after(1))))
    moved = await storage.directory.member(ACCOUNT, MEMBER)

    assert moved == replace(before, folder_id="fd-0000000001", placed_at=after(1), version=2)
    with pytest.raises(Stale):
        await commit(storage, Delete(before))
    await commit(storage, RelyOn(moved), Delete(moved))
    assert await storage.directory.member(ACCOUNT, MEMBER) is None


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"display_name": "taken"}, "InvalidParameter.Account.DisplayName.AlreadyUsed"),
        ({"account_name": "taken@rd-abcdef.aliyunid.com"}, "EntityAlreadyExists.ResourceDirectory.Account"),
    ],
)
async def test_a_member_with_a_name_already_used_is_refused(
    storage: Storage, second: dict[str, str], code: str
) -> None:
    await plant(storage, make_member(display_name="taken", account_name="taken@rd-abcdef.aliyunid.com"))

    with pytest.raises(ApiError) as refused:
        await commit(storage, Insert(make_member("2000000000000002", **second)))

    assert refused.value.definition.code == code


async def test_a_member_of_another_directory_cannot_join(storage: Storage) -> None:
    await plant(storage, make_member())
    other_root = make_folder("r-GhIjKl", parent_id=None, name="root", account_id=OTHER_ACCOUNT)
    await commit(storage, Insert(other_directory()), Insert(other_root))

    with pytest.raises(Stale):
        await commit(
            storage, Insert(make_member(account_id=OTHER_ACCOUNT, folder_id="r-GhIjKl", account_name="other@example"))
        )


async def test_which_names_of_members_are_taken(storage: Storage) -> None:
    member = make_member(display_name="taken", account_name="taken@rd-abcdef.aliyunid.com")
    await plant(storage, member)

    assert await storage.directory.member_by_display_name(ACCOUNT, "taken") == member
    assert await storage.directory.member_by_display_name(ACCOUNT, "Taken") is None
    assert await storage.directory.member_by_display_name(OTHER_ACCOUNT, "taken") is None
    assert await storage.directory.account_name_used("taken@rd-abcdef.aliyunid.com")
    assert not await storage.directory.account_name_used("free@rd-abcdef.aliyunid.com")


async def members(storage: Storage, **asked: object) -> tuple[list[int], int]:
    given: dict[str, object] = {
        "folder_id": None,
        "keyword": None,
        "tags": (),
        "after": None,
        "offset": 0,
        "limit": 10,
        **asked,
    }
    found, total = await storage.directory.member_page(ACCOUNT, **given)  # type: ignore[arg-type]
    return [int(member.member_id) - int(MEMBER) for member in found], total


@pytest.fixture
async def five_members(storage: Storage) -> None:
    """Number 4 joined first; 0 and 1 are in a folder; even ones are tagged."""
    folder = make_folder()
    await plant(
        storage,
        folder,
        *(
            make_member(
                str(int(MEMBER) + number),
                folder_id=folder.folder_id if number < 2 else ROOT,
                display_name=f"member {number}",
                joined_at=START if number == 4 else after(1),
                tags=TAGS if number % 2 == 0 else (),
            )
            for number in range(5)
        ),
    )


@pytest.mark.usefixtures("five_members")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ([4, 0, 1, 2, 3], 5)),
        ({"offset": 3, "limit": 1}, ([2], 5)),
        ({"folder_id": "fd-0000000001"}, ([0, 1], 2)),
        ({"folder_id": "fd-0000000001", "offset": 1}, ([1], 2)),
        ({"folder_id": ROOT, "keyword": "ber 4"}, ([4], 1)),
        ({"keyword": "member"}, ([4, 0, 1, 2, 3], 5)),
        ({"keyword": "MEMBER"}, ([], 0)),
        ({"tags": TAGS}, ([4, 0, 2], 3)),
        ({"tags": TAGS, "folder_id": ROOT}, ([4, 2], 2)),
        ({"tags": TAGS, "offset": 1, "limit": 1}, ([0], 3)),
        ({"after": (START, "2000000000000005"), "limit": 2}, ([0, 1], 5)),
        ({"after": (after(1), "2000000000000002")}, ([2, 3], 5)),
        ({"after": (after(1), "2000000000000001"), "folder_id": "fd-0000000001"}, ([1], 2)),
        ({"after": (START, "2000000000000005"), "tags": TAGS}, ([0, 2], 3)),
        ({"after": (after(1), "2000000000000009")}, ([], 5)),
        ({"after": (START, "2000000000000009")}, ([0, 1, 2, 3], 5)),
    ],
)
async def test_a_page_of_members(storage: Storage, asked: dict[str, object], found: tuple[list[int], int]) -> None:
    assert await members(storage, **asked) == found


async def test_text_that_no_database_keeps_is_asked_for_and_not_found(storage: Storage) -> None:
    """PostgreSQL's text cannot hold the character NUL, which a caller may well send."""
    await plant(storage, make_member())
    nothing = "r-\0"

    assert await storage.directory.folder(ACCOUNT, nothing) is None
    assert await storage.outbox.dead_job(ACCOUNT, nothing) is None
    members, _ = await storage.directory.member_page(
        ACCOUNT, folder_id=None, keyword=nothing, tags=(), after=None, offset=0, limit=10
    )
    assert members == []


async def test_a_deleted_member_is_remembered_as_long_as_the_directory(storage: Storage) -> None:
    directory = make_directory()
    deleted = DeletedMember(account_id=ACCOUNT, member_id=MEMBER, deleted_at=after(1))
    await commit(storage, Insert(directory), Insert(deleted))

    assert await storage.directory.deleted_member(ACCOUNT, MEMBER) == deleted
    assert await storage.directory.deleted_member(OTHER_ACCOUNT, MEMBER) is None

    await commit(storage, Delete(directory))
    assert await storage.directory.deleted_member(ACCOUNT, MEMBER) is None


async def test_nobody_is_deleted_from_a_directory_that_is_not_there(storage: Storage) -> None:
    with pytest.raises(Stale):
        await commit(storage, Insert(DeletedMember(account_id=ACCOUNT, member_id=MEMBER, deleted_at=START)))
