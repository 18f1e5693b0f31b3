"""The rules in force, and finding the one that decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from codes import Meaning, Outcome
from policy.decision import Decision, Mode
from policy.history import History, Purpose
from policy.matching import Conditions, HistoryCheck, ReportCheck, fits_codes, history_checks, report_checks
from policy.suppress_plan import SuppressPlan
from reports import Report

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How a rule sends again. `when`: after the delay, on the `next_day`, or when the `window` opens."""

    delays: tuple[timedelta, ...]
    attempts: int
    give_up_after: timedelta
    when: str = "delay"
    zone: str = "UTC"
    window: tuple[int, int] = (0, 0)
    """Minutes after midnight at which the window opens and closes."""
    pause: tuple[str, ...] = ()
    channel: str = ""


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """How a rule alerts."""

    severity: str
    group_by: tuple[str, ...]
    count: int = 1
    within: timedelta = timedelta(hours=1)
    repeat: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SilencePlan:
    """Which channel a rule starts when a send has not arrived `after` it left."""

    after: timedelta
    then: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it matches, what it does, and `why`, a clause that ends the sentence '..., since ...'.

    One with `on_silence` is about sends and takes no part in deciding on reports.
    """

    id: str
    file: str
    conditions: Conditions
    why: str
    retry: RetryPlan | None = None
    suppress: SuppressPlan | None = None
    alert: AlertPlan | None = None
    forward: str = ""
    ignore: bool = False
    counts_as: Outcome | None = None
    on_silence: SilencePlan | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers that bound what any rule may do: the policy's `[limits]`, where each is explained."""

    attempts: int = 3
    give_up_after: timedelta = timedelta(hours=72)
    settle: timedelta = timedelta(seconds=60)
    jitter: float = 0.1
    per_recipient_hour: int = 3
    resends_per_day: int = 1000
    resends_share: float = 0.10
    money_per_day: float = 10.0
    pause_share: float = 0.30
    pause_count: int = 50
    pause_window: timedelta = timedelta(minutes=10)
    guard_share: float = 0.05
    guard_count: int = 50
    guard_window: timedelta = timedelta(hours=1)
    otp_not_after: timedelta = timedelta(minutes=5)
    undeclared_within: timedelta = timedelta(hours=1)
    callbacks_within: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Purposes:
    """What messages are for where nobody registered it, by campaign, sender or application; defaults by account."""

    default: Mapping[str, Purpose] = field(default_factory=dict)
    campaign: Mapping[str, Purpose] = field(default_factory=dict)
    sender: Mapping[str, Purpose] = field(default_factory=dict)
    application: Mapping[str, Purpose] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.default or self.campaign or self.sender or self.application)

    def of(self, report: Report, declared: Purpose) -> Purpose:
        """Return the purpose of the report's message."""
        if declared is not Purpose.UNDECLARED or not self:
            return declared
        return self.of_send(
            declared, report.account, campaign=report.campaign, sender=report.sender, application=report.application
        )

    def of_send(self, declared: Purpose, account: str, *, campaign: str, sender: str, application: str) -> Purpose:
        """Return the purpose of a message of which this is known."""
        if declared is not Purpose.UNDECLARED:
            return declared
        return (
            self.campaign.get(campaign)
            or self.sender.get(sender)
            or self.application.get(application)
            or self.default.get(account)
            or self.default.get("*")
            or Purpose.UNDECLARED
        )


class Candidate(NamedTuple):
    """A rule that the codes fit, with the tests that are left: of the report itself, and of what else is known."""

    rule: Rule
    of_report: tuple[ReportCheck, ...]
    of_history: tuple[HistoryCheck, ...]

    @classmethod
    def of(cls, rule: Rule) -> "Candidate":
        """Return the rule as one that the codes fit."""
        return cls(rule, report_checks(rule.conditions), history_checks(rule.conditions))

    def fits(self, report: Report) -> bool:
        """Whether all that the rule asks of the report itself is so."""
        return not self.of_report or all(check(report) for check in self.of_report)


@dataclass(slots=True)
class Case:
    """What one meaning gives under the rules in force, worked out once: meanings are few, reports are many."""

    meaning: Meaning
    candidates: tuple[Candidate, ...]
    settled: dict[int, Decision] = field(default_factory=dict)
    """Decisions, by the identity of the rule, that neither the clock nor the history can change."""
    leads: dict[Outcome, str] = field(default_factory=dict)
    """How the reason begins, by outcome."""

    may_suppress: bool = field(init=False)
    """Whether any rule that may decide suppresses people."""
    may_fail: bool = field(init=False)
    """Whether the message may count as failed: by its codes, or by a rule that may decide."""

    def __post_init__(self) -> None:
        """Work out once what is asked for every report."""
        rules = [one.rule for one in self.candidates]
        self.may_suppress = any(rule.suppress is not None for rule in rules)
        self.may_fail = Outcome.FAILED in {self.meaning.outcome, *(rule.counts_as for rule in rules)}

    def certain(self, report: Report) -> Decision | None:
        """Return the decision, once made, where the meaning and the report lead to it: no history can change it."""
        for one in self.candidates:
            if one.fits(report):
                return None if one.of_history else self.settled.get(id(one.rule))
        return self.settled.get(id(None))

    def first_match(self, report: Report, history: History, purpose: Purpose) -> Rule | None:
        """Return the first rule that matches, or nothing."""
        for one in self.candidates:
            if one.fits(report) and all(check(history, purpose) for check in one.of_history):
                return one.rule
        return None


class Rules:
    """The rules in force, in order, with the modes and limits that go with them. Immutable but for a cache."""

    def __init__(
        self,
        rules: tuple[Rule, ...],
        version: str,
        modes: Mapping[str, Mode],
        limits: Limits = Limits(),
        purposes: Purposes = Purposes(),
    ) -> None:
        self.rules = rules
        self.version = version
        self.modes = modes
        self.limits = limits
        self.purposes = purposes
        self.silences = tuple(rule for rule in rules if rule.on_silence is not None)
        """Those about sends."""
        self._cases: dict[int, Case] = {}

    def case(self, meaning: Meaning) -> Case:
        """Return the case of `meaning`.

        The key is the object itself, which the case keeps alive: hashing a whole meaning costs more than trying the
        rules would.
        """
        case = self._cases.get(id(meaning))
        if case is None:
            if len(self._cases) >= _REMEMBERED:
                self._cases.clear()
            about_reports = (rule for rule in self.rules if rule.on_silence is None)
            fitting = (rule for rule in about_reports if fits_codes(rule.conditions, meaning))
            case = Case(meaning, tuple(Candidate.of(rule) for rule in fitting))
            self._cases[id(meaning)] = case
        return case
