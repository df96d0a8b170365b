"""Templates that are filled often."""

from __future__ import annotations

from message_contacts.verification.texts.form import Form, blanks

BLANKS = blanks(["name", "node", "link"])


def test_what_is_filled_in_part_is_filled_as_the_whole_is():
    form = Form("{name}: {node} {name}, {link}.".format(**BLANKS))
    fields = {"name": "Tom", "node": "fd-1", "link": "https://a.example/"}
    in_part = form.filled_in_part({"name": "Tom", "other": "x"}).filled_in_part({"node": "fd-1"})
    assert in_part.fill({"link": "https://a.example/"}) == form.fill(fields) == "Tom: fd-1 Tom, https://a.example/."
    assert form.fill({**fields, "name": "Ann"}) == "Ann: fd-1 Ann, https://a.example/."


def test_a_field_that_looks_like_a_blank_stays_as_it_is():
    form = Form("{name} {node}".format(**BLANKS)).filled_in_part({"name": BLANKS["link"]})
    assert form.fill({"node": "fd-1"}) == f"{BLANKS['link']} fd-1"
