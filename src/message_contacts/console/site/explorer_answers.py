"""What an operation answered in the console, as it would stand on the wire: the body in JSON and in XML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from message_contacts.console.site.calls import Answered
from message_contacts.protocol.xml_text import DECLARATION, xml_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer to be shown."""

    status: int
    request_id: str
    #: Milliseconds, to one place.
    took: str
    #: Code of the error; empty when it was carried out.
    code: str
    message: str
    json: str
    xml: str
    #: Permission that was missing; empty when something else was wrong.
    permission: str


def shown(action: str, answered: Answered, *, host: str) -> Shown:
    """The answer, with line breaks and indentation that it does not have on the wire."""
    refusal = answered.refusal
    content: dict[str, Any]
    if refusal is None:
        content = {"RequestId": answered.request_id, **(answered.fields or {})}
        root = f"{action}Response"
    else:
        content = {
            "RequestId": answered.request_id,
            "Message": refusal.message,
            "HostId": host,
            "Code": refusal.definition.code,
        }
        if refusal.access_denied is not None:
            content["AccessDeniedDetail"] = dict(refusal.access_denied)
        root = "Error"
    return Shown(
        status=200 if refusal is None else refusal.definition.status,
        request_id=answered.request_id,
        took=f"{answered.took:.1f}",
        code="" if refusal is None else refusal.definition.code,
        message="" if refusal is None else refusal.message,
        json=json.dumps(content, ensure_ascii=False, indent=2),
        xml=_indented(root, content),
        permission="" if refusal is None else (refusal.access_denied or {}).get("AuthAction", ""),
    )


def _indented(root: str, content: Mapping[str, Any]) -> str:
    tree = ET.fromstring(xml_document(root, content))  # noqa: S314 - written just now
    ET.indent(tree)
    return f"{DECLARATION}\n{ET.tostring(tree, encoding='unicode', short_empty_elements=False)}"
