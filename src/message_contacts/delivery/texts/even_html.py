"""Makes published HTML even: everything closed where it ends, and nothing nested deeper than a mail needs.

The parser behind `nh3` does what browsers do, and some of that takes time or room by the square of the input: it
looks through all open elements for one to close, and opens formatting again that was left open, with all its
attributes. Of what comes out here, nothing is left for it to repair. What is safe in a mail is not decided here, but
by `nh3` after it.

Source: HTML Standard, 13.2.6 (tree construction), as far as it tells what ends what.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

#: Elements in one another that a body may have. Mails made of tables have 30 to 40; browsers stop at 512.
DEPTH = 100
#: Attributes that are read of one element.
_ATTRIBUTES = 50
#: Formatting that goes on behind an element that ends across it, at most.
_REOPENED = 3

_VOID = frozenset({"area", "br", "hr", "img", "wbr"})
_FORMATTING = frozenset({"a", "b", "code", "em", "i", "s", "small", "strike", "strong", "tt", "u"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {
    "address", "article", "aside", "blockquote", "center", "details", "div", "dl", "figcaption", "figure", "footer",
    "header", "hgroup", "hr", "nav", "ol", "p", "pre", "summary", "table", "ul",
}  # fmt: skip
_CELLS = frozenset({"td", "th", "caption"})
_ROWS = frozenset({"tbody", "thead", "tfoot"})
_TABLE_PARTS = _CELLS | _ROWS | {"tr", "col", "colgroup"}
#: Nothing inside of these closes anything outside.
_WALLS = _CELLS | {"table"}
_ITEMS = {"li": ("li",), "dd": ("dd", "dt"), "dt": ("dd", "dt")}
_RUBY = frozenset({"rp", "rt", "rtc"})
_INLINE = frozenset(
    {
        "abbr", "acronym", "bdi", "bdo", "cite", "data", "del", "dfn", "ins", "kbd", "map", "mark", "q", "ruby", "samp",
        "span", "sub", "sup", "time", "var",
    }
)  # fmt: skip
#: Elements whose end nobody has to write, so that one that is missing does not matter.
_END_OPTIONAL = _TABLE_PARTS | _RUBY | {"p", "li", "dd", "dt"}
#: What is kept; of anything else only the content is.
KNOWN = _VOID | _FORMATTING | _BLOCKS | _TABLE_PARTS | _RUBY | _INLINE | frozenset(_ITEMS)
#: Of these nothing is kept.
_DROPPED = ("script", "style")

_MARKUP = re.compile(r"<(?:(/?)([A-Za-z][^\s/>]*)|(!--)|[!?/])")
_COMMENT_END = re.compile(r"--!?>")
_ATTRIBUTE = re.compile(
    r"""[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)|(?=>)))?""",
)
_TAG_END = re.compile(r"[\s/]*>")
_DROPPED_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _DROPPED}


@dataclass(frozen=True, slots=True)
class Even:
    """HTML in which every element is closed where it ends."""

    html: str
    #: Whether elements were left out, their content not, as they stood deeper than `DEPTH`.
    too_deep: bool


def evened(html: str) -> Even:
    """The same HTML without what a parser would have to repair. Takes time in proportion to its length.

    Elements that mails do not have, comments, scripts and style sheets are left out.
    """
    tree = _Tree()
    at = 0
    while (found := _MARKUP.search(html, at)) is not None:
        tree.text(html[at : found.start()])
        end, name, comment = found.groups()
        if name is not None:
            at = _tag(tree, html, found.end(), name.lower(), is_end=bool(end))
        elif comment is not None:
            at = _behind_comment(html, found.end())
        else:
            at = html.find(">", found.end()) + 1 or len(html)
    tree.text(html[at:])
    tree.close_to(0)
    return Even("".join(tree.out), tree.too_deep)


def _behind_comment(html: str, at: int) -> int:
    for short in (">", "->"):
        if html.startswith(short, at):
            return at + len(short)
    found = _COMMENT_END.search(html, at)
    return len(html) if found is None else found.end()


def _tag(tree: _Tree, html: str, at: int, name: str, *, is_end: bool) -> int:
    """Take a tag whose name has been read; where it ends. One that does not end is dropped, with all behind it."""
    attributes: dict[str, str] = {}
    while (end := _TAG_END.match(html, at)) is None:
        found = _ATTRIBUTE.match(html, at)
        if found is None:
            return len(html)
        at = found.end()
        if len(attributes) < _ATTRIBUTES:
            value = next((text for text in found.groups()[1:] if text is not None), "")
            attributes.setdefault(found[1].lower(), value)
    at = end.end()
    if is_end:
        tree.end(name)
    elif name in _DROPPED:
        last = _DROPPED_END[name].search(html, at)
        return len(html) if last is None else last.start()
    elif name in KNOWN:
        tree.start(name, attributes)
    return at


@dataclass(slots=True)
class _Tree:
    """The elements that are open, the outermost first, and what has been written so far."""

    out: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    #: The attributes of each of them as written.
    written: list[str] = field(default_factory=list)
    #: How many of a name are open.
    how_many: Counter[str] = field(default_factory=Counter)
    too_deep: bool = False
    #: Elements that were closed before their end tags, by name: these are still to come, and end nothing else.
    ended_early: Counter[str] = field(default_factory=Counter)

    def text(self, text: str) -> None:
        """Text, in which a `<` is no markup."""
        if text:
            self.out.append(text.replace("<", "&lt;"))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A start tag, and before it the ends that it implies."""
        if not self._make_room(name):
            return
        written = "".join(
            f' {key}="{value.replace(chr(34), "&quot;")}"' for key, value in attributes.items() if _is_plain(key)
        )
        if name in _VOID or name == "col":
            self.out.append(f"<{name}{written}>")
        elif len(self.open) >= DEPTH:
            self.too_deep = True
        else:
            self._open(name, written)

    def end(self, name: str) -> None:
        """An end tag; one that ends nothing is dropped."""
        if self.ended_early[name]:
            self.ended_early[name] -= 1
            return
        place = self._ended_by(name)
        if place is None:
            return
        within = [*zip(self.open[place + 1 :], self.written[place + 1 :], strict=True)]
        across = [each for each in within if each[0] not in _END_OPTIONAL]
        self.close_to(place)
        if name in _FORMATTING or name in _INLINE:
            self.ended_early.update(each for each, _ in across if each not in _FORMATTING)
            if len(across) <= _REOPENED and all(each in _FORMATTING and not written for each, written in across):
                for each, written in across:
                    self._open(each, written)

    def close_to(self, place: int) -> None:
        """Close the elements from that place on."""
        for name in reversed(self.open[place:]):
            self.out.append(f"</{name}>")
            self.how_many[name] -= 1
            if name in _WALLS:
                self.ended_early.clear()
        del self.open[place:], self.written[place:]

    def _open(self, name: str, written: str) -> None:
        self.out.append(f"<{name}{written}>")
        self.open.append(name)
        self.how_many[name] += 1
        self.written.append(written)

    def _make_room(self, name: str) -> bool:
        """Close what a start tag ends; False when it cannot stand here."""
        if name in _TABLE_PARTS:
            return self._make_room_in_table(name)
        if name in _ITEMS:
            self._close_item(_ITEMS[name])
        elif name == "a":
            return self._close_link()
        elif name in _RUBY:
            place = self._nearest(("ruby",), _WALLS)
            if place is not None:
                self.close_to(place + 1)
            return place is not None
        if name in _BLOCKS or name in _ITEMS:
            paragraph = self._nearest(("p",), _WALLS)
            if paragraph is not None:
                self.close_to(paragraph)
        if name in _HEADINGS and self.open and self.open[-1] in _HEADINGS:
            self.close_to(len(self.open) - 1)
        if name == "table":
            # In a cell it is a table of its own; elsewhere in a table it ends that one.
            table = self._nearest(("table",), _CELLS)
            if table is not None:
                self.close_to(table)
        return True

    def _make_room_in_table(self, name: str) -> bool:
        table = self._nearest(("table",), ())
        if table is None:
            return False
        if name in ("td", "th"):
            inside: tuple[str, ...] = ("tr", *_ROWS, "table")
        elif name == "tr":
            inside = (*_ROWS, "table")
        else:
            inside = ("colgroup", "table") if name == "col" else ("table",)
        place = self._nearest(inside, ())
        self.close_to((table if place is None else place) + 1)
        return True

    def _close_item(self, names: tuple[str, ...]) -> None:
        """An item of a list ends the one before it, unless it stands in another element of that one."""
        for place in range(len(self.open) - 1, -1, -1):
            name = self.open[place]
            if name in names:
                self.close_to(place)
                return
            if name not in _FORMATTING and name not in _INLINE and name not in ("address", "div", "p"):
                return

    def _close_link(self) -> bool:
        """No link stands in another: the first one ends, or, where blocks stand between them, the second is none."""
        place = self._nearest(("a",), _WALLS)
        if place is not None:
            if any(name not in _FORMATTING and name not in _INLINE for name in self.open[place:]):
                return False
            self.close_to(place)
        return True

    def _ended_by(self, name: str) -> int | None:
        """The open element that an end tag ends."""
        if name in _HEADINGS:
            return self._nearest(tuple(_HEADINGS), _WALLS)
        if name in _TABLE_PARTS or name == "table":
            return self._nearest((name,), () if name == "table" else ("table",))
        if name == "li":
            return self._nearest((name,), _WALLS | {"ul", "ol"})
        if name in _BLOCKS or name in _ITEMS or name in _FORMATTING:
            return self._nearest((name,), _WALLS)
        # Any other ends only within the block in which it was opened.
        return self._nearest((name,), _WALLS | _BLOCKS | _ITEMS.keys())

    def _nearest(self, names: tuple[str, ...], walls: frozenset[str] | tuple[str, ...]) -> int | None:
        """The innermost open element of one of these names that no wall hides."""
        if not any(self.how_many[name] for name in names):
            return None
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place] in names:
                return place
            if self.open[place] in walls:
                return None
        return None


def _is_plain(attribute: str) -> bool:
    return not any(sign in attribute for sign in "\"'<=")
