"""The colours of the pages can be told apart by people who see less well: WCAG 2.2, level AA."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import message_contacts.console

STYLE = (Path(message_contacts.console.__file__).parent / "templates" / "verification.css").read_text(encoding="utf-8")
PAIRS = [
    ("text", "card"),
    ("text", "page"),
    ("text", "line"),
    ("quiet", "card"),
    ("link", "card"),
    ("link", "page"),
    ("accent-text", "accent"),
    ("good", "good-back"),
    ("warn", "warn-back"),
    ("bad", "bad-back"),
]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for name, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_text_has_a_contrast_of_four_and_a_half_to_one(palette, front, back):
    colours = palettes()[palette]
    lighter, darker = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
