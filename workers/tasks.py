"""The tasks: each a name and one call. All that they need to know is in the database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from celery import Celery

from config.broker import Doorbell
from config.logs import log
from config.names import (
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
from store.errors import NotMigrated, Unavailable
from store.work_marks import PROCESS
from workers import maintain
from workers.actions import heartbeat
from workers.actions.outbox import send_outbox
from workers.context import context
from workers.marks import worked
from workers.watch import watch as look

_LOG = log(__name__)
_DRAIN_SECONDS: Final = 10.0
# A child that died is replaced and its message sent again, a few times: then the sweep has to find the work.
_LOST: Final[dict[str, Any]] = {"max_retries": 3, "default_retry_delay": 5}


def register(app: Celery) -> None:
    """Give `app` every task of `config.names.TASKS`."""
    bell = Doorbell(app)

    def process_inbox() -> None:
        _guarded(TASK_PROCESS_INBOX, lambda: _process_inbox(bell))

    def outbox() -> None:
        _guarded(TASK_SEND_OUTBOX, _send_outbox)

    def resend() -> None:
        # What calling Infobip takes, time zones and HTTP, is for the one worker that does.
        from workers.actions.resend.run import send_planned

        _guarded(TASK_RESEND, lambda: send_planned(context(), _DRAIN_SECONDS))

    def silence() -> None:
        _guarded(TASK_SILENCE, _silence)

    def fold() -> None:
        _guarded(TASK_FOLD, lambda: maintain.fold(context()))

    def watch() -> None:
        _guarded(TASK_WATCH, lambda: look(context(), datetime.now(UTC)))

    def balance() -> None:
        from workers.actions import balance as money

        _guarded(TASK_BALANCE, lambda: money.look(context(), datetime.now(UTC)))

    def sync() -> None:
        from workers.sync import sync as in_step

        _guarded(TASK_SYNC, lambda: in_step(context(), _DRAIN_SECONDS))

    def purge() -> None:
        _guarded(TASK_PURGE, lambda: maintain.purge(context()))

    def tidy() -> None:
        _guarded(TASK_TIDY, lambda: maintain.tidy(context()))

    functions = {
        TASK_PROCESS_INBOX: process_inbox,
        TASK_SEND_OUTBOX: outbox,
        TASK_RESEND: resend,
        TASK_SILENCE: silence,
        TASK_FOLD: fold,
        TASK_PURGE: purge,
        TASK_TIDY: tidy,
        TASK_WATCH: watch,
        TASK_BALANCE: balance,
        TASK_SYNC: sync,
    }
    for name, function in functions.items():
        app.task(name=name, **_LOST)(function)


def _silence() -> None:
    from workers.actions.silence import start_others

    # Where a run is under way already, it takes what is planned here along.
    if start_others(context()):
        from workers.actions.resend.run import send_planned

        send_planned(context(), _DRAIN_SECONDS)


def _process_inbox(bell: Doorbell) -> None:
    at = context()
    # Who rings meanwhile is heard with this.
    at.rest.taken()
    bell.answered()
    done = at.drain.run(_DRAIN_SECONDS)
    worked(at, PROCESS)
    if done.more:
        bell.ring()
    if done.callbacks or done.quarantined:
        _LOG.info("drained", callbacks=done.callbacks, reports=done.reports, quarantined=done.quarantined)


def _send_outbox() -> None:
    send_outbox(context(), _DRAIN_SECONDS)
    heartbeat.beat(context(), datetime.now(UTC))


def _guarded(task: str, work: Callable[[], object]) -> None:
    """Run a task. A database that is away, or changed, is no reason for a trace: the next beat tries again."""
    try:
        work()
    except Unavailable as error:
        _LOG.warning("database_unavailable", task=task, problem=str(error), next_step="the next sweep tries again")
    except NotMigrated as error:
        _LOG.error("other_tables", task=task, problem=str(error))
