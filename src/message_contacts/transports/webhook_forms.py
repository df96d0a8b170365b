"""What is posted to a webhook of each form: URL, header fields and JSON.

Messages go out as plain text: what somebody published must neither call a whole group (`<at>`, `<!channel>`) nor pass
for a link of ours. Products that take less text than a message has get its beginning.

Sources: as in `webhook_answers`; Standard Webhooks 1.0.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

import orjson

from message_contacts.clock import SECOND, Instant
from message_contacts.delivery.outcome import OutgoingMessage
from message_contacts.protocol.standard_webhooks import secret_bytes, signature
from message_contacts.webhooks.model import WebhookForm, WebhookPost

#: Bytes of JSON that DingTalk and Feishu take as text; each takes 20,000 for the whole body.
_JSON_BYTES = 18_000
#: Bytes of text that WeCom takes.
_WE_COM_BYTES = 2_048
#: Characters that Slack takes, some kept back.
_SLACK_CHARACTERS = 35_000
_CUT = " …"


@dataclass(frozen=True, slots=True)
class Request:
    """One POST."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Build = Callable[[OutgoingMessage, WebhookPost, Instant], Request]


def _ding_talk(message: OutgoingMessage, post: WebhookPost, now: Instant) -> Request:
    content = cut(_text(message), _JSON_BYTES, _json_length)
    url = post.endpoint.url.text
    if post.endpoint.secret is not None:
        # Milliseconds, and the secret as the key.
        signed = f"{now}\n{post.endpoint.secret}"
        sign = _hmac(post.endpoint.secret, signed)
        url += f"{'&' if '?' in url else '?'}timestamp={now}&sign={quote(sign, safe='')}"
    return Request(url, orjson.dumps({"msgtype": "text", "text": {"content": content}}))


def _feishu(message: OutgoingMessage, post: WebhookPost, now: Instant) -> Request:
    content = cut(message.text.strip(), _JSON_BYTES, _json_length)
    # A "post" and no "text": in that, `<at user_id="all">` would call everybody.
    body: dict[str, object] = {
        "msg_type": "post",
        "content": {
            "post": {"zh_cn": {"title": message.subject, "content": [[{"tag": "text", "text": content}]]}},
        },
    }
    if post.endpoint.secret is not None:
        # Seconds, and the text to be signed as the key over nothing.
        timestamp = str(now // SECOND)
        body = {"timestamp": timestamp, "sign": _hmac(f"{timestamp}\n{post.endpoint.secret}", ""), **body}
    return Request(post.endpoint.url.text, orjson.dumps(body))


def _we_com(message: OutgoingMessage, post: WebhookPost, _now: Instant) -> Request:
    content = cut(_text(message), _WE_COM_BYTES, lambda text: len(text.encode()))
    return Request(post.endpoint.url.text, orjson.dumps({"msgtype": "text", "text": {"content": content}}))


def _slack(message: OutgoingMessage, post: WebhookPost, _now: Instant) -> Request:
    content = cut(_text(message), _SLACK_CHARACTERS, lambda text: len(_escaped(text)))
    return Request(post.endpoint.url.text, orjson.dumps({"text": _escaped(content), "mrkdwn": False}))


def _generic(message: OutgoingMessage, post: WebhookPost, now: Instant) -> Request:
    body = orjson.dumps(
        {
            "type": post.event,
            "timestamp": datetime.fromtimestamp(now / SECOND, UTC).isoformat(timespec="milliseconds"),
            "data": {**post.data, "subject": message.subject, "text": message.text},
        }
    )
    timestamp = str(now // SECOND)
    headers = {"webhook-id": message.message_id, "webhook-timestamp": timestamp}
    if post.endpoint.secret is not None:
        secret = secret_bytes(post.endpoint.secret)
        headers["webhook-signature"] = signature(secret, message.message_id, timestamp, body)
    return Request(post.endpoint.url.text, body, headers)


FORMS: Mapping[WebhookForm, Build] = {
    WebhookForm.DING_TALK: _ding_talk,
    WebhookForm.FEISHU: _feishu,
    WebhookForm.WE_COM: _we_com,
    WebhookForm.SLACK: _slack,
    WebhookForm.GENERIC: _generic,
}


def request_for(message: OutgoingMessage, post: WebhookPost, now: Instant) -> Request:
    """The POST that takes a message to a webhook."""
    return FORMS[post.form](message, post, now)


def cut(text: str, most: int, length: Callable[[str], int]) -> str:
    """The text, or as much of its beginning as is no longer than that, with a mark that it was cut."""
    if length(text) <= most:
        return text
    fits, too_long = 0, len(text)
    while fits < too_long - 1:
        middle = (fits + too_long) // 2
        if length(text[:middle] + _CUT) <= most:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + _CUT


def _text(message: OutgoingMessage) -> str:
    """Subject and text as one."""
    return f"{message.subject}\n\n{message.text.strip()}" if message.subject else message.text.strip()


def _json_length(text: str) -> int:
    return len(orjson.dumps(text))


def _escaped(text: str) -> str:
    """Without the three characters that mean something to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha256")).decode("ascii")
