"""The reason of a decision, as one sentence that a support person can read aloud."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from codes import CAUSES, Meaning, Outcome
from policy.counting import Standing
from policy.decision import Action, Alert, Forward, Ignore, Mode, Retry, Suppress
from policy.durations import in_words
from policy.history import Failed
from policy.rules import RetryPlan
from policy.suppress_plan import Tier

_OUTCOMES = {
    Outcome.DELIVERED: "The message was delivered",
    Outcome.HANDED_OVER: "The operator has the message",
    Outcome.PENDING: "The message is still on its way",
    Outcome.FAILED: "The message failed",
    Outcome.UNKNOWN: "What became of the message is not known",
}
_SCOPES = {
    "all": "on every channel",
    "channel": "on this channel",
    "sender": "from this sender",
    "campaign": "in this campaign",
}


def lead(meaning: Meaning, outcome: Outcome) -> str:
    """Return how the reason begins: what happened, and by which codes."""
    return f"{_what(meaning, outcome)}{_codes(meaning)}"


def reason(lead: str, actions: Iterable[Action], why: str, notes: Iterable[str]) -> str:
    """Return the whole reason: what happened, what follows, and why."""
    consequences = [text for action in actions if (text := _consequence(action))]
    told = "; ".join([" and ".join(consequences) or "nothing is done", *notes])
    because = f", since {why}" if why else ""
    return f"{lead}: {told}{because}."


@lru_cache(1024)
def schedule(retry: RetryPlan) -> tuple[str, ...]:
    """Return a rule's delays in words."""
    spans = tuple(in_words(delay) for delay in retry.delays)
    lead = {"next_day": f"next day in {retry.zone}, plus ", "window": f"when the window opens in {retry.zone}, plus "}
    return tuple(lead.get(retry.when, "") + span for span in spans)


def tier(one: Tier) -> str:
    """Return what a tier does, in words: `for 60 days at the 2nd failure within 365 days`."""
    lasts = f"for {in_words(one.lasts)}" if one.lasts is not None else "for good"
    return f"{lasts} at the first failure" if one.times <= 1 else f"{lasts} at {_failures(one)}"


def _failures(one: Tier) -> str:
    return f"the {_ordinal(one.times)} failure within {in_words(one.within)}"


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def standing(stands: Standing, tiers: Sequence[Tier]) -> str:
    """Return the clause that tells which tier somebody reached by how many failures, and what comes next."""
    following = next(iter(tiers[stands.number :]), None)
    ahead = f", and the next is {tier(following)}" if following is not None else ""
    failures = "failure" if len(stands.at) == 1 else "failures"
    if not stands.number:
        return (
            f"the recipient has {len(stands.at)} such {failures}, too few for the first tier, which is {tier(tiers[0])}"
        )
    kept = f" within {in_words(tiers[stands.number - 1].within)}" if stands.number > 1 else ""
    return f"that is tier {stands.number} of {len(tiers)} by {len(stands.at)} such {failures}{kept}{ahead}"


def left_out(failures: Sequence[Failed]) -> str:
    """Return the clause that tells which failures do not count."""
    days = len({failed.at.date() for failed in failures})
    why = " and ".join(sorted({failed.excused for failed in failures})[:2])
    return f"failures of {days} earlier {'day' if days == 1 else 'days'} do not count, since {why}"


def _what(meaning: Meaning, outcome: Outcome) -> str:
    if meaning.conflict:
        return "The message failed and its codes contradict each other"
    if meaning.cause == "unknown" and meaning.is_event:
        return "Infobip reports an event that this release does not know"
    if meaning.cause == "unknown":
        return f"{_OUTCOMES[outcome]}, with a code that is not in the tables" if meaning.unknown else _OUTCOMES[outcome]
    if meaning.is_event:
        return f"Infobip reports that {CAUSES[meaning.cause].summary}"
    if outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        return f"{_OUTCOMES[outcome]} because {CAUSES[meaning.cause].summary}"
    if meaning.cause == "machine_answered":
        return "The call was answered, but by a machine"
    return _OUTCOMES[outcome]


def _codes(meaning: Meaning) -> str:
    names = [match.label for match in (meaning.status, meaning.error) if match.ref is not None]
    if meaning.smtp:
        names.append(f"SMTP {meaning.smtp}")
    return f" ({', '.join(names)})" if names else ""


def _consequence(action: Action) -> str:
    match action:
        case Retry():
            return _retry(action)
        case Suppress():
            return _suppress(action)
        case Alert():
            if action.threshold == 1:
                return "operations are told"
            return f"operations are told once it happens {action.threshold} times within {in_words(action.within)}"
        case Forward():
            return f"the event goes to {action.to}"
        case Ignore():
            return ""


def _retry(action: Retry) -> str:
    count = f"resend {action.attempt} of {action.attempts}"
    where = f" by {action.channel}" if action.channel else ""
    if action.due_at is None:
        return f"{count}{where} (after {action.schedule[0]}) is not planned, since {action.note}"
    verb = _verb(action.mode, "is due", "is proposed for", "would be due")
    return f"{count}{where} {verb} at {_moment(action.due_at)}"


def _suppress(action: Suppress) -> str:
    if action.confirms:
        return "the refusal confirms what stands in the list of suppressions, and changes nothing there"
    what = "marketing" if action.purpose == "marketing" else "messages"
    verb = _verb(action.mode, "gets", "is proposed to get", "would get")
    end = f" until {_moment(action.until)}" if action.until else ""
    return f"the recipient {verb} no more {what} {_SCOPES[action.scope]}{end}"


def _verb(mode: Mode, act: str, propose: str, observe: str) -> str:
    return {Mode.ACT: act, Mode.PROPOSE: propose, Mode.OBSERVE: observe}[mode]


def _moment(moment: datetime) -> str:
    return f"{moment.isoformat(' ', 'minutes')[:16]} UTC"
