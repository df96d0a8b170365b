"""Text parts of mails, read back by the standard library."""

from __future__ import annotations

import gc
import quopri
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from message_contacts.transports.mail_parts import Encoder, as_lines
from message_contacts.verification.texts.form import Form, blanks

PIECE = st.lists(
    st.sampled_from(["Hello. ", "=", ".", " ", "\t", "á", "x" * 74, "x" * 75, "x" * 76, "\n", "\r\n", "中"])
).map("".join)


def read_back(part: bytes) -> tuple[str, str]:
    """The name of the encoding, and the text with its lines ended by line feeds."""
    mail = message_from_bytes(part, policy=policy.default)
    assert mail.defects == []
    return mail["Content-Transfer-Encoding"], mail.get_payload(decode=True).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("content", [b"Hello\n.\r\n", b"Hello\r.\r\n", b"Hello", b"Hello\n", b"Hello\r", b"\r\n\r"])
def test_what_a_server_could_read_as_several_mails_is_not_lines(content):
    with pytest.raises(ValueError, match="end by CRLF"):
        as_lines(content)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"Hello\r\n.\r\n\r\n"])
def test_lines_stay_as_they_are(content):
    assert as_lines(content) == content


@given(texts=st.tuples(PIECE, PIECE, PIECE), values=st.tuples(PIECE, PIECE))
def test_a_form_is_read_back_as_if_it_had_been_encoded_as_a_whole(texts, values):
    (first, second), blank = values, blanks(["first", "second"])
    between = "".join((texts[0], blank["first"], texts[1], blank["second"], texts[2], blank["first"]))
    filled = Form(between).filled({"first": first, "second": second})

    encoder = Encoder()
    for _ in range(2):  # the second time, what is the same for all is encoded already
        part, other = encoder.parts((b"plain", filled), (b"html", str(filled)))
        encoding, text = read_back(part)
        assert text == read_back(other)[1]
        assert part == as_lines(part)
        if encoding == "quoted-printable":
            _, _, body = part.partition(b"\r\n\r\n")
            # 76, were it not for a blank at the end of a line, which binascii encodes without looking at what it has.
            assert all(len(line) <= 77 for line in body.split(b"\r\n"))
            assert quopri.decodestring(body).decode().replace("\r\n", "\n") == text


def test_whatever_ends_a_line_in_a_value_is_the_end_of_a_line():
    (part,) = Encoder().parts((b"plain", Form("{}.".format(blanks(["name"])["name"])).filled({"name": "a\rb\nc\r\nd"})))

    assert read_back(part) == ("quoted-printable", "a\nb\nc\nd.\n")


def test_what_is_said_in_several_places_stands_in_each():
    blank = blanks(["link"])["link"]
    filled = Form(f"English: {blank}\n中文：{blank}\n").filled({"link": "https://example.com/u/a=b"})

    parts = Encoder().parts((b"plain", filled), (b"html", filled))

    said = "English: https://example.com/u/a=b\n中文：https://example.com/u/a=b\n"
    assert [read_back(part) for part in parts] == [("quoted-printable", said)] * 2


def test_little_that_can_be_read_is_base64_whether_the_form_or_what_stands_in_it_is_chinese():
    blank = blanks(["name"])["name"]
    english, chinese = Form("Hello " * 20 + blank), Form("您好，请确认。" * 20 + blank)

    encodings = [
        read_back(part)[0]
        for form, name in ((english, "Tom"), (english, "汤姆" * 40), (chinese, "Tom"), (chinese, "Tom " * 400))
        for part in Encoder().parts((b"plain", form.filled({"name": name})))
    ]

    assert encodings == ["quoted-printable", "base64", "base64", "quoted-printable"]


def test_a_form_goes_with_whoever_made_it_and_what_stood_in_it_at_once():
    encoder = Encoder()
    form = Form("Hello {}\n".format(blanks(["link"])["link"]))
    encoder.parts((b"plain", form.filled({"link": "https://example.com/u/secret"})))
    (kept,) = encoder._forms.values()
    assert b"secret" not in b"".join((*kept._texts, kept._last))

    del form, kept
    gc.collect()

    assert len(encoder._forms) == 0
