"""Values as people read them in mails and on pages."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

from message_contacts.clock import Instant

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def shown_moment(moment: Instant, zone: tzinfo) -> str:
    """`2026-11-22 07:37 (UTC+8)`: the recipient's own zone is not known, so it says which one it is."""
    local = datetime.fromtimestamp(moment / 1000, zone)
    offset = local.utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    name = "UTC" if minutes == 0 else f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
    return f"{local:%Y-%m-%d %H:%M} ({name})"


def shown_organisation(name: str, longest: int = 64) -> str:
    """The name of whoever asks, on one line, never a link, cut to some characters."""
    plain = _UNPRINTABLE.sub(" ", name).replace("://", ":").strip()
    return plain if len(plain) <= longest else plain[: longest - 2].rstrip() + ".."


def shown_reference(verification_id: str) -> str:
    """Ten letters and digits in two groups, `abcde-fghjk`; whoever types them may leave the hyphen out."""
    return f"{verification_id[:5]}-{verification_id[5:]}"
