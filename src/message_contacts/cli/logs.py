"""Where logs go: standard error, one line an event, as LOG_FORMAT and LOG_LEVEL say."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from message_contacts.settings import Settings

_WITH_TRACE: tuple[Any, ...] = (structlog.processors.StackInfoRenderer(), structlog.processors.dict_tracebacks)
_LEVEL_NAMES = {"warn": "warning", "exception": "error"}
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(settings: Settings) -> None:
    """Send all logs to standard error. Called once, by the command that starts."""
    level = _LEVELS[settings.log_level]
    if settings.log_format == "json":
        processors: list[Any] = [_json_line]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        before: list[Any] = [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
        ]
        processors = [*before, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    # Libraries log the standard way. What they have to say below a warning is theirs, not the operator's.
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(max(level, logging.WARNING))


def _json_line(_logger: object, method: str, event: MutableMapping[str, Any]) -> bytes:
    """An event as one JSON object. One function does what a chain of processors would: every call writes a line."""
    if event.get("exc_info") or event.get("stack_info"):
        for processor in _WITH_TRACE:
            event = processor(None, method, event)
    event["level"] = _LEVEL_NAMES.get(method, method)
    # orjson writes a datetime as ISO 8601; the offset says UTC.
    event["timestamp"] = datetime.now(UTC)
    return orjson.dumps(event, default=str)


class _Forward(logging.Handler):
    """Hands records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(
            record.levelno, "library_message", logger=record.name, text=record.getMessage(), exc_info=record.exc_info
        )
