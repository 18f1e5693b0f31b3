"""The Celery application with its tasks: `celery -A workers.app worker` and `celery -A workers.app beat`."""

from typing import Any, Final

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_process_init

from config.broker import make_broker
from config.collector import OF_SLICES, calm_collector
from config.logs import set_up_logs
from config.names import (
    QUEUE_MAINTAIN,
    QUEUE_NOTIFY,
    QUEUE_RESEND,
    TASK_BALANCE,
    TASK_FOLD,
    TASK_PROCESS_INBOX,
    TASK_PURGE,
    TASK_RESEND,
    TASK_SEND_OUTBOX,
    TASK_SILENCE,
    TASK_SYNC,
    TASK_TIDY,
    TASK_WATCH,
)
from config.settings import load_settings
from workers.context import forget_context
from workers.start import refuse_other_tables, refuse_own_files
from workers.tasks import register

_MINUTE: Final = 60.0
_QUARTER: Final = 900.0
_HOUR: Final = 3600.0
# Silence is measured in seconds, and a look without anything due is one look into an index.
_SECOND: Final = 1.0


def make_app() -> Celery:
    """Return the worker's application, configured from the environment."""
    settings = load_settings()
    app = make_broker(settings.redis_url)
    register(app)
    sweep = settings.sweep.total_seconds()
    app.conf.beat_schedule = {
        "sweep": {"task": TASK_PROCESS_INBOX, "schedule": sweep, "options": {"expires": sweep * 4}},
        "outbox": {
            "task": TASK_SEND_OUTBOX,
            "schedule": sweep,
            "options": {"queue": QUEUE_NOTIFY, "expires": sweep * 4},
        },
        "resend": {"task": TASK_RESEND, "schedule": sweep, "options": {"queue": QUEUE_RESEND, "expires": sweep * 4}},
        "silence": {"task": TASK_SILENCE, "schedule": _SECOND, "options": {"queue": QUEUE_RESEND, "expires": 3}},
        "fold": {"task": TASK_FOLD, "schedule": 2.0, "options": {"queue": QUEUE_MAINTAIN, "expires": 10}},
        "tidy": {"task": TASK_TIDY, "schedule": sweep, "options": {"queue": QUEUE_MAINTAIN, "expires": sweep}},
        "watch": {"task": TASK_WATCH, "schedule": _MINUTE, "options": {"queue": QUEUE_MAINTAIN, "expires": _MINUTE}},
        "balance": {
            "task": TASK_BALANCE,
            "schedule": _QUARTER,
            "options": {"queue": QUEUE_RESEND, "expires": _QUARTER},
        },
        "sync": {"task": TASK_SYNC, "schedule": sweep, "options": {"queue": QUEUE_RESEND, "expires": sweep}},
        "purge": {"task": TASK_PURGE, "schedule": _HOUR, "options": {"queue": QUEUE_MAINTAIN, "expires": _HOUR}},
    }
    return app


@setup_logging.connect  # type: ignore[untyped-decorator]
def _logs(**kwargs: Any) -> None:
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _forked(**kwargs: Any) -> None:
    forget_context()
    calm_collector(OF_SLICES)


worker_init.connect(refuse_own_files)
worker_init.connect(refuse_other_tables)
beat_init.connect(refuse_other_tables)
app = make_app()
