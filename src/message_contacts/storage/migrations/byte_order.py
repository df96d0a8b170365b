"""Text on PostgreSQL is compared and ordered by its bytes, as SQLite does.

A server's own order depends on its language and changes with its C library, which would break indexes, and pages that
are cut by comparing ids. Imported for its effect on how SQLAlchemy writes the type.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles


@compiles(Text, "postgresql")
def _text(_type: Text, _compiler: Any, **_options: Any) -> str:
    return 'TEXT COLLATE "C"'
