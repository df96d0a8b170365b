"""Words of the console in several languages: one catalogue an area, read together."""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from message_contacts.verification.texts.catalogue import LANGUAGES

FOLDER = Path(__file__).parent


def mark(text: str) -> str:
    """Mark a text as one of ours that is translated later, where it is shown."""
    return text


@cache
def words(language: str) -> gettext.NullTranslations:
    """The catalogues of `locale/<language>/`, as one; the message ids themselves for English.

    Raises: ValueError when two areas translate a text differently.
    """
    if language == "en":
        return gettext.NullTranslations()
    together = Catalog(locale=language)
    for path in sorted((FOLDER / "locale" / language).glob("*.po")):
        with path.open("rb") as file:
            area = read_po(file, locale=language)
        for message in area:
            if not message.id:
                continue
            there = together.get(message.id, message.context)
            if there is not None and there.string != message.string:
                raise ValueError(f"{path.name} translates {message.id!r} otherwise than another area")
            together[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, together)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def environments() -> dict[str, Environment]:
    """The templates, one environment a language. HTML is escaped; a name that a template does not get is an error."""
    made = {}
    for language, tag in LANGUAGES.items():
        environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        spoken = words(language)
        environment.install_gettext_callables(spoken.gettext, spoken.ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["language"] = language
        environment.globals["language_tag"] = tag
        made[language] = environment
    return made
