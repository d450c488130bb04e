"""Logs: JSON lines for CloudWatch, a readable form for a terminal, and no secret in either."""

import logging
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from hub.redaction import Redactor

QUIET = ("aiobotocore", "aiohttp", "asyncio", "boto3", "botocore", "s3transfer", "urllib3")
"""Libraries whose DEBUG lines hold whole requests and answers, among them the secret as Secrets Manager sends it, which
nobody could redact before it is known; and whose INFO lines say only which credentials were found."""


def configure(level: str, *, stream: TextIO, terminal: bool | None = None, redactor: Redactor | None = None) -> None:
    """Set up structlog and the standard library's logging, once at the start of the process.

    Both go the same way: fields bound with `structlog.contextvars` (account, region, function, message_id, scan_id),
    level, time (ISO 8601, UTC), then redaction of the finished line.

    Args:
        level: The least level that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
        stream: Where lines go.
        terminal: Whether a person reads along; by default whether the stream is a terminal.
        redactor: Knows the secrets, also those that it learns later.
    """
    readable = stream.isatty() if terminal is None else terminal
    redactor = redactor if redactor is not None else Redactor()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]

    def without_secrets(_logger: object, _method: str, line: MutableMapping[str, Any] | str) -> str:
        # Last of all, on the finished text: no field, traceback or foreign line gets past it.
        return redactor.text(str(line))

    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(readable=readable),
                without_secrets,
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.root.level))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _rendering(*, readable: bool) -> list[Processor]:
    if readable:
        # structlog's default for tracebacks prints local variables, and with them what must not be seen.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
