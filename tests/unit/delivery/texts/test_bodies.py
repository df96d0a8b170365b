"""Bodies of messages that take far more to read than they say."""

from __future__ import annotations

import pytest

from message_contacts.delivery.texts import bodies
from message_contacts.delivery.texts.bodies import TooInvolvedError, check_body, from_markdown, html_body
from message_contacts.operations.message_parameters import MARKDOWN_LENGTH
from tests.unit.delivery.texts.test_message_texts import make_message

INVOLVED = {
    "brackets": "[" * MARKDOWN_LENGTH,
    "pictures": "![" * (MARKDOWN_LENGTH // 2),
    "lazy lines": ">" * 20 + "a\n" + "a\n" * 20_000,
    "brackets in lines": "[\n" * (MARKDOWN_LENGTH // 2),
    "references": f"[a]: {'x' * 25_000}\n\n" + "[a]" * 8_000,
    "empty cells": "|" + "a|" * 20 + "\n|" + "-|" * 20 + "\n" + "|b\n" * 3_300,
    "empty cells in a list": "- |" + "a|" * 20 + "\n  |" + "-|" * 20 + "\n" + "  |b\n" * 3_300,
    "empty cells in a quotation": "> |" + "a|" * 20 + "\n> " + "-|" * 20 + "\n" + "> |b\n" * 3_300,
}
ORDINARY = {
    "prose": "The *quick* brown `fox` jumps over [a link](https://example.com/x) and **bold**.\n\n",
    "a list": "- one with *text*\n- two [link](https://example.com)\n",
    "short lines": "a\n\n",
    "a table": "| a | b |\n|---|---|\n" + "| one | two |\n" * 20 + "\n",
    "small cells": "| 1 | 2 | 3 |\n|---|---|---|\n" + "| 1 | 2 | 3 |\n" * 200 + "\n",
    "tasks": "- [x] done [1]\n- [ ] open\n",
    "Chinese": "磁盘已满，请处理。\n",
}


@pytest.mark.parametrize("markdown", INVOLVED.values(), ids=INVOLVED)
def test_markdown_that_takes_steps_by_the_square_is_refused_and_where_stored_gives_way_to_the_text(markdown):
    with pytest.raises(TooInvolvedError):
        check_body(None, markdown)
    assert html_body(make_message(markdown=markdown, text="Plain.")) == html_body(make_message(text="Plain."))


@pytest.mark.parametrize("unit", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_markdown_of_the_greatest_length_takes_less_than_half_of_the_steps(unit, monkeypatch):
    monkeypatch.setattr(bodies, "MARKDOWN_STEPS", bodies.MARKDOWN_STEPS // 2)
    check_body(None, (unit * MARKDOWN_LENGTH)[:MARKDOWN_LENGTH])


def test_each_body_has_all_the_steps(monkeypatch):
    monkeypatch.setattr(bodies, "MARKDOWN_STEPS", 100)
    assert [from_markdown("*a*") for _ in range(20)] == ["<p><em>a</em></p>\n"] * 20


def test_html_is_refused_when_it_is_nested_too_deeply_and_flattened_where_it_is_stored():
    html = "<ul><li>" * 20_000 + "the end"
    with pytest.raises(TooInvolvedError):
        check_body(html, None)
    body = html_body(make_message(html=html))
    assert body.count("<ul>") + body.count("<li>") < 21_000, "what is flattened does not nest"
    assert "the end" in body
