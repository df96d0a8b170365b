"""How many parts a text message is sent, and paid, as. Source: 3GPP TS 23.038, section 6."""

from __future__ import annotations

_GSM_LETTERS = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Letters that take two places.
_GSM_EXTENSION = frozenset("^{}\\[~]|€\f")


def sms_parts(text: str) -> int:
    """Parts of a text: 160 letters of the GSM alphabet or 70 others in one, 153 or 67 in each of several."""
    if all(letter in _GSM_LETTERS or letter in _GSM_EXTENSION for letter in text):
        length, single, several = len(text) + sum(letter in _GSM_EXTENSION for letter in text), 160, 153
    else:
        length, single, several = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= single else -(-length // several)
