"""The verification mail and text message.

A contact has no language of its own yet, so a mail says everything in each configured language, the first one first; a
text message is short and has the first one only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import product
from pathlib import Path

from markupsafe import Markup, escape

from message_contacts.clock import HOUR, Instant
from message_contacts.contacts.model import MessageType
from message_contacts.verification.texts.catalogue import LANGUAGES, environments
from message_contacts.verification.texts.form import Form, blanks
from message_contacts.verification.texts.shown import shown_moment, shown_organisation, shown_reference
from message_contacts.verification.texts.sms_length import sms_parts

#: Parts that a text message should not exceed; the organisation's name gives way first.
SMS_PARTS = 2
_SMS_ORGANISATION_LENGTHS = (24, 16, 12, 8)
_RULE = "\n" + "-" * 40 + "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person is asked to confirm."""

    #: Who asks.
    organisation: str
    contact_name: str
    #: The address in full: it is the recipient's own.
    address: str
    message_types: tuple[MessageType, ...]
    link: str
    #: Page where reference and code can be typed on another device.
    page: str
    reference: str
    code: str
    valid_until: Instant


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail, worded."""

    subject: str
    text: str
    html: str


class VerificationTexts:
    """Words verification messages."""

    def __init__(self, languages: Sequence[str], zone: tzinfo) -> None:
        """Load templates and catalogues.

        Args:
            languages: Of `catalogue.LANGUAGES`, in the order in which a mail has them.
            zone: In which moments are shown.
        """
        self._zone = zone
        by_language = environments(Path(__file__).parent, languages)
        empty = blanks(
            ("organisation", "contact_name", "address", "link", "page", "reference", "code", "valid_until", "hours")
        )
        subjects, texts, parts = [], [], []
        self._kinds: list[dict[tuple[MessageType, bool], str]] = []
        for position, (language, environment) in enumerate(by_language.items()):
            fields = {**empty, **blanks([_kinds_blank(position)])}
            fields["kinds"] = fields[_kinds_blank(position)]
            subjects.append(environment.get_template("subject.txt").render(fields).strip())
            texts.append(environment.get_template("mail.txt").render(fields).strip() + "\n")
            part = environment.get_template("mail.html").render(fields)
            parts.append((LANGUAGES[language], Markup(part)))  # noqa: S704 - rendered by an escaping template just now
            kinds = environment.get_template("kinds.txt")
            self._kinds.append(
                {
                    (message_type, is_first): kinds.render(message_type=message_type.value, is_first=is_first).rstrip(
                        "\n"
                    )
                    for message_type in MessageType
                    for is_first in (True, False)
                }
            )
        first = by_language[languages[0]]
        subject = " / ".join(subjects)
        self._subject = Form(subject)
        self._text = Form(_RULE.join(texts))
        self._html = Form(first.get_template("frame.html").render(subject=subject, parts=parts))
        # The short one is for names whose letters make a text message longer than its words do.
        self._sms = [Form(first.get_template(name).render(empty).strip()) for name in ("sms.txt", "sms_short.txt")]

    def mail(self, request: Request) -> MailText:
        """The mail: plain and HTML with the same content. The first link of the plain text is the verification link."""
        fields = self._fields(request)
        return MailText(
            subject=self._subject.fill(fields),
            text=self._text.filled(fields),
            html=self._html.filled({name: str(escape(value)) for name, value in fields.items()}),
        )

    def sms(self, request: Request, *, now: Instant) -> str:
        """The text message; two parts with a link of usual length."""
        fields = self._fields(request)
        fields["hours"] = str(max(1, round((request.valid_until - now) / HOUR)))
        text = ""
        for form, longest in product(self._sms, _SMS_ORGANISATION_LENGTHS):
            fields["organisation"] = shown_organisation(request.organisation, longest)
            text = form.fill(fields)
            if sms_parts(text) <= SMS_PARTS:
                break
        return text

    def _fields(self, request: Request) -> dict[str, str]:
        fields = {
            "organisation": shown_organisation(request.organisation),
            "contact_name": request.contact_name,
            "address": request.address,
            "link": request.link,
            "page": request.page,
            "reference": shown_reference(request.reference),
            "code": request.code,
            "valid_until": shown_moment(request.valid_until, self._zone),
        }
        for position, labels in enumerate(self._kinds):
            fields[_kinds_blank(position)] = "".join(
                labels[message_type, index == 0] for index, message_type in enumerate(request.message_types)
            )
        return fields


def _kinds_blank(position: int) -> str:
    """The blank for the kinds of notices in the language at that position."""
    return "kinds_" + "abcdefghij"[position]
