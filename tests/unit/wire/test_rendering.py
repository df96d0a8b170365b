"""XML of answers: what nests, what repeats, what is left out, and what cannot be written."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from message_contacts.protocol.xml_text import xml_document


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"A": {"B": {"C": "x"}}}, "<A><B><C>x</C></B></A>"),
        ({"A": ["x", "y"]}, "<A>x</A><A>y</A>"),
        ({"A": [{"B": 1}, {"B": 2}]}, "<A><B>1</B></A><A><B>2</B></A>"),
        ({"Folders": {"Folder": [{"Id": "a"}]}}, "<Folders><Folder><Id>a</Id></Folder></Folders>"),
        ({"A": [], "B": None, "C": {}}, "<C></C>"),
        ({"A": True, "B": False, "C": 0, "D": ""}, "<A>true</A><B>false</B><C>0</C><D></D>"),
        ({"A": "<a&b>\r\n]]>"}, "<A>&lt;a&amp;b&gt;&#13;\n]]&gt;</A>"),
        ({"A": "a\x00b\x1bc\ufffe\x85"}, "<A>a\ufffdb\ufffdc\ufffd\x85</A>"),
        ({"A": "汤姆\U0001f600"}, "<A>汤姆\U0001f600</A>"),
    ],
)
def test_xml_follows_the_protocol(content: dict[str, Any], expected: str):
    assert xml_document("R", content).decode() == f'<?xml version="1.0" encoding="UTF-8"?><R>{expected}</R>'


def test_a_value_that_has_no_form_is_a_bug():
    with pytest.raises(TypeError, match="bytes"):
        xml_document("R", {"A": b"x"})


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_any_text_makes_xml_that_can_be_read(text: str):
    read = ElementTree.fromstring(xml_document("R", {"A": text})).findtext("A")
    assert read is not None
    writable = all(character in "\t\n\r" or character >= " " for character in text)
    if writable and not any("\ud800" <= character <= "\udfff" or character in "\ufffe\uffff" for character in text):
        assert read == text
