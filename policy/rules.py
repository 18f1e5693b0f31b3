"""The rules in force, and finding the one that decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from codes import Match, Meaning, Outcome
from policy.decision import Decision, Mode
from policy.history import History, Purpose
from policy.suppress_plan import SuppressPlan
from reports import Report

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a rule matches. An empty set or `None` matches anything; codes are ids or names in lower case."""

    account: frozenset[str] = frozenset()
    channel: frozenset[str] = frozenset()
    event: frozenset[str] = frozenset()
    outcome: frozenset[str] = frozenset()
    family: frozenset[str] = frozenset()
    status: frozenset[int | str] = frozenset()
    error: frozenset[int | str] = frozenset()
    group: frozenset[str] = frozenset()
    cause: frozenset[str] = frozenset()
    permanent: bool | None = None
    conflict: bool | None = None
    infobip_retries: bool | None = None
    purpose: frozenset[str] = frozenset()
    sender: frozenset[str] = frozenset()
    application: frozenset[str] = frozenset()
    entity: frozenset[str] = frozenset()
    country: frozenset[str] = frozenset()
    network: frozenset[str] = frozenset()
    campaign: frozenset[str] = frozenset()


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
    of_report: tuple["ReportCheck", ...]
    of_history: tuple["HistoryCheck", ...]

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

    @property
    def may_suppress(self) -> bool:
        """Whether any rule that may decide suppresses people."""
        return any(one.rule.suppress is not None for one in self.candidates)

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
            case = Case(meaning, tuple(_candidate(rule) for rule in fitting))
            self._cases[id(meaning)] = case
        return case


def fits_codes(wanted: Conditions, meaning: Meaning) -> bool:
    """Whether the conditions that only the codes decide are met."""
    return (
        _one_of(wanted.channel, meaning.channel)
        and _one_of(wanted.outcome, meaning.outcome)
        and _one_of(wanted.cause, meaning.cause)
        and wanted.permanent in (None, meaning.permanent)
        and wanted.conflict in (None, meaning.conflict)
        and _is_code(wanted.status, meaning.status)
        and _is_code(wanted.error, meaning.error)
        and (not wanted.family or bool(wanted.family & _families(meaning)))
        and (not wanted.group or bool(wanted.group & _groups(meaning)))
    )


def _one_of(wanted: frozenset[str], value: str) -> bool:
    return not wanted or value in wanted


def _is_code(wanted: frozenset[int | str], match: Match) -> bool:
    """Whether the matched row is one of `wanted`. A code outside the tables fits no rule that names codes."""
    return not wanted or (match.row is not None and (match.row.id in wanted or match.row.name.lower() in wanted))


def _families(meaning: Meaning) -> set[str]:
    return {match.row.family for match in (meaning.status, meaning.error) if match.row}


def _groups(meaning: Meaning) -> set[str]:
    return {match.row.group.lower() for match in (meaning.status, meaning.error) if match.row}


ReportCheck = Callable[[Report], bool]
HistoryCheck = Callable[[History, Purpose], bool]


def _candidate(rule: Rule) -> Candidate:
    return Candidate(rule, _report_checks(rule.conditions), _history_checks(rule.conditions))


def _report_checks(wanted: Conditions) -> tuple[ReportCheck, ...]:
    """Return the tests that only a report's own values can answer, for the conditions that are set."""
    found: list[ReportCheck] = []
    for name in ("account", "sender", "application", "entity", "campaign"):
        if values := getattr(wanted, name):
            found.append(_names(name, values))
    if events := wanted.event:
        found.append(lambda report: report.event in events or report.kind in events)
    if networks := wanted.network:
        found.append(lambda report: bool(networks & {report.mcc_mnc, report.mcc_mnc[:3]}))
    if countries := tuple(code.lstrip("+") for code in wanted.country):
        found.append(lambda report: "@" not in report.recipient and report.recipient.startswith(countries))
    return tuple(found)


def _history_checks(wanted: Conditions) -> tuple[HistoryCheck, ...]:
    """Return the tests that what is known besides the report answers."""
    found: list[HistoryCheck] = []
    if purposes := wanted.purpose:
        found.append(lambda history, purpose: purpose in purposes)
    if wanted.infobip_retries is not None:
        asked = wanted.infobip_retries
        found.append(lambda history, purpose: history.infobip_retries is asked)
    return tuple(found)


def _names(attribute: str, values: frozenset[str]) -> ReportCheck:
    return lambda report: getattr(report, attribute) in values
