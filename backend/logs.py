"""Structured logs: one JSON object a line."""

import logging
import sys
from typing import TextIO

import structlog

from backend.settings import Settings


def configure(settings: Settings) -> None:
    """Send log lines to LOG_FILE or standard error, from LOG_LEVEL up."""
    out: TextIO = sys.stderr
    if settings.log_file is not None:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        out = settings.log_file.open("a", encoding="utf-8", buffering=1)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
