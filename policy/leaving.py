"""Whether a planned resend may leave now. Pure: everything that is known is an argument, the clock included.

The world has moved on since it was planned, so everything is asked again at the last moment (promise 12).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from policy.decision import Mode
from policy.history import Purpose

# What cannot be foreseen is looked at again after this.
_LOOK_AGAIN: Final = timedelta(minutes=1)
_BUDGET_AGAIN: Final = timedelta(minutes=15)
NO_CONTENT: Final = "content not registered"
NO_CREDENTIAL: Final = "no credential for this account"
# How the reason of a resend begins that is held by the switch for all, or by a pause of its scope.
STOPPED: Final = "all resends are stopped"
PAUSED: Final = "paused"


class Leave(NamedTuple):
    """It may leave."""


class Hold(NamedTuple):
    """Not now: ask again at `until`. `for_budget`: because the account has spent what it may."""

    until: datetime
    why: str
    for_budget: bool = False


class Wait(NamedTuple):
    """Not before somebody has done something."""

    why: str


class SetBack(NamedTuple):
    """Not by itself any more: `mode` is in force now, and a person decides."""

    mode: Mode
    why: str


class Cancel(NamedTuple):
    """Never: nobody needs it any more, or it must not be."""

    why: str


class Expire(NamedTuple):
    """Never: its time is over."""

    why: str


Verdict = Leave | Hold | Wait | SetBack | Cancel | Expire


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of a resend as it is about to leave. Everything has the value that lets it go."""

    moment: datetime
    give_up_at: datetime
    not_after: datetime | None = None
    purpose: Purpose = Purpose.TRANSACTIONAL
    mode: Mode = Mode.ACT
    """How far resends go by themselves now; that of one that a person let go is `act`."""
    reached: bool = False
    """Whether the message has arrived."""
    superseded: bool = False
    """Whether a later attempt exists."""
    may_arrive: bool = False
    """Whether what was sent last may still arrive: a leg of it is open."""
    suppressed: str = ""
    """The cause of a suppression that blocks it."""
    flagged: bool = False
    """Whether the person wants no marketing and nobody said that it is none."""
    obstacle: str = ""
    """Why it can never be sent again: its id stands for several people, Infobip itself repeats it ..."""
    has_content: bool = True
    has_credential: bool = True
    switched_off: str = ""
    """Who or what stopped all resends."""
    paused: str = ""
    """Why its scope is paused."""
    paused_until: datetime | None = None
    sent_last_hour: int = 0
    """To this person, by anybody."""
    per_hour: int = 3
    over_budget: str = ""
    """Which budget is used up."""
    awake_at: datetime | None = None
    """When the person's quiet hours end; nothing while there are none."""


Check = Callable[[Situation], "Verdict | None"]


def may_leave(situation: Situation) -> Verdict:
    """Return what becomes of a resend now: the first thing that speaks against it decides, the gravest first."""
    for check in _CHECKS:
        verdict = check(situation)
        if verdict is not None:
            return _in_time(verdict, situation)
    return Leave()


def every_check(situation: Situation) -> list[tuple[str, Verdict | None]]:
    """Return what each check says by itself, in the order in which they are asked: the question, and what speaks
    against leaving, if anything. Only the first that does counts (`may_leave`)."""
    found = []
    for check in _CHECKS:
        verdict = check(situation)
        found.append((_QUESTIONS[check], None if verdict is None else _in_time(verdict, situation)))
    return found


def _in_time(verdict: Verdict, situation: Situation) -> Verdict:
    """A hold that ends too late is the end."""
    if isinstance(verdict, Hold) and verdict.until >= _end(situation):
        return Expire(f"{verdict.why}, and then it would be too late")
    return verdict


def _end(situation: Situation) -> datetime:
    return min(situation.give_up_at, situation.not_after or situation.give_up_at)


def _needless(situation: Situation) -> Verdict | None:
    if situation.reached:
        return Cancel("the message arrived")
    if situation.superseded:
        return Cancel("a later attempt exists")
    return None


def _unwanted(situation: Situation) -> Verdict | None:
    if situation.suppressed:
        return Cancel(f"the recipient is suppressed: {situation.suppressed}")
    if situation.flagged:
        return Cancel("the person wants no marketing, and nobody said that this is none")
    return None


def _impossible(situation: Situation) -> Verdict | None:
    return Cancel(situation.obstacle) if situation.obstacle else None


def _too_late(situation: Situation) -> Verdict | None:
    if situation.not_after is not None and situation.moment >= situation.not_after:
        return Expire("the message has lost its worth")
    if situation.moment >= situation.give_up_at:
        return Expire("the time for sending it again is over")
    return None


def _unasked(situation: Situation) -> Verdict | None:
    if situation.mode is Mode.ACT:
        return None
    return SetBack(situation.mode, f"the mode of resends was set back to {situation.mode.value}")


def _undecided(situation: Situation) -> Verdict | None:
    return (
        Hold(situation.moment + _LOOK_AGAIN, "what was sent before may still arrive") if situation.may_arrive else None
    )


def _unable(situation: Situation) -> Verdict | None:
    if not situation.has_content:
        return Wait(NO_CONTENT)
    if not situation.has_credential:
        return Wait(NO_CREDENTIAL)
    return None


def _stopped(situation: Situation) -> Verdict | None:
    if situation.switched_off:
        return Hold(situation.moment + _LOOK_AGAIN, f"{STOPPED}: {situation.switched_off}")
    if situation.paused:
        return Hold(situation.paused_until or situation.moment + _LOOK_AGAIN, f"{PAUSED}: {situation.paused}")
    return None


def _bothersome(situation: Situation) -> Verdict | None:
    if situation.awake_at is not None and situation.purpose is not Purpose.OTP:
        return Hold(situation.awake_at, "it is night where the person lives")
    if situation.sent_last_hour >= situation.per_hour:
        return Hold(
            situation.moment + 10 * _LOOK_AGAIN, f"{situation.sent_last_hour} messages went there within an hour"
        )
    return None


def _too_dear(situation: Situation) -> Verdict | None:
    if not situation.over_budget:
        return None
    return Hold(situation.moment + _BUDGET_AGAIN, situation.over_budget, for_budget=True)


_CHECKS: Final[tuple[Check, ...]] = (
    _needless,
    _unwanted,
    _impossible,
    _too_late,
    _unasked,
    _undecided,
    _unable,
    _stopped,
    _bothersome,
    _too_dear,
)
_QUESTIONS: Final[Mapping[Check, str]] = {
    _needless: "is it still needed",
    _unwanted: "may the person be written to",
    _impossible: "can it be sent again at all",
    _too_late: "is there time left",
    _unasked: "does the policy let it leave by itself",
    _undecided: "is the last attempt over",
    _unable: "are content and credential there",
    _stopped: "is nothing paused",
    _bothersome: "is it day there, and not too often",
    _too_dear: "is there budget left",
}
