"""The parts of one installation: what each runs, after what, and in which order they stop."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from cli.supervisor.part import Part
from cli.supervisor.probe import answers, split_address
from cli.supervisor.valkey import Valkey, find_server
from config.names import QUEUE_MAINTAIN, QUEUE_NOTIFY, QUEUE_PROCESS, QUEUE_RESEND
from config.settings import Settings

# The web drains first, since it rings for the workers. Together the graces stay below 25 s.
_WEB, _WORKERS, _BROKER = range(3)
_CELERY: Final = ("celery", "-A", "workers.app")
_QUIET: Final = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_EFFECT_THREADS: Final = 4


def parts_of(settings: Settings, env: Mapping[str, str], valkey: Valkey | None) -> list[Part]:
    """Return all parts, in the order in which they are started.

    `env` is what each part's environment has beside the supervisor's; `valkey` is None where the broker is elsewhere.
    Raises `NoBroker` where no server runs here, and `ValueError` for a bad address.
    """
    broker = () if valkey is None else ("valkey",)
    database = _python("database", env, "cli.supervisor.migrate", once=True)
    web = _python("web", env, "webhook")
    process = _python("process", env, *_worker(QUEUE_PROCESS), "--pool=prefork", f"--concurrency={settings.processors}")
    effects = _python(
        "effects",
        env,
        *_worker(QUEUE_RESEND, QUEUE_NOTIFY, QUEUE_MAINTAIN),
        "--pool=threads",
        f"--concurrency={_EFFECT_THREADS}",
    )
    beat = _python("beat", env, *_CELERY, "beat", f"--schedule={_schedule(settings)}", "--pidfile=")
    return [
        *(() if valkey is None else (_valkey(valkey),)),
        database,
        replace(web, after=(*broker, "database"), is_ready=_answering(settings), stop_rank=_WEB, grace=10.0),
        # Workers open the database at their first task only: their slow start need not wait for the migration.
        replace(process, after=broker, is_ready=_listening(valkey, 1), grace=10.0),
        replace(effects, after=broker, is_ready=_listening(valkey, 2), grace=10.0),
        replace(beat, after=(*broker, "database")),
    ]


def _python(name: str, env: Mapping[str, str], *arguments: str, once: bool = False) -> Part:
    argv = (sys.executable, "-m", *arguments)
    return Part(name=name, argv=argv, env=env, once=once, tries=1 if once else 3, stop_rank=_WORKERS)


def _worker(*queues: str) -> tuple[str, ...]:
    return (*_CELERY, "worker", f"--queues={','.join(queues)}", f"--hostname={queues[0]}@%h", *_QUIET)


def _valkey(valkey: Valkey) -> Part:
    argv = (str(find_server()), str(valkey.config))
    return Part(name="valkey", argv=argv, is_ready=valkey.is_ready, stop_rank=_BROKER, grace=3.0)


def _schedule(settings: Settings) -> Path:
    return settings.state_dir.absolute() / "beat-schedule"


def _answering(settings: Settings) -> Callable[[], bool]:
    host, port = split_address(settings.web_bind)
    return partial(answers, host, port, "/readyz")


def _listening(valkey: Valkey | None, count: int) -> Callable[[], bool]:
    """Whether that many workers wait for tasks. A broker elsewhere has others' workers too, and is not asked."""
    return lambda: valkey is None or valkey.listeners() >= count
