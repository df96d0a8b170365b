"""What was published, as HTML that can stand in a mail."""

from __future__ import annotations

from markupsafe import escape

from message_contacts.delivery.messages import Message

#: Style properties that published HTML may use; they cannot hide what stands around it.
_STYLES = frozenset(
    {
        "background-color", "border", "color", "font-size", "font-style", "font-weight", "margin", "padding",
        "text-align", "text-decoration", "width",
    }
)  # fmt: skip


def html_body(message: Message) -> str:
    """The HTML as given, or made of the Markdown, or of the text: whole elements only, nothing that runs."""
    if message.html is not None:
        return cleaned(message.html)
    if message.markdown is not None:
        return cleaned(_from_markdown(message.markdown))
    return f'<div style="white-space:pre-wrap">{escape(message.text.strip())}</div>'


def cleaned(html: str) -> str:
    """Published HTML without scripts, forms, style sheets and links to anything but the web and mail.

    Elements that were left open are closed, so that it cannot swallow what follows it.
    """
    import nh3  # noqa: PLC0415 - only workers that meet such a message pay for it

    return nh3.clean(
        html,
        attributes={**nh3.ALLOWED_ATTRIBUTES, "*": {"style", "lang", "dir", "title"}},
        filter_style_properties=set(_STYLES),
        url_schemes={"http", "https", "mailto", "tel"},
    )


def _from_markdown(text: str) -> str:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above

    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
