"""What follows a commit: counting it, moving a log, waking whoever works on what was enqueued."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_T = TypeVar("_T")


def behind_commit(task: Callable[[], _T]) -> _T | None:
    """Do what follows a commit. A bug in it is logged and fails nobody: what is committed is answered as committed.

    Returns: What the task does; None when it has a bug.
    """
    try:
        return task()
    except Exception:  # whatever it is: the log has its trace
        log.exception("after_commit_failed")
        return None
