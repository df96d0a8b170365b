"""What was published, as HTML that can stand in a mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from message_contacts.delivery.messages import Message
from message_contacts.delivery.texts.even_html import evened

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: Style properties that published HTML may use; they cannot hide what stands around it.
_STYLES = frozenset(
    {
        "background-color", "border", "color", "font-size", "font-style", "font-weight", "margin", "padding",
        "text-align", "text-decoration", "width",
    }
)  # fmt: skip
#: Rules of Markdown that may be tried for one body. Ordinary text of the greatest length takes less than half of it.
MARKDOWN_STEPS = 600_000
#: Characters of HTML that Markdown may come to: links by reference repeat their target each time, and a row of a table
#: has all its cells, however few are written.
MARKDOWN_COMES_TO = 300_000
#: Cells that tables of Markdown may have, those that rows leave out included.
MARKDOWN_CELLS = 15_000
#: HTML of more characters is not made on the event loop; Markdown never is, since few characters can come to many.
LARGE = 10_000


_BETWEEN_BLOCKS = re.compile(r"\n[ \t]*\n")
#: What the line of a table is made of that says how many columns it has, in a list or a quotation too.
_OF_COLUMNS = "|:- \t>*+.)0123456789"


class TooInvolvedError(Exception):
    """A body is nested too deeply, or takes more steps to read than anything that a person writes."""


def html_body(message: Message) -> str:
    """The HTML as given, or made of the Markdown, or of the text: whole elements only, nothing that runs.

    What is too involved, and was stored before that was refused, is flattened or gives way to the text.
    """
    if message.html is not None:
        return cleaned(message.html)
    if message.markdown is not None:
        try:
            return cleaned(from_markdown(message.markdown))
        except TooInvolvedError:
            pass
    return f'<div style="white-space:pre-wrap">{escape(message.text.strip())}</div>'


def takes_long(html: str | None, markdown: str | None) -> bool:
    """Whether to make a body of it may take so long that nothing else should wait for it."""
    return markdown is not None or len(html or "") > LARGE


def check_body(html: str | None, markdown: str | None) -> None:
    """Refuse what no mail needs. Raises: TooInvolvedError."""
    if html is not None and evened(html).too_deep:
        raise TooInvolvedError
    if markdown is not None and evened(from_markdown(markdown)).too_deep:
        raise TooInvolvedError


def cleaned(html: str) -> str:
    """Published HTML without scripts, forms, style sheets and links to anything but the web and mail.

    Elements that were left open are closed, so that it cannot swallow what follows it.
    """
    import nh3  # noqa: PLC0415 - only workers that meet such a message pay for it

    return nh3.clean(
        evened(html).html,
        attributes={**nh3.ALLOWED_ATTRIBUTES, "*": {"style", "lang", "dir", "title"}},
        filter_style_properties=set(_STYLES),
        url_schemes={"http", "https", "mailto", "tel"},
    )


def from_markdown(text: str) -> str:
    """Markdown as HTML. Raises: TooInvolvedError."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above

    if _cells(text) > MARKDOWN_CELLS:
        raise TooInvolvedError
    parser = MarkdownIt("commonmark", {"html": False})
    _count_steps(parser)
    parser.enable("table")
    environment: dict[str, Any] = {}
    tokens = parser.parse(text, environment)
    length = sum(_length(each) for token in tokens for each in (token, *(token.children or ())))
    if length > MARKDOWN_COMES_TO:
        raise TooInvolvedError
    return str(parser.renderer.render(tokens, parser.options, environment))


def _cells(text: str) -> int:
    """How many cells the tables have, at most: a row has all columns, however few are written."""
    found = 0
    for block in _BETWEEN_BLOCKS.split(text):
        lines = block.split("\n")
        columns = [line.strip("| \t>").count("|") + 1 for line in lines if "|" in line and not line.strip(_OF_COLUMNS)]
        found += max(columns, default=0) * len(lines)
    return found


def _length(token: Token) -> int:
    """Characters of HTML, nearly: a tag has brackets around its name, and a slash or an end of line."""
    tag = len(token.tag) + 3 if token.tag else 0
    return len(token.content) + tag + sum(len(str(value)) for value in token.attrs.values())


def _count_steps(parser: MarkdownIt) -> None:
    """Have a parser give up after so many rules: how often it tries them can grow by the square of the text."""
    left = MARKDOWN_STEPS

    def counted(rule: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise TooInvolvedError
            return rule(*given)

        return step

    for ruler in (parser.block.ruler, parser.inline.ruler, parser.inline.ruler2):
        for rule in ruler.__rules__:
            rule.fn = counted(rule.fn)
