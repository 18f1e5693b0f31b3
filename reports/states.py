"""States of a message, and how one report moves them: forward only.

Each leg of a message (a failover step names its channel; everything else is the one leg "") has a state of its own.
The message's state is computed from its legs.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from reports.report import Event, Report


class State(StrEnum):
    """What is known of a message or a leg, in the order in which states win over one another."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    HANDED_OVER = "handed_over"
    FAILED = "failed"
    DELIVERED = "delivered"
    SEEN = "seen"
    BOUNCED_LATE = "bounced_late"


RANKS: Final[Mapping[State, int]] = {
    State.PENDING: 0,
    State.UNKNOWN: 0,
    State.HANDED_OVER: 1,
    State.FAILED: 2,
    State.DELIVERED: 3,
    State.SEEN: 4,
    State.BOUNCED_LATE: 5,
}
REACHED: Final = frozenset({State.DELIVERED, State.SEEN})

# Events that are no delivery report and still tell what became of a message. A click or an opened e-mail proves that
# the message arrived and was looked at.
_BY_KIND: Final[Mapping[str, State]] = {"LATE_BOUNCE": State.BOUNCED_LATE}
# The outcomes of delivery reports are states by the same words. The enum's own look-up takes 0.3 us, for every report.
_BY_OUTCOME: Final[Mapping[str, State]] = {state.value: state for state in State}
_BY_EVENT: Final[Mapping[Event, State]] = {Event.SEEN: State.SEEN, Event.CLICK: State.SEEN}


class Leg(NamedTuple):
    """One leg's state, and when the event that gave it happened. A named tuple: one is made for nearly every report."""

    state: State
    at: datetime


Legs = Mapping[str, Leg]

# What reports say that nobody authenticated is kept in legs of their own, which count only while there are no others.
_UNVOUCHED: Final = "unauthenticated"
_ATTEMPT: Final = re.compile(rf"(?:{_UNVOUCHED} )?#(\d+)(?: |$)")


def leg_name(own_channel: str, *, trusted: bool, attempt: int = 0) -> str:
    """Return the name of the leg that a report is about.

    `own_channel` is the channel that the report names itself, `attempt` the resend that it is about; 0 is the original.
    """
    if trusted and not attempt:
        return own_channel
    words = ("" if trusted else _UNVOUCHED, f"#{attempt}" if attempt else "", own_channel)
    return " ".join(word for word in words if word)


def attempt_of(name: str) -> int:
    """Return which attempt a leg belongs to."""
    found = _ATTEMPT.match(name)
    return int(found[1]) if found else 0


def leg_in_words(name: str) -> str:
    """Return the name of a leg as people say it: which attempt, and the channel where reports named one."""
    attempt = attempt_of(name)
    channel = _ATTEMPT.sub("", name).removeprefix(_UNVOUCHED).strip()
    words = [f"attempt {attempt}"] if attempt else []
    words += [f"on {channel}" if words else channel] if channel else []
    said = " ".join(words) or "the original"
    return f"{said} ({_UNVOUCHED})" if name.startswith(_UNVOUCHED) else said


def is_hearsay(legs: Legs) -> bool:
    """Whether all that is known comes from reports that nobody authenticated."""
    return bool(legs) and "" not in legs and all(name.startswith(_UNVOUCHED) for name in legs)


def told_by(report: Report, outcome: str) -> State | None:
    """Return the state that a report tells, or nothing; `outcome` is the decision's word on a delivery report."""
    if report.event is Event.DELIVERY:
        return _BY_OUTCOME[outcome]
    return _BY_KIND.get(report.kind) or _BY_EVENT.get(report.event)


def moved(legs: Legs, name: str, told: State, at: datetime) -> Legs:
    """Return the legs after one more report. A state never regresses: of two, the one of higher rank stays.

    Between `pending` and `unknown`, which rank alike, the later event counts.
    """
    leg = legs.get(name)
    if leg is not None:
        if RANKS[told] < RANKS[leg.state]:
            return legs
        if RANKS[told] == RANKS[leg.state] and (told is leg.state or at < leg.at):
            return legs
    return {**legs, name: Leg(told, at)}


def state_of(legs: Legs, *, last_leg_failed: bool = False) -> State:
    """Return the message's state: that of its furthest attempt, unless some attempt arrived.

    An attempt's state is that of its furthest leg. A failed leg that names its channel may be followed by another, so
    it counts as pending until the register of sends knows that the last one failed, or until the validity has passed
    (`last_leg_failed`).
    """
    if len(legs) == 1 and "" in legs:
        # Nearly every message: one leg, which names nothing.
        return legs[""].state
    of_attempt: dict[int, State] = {}
    for name, leg in counted(legs).items():
        state = _as_counted(name, leg.state, last_leg_failed)
        attempt = attempt_of(name)
        if attempt not in of_attempt or RANKS[state] > RANKS[of_attempt[attempt]]:
            of_attempt[attempt] = state
    furthest = max(of_attempt.values(), key=lambda state: RANKS[state], default=State.UNKNOWN)
    return furthest if RANKS[furthest] >= RANKS[State.DELIVERED] or len(of_attempt) < 2 else of_attempt[max(of_attempt)]


def counted(legs: Legs) -> Legs:
    """Return the legs that count: those that trusted reports told of, or all where there are none."""
    if len(legs) == 1 or is_hearsay(legs):
        return legs
    return {name: leg for name, leg in legs.items() if not name.startswith(_UNVOUCHED)}


def _as_counted(name: str, state: State, last_leg_failed: bool) -> State:
    if state is not State.FAILED or last_leg_failed:
        return state
    return State.PENDING if _ATTEMPT.sub("", name.removeprefix(_UNVOUCHED).lstrip()) else state
