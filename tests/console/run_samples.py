"""Runs the Python programs it is given, and says for each in a line of JSON what it printed or how it failed."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys

for path in sys.argv[1:]:
    printed = io.StringIO()
    outcome: dict[str, object] = {}
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(path, run_name="__main__")
        outcome = {"answer": json.loads(printed.getvalue())}
    except Exception as failure:
        code = getattr(failure, "code", None) or getattr(failure, "error_code", None)
        if not isinstance(code, str):
            raise
        outcome = {"answer": None, "code": code}
    sys.stdout.write(json.dumps(outcome) + "\n")
