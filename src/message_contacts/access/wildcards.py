"""Patterns with `*` and `?`, matched in time that grows with the text and never explodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Stands in resources for what a call does not name. Only `*` matches it: `?` is one character of a name.
_NOT_NAMED = "*"


class Patterns:
    """Texts in which `*` stands for any characters, none included, and `?` for exactly one that is no `*`.

    Those without `?` are a few pieces each, of which each is looked for once, behind the one before. All the others are
    one automaton together, which walks through the text once. Neither goes back.
    """

    __slots__ = ("_bits", "_pieces", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        #: As given.
        self.texts: Sequence[str] = tuple(texts)
        self._pieces = [text.split("*") for text in self.texts if "?" not in text]
        marked = [text for text in self.texts if "?" in text]
        self._bits = _Bits(marked) if marked else None

    def match(self, text: str) -> bool:
        """Whether the whole text is one that some pattern describes. Letter case counts."""
        for pieces in self._pieces:
            if _follow(pieces, text):
                return True
        return self._bits is not None and self._bits.match(text)

    def __repr__(self) -> str:
        return f"Patterns({self.texts!r})"


def _follow(pieces: Sequence[str], text: str) -> bool:
    """Whether the text begins with the first piece, ends with the last, and has the others between, in their order."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    found, end = len(first), len(text) - len(last)
    if end < found or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in pieces[1:-1]:
        at = text.find(piece, found, end)
        if at < 0:
            return False
        found = at + len(piece)
    return True


class _Bits:
    """Patterns one behind the other as masks: a bit of a state says how much of its pattern may have been used up.

    Each pattern has one bit for each of its characters, stars aside, which says that those before it were used up, and
    one for its end, from which nothing leads into the next pattern.
    """

    __slots__ = ("_beginnings", "_ends", "_masks", "_otherwise", "_stars")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._beginnings = self._ends = 0
        #: Where any character may be passed over.
        self._stars = 0
        #: Where any one character will do.
        self._otherwise = 0
        literals: dict[str, int] = {}
        position = 1
        for pattern in patterns:
            self._beginnings |= position
            for character in pattern:
                if character == "*":
                    self._stars |= position
                    continue
                if character == "?":
                    self._otherwise |= position
                else:
                    literals[character] = literals.get(character, 0) | position
                position <<= 1
            self._ends |= position
            position <<= 1
        self._masks = {character: mask | self._otherwise for character, mask in literals.items()}
        self._masks[_NOT_NAMED] = 0

    def match(self, text: str) -> bool:
        state, stars, masks, otherwise = self._beginnings, self._stars, self._masks, self._otherwise
        for character in text:
            state = (state & masks.get(character, otherwise)) << 1 | (state & stars)
            if not state:
                return False
        return bool(state & self._ends)
