"""Write down what a release's operations look like, for the console's page of changes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from message_contacts.console.site.explorer_history import FOLDER, outline
from message_contacts.operations.catalogue import REGISTRY


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write the file of a release; the exit status says whether its name was one."""
    name = arguments[0] if len(arguments) == 1 else ""
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", name):
        print("usage: outline_operations.py MAJOR.MINOR.PATCH", file=sys.stderr)
        return 2
    text = json.dumps(outline(REGISTRY), indent=1, sort_keys=True)
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
