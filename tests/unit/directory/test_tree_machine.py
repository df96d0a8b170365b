"""Whatever is created, renamed, moved and deleted, in whatever order: the tree stays a tree."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from message_contacts import errors
from message_contacts.changes import Change, CountDown, CountUp, Decision, Delete, Insert, RelyOn, Update
from message_contacts.clock import Instant
from message_contacts.contacts import detachment
from message_contacts.contacts.detachment import FolderContents, Place
from message_contacts.directory import folders, members, tree
from message_contacts.directory.members import MemberUpdate, Vacancy
from message_contacts.directory.model import MAX_DEPTH, DirectoryRules, Folder, Member, MemberType
from message_contacts.errors import ApiError
from message_contacts.ids import RandomIds
from tests.factories import make_directory
from tests.fakes.clock import START
from tests.unit.directory.values import ROOT

RULES = DirectoryRules(folders=7, members=4)
DIRECTORY = make_directory(root_folder_id=ROOT.folder_id)


class Tree:
    """Rows and counters as a store keeps them, with its foreign keys."""

    def __init__(self) -> None:
        self.folders: dict[str, Folder] = {ROOT.folder_id: ROOT}
        self.members: dict[str, Member] = {}
        self.counters = {"folders": 0, "members": 0}

    def lineage(self, folder_id: str | None) -> list[Folder]:
        found: list[Folder] = []
        while folder_id is not None and folder_id in self.folders:
            found.insert(0, self.folders[folder_id])
            folder_id = found[0].parent_id
        return found

    def in_folder(self, folder_id: str) -> tuple[bool, bool]:
        return (
            any(folder.parent_id == folder_id for folder in self.folders.values()),
            any(member.folder_id == folder_id for member in self.members.values()),
        )

    def commit(self, decision: Decision[Any]) -> None:
        before = dict(self.folders), dict(self.members), dict(self.counters)
        try:
            for change in decision.changes:
                self._carry_out(change)
        except ApiError:
            self.folders, self.members, self.counters = before
            raise

    def _carry_out(self, change: Change) -> None:
        match change:
            case Insert(Folder() as folder):
                assert folder.folder_id not in self.folders
                self._put(folder)
            case Insert(Member() as member):
                assert member.member_id not in self.members
                self._put(member)
            case Update(Folder() | Member() as old, Folder() | Member() as new):
                assert old in (*self.folders.values(), *self.members.values())
                self._put(new)
            case Delete(Folder() as folder):
                assert self.in_folder(folder.folder_id) == (False, False)
                assert self.folders.pop(folder.folder_id) == folder
            case Delete(Member() as member):
                assert self.members.pop(member.member_id) == member
            case CountUp(_, counter, "", limit, error):
                if self.counters[counter] >= limit:
                    raise error()
                self.counters[counter] += 1
            case CountDown(_, counter, ""):
                self.counters[counter] -= 1
            case RelyOn():
                pass
            case _:
                raise AssertionError(change)

    def _put(self, row: Folder | Member) -> None:
        if isinstance(row, Member):
            assert row.folder_id in self.folders
            self.members[row.member_id] = row
            return
        assert row.parent_id in self.folders
        siblings = [folder for folder in self.folders.values() if folder.parent_id == row.parent_id]
        if any(folder.name == row.name and folder.folder_id != row.folder_id for folder in siblings):
            raise errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED()
        self.folders[row.folder_id] = row


class TreeMachine(RuleBasedStateMachine):
    """Calls the rules at random and keeps a path of its own for everything that should be there."""

    folder_ids = Bundle("folder_ids")
    member_ids = Bundle("member_ids")
    names = st.sampled_from(["a", "b", "c"])

    def __init__(self) -> None:
        super().__init__()
        self.tree = Tree()
        self.numbers = count(1)
        self.now = START
        #: Folder ids from Root down, by folder.
        self.paths: dict[str, tuple[str, ...]] = {ROOT.folder_id: (ROOT.folder_id,)}
        self.places: dict[str, str] = {}

    def attempt(self, decide: Any) -> errors.ErrorDefinition | None:
        """Decide and commit; what was refused, if it was."""
        self.now = Instant(self.now + 1)
        try:
            self.tree.commit(decide())
        except ApiError as refusal:
            return refusal.definition
        return None

    @rule(target=folder_ids)
    def root(self) -> str:
        return ROOT.folder_id

    @rule(target=folder_ids, parent=folder_ids, name=names)
    def create_folder(self, parent: str, name: str) -> Any:
        return self.create_in(parent, name)

    def create_in(self, parent: str, name: str) -> Any:
        folder_id = f"fd-{next(self.numbers)}"
        taken = any(folder.parent_id == parent and folder.name == name for folder in self.tree.folders.values())
        refusal = self.attempt(
            lambda: folders.create_folder(
                self.tree.lineage(parent), folder_id=folder_id, name=name, tags=(), now=self.now, rules=RULES
            )
        )
        if parent not in self.paths:
            assert refusal is errors.ENTITY_NOT_EXISTS_FOLDER
        elif len(self.paths[parent]) > MAX_DEPTH:
            assert refusal is errors.LIMIT_EXCEEDED_FOLDER_DEPTH
        elif taken:
            assert refusal is errors.INVALID_PARAMETER_FOLDER_NAME_ALREADY_USED
        elif len(self.paths) - 1 == RULES.folders:
            assert refusal is errors.QUOTA_EXCEEDED_FOLDER_COUNT
        else:
            assert refusal is None
            self.paths[folder_id] = (*self.paths[parent], folder_id)
            return folder_id
        return multiple()

    @rule(target=folder_ids, name=names)
    def create_folder_at_the_bottom(self, name: str) -> Any:
        """Random parents alone hardly ever get to the last level."""
        return self.create_in(max(self.paths, key=lambda folder_id: len(self.paths[folder_id])), name)

    @rule(folder_id=folder_ids, name=names)
    def rename_folder(self, folder_id: str, name: str) -> None:
        if folder_id != ROOT.folder_id:
            self.attempt(lambda: folders.rename_folder(self.tree.folders.get(folder_id), name))

    @rule(folder_id=folder_ids)
    def delete_folder(self, folder_id: str) -> None:
        if folder_id == ROOT.folder_id:
            return
        has_subfolders, has_members = self.tree.in_folder(folder_id)
        contents = FolderContents(
            folder=self.tree.folders.get(folder_id),
            has_subfolders=has_subfolders,
            has_members=has_members,
            contacts=(),
        )
        refusal = self.attempt(lambda: detachment.delete_folder(contents))
        if folder_id not in self.paths:
            assert refusal is errors.ENTITY_NOT_EXISTS_FOLDER
        elif any(folder_id in path[:-1] for path in self.paths.values()):
            assert refusal is errors.DELETE_CONFLICT_FOLDER_SUB_FOLDER
        elif folder_id in self.places.values():
            assert refusal is errors.DELETE_CONFLICT_FOLDER_ACCOUNT
        else:
            assert refusal is None
            del self.paths[folder_id]

    @rule(target=member_ids, folder_id=folder_ids)
    def create_member(self, folder_id: str) -> Any:
        member_id = f"{next(self.numbers):016}"
        vacancy = Vacancy(
            folder=self.tree.folders.get(folder_id),
            namesake=None,
            account_name_used=False,
            members=self.tree.counters["members"],
        )
        refusal = self.attempt(
            lambda: members.create_member(
                vacancy,
                member_id=member_id,
                display_name=member_id,
                account_name=member_id,
                tags=(),
                now=self.now,
                rules=RULES,
            )
        )
        if folder_id not in self.paths:
            assert refusal is errors.ENTITY_NOT_EXISTS_FOLDER
        elif len(self.places) == RULES.members:
            assert refusal is errors.LIMIT_EXCEEDED_ACCOUNT
        else:
            assert refusal is None
            self.places[member_id] = folder_id
            return member_id
        return multiple()

    @rule(member_id=member_ids, folder_id=folder_ids)
    def move_member(self, member_id: str, folder_id: str) -> None:
        before = self.tree.members.get(member_id)
        refusal = self.attempt(
            lambda: detachment.move_member(self.place(member_id), self.tree.folders.get(folder_id), now=self.now)
        )
        if member_id not in self.places:
            assert refusal is errors.ENTITY_NOT_EXISTS_ACCOUNT
        elif folder_id not in self.paths:
            assert refusal is errors.ENTITY_NOT_EXISTS_FOLDER
        else:
            assert refusal is None
            moved = self.places[member_id] != folder_id
            assert before is not None
            assert self.tree.members[member_id].placed_at == (self.now if moved else before.placed_at)
            self.places[member_id] = folder_id

    @rule(member_id=consumes(member_ids))
    def switch_and_remove_member(self, member_id: str) -> None:
        update = MemberUpdate(display_name=None, type=MemberType.CLOUD_ACCOUNT)
        assert not self.attempt(
            lambda: members.update_member(self.tree.members.get(member_id), None, update, now=self.now)
        )
        assert not self.attempt(lambda: detachment.remove_member(self.place(member_id), now=self.now, ids=RandomIds()))
        del self.places[member_id]

    def place(self, member_id: str) -> Place:
        member = self.tree.members.get(member_id)
        return Place(
            directory=DIRECTORY,
            member=member,
            lineage=self.tree.lineage(member.folder_id) if member else (),
            contacts=(),
            detached=(),
        )

    @invariant()
    def every_folder_is_where_it_was_put(self) -> None:
        assert self.tree.folders.keys() == self.paths.keys()
        for folder_id, path in self.paths.items():
            lineage = self.tree.lineage(folder_id)
            assert tuple(folder.folder_id for folder in lineage) == path
            assert tree.path(DIRECTORY, lineage) == "/".join([DIRECTORY.directory_id, *path])
            assert 0 <= tree.depth(lineage) <= MAX_DEPTH

    @invariant()
    def every_member_is_where_it_was_put(self) -> None:
        assert {member.member_id: member.folder_id for member in self.tree.members.values()} == self.places
        for member in self.tree.members.values():
            lineage = self.tree.lineage(member.folder_id)
            assert tree.member_path(DIRECTORY, lineage, member) == f"{tree.path(DIRECTORY, lineage)}/{member.member_id}"

    @invariant()
    def siblings_have_different_names(self) -> None:
        named = [(folder.parent_id, folder.name) for folder in self.tree.folders.values()]
        assert len(set(named)) == len(named)

    @invariant()
    def counters_tell_how_many_there_are(self) -> None:
        assert self.tree.counters == {"folders": len(self.paths) - 1, "members": len(self.places)}


TestTree = TreeMachine.TestCase
TestTree.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
