"""The text of answers in XML.

Source: contract/protocol.md section 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: First line of every document.
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_SPECIAL = re.compile("[&<>\r]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
#: What XML 1.0 has no way of writing, not even as a reference.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_document(root: str, content: Mapping[str, Any]) -> bytes:
    """The content as XML: objects nest, an array is its element repeated, an empty one or None is nothing."""
    pieces = [DECLARATION, f"<{root}>"]
    for name, value in content.items():
        _element(pieces, name, value)
    pieces.append(f"</{root}>")
    return "".join(pieces).encode()


def _element(pieces: list[str], name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, Mapping):
        pieces.append(f"<{name}>")
        for inner_name, inner in value.items():
            _element(pieces, inner_name, inner)
        pieces.append(f"</{name}>")
    elif isinstance(value, list | tuple):
        for item in value:
            _element(pieces, name, item)
    else:
        pieces.append(f"<{name}>{_xml_text(value)}</{name}>")


def _xml_text(value: Any) -> str:
    if isinstance(value, str):
        text = _UNWRITABLE.sub("\ufffd", value)
        return _SPECIAL.sub(lambda match: _ENTITIES[match[0]], text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise TypeError(f"an answer cannot hold a {type(value).__name__}")
