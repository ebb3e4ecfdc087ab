"""Logs: one JSON object per line on stderr, or plain coloured lines where a person watches.

Everything passes one redactor, the standard library's loggers included. It is the last defence: who
writes a log line leaves secrets, bodies and customers' texts out of it.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "***"

_OURS = ("bridge", "webhooks")

_TELLTALE = r"(?:token|secret|passw|authorization|signature|cookie|credential|api[_-]?key)"
_SECRET_KEY = re.compile(_TELLTALE, re.IGNORECASE)
# `?token=x`, `token='x'`, `"token": "x"`, `Authorization: Token x`: exceptions quote such things.
_GIVEN_AWAY = re.compile(
    rf"""({_TELLTALE}[\w-]*(?:=|["']\s*:\s*)["']?|authorization:\s*)"""
    r"""(?:(?:bearer|basic|token)\s+)?[^\s"',;&)]+""",
    re.IGNORECASE,
)
_URL_USER = re.compile(r"://[^\s/@]+@")


def configure_logs(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send what structlog and the standard library log to `stream`. Safe to repeat.

    Args:
        stream: where lines go; standard error where it is None.
        level: the least level of ours that is written; of others, warnings at least.
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                _renderer(stream),
            ],
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for package in _OURS:
        logging.getLogger(package).setLevel(level)
    logging.captureWarnings(capture=True)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask whatever its key, its type or its form gives away as a secret, at any depth."""
    return _redacted_items(event)


def _redacted_items(items: Mapping[str, object]) -> dict[str, object]:
    return {
        key: MASK if _SECRET_KEY.search(str(key)) else _redacted(value)
        for key, value in items.items()
    }


def _redacted(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case SecretStr():
            return MASK
        case bytes():
            return f"<{len(value)} bytes>"
        case Mapping():
            return _redacted_items(value)
        case list() | tuple() | set() | frozenset():
            return [_redacted(item) for item in value]
    text = value if isinstance(value, str) else repr(value)
    return _URL_USER.sub(f"://{MASK}@", _GIVEN_AWAY.sub(rf"\1{MASK}", text))


def _renderer(stream: TextIO) -> Processor:
    if stream.isatty():
        # The default formatter of exceptions prints local variables, and so secrets.
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()
