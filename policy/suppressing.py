"""Whether a rule suppresses the recipient, for how long, and on what count."""

from datetime import datetime
from typing import Final

from codes import Outcome
from codes.causes import FIRM
from codes.channels import UNKNOWN
from policy import words
from policy.counting import days, excused, standing
from policy.decision import Count, Mode, Suppress
from policy.history import History
from policy.question import Question
from policy.suppress_plan import FOREVER, SuppressPlan
from reports import Event

# Ten repetitions are far past the longest time already; the bound keeps the power small.
_MOST_GROWN: Final = 10


def suppress_of(asked: Question) -> Suppress | None:
    """Return the suppression that the rule asks for; where there is none, the notes say why."""
    wanted = asked.rule.suppress
    if wanted is None:
        return None
    firm = asked.meaning.cause in FIRM
    objection = _objection(asked, wanted, firm=firm)
    if objection:
        asked.notes.append(objection)
        return None
    if wanted.confirms:
        # What our own list, or Infobip's, refused is no news: or what was lifted would come back by its own echo.
        said = (wanted.scope, wanted.purpose, asked.meaning.cause, None)
        return Suppress(asked.rule.id, Mode.ACT, *said, firm=firm, confirms=True)
    if wanted.tiers or wanted.failures > 1:
        return _counted(asked, wanted, firm=firm)
    return _made(asked, wanted, _until(wanted, asked.history, asked.moment), firm=firm)


def _objection(asked: Question, wanted: SuppressPlan, *, firm: bool) -> str:
    """Say why nobody is suppressed whatever the rule says, or return the empty string."""
    report, meaning, history = asked.report, asked.meaning, asked.history
    # The status decides. Without one, or with one that is no failure, an error says nothing about the person.
    if report.event is Event.DELIVERY and asked.outcome is not Outcome.FAILED:
        return "the recipient is not suppressed, since the status does not say that it failed"
    if meaning.unknown:
        return "nobody is suppressed on the strength of a code that is not in the tables"
    if meaning.conflict:
        return "nobody is suppressed while the codes contradict each other"
    if not history.trusted:
        return "nobody is suppressed on the strength of a callback that was not authenticated"
    # An event says itself whom it is about; the codes of a report mean little without the channel.
    if meaning.channel == UNKNOWN and not meaning.is_event:
        return "nobody is suppressed while the channel is not known"
    if history.protected and not firm and not wanted.confirms:
        return "the recipient is not suppressed, since an operator protects the address"
    if history.reached and not firm:
        return "the recipient is not suppressed, since the message arrived by another report"
    # `arrived_by` is empty where an arrival says nothing about the cause.
    if not firm and (history.arrived_by if wanted.scope == "all" else meaning.channel in history.arrived_by):
        return "the recipient is not suppressed, since something sent later arrived"
    return ""


def _counted(asked: Question, wanted: SuppressPlan, *, firm: bool) -> Suppress | None:
    """Return what a plan leads to that counts failures, if there are enough of them."""
    history = asked.history
    if history.excused and not firm:
        asked.notes.append(f"this failure does not count against the recipient, since {history.excused}")
        return None
    failed_at = history.failed_at or asked.moment
    names = (history, wanted, asked.meaning.channel)
    left_out = excused(*names, asked.meaning.cause, failed_at)
    if left_out:
        asked.notes.append(words.left_out(left_out))
    if wanted.tiers:
        return _by_tier(asked, wanted, failed_at, firm=firm)
    found = days(*names, failed_at)
    if len(found) < wanted.failures:
        asked.notes.append(
            f"the recipient failed on {len(found)} of the {wanted.failures} days that lead to a suppression"
        )
        return None
    until = _until(wanted, history, asked.moment)
    return _made(asked, wanted, until, firm=firm, count=Count(wanted.failures, found))


def _by_tier(asked: Question, wanted: SuppressPlan, failed_at: datetime, *, firm: bool) -> Suppress | None:
    """Return what the tier leads to that this failure reaches. Its end counts from when the failure happened."""
    stands = standing(asked.history, wanted, asked.meaning.channel, asked.meaning.cause, failed_at)
    asked.notes.append(words.standing(stands, wanted.tiers))
    if not stands.number:
        return None
    tier = wanted.tiers[stands.number - 1]
    until = stands.since + min(tier.lasts, FOREVER) if tier.lasts is not None else None
    if until is not None and until <= asked.moment:
        asked.notes.append("the recipient is not suppressed, since that would be over by now")
        return None
    count = Count(tier.times, stands.at, stands.number, len(wanted.tiers), tier.lasts)
    return _made(asked, wanted, until, firm=firm, count=count)


def _made(
    asked: Question, wanted: SuppressPlan, until: datetime | None, *, firm: bool, count: Count | None = None
) -> Suppress:
    mode = Mode.ACT if firm else asked.rules.modes["suppress"]
    said = (wanted.scope, wanted.purpose, asked.meaning.cause, until)
    return Suppress(asked.rule.id, mode, *said, firm=firm, hold=wanted.hold, rests_on=count)


def _until(wanted: SuppressPlan, history: History, now: datetime) -> datetime | None:
    if wanted.lasts is None:
        return None
    factor = wanted.grow ** min(history.suppressions, _MOST_GROWN)
    return now + (wanted.lasts * factor if wanted.lasts < FOREVER // factor else FOREVER)
