"""Runs the program with every change committed by itself, to see what grouping is worth. For measuring only."""

from __future__ import annotations

from message_contacts.cli.main import main
from message_contacts.storage import sqlite_writer

if __name__ == "__main__":
    # Whoever renames it notices here: there would be nothing to set.
    assert sqlite_writer._MOST_STEPS > 1  # noqa: SLF001 - no setting, nobody should run a service like that
    sqlite_writer._MOST_STEPS = 1  # noqa: SLF001 - as above
    main()
