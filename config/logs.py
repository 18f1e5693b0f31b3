"""Logging: one canonical line for each unit of work, as JSON or for a terminal, with addresses masked."""

import logging
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from config.mask import mask_text

# Values of these names are ids of ours or Infobip's and never addresses, however long their digits run.
_IDS: Final = frozenset(
    {"callback_id", "key_id", "report_id", "incident_id", "message_id", "pid", "timestamp", "level", "event"}
)


def set_up_logs(form: str = "auto", level: str = "INFO") -> None:
    """Send all logging of this process, our own and the libraries', to standard error in one form."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_addresses,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not as_json:
        # Plain tracebacks: the pretty ones print local variables, and with them people's addresses.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("kombu", "amqp", "alembic", "urllib3", "celery.app.trace", "celery.worker.strategy", "celery.beat"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def hide_addresses(logger: WrappedLogger, name: str, values: EventDict) -> EventDict:
    """Mask every phone number and e-mail address in a log line's texts."""
    for key, value in values.items():
        if isinstance(value, str) and key not in _IDS:
            values[key] = mask_text(value)
    if isinstance(values.get("event"), str):
        values["event"] = mask_text(values["event"])
    return values


def log(name: str) -> Any:
    """Return the logger of a module."""
    return structlog.stdlib.get_logger(name)
