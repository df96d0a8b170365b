"""Patterns with `*` and `?`, matched in time that grows with the text and never explodes."""

from __future__ import annotations


class Pattern:
    """Text in which `*` stands for any characters, none included, and `?` for exactly one.

    A pattern without `?` is a few pieces, each of which is looked for once, behind the one before. Any other walks
    through the text once and keeps every place of the pattern it could be at as one bit of a number. Neither goes back.
    """

    __slots__ = ("_bits", "_pieces", "text")

    def __init__(self, text: str) -> None:
        #: As given.
        self.text = text
        self._pieces = text.split("*")
        self._bits = _Bits(text) if "?" in text else None

    def matches(self, text: str) -> bool:
        """Whether the whole text is one that the pattern describes. Letter case counts."""
        if self._bits is not None:
            return self._bits.match(text)
        first, *others = self._pieces
        if not others:
            return text == first
        last = others.pop()
        found, end = len(first), len(text) - len(last)
        if end < found or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in others:
            at = text.find(piece, found, end)
            if at < 0:
                return False
            found = at + len(piece)
        return True

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


class _Bits:
    """A pattern as masks: bit i of a state says that its first i characters, stars aside, may have been used up."""

    __slots__ = ("_end", "_masks", "_otherwise", "_stars")

    def __init__(self, text: str) -> None:
        position = 1
        #: Where any character may be passed over.
        self._stars = 0
        #: Where any one character will do.
        self._otherwise = 0
        literals: dict[str, int] = {}
        for character in text:
            if character == "*":
                self._stars |= position
                continue
            if character == "?":
                self._otherwise |= position
            else:
                literals[character] = literals.get(character, 0) | position
            position <<= 1
        self._end = position
        self._masks = {character: mask | self._otherwise for character, mask in literals.items()}

    def match(self, text: str) -> bool:
        state, stars, masks, otherwise = 1, self._stars, self._masks, self._otherwise
        for character in text:
            state = (state & masks.get(character, otherwise)) << 1 | (state & stars)
            if not state:
                return False
        return bool(state & self._end)
