"""What an attempt can come to, and when the next one follows. Pure: the clock and the dice are arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from store.outbox import Circuit

# Failures in a row after which a target gets nothing but probes.
TRIPS: Final = 3
_MINUTE: Final = timedelta(minutes=1)
# The last attempt comes this long before the time is over, as Infobip's comes 41.5 h after the first.
_LAST: Final = timedelta(minutes=30)
_LONGEST_REQUEST: Final = timedelta(hours=6)
_FIRST_PROBE: Final = timedelta(seconds=30)
_LONGEST_PROBE: Final = timedelta(minutes=10)
# Failures further apart than this are not one outage: a single bad callback must not hold back the others.
_APART: Final = timedelta(minutes=15)


class Outcome(StrEnum):
    """What an attempt came to."""

    DONE = "done"
    DOWN = "down"  # the target as a whole is in trouble, or asked for time
    FORBIDDEN = "forbidden"  # the target may not be connected to
    REFUSED = "refused"  # the target is well and does not want this one
    FAULT = "fault"  # a mistake of ours
    LOST = "lost"  # no attempt can ever succeed


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt's outcome, with the reason in words."""

    outcome: Outcome
    reason: str = ""
    wait: timedelta | None = None
    """How long the target asked to be left alone."""
    again: datetime | None = None
    """When to try again, where the lane itself knows. Of what is done: when it has to be done anew."""

    @property
    def of_target(self) -> bool:
        """Whether it says something about the target and not about the one row."""
        return self.outcome in (Outcome.DOWN, Outcome.FORBIDDEN)


def retry_after(text: str, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks for: seconds or a date. One that is neither asks for nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(), moment.replace(tzinfo=moment.tzinfo or UTC) - now)


def next_attempt(
    result: Result, attempts: int, now: datetime, give_up_at: datetime, dice: Callable[[], float]
) -> datetime | None:
    """Return when to try again after `attempts` failed ones, or `None` where that is over. `dice` is in [0, 1)."""
    latest = give_up_at - _LAST
    if result.outcome is Outcome.LOST or now >= latest:
        return None
    if result.again is not None:
        return min(result.again, latest)
    # Infobip's own schedule; five times as slow for what the target has refused. Bounded before it is multiplied.
    minutes = 1 + min(attempts - 1, 60) ** 2
    delay = _MINUTE * minutes * (1 if result.of_target else 5)
    return min(now + max(_jittered(delay, dice), _asked(result)), latest)


def after_failure(circuit: Circuit, result: Result, now: datetime, dice: Callable[[], float]) -> Circuit:
    """Return a target's circuit after a failure of the target."""
    outage = now - circuit.failed_at <= _APART or circuit.failures >= TRIPS
    failures = circuit.failures + 1 if outage else 1
    if result.wait or result.outcome is Outcome.FORBIDDEN:
        failures = max(failures, TRIPS)
    if failures < TRIPS:
        return Circuit(failures, circuit.until, now)
    probe = min(_FIRST_PROBE * 2 ** min(failures - TRIPS, 10), _LONGEST_PROBE)
    return Circuit(failures, now + max(_jittered(probe, dice), _asked(result)), now)


def _asked(result: Result) -> timedelta:
    return min(result.wait or timedelta(), _LONGEST_REQUEST)


def _jittered(delay: timedelta, dice: Callable[[], float]) -> timedelta:
    return delay * (0.8 + 0.4 * dice())
