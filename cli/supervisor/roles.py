"""What the parts do that are forks of the supervisor. Each function ends when its part has been told to stop.

The supervisor imports what they need once and forks: five interpreters of their own would take twice the memory and
three times as long to start. So nothing here may open anything before the fork, and the imports stand in functions:
the supervisor does them in `warm_up`, while Valkey and the migration start.
"""

import gc
import importlib
import warnings
from pathlib import Path
from typing import Any, Final

from config.names import QUEUE_MAINTAIN, QUEUE_NOTIFY, QUEUE_PROCESS, QUEUE_RESEND

_EFFECT_THREADS: Final = 4
# What the parts would import by themselves, each for itself, once they run.
_SHARED: Final = (
    "webhook.serve",
    "webhook.worker",
    "webhook.proxy.serve",
    "workers.app",
    "celery.app.log",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "kombu.transport.redis",
)


def warm_up() -> None:
    """Import what the parts share. The environment must be complete by then."""
    for name in _SHARED:
        importlib.import_module(name)
    # What is never collected is never written to either, and stays shared.
    gc.collect()
    gc.freeze()


def serve_web() -> None:
    """Receive callbacks."""
    from webhook.serve import main

    main()


def serve_proxy() -> None:
    """Stand between applications and Infobip, and take what they tell."""
    from webhook.proxy.serve import main

    main()


def process_callbacks(processors: int) -> int:
    """Decide on callbacks, in as many processes."""
    return _work((QUEUE_PROCESS,), pool="prefork", concurrency=processors)


def work_effects() -> int:
    """Do what was decided, mostly waiting for others: in threads."""
    return _work((QUEUE_RESEND, QUEUE_NOTIFY, QUEUE_MAINTAIN), pool="threads", concurrency=_EFFECT_THREADS)


def beat(schedule: Path) -> None:
    """Ring for what is due; the file tells what was due last."""
    from workers.app import app

    app.Beat(schedule=str(schedule), quiet=True).run()


def _work(queues: tuple[str, ...], *, pool: str, concurrency: int) -> int:
    from celery.platforms import SecurityWarning
    from celery.utils.nodenames import host_format

    from workers.app import app

    # It is about pickled messages, which are never accepted here.
    warnings.simplefilter("ignore", SecurityWarning)
    # The same as `celery -A workers.app worker` with --without-gossip, --without-mingle and --without-heartbeat,
    # which are for watching one another in a fleet.
    worker: Any = app.Worker(
        hostname=host_format(f"{queues[0]}@%h"),
        queues=list(queues),
        pool_cls=pool,
        concurrency=concurrency,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        optimization="fair",
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
