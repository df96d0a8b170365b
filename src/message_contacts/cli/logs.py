"""Where logs go: standard error, one line an event, as LOG_FORMAT and LOG_LEVEL say."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from message_contacts.settings import Settings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(settings: Settings) -> None:
    """Send all logs to standard error. Called once, by the command that starts."""
    level = _LEVELS[settings.log_level]
    before: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if settings.log_format == "json":
        processors = [*before, structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(_json)]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
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


def _json(event: object, **_options: object) -> bytes:
    return orjson.dumps(event, default=str)


class _Forward(logging.Handler):
    """Hands records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(
            record.levelno, "library_message", logger=record.name, text=record.getMessage(), exc_info=record.exc_info
        )
