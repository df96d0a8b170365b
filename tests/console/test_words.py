"""Every word of the console in every language: none missing, none left over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from message_contacts.console.site import words as module
from message_contacts.console.site.words import FOLDER, words
from message_contacts.verification.texts.catalogue import LANGUAGES

_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
_TRANSLATED = [language for language in LANGUAGES if language != "en"]


def said() -> set[str]:
    """Every text of templates and modules that is to be translated; of a text with a number the singular."""
    found = extract_from_dir(
        FOLDER,
        method_map=[("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")],
        keywords=_KEYWORDS,
        options_map={"**.html": {"extensions": "jinja2.ext.do,jinja2.ext.i18n", "silent": "false", "trimmed": "false"}},
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def catalogues(language: str) -> Iterator[Path]:
    return (FOLDER / "locale" / language).glob("*.po")


@pytest.mark.parametrize("language", _TRANSLATED)
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    translated = set()
    for path in catalogues(language):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    first = message.id if isinstance(message.id, str) else message.id[0]
                    strings = [message.string] if isinstance(message.string, str) else list(message.string)
                    assert all(strings), (path.name, first)
                    assert not message.fuzzy, (path.name, first)
                    translated.add(first)

    assert said() - translated == set()
    assert translated - said() == set()


@pytest.mark.parametrize("language", _TRANSLATED)
def test_translations_keep_the_names_of_what_is_filled_in(language: str) -> None:
    for path in catalogues(language):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    assert list(message.check()) == [], (path.name, message.id)


def test_areas_that_disagree_about_a_text_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locale" / "zh"
    folder.mkdir(parents=True)
    for name, text in (("a", "甲"), ("b", "乙")):
        (folder / f"{name}.po").write_text(
            f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "One"\nmsgstr "{text}"\n', "utf-8"
        )
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    words.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"b\.po translates 'One' otherwise"):
            words("zh")
    finally:
        words.cache_clear()
