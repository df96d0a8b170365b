"""HTML made even: closed where it ends, of bounded depth, and never longer by more than a factor."""

from __future__ import annotations

import random
import re

import nh3
import pytest

from message_contacts.delivery.texts.bodies import cleaned
from message_contacts.delivery.texts.even_html import DEPTH, KNOWN, Even, evened

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_WITHOUT_END = {"br", "hr", "img", "wbr", "area", "col"}


def depth(html: str) -> int:
    """Elements in one another, of HTML in which every element is closed."""
    now = most = 0
    for end, name in _TAG.findall(html):
        if name not in _WITHOUT_END:
            now += -1 if end else 1
            most = max(now, most)
    assert now == 0, "everything is closed"
    return most


@pytest.mark.parametrize(
    "unit",
    [
        "<ul><li>",
        "<dl><dd>",
        "<div>",
        "<blockquote>",
        "<table><tr><td>",
        "<span>",
        "<b>",
        "<div><table><td></div></table>",
    ],
)
def test_what_is_nested_too_deeply_is_told_and_flattened(unit):
    even = evened(unit * 2000 + "x")
    assert even.too_deep
    assert depth(even.html) == DEPTH
    assert depth(cleaned(unit * 2000 + "x")) <= DEPTH * 2, "a table may get a body and rows"
    assert "x" in even.html


@pytest.mark.parametrize(
    "html",
    [
        "<p>one" * 1000,
        "<ul>" + "<li>one" * 1000 + "</ul>",
        "<dl>" + "<dt>one<dd>two" * 1000 + "</dl>",
        "<table>" + "<tr><td>one<td>two" * 1000 + "</table>",
        "<table>" + "<tr><td><font color=red>one</td></tr>" * 1000 + "</table>",
        "<table>" + "<tr><td><b>one</td></tr>" * 1000 + "</table>",
        "one<br>" * 1000 + "<hr>" * 1000 + "<img src=https://example.com/x.png>" * 1000,
        "<b><i>one</b></i>" * 1000,
        "<font><p>one</font></p>" * 1000,
        "<b><div>one</b></div>" * 1000,
        "<!--[if mso]><table><tr><td><![endif]--><div>one</div><!--[if mso]></td></tr></table><![endif]-->" * 200,
        "<h1>one<h2>two" * 1000,
        "<ruby>\u6f22<rp>(<rt>kan<rp>)</ruby>" * 500,
        "<table><tr><td>" * 30 + "one" + "</td></tr></table>" * 30,
        "<div>" * (DEPTH - 1) + "<p>one",
        "<a href=https://example.com>one" * 500,
        "<svg><path><g>" * 1000,
    ],
)
def test_what_ordinary_mails_leave_open_is_not_nested(html):
    assert not evened(html).too_deep


@pytest.mark.parametrize(
    ("html", "even"),
    [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"),
        ("<b>a<i>b</b>c</i>d", "<b>a<i>b</i></b><i>c</i>d"),
        ("<b>a<div>b</b>c</div>d", "<b>a<div>b</div></b>cd"),
        ("<DIV TITLE='a \"b\"' lang=en>x", '<div title="a &quot;b&quot;" lang="en">x</div>'),
        ("a < b &lt; c <3", "a &lt; b &lt; c &lt;3"),
        ("a<!-- b > --><!--> c<!-- d", "a c"),
        ("a<script>b</b></script>c<style>d", "ac"),
        ("</div></p>a</br>", "a"),
        ("<td>a</td>", "a"),
        ("a<p title=b", "a"),
        ("<p title='a>b", '<p title="">b</p>'),
        ("<custom>a<p>b</custom></p>", "a<p>b</p>"),
    ],
)
def test_everything_is_closed_where_it_ends(html, even):
    assert evened(html) == Even(even, too_deep=False)
    assert evened(even).html == even


def test_it_knows_every_element_that_is_kept():
    assert nh3.ALLOWED_TAGS <= KNOWN


@pytest.mark.parametrize("before", ["<p>", "<li>", "<table>", "<table><tr><td>", "<div>", "<b>", "<dl><dd>"])
@pytest.mark.parametrize("unit", ["<p>x", "<li>x", "<table>x", "<dd>x", "<a>x", "<td>x", "<div>x</div>", "<h1>x"])
def test_a_link_that_is_left_open_is_not_repeated_with_its_address(before, unit):
    """A parser opens formatting again in every block behind it: 100,000 characters came to a thousand million."""
    html = f'{before}<a href="https://example.com/{"x" * 5000}">' + unit * 500
    assert len(cleaned(html)) < 12 * len(html)


def test_whatever_is_published_comes_out_bounded():
    chance = random.Random(20261122)
    names = [*sorted(KNOWN), *["b", "a", "p", "div", "table", "tr", "td", "li", "svg", "select"] * 4]
    for _ in range(300):
        few = chance.sample(names, chance.randint(2, 6))
        unit = "".join(
            f"<{chance.choice(['', '', '/'])}{chance.choice(few)}{chance.choice(['', '', ' id=' + 'y' * 100])}>"
            f"{chance.choice(['', 'x'])}"
            for _ in range(chance.randint(1, 20))
        )
        html = unit * (4000 // len(unit))
        clean = cleaned(html)
        assert depth(clean) <= 2 * DEPTH + 10, unit
        assert len(clean) < 12 * len(html), unit
