"""The Chinese catalogues say everything that the templates say, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import message_contacts.console
import message_contacts.delivery.texts
import message_contacts.verification.texts
from message_contacts.verification.texts.catalogue import LANGUAGES, translations

PACKAGES = [
    Path(package.__file__).parent
    for package in (message_contacts.console, message_contacts.verification.texts, message_contacts.delivery.texts)
]
CATALOGUES = [(package, language) for package in PACKAGES for language in LANGUAGES if language != "en"]
_FIELD = re.compile(r"%\([a-z_]+\)s")


def catalogue(package: Path, language: str) -> Catalog:
    with (package / "locale" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def said_by_templates(package: Path) -> set[str]:
    found = extract_from_dir(
        package / "templates",
        [("**.html", "jinja2"), ("**.txt", "jinja2")],
        keywords={"_": None},
        strip_comment_tags=True,
    )
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_templates_say_something(package):
    assert len(said_by_templates(package)) > 15


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_catalogue_is_complete(package, language):
    translated = {message.id for message in catalogue(package, language) if message.id and message.string}
    assert said_by_templates(package) - translated == set()


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_catalogue_has_nothing_fuzzy_left_over_or_twice(package, language):
    messages = [message for message in catalogue(package, language) if message.id]
    assert [message.id for message in messages if message.fuzzy] == []
    assert {message.id for message in messages} - said_by_templates(package) == set()
    source = (package / "locale" / f"{language}.po").read_text(encoding="utf-8")
    assert source.count('msgid "') - 1 == len(messages)


@pytest.mark.parametrize(("package", "language"), CATALOGUES)
def test_translations_have_the_fields_of_the_original(package, language):
    for message in catalogue(package, language):
        if message.id:
            assert set(_FIELD.findall(message.string)) <= set(_FIELD.findall(message.id)), message.id


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_catalogue_is_compiled_as_it_is_loaded(package):
    assert translations(package / "locale", "zh").gettext("Code") == "验证码"
    assert translations(package / "locale", "en").gettext("Code") == "Code"


def test_templates_say_nothing_outside_the_catalogue():
    """A sentence without `_()` would stay English on a Chinese page."""
    for package in PACKAGES:
        for template in (package / "templates").glob("*.*"):
            if template.suffix not in {".html", ".txt"}:
                continue
            source = template.read_text(encoding="utf-8")
            for pattern in (r"<style>.*?</style>", r"\{[{%#].*?[}%#]\}", r"<[^>]*>"):
                source = re.sub(pattern, " ", source, flags=re.DOTALL)
            assert not re.search(r"[A-Za-z]{2,}", source), template
