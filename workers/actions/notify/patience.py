"""When a notification that did not get through is tried again: soon, since somebody should hear of it."""

import random
from datetime import datetime, timedelta
from typing import Final

from workers.actions.results import Outcome, Result

_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300, 600))
_REFUSED: Final = timedelta(minutes=15)


def failed(outcome: Outcome, reason: str, attempts: int, now: datetime, wait: timedelta | None = None) -> Result:
    """Return the result of the `attempts`th failed attempt at one notification."""
    delay = _REFUSED if outcome is Outcome.REFUSED else _DELAYS[min(attempts, len(_DELAYS)) - 1]
    spread = delay * (0.8 + 0.4 * random.random())  # noqa: S311 - so that not all routes come at once
    return Result(outcome, reason, wait, now + max(spread, min(wait or timedelta(), timedelta(hours=1))))
