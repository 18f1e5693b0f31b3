"""Decide what to do about one report."""

from datetime import datetime
from typing import Final

from codes import Meaning
from policy import words
from policy.decision import Action, Alert, Decision, Forward, Ignore
from policy.history import History
from policy.question import Question
from policy.resending import NEVER_RESENT, retry_of
from policy.rules import Rule, Rules
from policy.suppressing import suppress_of
from reports import Report

__all__ = ["CONFLICT", "NEVER_RESENT", "NO_RULE", "UNKNOWN_CODE", "decide"]

NO_RULE: Final = "no-rule"
UNKNOWN_CODE: Final = "unknown-code"
CONFLICT: Final = "codes-in-conflict"


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
        if rule.retry or rule.suppress:
            asked = Question(report, meaning, history, rules, rule, purpose, outcome, now, notes)
            actions += [action for action in (retry_of(asked), suppress_of(asked)) if action is not None]
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


def _alert(rule: Rule, rules: Rules) -> Alert:
    wanted = rule.alert
    assert wanted is not None
    mode = rules.modes["alert"]
    return Alert(rule.id, mode, wanted.severity, wanted.group_by, wanted.count, wanted.within, wanted.repeat)
