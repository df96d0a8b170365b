"""The reference pages: up to date, and nothing left out."""

import importlib.util
import re
from pathlib import Path

import pytest

from message_contacts import errors
from message_contacts.errors import ErrorDefinition
from message_contacts.operations.catalogue import REGISTRY
from message_contacts.settings import declarations

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def generator():
    specification = importlib.util.spec_from_file_location("generate_docs", ROOT / "scripts" / "generate_docs.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


PAGES = generator().pages()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_generated_page_is_up_to_date(page):
    assert (REFERENCE / page).read_text(encoding="utf-8") == PAGES[page], "run `make docs`"


def test_every_setting_is_in_the_reference():
    text = PAGES["settings.md"]
    assert [entry.name for entry in declarations() if f"| `{entry.name}` |" not in text] == []


def test_every_operation_is_in_the_reference():
    text = PAGES["operations.md"]
    assert [
        name for version, operation in REGISTRY.all() if (name := f"### {operation.name} ({version})") not in text
    ] == []


def test_every_error_is_in_the_reference():
    text = PAGES["errors.md"]
    table = {value.code for value in vars(errors).values() if isinstance(value, ErrorDefinition)}
    table |= {definition.code for _, operation in REGISTRY.all() for definition in operation.errors}
    assert [code for code in sorted(table) if f"`{code}`" not in text] == []


def test_every_link_to_an_operation_or_error_leads_somewhere():
    anchors = {page: set(re.findall(r'<a id="([^"]+)">', text)) for page, text in PAGES.items()}
    for page, text in PAGES.items():
        for file, anchor in re.findall(r"\]\(([a-z]+\.md)?#([^)]+)\)", text):
            assert anchor in anchors[file or page], (page, file, anchor)
