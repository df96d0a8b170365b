"""What the operator can set. Nothing else in the program reads the environment."""

from __future__ import annotations

from message_contacts.settings.declared import (
    DEMO_ACCESS_KEY_ID,
    DEMO_ACCESS_KEY_SECRET,
    PREFIX,
    Declaration,
    Settings,
    declarations,
    is_loopback,
)
from message_contacts.settings.forms import CAPTURE
from message_contacts.settings.reading import CONFIG, SettingsError, load

__all__ = [
    "CAPTURE",
    "CONFIG",
    "DEMO_ACCESS_KEY_ID",
    "DEMO_ACCESS_KEY_SECRET",
    "PREFIX",
    "Declaration",
    "Settings",
    "SettingsError",
    "declarations",
    "is_loopback",
    "load",
]
