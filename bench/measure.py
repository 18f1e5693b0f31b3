"""One measurement: one side, one kind of database, one size of callback."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.load import Found, Order
from bench.processes import NotReady, Processes, cpu_seconds, memory_mib, processes
from bench.servers import PostgreSQL
from bench.systems import STARTS, System

_WARM_UP: Final = 1.5
_LOOK: Final = 0.02
# What a side could not do in this many times the posting's duration is counted as it stands then.
_DRAIN_FACTOR: Final = 12
_DRAIN_LEAST: Final = 30.0
# The 99th percentile of fewer is their worst. Not for longer than a minute, though: the baseline takes few a second.
_ENOUGH: Final = 300
_LONGEST: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured. Rates are per second; `half_*` at half of the callbacks that were processed end to end."""

    system: str
    database: str
    size: int
    callbacks: float
    accepted: float
    p50_ms: float
    p99_ms: float
    half_rate: float
    half_p50_ms: float
    half_p99_ms: float
    processed: float
    cpu_us: float
    """Processor time of all its processes for one report, end to end: says most on a machine with other work to do."""
    refused: int
    """Callbacks that were answered with anything but 200, in all runs together."""
    complete: bool
    """Whether every report that was answered with 200 was committed, each once, within the time there was."""
    memory_mib: float


def measure(name: str, size: int, seconds: float, postgresql: PostgreSQL | None, connections: int = 8) -> Result:
    """Start one side afresh, measure it, end it. Raises `NotReady`."""
    with tempfile.TemporaryDirectory(prefix="dlr-bench-") as folder:
        url = "" if postgresql is None else postgresql.new_database(f"bench_{name}")
        with processes(Path(folder) / "logs") as started:
            system = STARTS[name](started, Path(folder) / "state", url)
            try:
                return _Run(name, size, seconds, connections, system, started).result(postgresql)
            finally:
                system.database.dispose()


class _Run:
    def __init__(
        self, name: str, size: int, seconds: float, connections: int, system: System, started: Processes
    ) -> None:
        self._name = name
        self._size = size
        self._seconds = seconds
        self._connections = connections
        self._system = system
        self._started = started
        self._posted = 0
        self._refused = 0
        self._runs = 0

    def result(self, postgresql: PostgreSQL | None) -> Result:
        self._post(_WARM_UP)
        if not self._drain(_DRAIN_LEAST * 2):
            raise NotReady(f"{self._name} has not processed what it was warmed up with")
        before, cpu_before = self._posted, cpu_seconds(self._started.pids())
        flat_out = self._post(self._seconds)
        drained = self._drain(max(self._seconds * _DRAIN_FACTOR, _DRAIN_LEAST))
        took = time.monotonic() - flat_out.first_at
        processed = (self._posted if drained else self._system.count()) - before
        cpu = cpu_seconds(self._started.pids()) - cpu_before
        rate = processed / took / self._size
        if postgresql is not None:
            postgresql.reuse_log()
        half = self._post(self._half_seconds(rate / 2), rate / 2) if drained else Found()
        drained = self._drain(_DRAIN_LEAST) and drained
        # Sums, not rows: counted once at the end, when nothing is measured any more.
        complete = drained and self._system.count() == self._posted
        return Result(
            system=self._name,
            database="sqlite" if postgresql is None else "postgresql",
            size=self._size,
            callbacks=flat_out.callbacks / flat_out.seconds,
            accepted=flat_out.callbacks * self._size / flat_out.seconds,
            p50_ms=flat_out.p50_ms,
            p99_ms=flat_out.p99_ms,
            half_rate=half.callbacks / half.seconds,
            half_p50_ms=half.p50_ms,
            half_p99_ms=half.p99_ms,
            processed=processed / took,
            cpu_us=cpu * 1e6 / max(processed, 1),
            refused=self._refused,
            complete=complete,
            memory_mib=memory_mib(self._started.pids()),
        )

    def _half_seconds(self, rate: float) -> float:
        return min(max(self._seconds, _ENOUGH / rate), _LONGEST) if rate else self._seconds

    def _post(self, seconds: float, rate: float = 0.0) -> Found:
        self._runs += 1
        order = Order(
            port=self._system.port,
            path=self._system.path,
            size=self._size,
            seconds=seconds,
            run=self._runs,
            rate=rate,
            connections=self._connections,
        )
        argv = (sys.executable, "-m", "bench.load", json.dumps(asdict(order)))
        done = subprocess.run(  # noqa: S603 - this package's own generator
            argv,
            cwd=Path(__file__).parents[1],
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 90,
        )
        if done.returncode:
            raise NotReady(f"the generator failed against {self._name}:\n{done.stderr[-2000:]}")
        found = Found(**json.loads(done.stdout))
        answered = found.statuses.get("200", 0)
        self._posted += answered * self._size
        self._refused += found.callbacks - answered
        return found

    def _drain(self, within: float) -> bool:
        """Wait until all that was posted is committed; whether it was within the time."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            if self._system.is_done(self._posted):
                return True
            time.sleep(_LOOK)
        return False
