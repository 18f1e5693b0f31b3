"""One running process that cannot outlive the supervisor."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from cli.supervisor.part import Part
from config.settings import environment_with

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """A part's process. It leads its own session, so Ctrl-C on the terminal reaches the supervisor alone."""

    def __init__(self, part: Part) -> None:
        self.part = part
        # The kernel kills the child when the thread that started it ends: start children from the main thread only.
        self._process = subprocess.Popen(  # noqa: S603 - argv comes from our own parts
            part.argv,
            env=environment_with(part.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_tied_to(os.getpid()),
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        self.output: IO[bytes] = self._process.stdout
        os.set_blocking(self.output.fileno(), False)

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the process runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the part's stop signal to the process itself: it stops its own children as it sees fit."""
        if self._process.poll() is None:
            self._process.send_signal(self.part.stop_signal)

    def kill(self) -> None:
        """Kill the process and everything of its group, also what it left behind after its own end."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of the output."""
        self.output.close()


def _tied_to(parent: int) -> Callable[[], None]:
    def tie() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The supervisor may have gone before the tie was made.
        if os.getppid() != parent:
            os._exit(1)

    return tie
