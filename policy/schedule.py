"""When a resend is due. Pure arithmetic on aware UTC times."""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from policy.durations import in_words
from policy.history import History, Purpose
from policy.rules import Limits, RetryPlan
from reports import Report


class Plan(NamedTuple):
    """A resend's time, or `due_at` `None` with the `note` that says why it will not take place.

    `named` says whether the retry is still worth naming: a plan that is only cut is, one that is over is not.
    """

    attempt: int
    due_at: datetime | None
    give_up_at: datetime
    note: str = ""
    named: bool = True


def plan(report: Report, history: History, purpose: Purpose, retry: RetryPlan, limits: Limits, now: datetime) -> Plan:
    """Return when the next resend under `retry` is due, by our clock."""
    attempt = history.resends + 1
    sent_at = history.sent_at or now
    give_up_at = sent_at + retry.give_up_after
    not_after = history.not_after or (sent_at + limits.otp_not_after if purpose is Purpose.OTP else None)
    if attempt > retry.attempts:
        allowed = f"{retry.attempts} resend{'' if retry.attempts == 1 else 's'}"
        return Plan(attempt, None, give_up_at, f"the rule allows {allowed} and that is used up", named=False)
    due_at = _due(report, attempt, retry, limits, now)
    if not_after is not None and due_at > not_after:
        return Plan(attempt, None, give_up_at, "it would come after the message has lost its worth", named=False)
    if due_at > give_up_at:
        age = in_words(retry.give_up_after)
        return Plan(
            attempt, None, give_up_at, f"the next try would come more than {age} after the original", named=False
        )
    if purpose is Purpose.UNDECLARED and (attempt > 1 or due_at > sent_at + limits.undeclared_within):
        within = in_words(limits.undeclared_within)
        note = f"nobody said what the message is for, so only one resend within {within} of the original is allowed"
        return Plan(attempt, None, give_up_at, note)
    return Plan(attempt, due_at, give_up_at)


def _due(report: Report, attempt: int, retry: RetryPlan, limits: Limits, now: datetime) -> datetime:
    delay = retry.delays[min(attempt, len(retry.delays)) - 1]
    delay += delay * (limits.jitter * _fraction(report, attempt))
    if attempt == 1:
        delay = max(delay, limits.settle)
    if retry.when == "next_day":
        return _midnight(now, retry.zone) + delay
    if retry.when == "window":
        due_at = _opening(now, retry) + delay
        # Shortly before the window closes, the delay alone would carry it outside.
        return due_at if _opening(due_at, retry) == due_at else _opening(due_at, retry) + delay
    return now + delay


def _fraction(report: Report, attempt: int) -> float:
    """Return a number in [0, 1) that is the same whenever the same report is decided again."""
    seed = f"{report.account}\0{report.message_id}\0{report.recipient}\0{attempt}".encode("utf-8", "surrogatepass")
    return crc32(seed) / 2**32


def _midnight(now: datetime, zone: str) -> datetime:
    local = now.astimezone(_zone(zone))
    return datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo).astimezone(UTC)


def _opening(now: datetime, retry: RetryPlan) -> datetime:
    """Return now if the window is open, else the moment it opens next."""
    local = now.astimezone(_zone(retry.zone))
    opens, closes = retry.window
    minute = local.hour * 60 + local.minute
    if opens <= minute < closes:
        return now
    day = local.date() + timedelta(days=1 if minute >= closes else 0)
    return datetime.combine(day, time(opens // 60, opens % 60), local.tzinfo).astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    # Where the recipient lives is known only once the resend is about to leave; quiet hours are checked again then.
    return ZoneInfo("UTC" if name == "recipient" else name)
