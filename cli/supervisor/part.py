"""What the supervisor is told about each process that it runs."""

import signal
from collections.abc import Callable
from dataclasses import dataclass


def _at_once() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process, and how to know that it is up and how to end it."""

    name: str
    argv: tuple[str, ...] = ()
    """The program to run."""
    call: Callable[[], object] | None = None
    """In place of a program: a function to call in a fork of the supervisor, which shares what is imported by then."""
    is_ready: Callable[[], bool] = _at_once
    """Asked often while the part starts, so it must answer within a fraction of a second and never raise."""
    after: tuple[str, ...] = ()
    """Parts that must be ready before this one starts."""
    once: bool = False
    """The part does one job and ends; it is ready once it ended with 0."""
    tries: int = 3
    """How often it may fail before it was ever ready; then the whole start has failed."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_rank: int = 0
    """Parts of the lowest rank are stopped first; the next rank follows when they are gone."""
    unsaid: tuple[str, ...] = ()
    """Lines that contain one of these are not worth anybody's time."""
    grace: float = 5.0
    """Seconds it has after its stop signal before it is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the supervisor waits, in seconds."""

    first: float = 1.0
    """Before a part that ended is started again; doubled with each further failure."""
    longest: float = 30.0
    stable: float = 60.0
    """After this long a part's failures are forgotten."""
    slow: float = 20.0
    """After this long a part that is not ready is mentioned."""
    hurry: float = 1.0
    """What is left to each part after a second Ctrl-C."""

    def pause(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        return float(min(self.longest, self.first * 2 ** min(failures - 1, 16)))
