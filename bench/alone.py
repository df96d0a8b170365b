"""Runs the program with every change committed by itself, to see what grouping is worth. For measuring only."""

from __future__ import annotations

from message_contacts.cli.main import main
from message_contacts.storage import sqlite_writer

if __name__ == "__main__":
    assert sqlite_writer.MOST_STEPS > 1, "renamed: there would be nothing to set"
    sqlite_writer.MOST_STEPS = 1  # no setting: nobody should run a service like that
    main()
