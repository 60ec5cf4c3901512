"""Structured logs: one JSON object a line, without secrets, the last of them kept for whoever has to look."""

import logging
import sys
from typing import TextIO

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from backend.redaction import Redaction
from backend.services.health.logbook import Logbook
from backend.settings import Settings

LOGBOOK = Logbook()
"""Lines of this process. It is one for the process because logging is: everything else gets it handed down."""

_SINKS: list[TextIO] = []
"""Where lines of severity `info` go to; nowhere before `configure`, and where they are not wanted."""


def configure(settings: Settings) -> None:
    """Send log lines to LOG_FILE or standard error, from LOG_LEVEL up, those of libraries included."""
    out: TextIO = sys.stderr
    if settings.log_file is not None:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        out = settings.log_file.open("a", encoding="utf-8", buffering=1)
    level = getattr(logging, settings.log_level.upper())
    _SINKS.clear()
    if level <= logging.INFO:
        _SINKS.append(out)
    structlog.configure(
        processors=pipeline(LOGBOOK, Redaction(secrets_of(settings))),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[IntoPipeline()], level=logging.WARNING, force=True)


def write_plain(lines: list[str]) -> None:
    """Write rendered lines about requests that hold nothing to redact, and have the logbook keep them."""
    for line in lines:
        LOGBOOK.keep("request", line)
    for out in _SINKS:
        out.write("\n".join(lines) + "\n")
        out.flush()


def pipeline(logbook: Logbook, redaction: Redaction) -> list[Processor]:
    """What each line goes through; nothing is rendered, printed or kept before it is redacted."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redaction,
        Rendering(logbook),
    ]


class Rendering:
    """The last step: makes the line, and has the logbook keep it."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook
        self._render = structlog.processors.JSONRenderer()

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        """Render one event."""
        name = str(event.get("event", ""))
        line = str(self._render(logger, method, event))
        self._logbook.keep(name, line)
        return line


class IntoPipeline(logging.Handler):
    """Passes on what libraries log, so that it is redacted like everything else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record by structlog."""
        log = structlog.get_logger()
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None)


def secrets_of(settings: Settings) -> list[str]:
    """Every secret that is configured, so that it can be kept out of the log wherever it turns up."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
