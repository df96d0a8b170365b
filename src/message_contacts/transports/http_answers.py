"""What answers of HTTP servers say beside their status, and why there was none, as words."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import aiohttp

from message_contacts.clock import Instant


def seconds_to_wait(retry_after: str, now: Instant) -> float | None:
    """Seconds that a Retry-After header asks for: a number or a date; None for anything else."""
    text = retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):  # a year or a zone of many digits
        return None
    return max(0.0, moment - now / 1000)


def reason_of(failure: aiohttp.ClientError) -> str:
    """The word for a request that got no answer; the telling kinds first."""
    if isinstance(failure, aiohttp.ClientConnectorCertificateError):
        return "certificate-not-trusted"
    if isinstance(failure, aiohttp.ClientSSLError):
        return "tls-failed"
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "host-unknown"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "connection-refused" if isinstance(failure.os_error, ConnectionRefusedError) else "connection-failed"
    return "connection-lost"
