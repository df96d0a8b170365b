"""Text of queries, forms and JSON bodies, and the values inside."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.protocol.parameters import (
    Arguments,
    RepeatedName,
    flattened,
    parse_form,
    parse_json_object,
)

texts = st.text(st.characters(codec="utf-8"), max_size=15)


@given(st.dictionaries(texts, texts, max_size=8))
def test_what_a_client_encodes_is_read_back(parameters: dict[str, str]):
    encoded = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in parameters.items())
    assert parse_form(encoded) == (parameters, None)


@given(st.text(st.sampled_from("ab=&+%0cC;? ä"), max_size=30))
def test_reading_agrees_with_the_standard_library(text: str):
    expected: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        expected.setdefault(name, value)
    assert parse_form(text.encode().decode("latin-1"))[0] == expected


@pytest.mark.parametrize(
    ("text", "values", "repeated"),
    [
        ("", {}, None),
        ("&&a=1&", {"a": "1"}, None),
        ("a", {"a": ""}, None),
        ("a=b=c", {"a": "b=c"}, None),
        ("=x", {"": "x"}, None),
        ("a=1&A=2", {"a": "1", "A": "2"}, None),
        ("a=1&b=2&a=3&b=4", {"a": "1", "b": "2"}, "a"),
        ("a=1&%61=2", {"a": "1"}, "a"),
        ("a=%e6%B1%a4+%2B", {"a": "汤 +"}, None),
        ("a=%zz%4", {"a": "%zz%4"}, None),
        ("a=%ff", {"a": "\ufffd"}, None),
        ("a=%ed%a0%80", {"a": "\ufffd\ufffd\ufffd"}, None),
    ],
)
def test_forms_as_they_come(text: str, values: dict[str, str], repeated: str | None):
    assert parse_form(text) == (values, repeated)


def test_a_json_body_is_an_object_and_null_is_absent():
    assert parse_json_object(b'{"a": [1, {"b": null}], "c": null}') == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    "body", [b"", b"1", b"null", b'{"a":', b'{"a": Infinity}', b"\xef\xbb\xbf{}", b'"' + b"[" * 2000]
)
def test_what_is_no_json_object_is_refused(body: bytes):
    with pytest.raises(ValueError, match=r".*"):
        parse_json_object(body)


def test_json_nested_without_end_is_refused():
    with pytest.raises(ValueError, match=r"recursion|nested"):
        parse_json_object(b'{"a":' * 1010 + b"1" + b"}" * 1010)


def test_a_name_repeated_inside_an_object_is_found():
    with pytest.raises(RepeatedName, match="b"):
        parse_json_object(b'{"a": {"b": 1, "b": 2}}')


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"L": ""}, None),
        ({"L.1": "a", "L.2": "b"}, ["a", "b"]),
        ({"L.10": "j", "L.9": "i", "L.1": "a"}, ["a", "i", "j"]),
        ({"L.0": "x", "L.01": "x", "L.a": "x", "L.1.Key": "x", "L.": "x", "LL.1": "x"}, None),
        ({"L": "plain"}, ["plain"]),
        ({"L": '["a","b"]'}, ["a", "b"]),
        ({"L": "[not json"}, ["[not json"]),
        ({"L": "[]"}, None),
        ({"L": "", "L.1": "a"}, ["a"]),
        ({"L": ["a", 1, True]}, ["a", "1", "true"]),
        ({"L": []}, None),
        ({"L": 5}, ["5"]),
    ],
)
def test_a_list_of_texts(values: dict[str, Any], expected: list[str] | None):
    assert Arguments(values).texts("L") == expected


@pytest.mark.parametrize("value", [[None], [["a"]], [{}], {"a": "b"}, '[{"a":"b"}]'])
def test_a_list_that_holds_no_texts_is_refused(value: Any):
    with pytest.raises(ValueError, match=r".*"):
        Arguments({"L": value}).texts("L")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"T.2.Key": "b", "T.1.Key": "a", "T.1.Value": "v"}, [{"Key": "a", "Value": "v"}, {"Key": "b"}]),
        ({"T": '[{"Key":"a","Value":1}]'}, [{"Key": "a", "Value": "1"}]),
        ({"T": [{"Key": "a"}]}, [{"Key": "a"}]),
        ({"T": ""}, None),
    ],
)
def test_a_list_of_objects(values: dict[str, Any], expected: list[dict[str, str]] | None):
    assert Arguments(values).objects("T") == expected


@pytest.mark.parametrize("values", [{"T": "plain"}, {"T": ["a"]}, {"T.1": "a"}, {"T.x.Key": "a"}, {"T": [{"Key": []}]}])
def test_a_list_that_holds_no_objects_is_refused(values: dict[str, Any]):
    with pytest.raises(ValueError, match=r".*"):
        Arguments(values).objects("T")


def test_a_scalar_of_a_json_body_is_text():
    arguments = Arguments({"A": True, "B": 12, "C": "x"})
    assert [arguments.text(name) for name in "ABCD"] == ["true", "12", "x", None]
    with pytest.raises(ValueError, match="list"):
        Arguments({"A": []}).text("A")


def test_arguments_show_names_only():
    assert repr(Arguments({"Name": "secret"})) == "Arguments(Name)"


def test_flattening_and_reading_are_inverse():
    flat = flattened({"A": "x", "B": True, "C": ["a", "b"], "D": [{"Key": "k", "Value": 1}], "E": None, "F": []})
    assert flat == {"A": "x", "B": "true", "C.1": "a", "C.2": "b", "D.1.Key": "k", "D.1.Value": "1"}
    arguments = Arguments(flat)
    assert arguments.texts("C") == ["a", "b"]
    assert arguments.objects("D") == [{"Key": "k", "Value": "1"}]
    with pytest.raises(TypeError, match="A is a object"):
        flattened({"A": object()})
