"""Decide what to do about one report."""

from datetime import datetime, timedelta
from typing import Final

from codes import Match, Meaning, Outcome
from codes.causes import FIRM
from codes.channels import UNKNOWN
from policy import words
from policy.decision import Action, Alert, Decision, Forward, Ignore, Mode, Retry, Suppress
from policy.history import History, Purpose
from policy.rules import Rule, Rules, SuppressPlan
from policy.schedule import plan
from reports import Event, Report

NO_RULE: Final = "no-rule"
UNKNOWN_CODE: Final = "unknown-code"
CONFLICT: Final = "codes-in-conflict"
# No resend, failover or call to the application follows one of these, whatever a rule says.
NEVER_RESENT: Final = FIRM | {"recipient_blocklisted", "fraud_blocked", "unconfirmed", "duplicate", "delivered"}
# It is enough that one of the two codes says so, whichever gives the cause. Error 0 has the cause `delivered`.
_OBJECTIONS: Final = NEVER_RESENT - {"delivered"}
_LONGEST: Final = timedelta(days=5 * 365)


def decide(report: Report, meaning: Meaning, history: History, rules: Rules, now: datetime) -> Decision:
    """Return what is done about `report`, whose codes mean `meaning`, at `now` (aware).

    Pure and total: the same arguments give the same decision. A code that is not in the tables never suppresses
    anyone and never resends anything; a callback that nobody authenticated does neither.
    """
    purpose = rules.purposes.of(report, history.purpose)
    case = rules.case(meaning)
    rule = case.first_match(report, history, purpose)
    name = rule.id if rule else NO_RULE
    # Two files may each have a rule of the same id, so the id alone does not say which of them decided.
    settled = case.settled.get(id(rule))
    if settled is not None:
        return settled
    outcome = rule.counts_as if rule and rule.counts_as else meaning.outcome
    notes: list[str] = []
    actions: list[Action] = []
    if rule is None:
        notes.append("no rule speaks of it")
    else:
        actions += _retry(report, meaning, history, rules, rule, purpose, outcome, now, notes)
        actions += _suppress(report, meaning, history, rules, rule, outcome, now, notes)
        if rule.alert is not None:
            actions.append(_alert(rule, rules))
        if rule.forward:
            actions.append(Forward(rule.id, rules.modes["forward"], rule.forward))
    if (meaning.unknown or meaning.conflict) and not any(isinstance(action, Alert) for action in actions):
        cause_for_alarm = UNKNOWN_CODE if meaning.unknown else CONFLICT
        actions.append(Alert(cause_for_alarm, rules.modes["alert"], "warning", ("account", "channel", "error")))
    if not actions:
        actions.append(Ignore(name))
    lead = case.leads.get(outcome) or case.leads.setdefault(outcome, words.lead(meaning, outcome))
    decision = Decision(
        outcome=outcome,
        cause=meaning.cause,
        rule=name,
        actions=tuple(actions),
        reason=words.reason(lead, actions, rule.why if rule else "", notes),
        policy=rules.version,
        tables=meaning.tables,
    )
    if rule is None or not (rule.retry or rule.suppress):
        case.settled[id(rule)] = decision
    return decision


def _retry(
    report: Report,
    meaning: Meaning,
    history: History,
    rules: Rules,
    rule: Rule,
    purpose: Purpose,
    outcome: Outcome,
    now: datetime,
    notes: list[str],
) -> list[Action]:
    if rule.retry is None:
        return []
    obstacle = _obstacle(meaning, history, outcome)
    if obstacle:
        notes.append(f"it is not sent again, since {obstacle}")
        return []
    found = plan(report, history, purpose, rule.retry, rules.limits, now)
    if not found.named:
        notes.append(f"it is not sent again, since {found.note}")
        return []
    retry = Retry(
        rule=rule.id,
        mode=rules.modes["retry"],
        attempt=found.attempt,
        attempts=rule.retry.attempts,
        due_at=found.due_at,
        give_up_at=found.give_up_at,
        schedule=words.schedule(rule.retry),
        pause=rule.retry.pause,
        channel=rule.retry.channel,
        note=found.note,
    )
    return [retry]


