"""How a paused scope opens again: one probe first, then in rising steps. Pure: the clock is an argument.

    closed --its end comes--> probe --it arrives--> 2, 4, 8 ... a minute --the last step fares well--> over
    closed <--a probe, or too many of a step, fail for a reason that passes: each time longer--

A carrier that is still down thus costs one message each time the pause ends, not all that waits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

CLOSED: Final = 0
PROBE: Final = 1
LAST: Final = 10
# How long a step lasts, and so how often it is opened wider.
INTERVAL: Final = timedelta(minutes=1)
# Reports on what arrives come within seconds; a probe of which nothing is heard for so long tells nothing.
PATIENCE: Final = timedelta(minutes=5)
# Silence is no failure: after so many rounds of it, it goes on all the same. Some networks never confirm.
ROUNDS: Final = 3
FIRST_DELAY: Final = timedelta(minutes=10)
LONGEST_DELAY: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a pause stands. `until` None: closed until somebody lifts it."""

    until: datetime | None
    """When it, or its present step, is over."""
    step: int = CLOSED
    gone: int = 0
    """How many left in this step since it was entered, or entered again."""
    held: int = 0
    """How many were held back in this step."""
    delay: timedelta = timedelta()
    """By how much it was prolonged last."""


class Fared(NamedTuple):
    """How what left in a step fared.

    Arrived; failed again for a reason that passes; failed otherwise; not heard of; not heard of within `PATIENCE`.
    """

    good: int = 0
    bad: int = 0
    other: int = 0
    silent: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        """How many left."""
        return sum(self)


class Shut(NamedTuple):
    """It holds back. `until` is when this message's turn should come, `soonest` when to ask again at the earliest.

    Both None: until somebody lifts it.
    """

    until: datetime | None
    soonest: datetime | None


class Close(NamedTuple):
    """What it let through failed again: it is closed until then, `delay` longer."""

    until: datetime
    delay: timedelta


class Enter(NamedTuple):
    """This message may leave, as number `gone` of `step`, which lasts until then."""

    step: int
    until: datetime
    gone: int


class Over(NamedTuple):
    """It is over, and this message may leave."""


Opening = Shut | Close | Enter | Over


def size(step: int) -> int:
    """Return how many may leave in one interval of a step: 1, 2, 4, 8 ..."""
    return 1 << max(step - 1, 0)


def opening(stage: Stage, here: Fared, before: Fared, share: float, now: datetime) -> Opening:
    """Return what a pause does with a message that is about to leave.

    `here` is how fared what left in its present step, `before` what left in the step before that; `share` of failures,
    at which it is closed again.
    """
    if stage.until is None:
        return Shut(None, None)
    ended = stage.until <= now
    if stage.step <= CLOSED:
        return Enter(PROBE, now + PATIENCE, 1) if ended else Shut(stage.until, stage.until)
    if _fares_badly(stage.step, here, before, share, ended=ended):
        delay = min(max(stage.delay * 2, FIRST_DELAY), LONGEST_DELAY)
        return Close(now + delay, delay)
    if stage.step == PROBE:
        return _probing(stage, here, now)
    return _stepping(stage, stage.until, here, now, ended=ended)


def _fares_badly(step: int, here: Fared, before: Fared, share: float, *, ended: bool) -> bool:
    if step == PROBE:
        return here.bad > 0
    # One phone that is switched off is no outage, and a step that has only begun is judged as if the rest arrived.
    bad, known = here.bad + before.bad, here.bad + before.bad + here.good + before.good
    return bad >= max(2, share * (known if ended else max(known, size(step))))


def _probing(stage: Stage, here: Fared, now: datetime) -> Opening:
    if here.good or (here.total >= ROUNDS and not here.silent):
        return Enter(PROBE + 1, now + INTERVAL, 1)
    return _turn(stage, now + INTERVAL) if here.silent else Enter(PROBE, now + PATIENCE, 1)


def _stepping(stage: Stage, until: datetime, here: Fared, now: datetime, *, ended: bool) -> Opening:
    if not ended:
        return Enter(stage.step, until, stage.gone + 1) if stage.gone < size(stage.step) else _turn(stage, until)
    if here.good or here.total >= ROUNDS * size(stage.step):
        return Over() if stage.step >= LAST else Enter(stage.step + 1, now + INTERVAL, 1)
    return Enter(stage.step, now + INTERVAL, 1)


def _turn(stage: Stage, soonest: datetime) -> Shut:
    """Return when a held message's turn should come, if all goes well.

    Whoever comes earlier is only asked in vain, and thousands who ask every minute would keep a worker busy with it.
    """
    steps = min(((stage.held >> stage.step) + 1).bit_length(), LAST - stage.step + 1)
    return Shut(soonest + (max(steps, 1) - 1) * INTERVAL, soonest)
