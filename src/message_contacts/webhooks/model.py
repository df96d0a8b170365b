"""A webhook: a group chat, or a program, that gets messages by HTTP.

Its address holds a secret (whoever knows it can post there), so it is only kept sealed; what is shown of it is its
host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Self

from message_contacts import errors
from message_contacts.clock import Instant
from message_contacts.contacts.model import Binding, MessageType, Verified
from message_contacts.protocol.standard_webhooks import secret_bytes
from message_contacts.webhooks import webhook_errors as refusals
from message_contacts.webhooks.addresses import Url

WEBHOOK_ID = re.compile(r"wh-[0-9a-z]{1,64}")
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,64}")
_TEXT_SECRET = re.compile(r"[!-~]{1,256}")
_NOT_SET = Instant(0)


class WebhookForm(StrEnum):
    """Whose JSON a webhook takes."""

    DING_TALK = "DingTalk"
    FEISHU = "Feishu"
    WE_COM = "WeCom"
    SLACK = "Slack"
    #: Our own JSON, signed by the Standard Webhooks rule.
    GENERIC = "Generic"


class WebhookStatus(StrEnum):
    VERIFYING = "Verifying"
    ACTIVE = "Active"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRules:
    """What the operator may set about webhooks."""

    per_directory: int = 20
    #: Networks to which webhooks may lead though they are not public; only these may be spoken to without TLS.
    private_networks: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookName:
    """A webhook's name: 1 to 64 characters on one line; compared exactly."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: INVALID_PARAMETER_NAME."""
        if not _NAME.fullmatch(text) or text != text.strip():
            raise errors.INVALID_PARAMETER_NAME()
        return cls(text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to post and what to sign with. Never shown, logged or kept open."""

    url: Url = field(repr=False)
    #: As the product gives it; None: posts are not signed.
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SealedEndpoint:
    """An endpoint as it is kept."""

    sealed: bytes = field(repr=False)
    #: Keyed hash of the URL: tells whether two endpoints are the same place.
    digest: bytes = field(repr=False)
    #: What may be shown of the URL: `https://oapi.dingtalk.com/***`.
    shown: str
    signed: bool


@dataclass(frozen=True, slots=True)
class PendingCode:
    """The code last posted to an endpoint that waits to be confirmed."""

    #: Public id that the code is made of; empty: none was posted, or it is void.
    reference: str = ""
    generation: int = 0
    #: It went to the captured inbox: confirming it counts only while webhooks are captured.
    captured: bool = False
    wrong_codes: int = 0
    expires_at: Instant = _NOT_SET

    def void(self) -> PendingCode:
        """What is left when the endpoint it was posted to is another one now."""
        return PendingCode(generation=self.generation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A group chat or program that an organisation wants to reach."""

    account_id: str
    #: `wh-`, digits and small letters.
    webhook_id: str
    name: WebhookName
    form: WebhookForm
    #: In the order given; no duplicates.
    message_types: tuple[MessageType, ...]
    #: In force once confirmed.
    endpoint: SealedEndpoint
    verified: Verified | None = None
    #: A replacement that is not confirmed yet; only beside an endpoint that was confirmed.
    waiting: SealedEndpoint | None = None
    code: PendingCode = field(default_factory=PendingCode)
    #: Direct bindings, oldest first.
    bindings: tuple[Binding, ...] = ()
    created_at: Instant
    version: int = 1

    def in_force(self, *, captured_counts: bool) -> bool:
        """Whether messages are posted to its endpoint."""
        return self.verified is not None and (captured_counts or not self.verified.captured)

    def status(self, *, captured_counts: bool) -> WebhookStatus:
        """Worked out from the rest; an endpoint that waits does not change it."""
        return WebhookStatus.ACTIVE if self.in_force(captured_counts=captured_counts) else WebhookStatus.VERIFYING

    def pending(self, *, captured_counts: bool) -> SealedEndpoint | None:
        """The endpoint that waits for its code, if any."""
        if self.waiting is not None:
            return self.waiting
        return None if self.in_force(captured_counts=captured_counts) else self.endpoint


def checked_secret(form: WebhookForm, secret: str | None) -> str | None:
    """A secret as the product of that form defines it.

    DingTalk and Feishu sign if the robot was set up so; WeCom and Slack have no such thing.

    Raises: INVALID_SECRET.
    """
    if secret is None:
        return None
    if form is WebhookForm.GENERIC:
        try:
            secret_bytes(secret)
        except ValueError:
            raise refusals.INVALID_SECRET(form=form) from None
    elif form not in (WebhookForm.DING_TALK, WebhookForm.FEISHU) or not _TEXT_SECRET.fullmatch(secret):
        raise refusals.INVALID_SECRET(form=form)
    return secret


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPost:
    """What posting to a webhook needs beside subject and text."""

    form: WebhookForm
    endpoint: Endpoint
    #: What a program takes it for: `message.published`, `webhook.verification` or `webhook.test`.
    event: str
    #: What a program is told of it.
    data: Mapping[str, str]
