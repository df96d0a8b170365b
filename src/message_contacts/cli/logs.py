"""Where logs go: standard error, one line an event, as LOG_FORMAT and LOG_LEVEL say.

What our own code logs holds no address, because the types of addresses show themselves masked. Texts that others made -
of exceptions, of libraries - may quote anything; they are masked by their looks, and traces show places, never values.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog

from message_contacts.settings import Settings

_WITH_TRACE: tuple[Any, ...] = (
    structlog.processors.StackInfoRenderer(),
    # The values of local variables would be addresses, codes and secrets.
    structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
)
#: What must not be read in a text that somebody else made, and what stands there instead. The order counts.
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Queries of requests, paths of links.
    (re.compile(r"\?[^\s?'\"]*=[^\s'\"]*"), "?***"),
    (re.compile(r"/verify/[^\s'\"]+"), "/verify/***"),
    (re.compile(r"[A-Za-z0-9+_.\-]+(?:@|%40)(?=[A-Za-z0-9])"), "***@"),
    # Phone numbers, codes; also ids of digits, which cannot be told from them.
    (re.compile(r"(?<![0-9A-Za-z])\+?(?:[0-9]{1,4}-)?[0-9]{5,}(?![0-9A-Za-z])"), "***"),
    # Secrets, signatures, tokens: long runs with both digits and letters; paths and names of modules are none.
    (re.compile(r"(?<![\w/.+=\-])(?=[\w+=\-]*[0-9])(?=[\w+=\-]*[A-Za-z])[\w+/=\-]{16,}(?![\w/])"), "***"),
)
#: Parts of a rendered exception that hold texts.
_SPOKEN = frozenset({"exc_value", "exc_notes", "syntax_error"})
_LEVEL_NAMES = {"warn": "warning", "exception": "error"}
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(settings: Settings) -> None:
    """Send all logs to standard error. Called once, by the command that starts."""
    level = _LEVELS[settings.log_level]
    wrapper: Any = structlog.make_filtering_bound_logger(level)
    if settings.log_format == "json":
        wrapper = type("JsonLines", (_JsonLines, wrapper), {})
        processors: list[Any] = [_json_line]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        before: list[Any] = [
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
        ]
        processors = [
            *before,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_print_trace),
        ]
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=processors,
        wrapper_class=wrapper,
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    # Libraries log the standard way. What they have to say below a warning is theirs, not the operator's.
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(max(level, logging.WARNING))


class _JsonLines:
    """Part of a bound logger: what structlog does with a chain of processors, for the only one there is."""

    _context: Mapping[str, Any]
    _logger: structlog.BytesLogger

    def _proxy_to_logger(self, method: str, event: str | None = None, **fields: Any) -> None:
        self._logger.msg(_json_line(None, method, {**self._context, **fields, "event": event}))


def _json_line(_logger: object, method: str, event: MutableMapping[str, Any]) -> bytes:
    """An event as one JSON object. One function does what a chain of processors would: every call writes a line."""
    if event.get("exc_info") or event.get("stack_info"):
        for processor in _WITH_TRACE:
            event = processor(None, method, event)
        event["exception"] = _masked(event.get("exception"))
    event["level"] = _LEVEL_NAMES.get(method, method)
    # orjson writes a datetime as ISO 8601; the offset says UTC.
    event["timestamp"] = datetime.now(UTC)
    # Dataclasses of ours show themselves, masked, instead of being taken apart.
    return orjson.dumps(event, default=str, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _print_trace(output: TextIO, exc_info: Any) -> None:
    """Write a trace for people, without the values of variables."""
    output.write(masked_text("\n" + "".join(traceback.format_exception(*exc_info)).rstrip("\n")))


def masked_text(text: str) -> str:
    """A text that somebody else made without what looks like an address, a number, a token or a secret."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def _masked(value: Any, *, spoken: bool = False) -> Any:
    """What an exception was rendered to, its texts masked; names of files, functions and types are left alone."""
    if isinstance(value, dict):
        return {key: _masked(part, spoken=spoken or key in _SPOKEN) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, spoken=spoken) for part in value]
    return masked_text(value) if spoken and isinstance(value, str) else value


class _Forward(logging.Handler):
    """Hands records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        text = masked_text(record.getMessage())
        structlog.get_logger(record.name).log(
            record.levelno, "library_message", logger=record.name, text=text, exc_info=record.exc_info
        )
