"""The two sides: what each runs, where it takes callbacks, and how many reports it is done with."""

import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, create_engine, text

from bench.processes import Processes
from bench.servers import free_port, start_broker
from cli.supervisor.probe import answers
from config.settings import Settings
from store.database import open_database

_SHY: Final = ("--without-gossip", "--without-mingle", "--without-heartbeat")
_CORES: Final = str(os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class System:
    """One side, running."""

    port: int
    path: str
    database: Engine
    done_query: str
    """Cheap enough to ask often: whether all that was posted is done with, given `wanted` reports."""
    count_query: str

    def is_done(self, wanted: int) -> bool:
        """Whether `wanted` reports, all that were ever posted, are committed."""
        with self.database.connect() as connection:
            return bool(connection.execute(text(self.done_query), {"wanted": wanted}).scalar())

    def count(self) -> int:
        """Return how many reports are committed."""
        with self.database.connect() as connection:
            return int(connection.execute(text(self.count_query)).scalar() or 0)


def start_product(started: Processes, folder: Path, database_url: str) -> System:
    """Start the service as `dlr up` composes it: web, the processing worker, the worker for the rest, beat, Valkey."""
    port, token = free_port(), secrets.token_urlsafe(12)
    environ = clean_environment() | {
        "DLR_STATE_DIR": str(folder),
        "DLR_REDIS_URL": start_broker(started, folder),
        "DLR_WEB_BIND": f"127.0.0.1:{port}",
        "DLR_URL_TOKEN": token,
        "DLR_LOG_FORMAT": "json",
    }
    if database_url:
        environ["DLR_DATABASE_URL"] = database_url
    celery = (sys.executable, "-m", "celery", "-A", "workers.app")
    worker = (*celery, "worker", *_SHY)
    deciders = Settings(database_url=database_url).deciders
    started.run("migrate", (sys.executable, "-m", "cli.supervisor.migrate"), environ)
    started.start("web", (sys.executable, "-m", "webhook"), environ, is_ready=ready_at(port))
    started.start("process", (*worker, "-n", "process@%h", "-Q", "process", f"--concurrency={deciders}"), environ)
    effects = ("-n", "effects@%h", "-Q", "resend,notify,maintain", "-P", "threads", "--concurrency=4")
    started.start("effects", (*worker, *effects), environ)
    started.start("beat", (*celery, "beat", f"--schedule={folder / 'beat'}", "--pidfile="), environ)
    database = open_database(database_url or f"sqlite:///{folder / 'dlr.sqlite'}")
    return System(
        port,
        f"/webhook/sms/{token}",
        # To look is no reason to wait for the writer's lock.
        database.engine.execution_options(dlr_read_only=True),
        "SELECT NOT EXISTS (SELECT 1 FROM inbox WHERE waiting = 1) AND :wanted > 0",
        "SELECT count(*) FROM decisions",
    )


def start_baseline(started: Processes, folder: Path, database_url: str) -> System:
    """Start the baseline with two processes of each kind on two cores, as its docs advise."""
    port = free_port()
    url = database_url or f"sqlite:///{folder / 'baseline.sqlite'}"
    environ = clean_environment() | {"BASELINE_DATABASE": url, "BASELINE_BROKER": start_broker(started, folder)}
    started.run("tables", (sys.executable, "-m", "bench.baseline.tasks"), environ)
    server = ("-m", "gunicorn", "--no-control-socket", "-w", _CORES, "--threads", "8", "-b", f"127.0.0.1:{port}")
    started.start("web", (sys.executable, *server, "bench.baseline.web:app"), environ, is_ready=ready_at(port))
    worker = ("-m", "celery", "-A", "bench.baseline.tasks", "worker", f"--concurrency={_CORES}", "-l", "WARNING")
    started.start("worker", (sys.executable, *worker), environ)
    return System(
        port,
        "/webhook",
        create_engine(url),
        "SELECT coalesce(max(id), 0) >= :wanted FROM reports",
        "SELECT count(*) FROM reports",
    )


STARTS: Final[dict[str, Callable[[Processes, Path, str], System]]] = {
    "baseline": start_baseline,
    "product": start_product,
}


def clean_environment() -> dict[str, str]:
    """Return the environment without the settings of whoever runs this."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DLR_")}


def ready_at(port: int) -> Callable[[], bool]:
    """Return a question: whether what listens there is ready."""
    return lambda: answers("127.0.0.1", port, "/readyz")
