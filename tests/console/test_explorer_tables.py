"""The explorer's tables agree with the registry, the error table and the changelog."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from message_contacts import errors
from message_contacts.console.site import explorer_causes as causes
from message_contacts.console.site.explorer_history import FOLDER, UNRELEASED, changes_between, outline, releases
from message_contacts.console.site.explorer_subjects import MORE, SUBJECTS, groups
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.operations.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
NAMES = {operation.name for _, operation in REGISTRY.all()}


def test_every_operation_has_one_subject() -> None:
    placed = Counter(name for names in SUBJECTS.values() for name in names)
    assert [name for name, times in placed.items() if times > 1] == []
    assert placed.keys() == NAMES


def test_operation_without_a_subject_is_still_listed() -> None:
    operation = replace(REGISTRY.find("2022-04-19", "GetFolder"), name="BrandNew")
    [group] = groups(Registry([operation]), version="2022-04-19")
    assert (group.subject, [found.name for found in group.operations]) == (MORE, ["BrandNew"])


def test_every_error_of_every_operation_has_a_cause() -> None:
    without = [
        (operation.name, row.code)
        for _, operation in REGISTRY.all()
        for row in causes.of_operation(str, operation)
        if not row.cause
    ]
    assert without == []


def test_causes_are_of_errors_that_there_are() -> None:
    listed = {definition.code for _, operation in REGISTRY.all() for definition in operation.errors}
    known = {entry.code for entry in vars(errors).values() if isinstance(entry, ErrorDefinition)}
    assert causes.SPECIFIC.keys() <= listed
    assert causes.COMMON.keys() <= known
    assert causes.COMMON.keys().isdisjoint(listed - {"ConcurrentCallNotSupported"})


def test_every_error_of_the_table_is_explained_somewhere() -> None:
    shown = {row.code for row in causes.everything(str, REGISTRY)} | causes.COMMON.keys()
    known = {entry.code for entry in vars(errors).values() if isinstance(entry, ErrorDefinition)}
    never = {code for _, operation in REGISTRY.all() for code in operation.never}
    assert known - shown - never == set()


def test_cause_names_the_parameter_and_what_it_has_to_be() -> None:
    operation = REGISTRY.find("2022-04-19", "AddMessageContact")
    assert causes.cause(str, errors.MISSING_PARAMETER_TITLE, operation) == "Title is absent or empty."
    said = causes.cause(str, errors.INVALID_PARAMETER_NAME, operation)
    assert said.startswith("Name is not what it has to be. Wanted: Name of the contact: 2 to 12 ")


def changelog() -> dict[str, str]:
    """Release -> its section; `UNRELEASED` for what is not released."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.split(r"(?m)^## \[([^\]]+)\].*$", text)
    names = [UNRELEASED if name == "Unreleased" else name for name in found[1::2]]
    return dict(zip(names, found[2::2], strict=True))


def test_every_release_of_the_changelog_has_its_outline() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == changelog().keys() - {UNRELEASED}


def test_changelog_names_the_version_of_every_operation_that_is_new() -> None:
    sections = changelog()
    for release in releases(REGISTRY):
        for change in release.changes:
            if change.part == "operation" and change.kind == "added":
                assert change.version in sections[release.name]


def test_changes_tell_what_a_caller_notices() -> None:
    before = outline(REGISTRY)
    after = json.loads(json.dumps(before))
    del after["2022-04-19/GetFolder"]
    after["2022-04-19/BrandNew"] = before["2022-04-19/GetFolder"]
    entry = after["2022-04-19/AddMessageContact"]
    entry["parameters"]["Nickname"] = "string"
    entry["parameters"]["PhoneNumber"] = "string*"
    del entry["answer"]["Contact.CreateDate"]
    entry["errors"]["InvalidParameter.Nickname"] = "400"

    found = {(change.operation, change.part, change.kind, change.name) for change in changes_between(before, after)}

    assert found == {
        ("GetFolder", "operation", "removed", ""),
        ("BrandNew", "operation", "added", ""),
        ("AddMessageContact", "parameters", "added", "Nickname"),
        ("AddMessageContact", "parameters", "changed", "PhoneNumber"),
        ("AddMessageContact", "answer", "removed", "Contact.CreateDate"),
        ("AddMessageContact", "errors", "added", "InvalidParameter.Nickname"),
    }


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("outline_operations", ROOT / "scripts" / "outline_operations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_releases_are_in_the_order_of_their_numbers_and_end_where_nothing_changed(
    script: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "history"
    assert script.main(["0.9.0"], folder) == 0
    older = json.loads((folder / "0.9.0.json").read_text())
    del older["2022-04-19/GetFolder"]
    (folder / "0.9.0.json").write_text(json.dumps(older))
    assert script.main(["0.10.0"], folder) == 0

    newest, oldest = releases(REGISTRY, folder)

    assert (newest.name, oldest.name) == ("0.10.0", "0.9.0")
    assert [(change.operation, change.kind) for change in newest.changes] == [("GetFolder", "added")]
    assert len(oldest.changes) == len(REGISTRY.all()) - 1


def test_outline_is_written_for_a_release_only(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["next"], tmp_path) == 2
    assert script.main([], tmp_path) == 2
    assert list(tmp_path.iterdir()) == []
    assert "usage" in capsys.readouterr().err
