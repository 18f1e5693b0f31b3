"""The supervisor's side of the keeper."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from cli.supervisor import keeper

_PROGRAM = Path(keeper.__file__)


class Tether:
    """Tells a keeper which process groups must not outlive this process.

    The keeper also holds the files `held` open: a lock among them is freed only when everything is dead.
    """

    def __init__(self, held: tuple[int, ...] = ()) -> None:
        self._held = held
        self._groups: set[int] = set()
        self._keeper = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        # -I -S: no site packages and no environment, so that it starts in milliseconds and weighs little.
        return subprocess.Popen(  # noqa: S603 - our own program
            (sys.executable, "-I", "-S", str(_PROGRAM)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self._held,
        )

    @property
    def pid(self) -> int:
        """The keeper's process id."""
        return self._keeper.pid

    def add(self, group: int) -> None:
        """Have `group` killed when this process ends."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget `group`: all of it is gone."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def renew(self) -> bool:
        """Start another keeper where somebody ended this one; whether that was needed."""
        if self._keeper.poll() is None:
            return False
        self._close_input()
        self._keeper = self._start()
        for group in self._groups:
            self._tell(f"+{group}\n")
        return True

    def close(self) -> None:
        """End the keeper, and with it whatever is still listed."""
        self._close_input()
        self._keeper.wait(5)

    def _tell(self, line: str) -> None:
        assert self._keeper.stdin is not None
        # A keeper that is gone is noticed by its SIGCHLD and then told everything.
        with suppress(BrokenPipeError):
            self._keeper.stdin.write(line.encode("ascii"))
            self._keeper.stdin.flush()

    def _close_input(self) -> None:
        assert self._keeper.stdin is not None
        with suppress(BrokenPipeError):
            self._keeper.stdin.close()
