"""Processes of a run: each leads its own session, and none outlives the run, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_GRACE: Final = 15.0
_PR_SET_PDEATHSIG: Final = 1
# Loaded before any fork: between fork and exec nothing may be imported.
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotReady(Exception):
    """A process ended or did not get ready. The text holds the end of what it wrote."""


class Processes:
    """Starts processes that write to files of `folder`, and ends them in reverse order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(
        self,
        name: str,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        user: str | None = None,
        is_ready: Callable[[], bool] = lambda: True,
        within: float = 30.0,
    ) -> subprocess.Popen[bytes]:
        """Start a process and wait until `is_ready`. Raises `NotReady`."""
        with open(self.log(name), "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the bench's own command lines
                argv,
                env=dict(environ),
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        self._running.append((name, process))
        until = time.monotonic() + within
        while not is_ready():
            if process.poll() is not None or time.monotonic() > until:
                raise NotReady(f"{name} is not ready:\n{self._tail(name)}")
            time.sleep(0.02)
        return process

    def run(self, name: str, argv: Sequence[str], environ: Mapping[str, str], *, user: str | None = None) -> None:
        """Run a program to its end. Raises `NotReady` where it fails."""
        if self.start(name, argv, environ, user=user).wait(timeout=60):
            raise NotReady(f"{name} failed:\n{self._tail(name)}")

    def log(self, name: str) -> Path:
        """Return the file that holds what a process wrote."""
        return self._folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        return "\n".join(self.log(name).read_text("utf-8", "replace").splitlines()[-15:])

    def pids(self) -> list[int]:
        """Return the processes and all their descendants."""
        return descendants([process.pid for _, process in self._running if process.poll() is None])

    def stop(self) -> None:
        """Ask all to stop, the last started first, and kill what is left of each."""
        while self._running:
            name, process = self._running.pop()
            # PostgreSQL's TERM waits for its clients; INT ends them.
            process.send_signal(signal.SIGINT if name == "postgresql" else signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """Yield a set of processes that ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    started = Processes(folder)
    try:
        yield started
    finally:
        started.stop()


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def descendants(roots: Sequence[int]) -> list[int]:
    """Return `roots` and everything that they started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name in brackets may hold blanks; the parent is the second field behind it.
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found: list[int] = []
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def memory_mib(pids: Sequence[int]) -> float:
    """Return the sum of the processes' PSS in MiB: what they share is counted once. 0 where it cannot be read."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor time that the processes and their ended children have used; 0 where it cannot be read."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")
