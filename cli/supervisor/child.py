"""One running process that cannot outlive the supervisor: a program, or a function in a fork."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from cli.supervisor.part import Part
from cli.supervisor.wakeups import CAUGHT

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_MOST_FILES: Final = 65536
# Loaded before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """A part's process. It leads its own session, so Ctrl-C on the terminal reaches the supervisor alone."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.output, writing = os.pipe()
        os.set_blocking(self.output, False)
        try:
            # The kernel kills the child when the thread that started it ends: start from the main thread only.
            self.pid, self._poll = _run(part, writing) if part.call is None else _fork(part, part.call, writing)
        except BaseException:
            os.close(self.output)
            raise
        finally:
            os.close(writing)

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""
        return self._poll()

    def ask_to_stop(self) -> None:
        """Send the part's stop signal to the process itself: it stops its own children as it sees fit."""
        if self._poll() is None:
            os.kill(self.pid, self.part.stop_signal)

    def kill(self) -> None:
        """Kill the process and everything of its group, also what it left behind after its own end."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        # In its first moment a fork has no group of its own yet.
        if self._poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the output."""
        os.close(self.output)


Started = tuple[int, Callable[[], int | None]]


def _run(part: Part, writing: int) -> Started:
    parent = os.getpid()
    process = subprocess.Popen(  # noqa: S603 - argv comes from our own parts
        part.argv,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        start_new_session=True,
        preexec_fn=lambda: _tie(parent),  # safe: the supervisor has no other threads
    )
    return process.pid, process.poll


def _fork(part: Part, call: Callable[[], object], writing: int) -> Started:
    process = multiprocessing.get_context("fork").Process(target=_become, args=(part, call, writing, os.getpid()))
    with _held_back():
        process.start()
    assert process.pid is not None
    return process.pid, lambda: process.exitcode


def _become(part: Part, call: Callable[[], object], writing: int, parent: int) -> None:
    """Make a fork of the supervisor as good as a program of its own, then do what it is for."""
    os.setsid()
    _tie(parent)
    signal.set_wakeup_fd(-1)
    for number in CAUGHT:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, writing), (2, writing)):
        os.dup2(source, target)
    # Above all the keeper's input, which must end with the supervisor.
    os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), _MOST_FILES))
    if _libc is not None:
        _libc.prctl(_PR_SET_NAME, f"dlr-{part.name}".encode("ascii")[:15])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, CAUGHT)
    sys.exit(call())  # type: ignore[arg-type]  # None is 0, a number itself, anything else is told and 1


def _tie(parent: int) -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The supervisor may have gone before the tie was made.
    if os.getppid() != parent:
        os._exit(1)


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold back signals: in a fork that still has the supervisor's handlers one would be taken for the supervisor's."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, CAUGHT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
