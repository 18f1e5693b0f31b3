"""The answer of the policy: an outcome, actions with their parameters, and why.

Named tuples, since one or more are made for every report and a frozen dataclass takes four times as long to make.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple

from codes import Outcome


class Mode(StrEnum):
    """How far an action goes by itself."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ACT = "act"


class Retry(NamedTuple):
    """Send the message again.

    `attempt` counts resends from 1. `due_at` is `None` where the plan is cut; `note` then says why. `pause` names the
    scopes (sender, network, domain, account) whose other resends rest until `due_at`.
    """

    rule: str
    mode: Mode
    attempt: int
    attempts: int
    due_at: datetime | None
    give_up_at: datetime
    schedule: tuple[str, ...]
    pause: tuple[str, ...] = ()
    channel: str = ""
    note: str = ""
    action: Literal["retry"] = "retry"


@dataclass(frozen=True, slots=True)
class Count:
    """What a suppression rests on that takes more than one failure: those `at` which they happened.

    `tier` counts from 1 of `tiers`, and is 0 where a score leads to it. `lasts` is the tier's, `None` for good.
    """

    needed: int
    at: tuple[datetime, ...]
    tier: int = 0
    tiers: int = 0
    lasts: timedelta | None = None


class Suppress(NamedTuple):
    """Send this recipient nothing more within `scope` (all, channel, sender, campaign) and `purpose` (all, marketing).

    `until` is `None` for good. `hold` is a rest that says nothing bad about the person. `firm` marks what the person
    or the carrier said outright, which the guard against mass suppression never holds back. `confirms` marks a refusal
    by a list, ours or Infobip's: it confirms what stands here, and never makes, prolongs or restores anything.
    `rests_on` is what led to it, where failures are counted.
    """

    rule: str
    mode: Mode
    scope: str
    purpose: str
    cause: str
    until: datetime | None
    firm: bool
    hold: bool = False
    confirms: bool = False
    rests_on: Count | None = None
    action: Literal["suppress"] = "suppress"


class Alert(NamedTuple):
    """Tell operations: one incident per `rule` and the values of `group_by`.

    It opens once there are `threshold` reports `within` that time.
    """

    rule: str
    mode: Mode
    severity: str
    group_by: tuple[str, ...]
    threshold: int = 1
    within: timedelta = timedelta(hours=1)
    repeat: timedelta = timedelta(hours=24)
    action: Literal["alert"] = "alert"


class Forward(NamedTuple):
    """Send a signed event to the customer's own URL of the name `to`."""

    rule: str
    mode: Mode
    to: str
    action: Literal["forward"] = "forward"


class Ignore(NamedTuple):
    """Do nothing, on purpose."""

    rule: str
    mode: Mode = Mode.ACT
    action: Literal["ignore"] = "ignore"


Action = Retry | Suppress | Alert | Forward | Ignore


class Decision(NamedTuple):
    """What is done about one report, and why. `policy` and `tables` name the versions that decided."""

    outcome: Outcome
    cause: str
    rule: str
    actions: tuple[Action, ...]
    reason: str
    policy: str
    tables: str

    def find(self, kind: type[Retry] | type[Suppress] | type[Alert] | type[Forward] | type[Ignore]) -> Action | None:
        """Return the first action of this kind, if there is one."""
        return next((action for action in self.actions if isinstance(action, kind)), None)
