"""What tests of the recipient's side share: links in mails, and reports about them."""

from __future__ import annotations

import re
from typing import Any

from tests.api.publishing import notices
from tests.harness import Api

_UNSUBSCRIBE = re.compile(r"https?://\S+?(/unsubscribe/\S+)")


async def preference_links(api: Api, recipient: str) -> dict[str, str]:
    """By contact, the path of the link to its preferences in the newest notice to an address."""
    text = (await notices(api, recipient))[-1]["Text"]
    found = re.findall(r"^(.+): https?://\S+?(/preferences/\S+)$", text, re.MULTILINE)
    return dict(found)


async def unsubscribe_link(api: Api, recipient: str) -> str | None:
    """The path of the link in the newest notice that takes the address off its type."""
    found = _UNSUBSCRIBE.search((await notices(api, recipient))[-1]["Text"])
    return found[1] if found else None


async def suspensions(api: Api) -> list[dict[str, Any]]:
    """What ListSuspensions shows."""
    found: list[dict[str, Any]] = (await api.call("ListSuspensions", "2026-11-01"))["Suspensions"]
    return found


def report(
    recipient: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    told: str = "smtp; 550 5.1.1 <tom@example.com>: User unknown",
    returned: str = "",
) -> bytes:
    """A delivery report as mail servers send it."""
    return (
        "From: MAILER-DAEMON@mx.example.com\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\r\n'
        "\r\n"
        "--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nYour message could not be delivered.\r\n\r\n"
        "--b1\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.com\r\nArrival-Date: Sat, 21 Nov 2026 08:00:00 +0000\r\n"
        "\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: {told}\r\n"
        "\r\n"
        f"--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}Subject: Disk full\r\n\r\n"
        "--b1--\r\n"
    ).encode()


def complaint(return_path: str, *, kind: str = "abuse") -> bytes:
    """A feedback report of a mailbox provider."""
    return (
        "From: feedback@provider.example\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b1"\r\n'
        "\r\n"
        "--b1\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        "--b1\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Provider/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <{return_path}>\r\n"
        "\r\n"
        "--b1\r\nContent-Type: message/rfc822\r\n\r\nSubject: Disk full\r\n\r\nText\r\n"
        "--b1--\r\n"
    ).encode()
