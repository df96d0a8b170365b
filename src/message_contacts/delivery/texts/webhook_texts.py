"""What is posted to webhooks: published messages, and codes to confirm them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from itertools import product
from pathlib import Path

from message_contacts.clock import Instant
from message_contacts.contacts.model import MessageType
from message_contacts.delivery.messages import Message
from message_contacts.delivery.rules import Severity
from message_contacts.verification.texts.catalogue import environments
from message_contacts.verification.texts.form import Form, blanks
from message_contacts.verification.texts.shown import shown_moment, shown_organisation

_RULE = "\n" + "-" * 20 + "\n"


class WebhookTexts:
    """Words posts to webhooks."""

    def __init__(self, languages: Sequence[str], zone: tzinfo) -> None:
        """Load templates and catalogues.

        Args:
            languages: Of `catalogue.LANGUAGES`, in the order in which a post has them.
            zone: In which moments are shown.
        """
        self._zone = zone
        by_language = environments(Path(__file__).parent, languages)

        def said(template: str, between: str, *names: str, **fields: object) -> Form:
            given = {**blanks(names), **fields}
            return Form(
                between.join(
                    environment.get_template(template).render(given).strip() for environment in by_language.values()
                )
            )

        self._notices: dict[tuple[MessageType, bool], Form] = {}
        for kind, critical in product(MessageType, (False, True)):
            feet = []
            for environment in by_language.values():
                label = environment.get_template("kinds.txt").render(message_type=kind.value).strip()
                fields = {**blanks(["organisation", "moment"]), "kind": label, "critical": critical}
                feet.append(environment.get_template("webhook_notice.txt").render(fields).strip())
            self._notices[kind, critical] = Form(_RULE.join([blanks(["body"])["body"], "\n".join(feet)]))
        self._code_subject = said("webhook_code_subject.txt", " / ", "organisation")
        self._code = said("webhook_code.txt", "\n" + _RULE, "organisation", "name", "code", "moment")

    def notice(self, message: Message, organisation: str) -> str:
        """The text of a published message; its subject goes beside it."""
        return self._notices[message.message_type, message.severity is Severity.CRITICAL].fill(
            {
                "organisation": organisation,
                "moment": shown_moment(message.published_at, self._zone),
                "body": message.text.strip(),
            }
        )

    def code(self, organisation: str, name: str, code: str, until: Instant) -> tuple[str, str]:
        """Subject and text of the post that asks whether messages may come here."""
        fields = {
            "organisation": shown_organisation(organisation),
            "name": shown_organisation(name),
            "code": code,
            "moment": shown_moment(until, self._zone),
        }
        return self._code_subject.fill(fields), self._code.fill(fields) + "\n"
