"""What a refusal keeps of the resources that were asked for: ids and names of ours, never a caller's own text.

A resource is checked on the parameter as it was given, before anything else is: whatever a caller writes in place of an
id comes here, addresses included. An event is sealed and outlives every erasure, so only what has the form of an id,
or of the name of a user or policy, gets in.
"""

from __future__ import annotations

import re

from message_contacts.access.names import POLICY_NAME, POLICY_NAME_LENGTH, USER_NAME, USER_NAME_LENGTH

#: Stands where something else was given.
NOT_KEPT = "***"

#: `acs:<family>:*:<account>:<type>` and what is named.
_RESOURCE = re.compile(r"(acs:[a-z]+:\*:(?:[0-9]+|system):([a-z]+)/)(.+)", re.DOTALL)
#: Ids as `ids.RandomIds`, `delivery_id` and `job_id` make them, exactly; `*` is "any".
_ID = re.compile(
    r"\*|c-[0-9A-Za-z]{16}|dc-[0-9A-Za-z]{16}|rd-[0-9A-Za-z]{6}|r-[0-9A-Za-z]{6}|fd-[0-9A-Za-z]{10}"
    r"|1[0-9]{15}|2[0-9]{17}|MC[0-9A-Za-z]{22}|wh-[0-9a-z]{16}|(?:m|i|h|j|ae)-[0-9a-f]{24}|[dj]-[0-9a-f]{30}"
)
#: A text of digits: might be somebody's number.
_NUMBER = re.compile(r"[0-9._-]{5,}")
#: Types that are called by a name.
_NAMES = {"user": (USER_NAME, USER_NAME_LENGTH), "policy": (POLICY_NAME, POLICY_NAME_LENGTH)}


def kept(resource: str) -> str:
    """The resource, with `***` for what is no id, nor the name of a user or policy."""
    parts = _RESOURCE.fullmatch(resource)
    if parts is None:
        return NOT_KEPT
    prefix, kind, named = parts.groups()
    return resource if _ID.fullmatch(named) or _is_name(kind, named) else prefix + NOT_KEPT


def _is_name(kind: str, text: str) -> bool:
    if kind not in _NAMES:
        return False
    form, most = _NAMES[kind]
    return len(text) <= most and form.fullmatch(text) is not None and not _NUMBER.fullmatch(text)