def _obstacle(meaning: Meaning, history: History, outcome: Outcome) -> str:
    """Say why nothing may be resent whatever the rule says, or return the empty string."""
    if meaning.unknown:
        return "one of its codes is not in the tables"
    if not history.trusted:
        return "the callback was not authenticated"
    if meaning.channel == UNKNOWN:
        return "nobody named the channel it came by"
    if meaning.conflict:
        return "its codes contradict each other"
    if meaning.cause in NEVER_RESENT or _objects(meaning.status) or _objects(meaning.error):
        return "no resend ever follows this cause"
    if outcome is not Outcome.FAILED:
        return "it did not fail for good"
    if history.reached:
        return "another attempt arrived already"
    if history.open_legs:
        return "a further leg of the failover is still to come"
    if history.obstacle:
        return history.obstacle
    return ""


def _objects(match: Match) -> bool:
    return match.row is not None and match.row.cause in _OBJECTIONS


def _suppress(
    report: Report,
    meaning: Meaning,
    history: History,
    rules: Rules,
    rule: Rule,
    outcome: Outcome,
    now: datetime,
    notes: list[str],
) -> list[Action]:
    wanted = rule.suppress
    if wanted is None:
        return []
    firm = meaning.cause in FIRM
    # The status decides. Without one, or with one that is no failure, an error says nothing about the person.
    if report.event is Event.DELIVERY and outcome is not Outcome.FAILED:
        notes.append("the recipient is not suppressed, since the status does not say that it failed")
        return []
    if meaning.unknown:
        notes.append("nobody is suppressed on the strength of a code that is not in the tables")
        return []
    if meaning.conflict:
        notes.append("nobody is suppressed while the codes contradict each other")
        return []
    if not history.trusted:
        notes.append("nobody is suppressed on the strength of a callback that was not authenticated")
        return []
    # An event says itself whom it is about; the codes of a report mean little without the channel.
    if meaning.channel == UNKNOWN and not meaning.is_event:
        notes.append("nobody is suppressed while the channel is not known")
        return []
    if history.protected and not firm and not wanted.confirms:
        notes.append("the recipient is not suppressed, since an operator protects the address")
        return []
    if history.reached and not firm:
        notes.append("the recipient is not suppressed, since the message arrived by another report")
        return []
    # `arrived_by` is empty where an arrival says nothing about the cause.
    if not firm and (history.arrived_by if wanted.scope == "all" else meaning.channel in history.arrived_by):
        notes.append("the recipient is not suppressed, since something sent later arrived")
        return []
    days = _failure_days(history, wanted, now)
    if days < wanted.failures:
        notes.append(f"the recipient failed on {days} of the {wanted.failures} days that lead to a suppression")
        return []
    if wanted.confirms:
        # What our own list, or Infobip's, refused is no news: or what was lifted would come back by its own echo.
        said = (wanted.scope, wanted.purpose, meaning.cause, None)
        return [Suppress(rule.id, Mode.ACT, *said, firm=firm, confirms=True)]
    mode = Mode.ACT if firm else rules.modes["suppress"]
    until = _until(wanted, history, now)
    return [Suppress(rule.id, mode, wanted.scope, wanted.purpose, meaning.cause, until, firm=firm, hold=wanted.hold)]


def _failure_days(history: History, wanted: SuppressPlan, now: datetime) -> int:
    """Count the days with a failure inside the window, today's included: at most one point a day."""
    if wanted.failures <= 1:
        return 1
    if not history.failure_days:
        return 1
    failed_at = history.failed_at or now
    since = failed_at - wanted.within
    return len({moment.date() for moment in history.failure_days if moment >= since} | {failed_at.date()})


def _until(wanted: SuppressPlan, history: History, now: datetime) -> datetime | None:
    if wanted.lasts is None:
        return None
    # Ten repetitions are far past the longest time already; the bound keeps the power small.
    factor = wanted.grow ** min(history.suppressions, 10)
    return now + (wanted.lasts * factor if wanted.lasts < _LONGEST // factor else _LONGEST)


def _alert(rule: Rule, rules: Rules) -> Alert:
    wanted = rule.alert
    assert wanted is not None
    mode = rules.modes["alert"]
    return Alert(rule.id, mode, wanted.severity, wanted.group_by, wanted.count, wanted.within, wanted.repeat)
