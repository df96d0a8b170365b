"""Words of mails and pages in several languages: gettext catalogues, kept as .po files and compiled when loaded.

Babel and Jinja are loaded by whoever needs words: the API answers its first calls without (docs/benchmarks.md, start).
"""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

#: Language -> its tag in HTML. English is the language of the message ids and has no catalogue.
LANGUAGES = {"zh": "zh-CN", "en": "en"}


def translations(folder: Path, language: str) -> gettext.NullTranslations:
    """The catalogue `<language>.po` of a folder; the message ids themselves for English."""
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - see above
    from babel.messages.pofile import read_po  # noqa: PLC0415 - see above

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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - see above

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
