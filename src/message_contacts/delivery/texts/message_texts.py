"""Published messages as mail and text message: what was published, who sends it, and why one gets it.

Everything that is the same for all recipients is worded once for a message; for each of them only the reasons are
filled in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.candidates import Because
from message_contacts.delivery.messages import CONTACTS_NAMED, Message, Named, Route
from message_contacts.delivery.rules import Severity
from message_contacts.delivery.texts.bodies import html_body
from message_contacts.verification.texts.catalogue import LANGUAGES, environments
from message_contacts.verification.texts.form import Form, blanks
from message_contacts.verification.texts.shown import shown_moment, shown_organisation
from message_contacts.verification.texts.sms_length import sms_parts

if TYPE_CHECKING:
    from jinja2 import Environment

#: Reasons that a mail lists, all that are stored; of further ones it says how many there are.
REASONS_LISTED = CONTACTS_NAMED
#: Parts that a text message of a message should not exceed; its text gives way.
SMS_PARTS = 4
_RULE = "\n" + "-" * 40 + "\n\n"
_MORE, _FALLBACK = "more", "fallback"

#: Route, whether the message is critical, whether there is a link to unsubscribe, and one to preferences.
_Case = tuple[Route, bool, bool, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A message, worded as far as it is the same for all."""

    critical: bool
    organisation: str
    #: Fields of the plain and of the HTML form.
    text_fields: dict[str, str]
    html_fields: dict[str, str]
    sms: str
    #: Plain and HTML form with these fields in their places, by case; made when the first mail of a case needs them.
    forms: dict[_Case, tuple[Form, Form]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Language:
    """What one language says."""

    letter: str
    kinds: dict[MessageType, str]
    reasons: dict[str, Form]


class MessageTexts:
    """Words published messages."""

    def __init__(self, languages: Sequence[str], zone: tzinfo) -> None:
        """Load templates and catalogues.

        Args:
            languages: Of `catalogue.LANGUAGES`, in the order in which a mail has them.
            zone: In which moments are shown.
        """
        self._zone = zone
        by_language = environments(Path(__file__).parent, languages)
        self._languages = [
            _Language(
                letter="abcdefghij"[position],
                kinds={
                    kind: environment.get_template("kinds.txt").render(message_type=kind.value).strip()
                    for kind in MessageType
                },
                reasons=_reason_forms(environment),
            )
            for position, environment in enumerate(by_language.values())
        ]
        self._by_language = by_language
        #: Made when they are first needed: there are many, and a start should not wait for them.
        self._forms: dict[_Case, tuple[Form, Form]] = {}
        empty = blanks(["organisation", "address", "code", "moment"])

        def said(template: str, between: str) -> Form:
            return Form(
                between.join(
                    environment.get_template(template).render(empty).strip() for environment in by_language.values()
                )
            )

        self._confirm_subject = said("confirm_subject.txt", " / ")
        self._confirm = said("confirm.txt", "\n" + _RULE)
        self._test_subject = said("test_subject.txt", " / ")
        self._test = said("test.txt", "\n")

    def worded(self, message: Message, organisation: str) -> Worded:
        """A message with all that is the same for everybody who gets it."""
        shown = shown_organisation(organisation)
        fields = {"organisation": shown, "moment": shown_moment(message.published_at, self._zone)}
        for language in self._languages:
            fields[f"kind_{language.letter}"] = language.kinds[message.message_type]
        html_fields = {name: str(escape(value)) for name, value in fields.items()}
        html_fields |= {"subject": str(escape(message.subject)), "body": html_body(message)}
        return Worded(
            critical=message.severity is Severity.CRITICAL,
            organisation=shown,
            text_fields={**fields, "body": message.text.strip() + "\n"},
            html_fields=html_fields,
            sms=_short(f"{shown_organisation(organisation, 24)}: {message.subject}\n{message.text.strip()}"),
        )

    def mail(
        self,
        worded: Worded,
        named: Sequence[Named],
        link: str | None,
        preferences: Sequence[tuple[str, str]] = (),
        *,
        further: int = 0,
    ) -> tuple[str, str]:
        """Plain text and HTML of the mail to those who share an address.

        Args:
            named: Through whom it gets the message, at least one.
            link: With which the address can be taken off messages of this type, if it can be.
            preferences: The contacts who share the address, each with the link to its preferences.
            further: How many more there are than are named.
        """
        case = (_route(named), worded.critical, link is not None, bool(preferences))
        forms = worded.forms.get(case)
        if forms is None:
            text, html = self._forms_of(case)
            forms = text.filled_in_part(worded.text_fields), html.filled_in_part(worded.html_fields)
            worded.forms[case] = forms
        text_fields: dict[str, str] = {}
        html_fields: dict[str, str] = {}
        for language in self._languages:
            reasons = self._reasons(language, worded.organisation, named, further)
            text_fields[f"reasons_{language.letter}"] = "\n".join(f"- {reason}" for reason in reasons)
            html_fields[f"reasons_{language.letter}"] = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
        if link is not None:
            text_fields["link"], html_fields["link"] = link, str(escape(link))
        text_fields["preferences"] = "\n".join(f"{name}: {address}" for name, address in preferences)
        html_fields["preferences"] = ", ".join(
            f'<a href="{escape(address)}">{escape(name)}</a>' for name, address in preferences
        )
        return forms[0].filled(text_fields), forms[1].filled(html_fields)

    def _forms_of(self, case: _Case) -> tuple[Form, Form]:
        """Plain text and HTML of mails of one case."""
        made = self._forms.get(case)
        if made is None:
            made = self._forms[case] = self._made(case)
        return made

    def _made(self, case: _Case) -> tuple[Form, Form]:
        route, critical, linked, chosen = case
        feet, parts = [], []
        for language, (name, environment) in zip(self._languages, self._by_language.items(), strict=True):
            fields = self._blank_fields(language.letter, linked=linked, chosen=chosen)
            fields |= {"route": route.value, "critical": critical}
            feet.append(environment.get_template("foot.txt").render(fields).strip() + "\n")
            part = environment.get_template("foot.html").render(fields)
            parts.append((LANGUAGES[name], Markup(part)))  # noqa: S704 - rendered by an escaping template just now
        frame = next(iter(self._by_language.values())).get_template("frame.html")
        return (
            Form(_RULE.join([blanks(["body"])["body"], *feet])),
            Form(frame.render(**blanks(["subject", "body"]), parts=parts)),
        )

    def confirmation(self, organisation: str, address: str, code: str, until: Instant) -> tuple[str, str]:
        """Subject and text of the mail that asks whether an address may be the fallback address."""
        fields = {
            "organisation": shown_organisation(organisation),
            "address": address,
            "code": code,
            "moment": shown_moment(until, self._zone),
        }
        return self._confirm_subject.fill(fields), self._confirm.fill(fields) + "\n"

    def test_subject(self, organisation: str) -> str:
        """Subject of a test message."""
        return self._test_subject.fill({"organisation": shown_organisation(organisation)})

    def test_text(self, organisation: str) -> str:
        """Text of a test message."""
        return self._test.fill({"organisation": shown_organisation(organisation)}) + "\n"

    @staticmethod
    def _blank_fields(letter: str, *, linked: bool, chosen: bool) -> dict[str, object]:
        names = ("organisation", "moment", f"kind_{letter}", f"reasons_{letter}", "link", "preferences")
        found = blanks(names)
        return {
            "organisation": found["organisation"],
            "moment": found["moment"],
            "kind": found[f"kind_{letter}"],
            "reasons": found[f"reasons_{letter}"],
            "link": found["link"] if linked else "",
            "preferences": found["preferences"] if chosen else "",
        }

    @staticmethod
    def _reasons(language: _Language, organisation: str, named: Sequence[Named], further: int) -> list[str]:
        said = [
            language.reasons[each.because.value if each.because else _FALLBACK].fill(
                {
                    "name": each.name,
                    "node": f"{shown_organisation(each.node_name)} ({each.node_id})".lstrip(),
                    "organisation": organisation,
                }
            )
            for each in named[:REASONS_LISTED]
        ]
        more = max(len(named) - REASONS_LISTED, 0) + further
        if more:
            said.append(language.reasons[_MORE].fill({"count": str(more)}))
        return said


def _reason_forms(environment: Environment) -> dict[str, Form]:
    empty = blanks(["name", "node", "organisation", "count"])
    return {
        because: Form(environment.get_template("reason.txt").render(empty, because=because).strip())
        for because in (*(each.value for each in Because), _MORE, _FALLBACK)
    }


def _route(named: Sequence[Named]) -> Route:
    """What the mail says of how it came to be sent: the plainest of the ways."""
    words = {each.word for each in named}
    if words <= {Route.FALLBACK.value}:
        return Route.FALLBACK
    if words <= {Route.NOBODY_SUBSCRIBED.value, Route.FALLBACK.value}:
        return Route.NOBODY_SUBSCRIBED
    return Route.SUBSCRIBED


def _short(text: str) -> str:
    """A text cut to what a text message should have at most."""
    if sms_parts(text) <= SMS_PARTS:
        return text
    least, most = 0, len(text)
    while least < most - 1:
        middle = (least + most) // 2
        if sms_parts(text[:middle] + "...") <= SMS_PARTS:
            least = middle
        else:
            most = middle
    return text[:least].rstrip() + "..."
