"""Words of mails and pages in several languages: gettext catalogues, kept as .po files and compiled when loaded."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

#: Language -> its tag in HTML. English is the language of the message ids and has no catalogue.
LANGUAGES = {"zh": "zh-CN", "en": "en"}


def read_languages(text: str) -> tuple[str, ...]:
    """The languages of a setting such as `zh,en`, in that order.

    Raises:
        ValueError: A language that is not known, one twice, or none.
    """
    languages = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    unknown = [language for language in languages if language not in LANGUAGES]
    if not languages or unknown or len(set(languages)) != len(languages):
        raise ValueError(f"languages are one or more of {', '.join(LANGUAGES)}, each once, not {text!r}")
    return languages


def translations(folder: Path, language: str) -> gettext.NullTranslations:
    """The catalogue `<language>.po` of a folder; the message ids themselves for English."""
    if language == "en":
        return gettext.NullTranslations()
    with (folder / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def environments(package: Path, languages: Sequence[str]) -> dict[str, Environment]:
    """Templates of a package folder (`templates/`, `locale/`), one environment a language.

    HTML is escaped, a name that a template does not get is an error, and `_()` says it in the language.
    """
    made = {}
    for language in languages:
        environment = Environment(
            loader=FileSystemLoader(package / "templates"),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        words = translations(package / "locale", language)
        environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["language"] = language
        environment.globals["language_tag"] = LANGUAGES[language]
        made[language] = environment
    return made
