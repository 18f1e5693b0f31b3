"""Signals as something that a select can wait for."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOP: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
CAUGHT: Final = STOP | {signal.SIGCHLD}


class Wakeups:
    """A descriptor that becomes readable when a signal came."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def read(self) -> tuple[int, ...]:
        """Return the signals that came since the last call."""
        try:
            return tuple(os.read(self.descriptor, 4096))
        except BlockingIOError:
            return ()


@contextmanager
def wakeups() -> Iterator[Wakeups]:
    """Catch the signals that stop the supervisor or tell of its children; give them back afterwards."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    # Whoever starts it with nohup wants it to outlive the terminal.
    caught = [number for number in CAUGHT if signal.getsignal(number) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, _nothing) for number in caught}
    try:
        yield Wakeups(reading)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Take the signal; that it came is read from the descriptor."""
