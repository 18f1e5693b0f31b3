"""What the tests of the policy share: one moment, one report, and a decision on the codes that matter to a test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from codes import lookup
from policy import (
    Alert,
    Decision,
    Failed,
    History,
    Purpose,
    Retry,
    Rules,
    Suppress,
    decide,
    load_policy,
    shipped_policy,
)
from policy.decision import Action
from reports import Event, Report

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday: 04:00 in Los Angeles, 17:30 in Kolkata
SENT = NOW - timedelta(minutes=1)
TRANSACTIONAL = History(purpose=Purpose.TRANSACTIONAL, sent_at=SENT)
FAILED = 9

Kind = TypeVar("Kind", bound=Action)


def report(channel: str = "sms", **values: Any) -> Report:
    values.setdefault("recipient", "nobody@example.com" if channel == "email" else "385911234567")
    return Report(Event.DELIVERY, "DELIVERY", "unified", {}, channel=channel, message_id="message-1", **values)


def decided(
    channel: str,
    status: int | dict[str, object] | None,
    error: int | dict[str, object] | None = 0,
    history: History = TRANSACTIONAL,
    *,
    rules: Rules | None = None,
    now: datetime = NOW,
    smtp: str = "",
    **values: Any,
) -> Decision:
    """Return the decision on a report with these codes; a bare number is an id."""
    wire_status, wire_error = ({"id": code} if isinstance(code, int) else code for code in (status, error))
    meaning = lookup(channel, wire_status, wire_error, smtp)
    return decide(report(channel, **values), meaning, history, rules or shipped_policy(), now)


def failures(
    *moments: datetime, cause: str = "recipient_unreachable", channel: str = "sms", excused: str = ""
) -> tuple[Failed, ...]:
    """Return earlier failures for a `History`."""
    return tuple(Failed(moment, cause, channel, excused) for moment in moments)


def only(decision: Decision, kind: type[Kind]) -> Kind:
    """Return the one action of this kind, which must be there."""
    (found,) = [action for action in decision.actions if isinstance(action, kind)]
    return found


def kinds(decision: Decision) -> list[str]:
    return [action.action for action in decision.actions]


def retry(decision: Decision) -> Retry:
    return only(decision, Retry)


def suppress(decision: Decision) -> Suppress:
    return only(decision, Suppress)


def alert(decision: Decision) -> Alert:
    return only(decision, Alert)


def is_due_in(decision: Decision, least: timedelta, now: datetime = NOW) -> bool:
    """Whether the resend is due after `least` and no more than the jitter of a tenth later."""
    due_at = retry(decision).due_at
    return due_at is not None and least <= due_at - now <= least * 1.1


def own_policy(folder: Path, text: str) -> Rules:
    """Return the rules in force with an operator's file of this text."""
    path = folder / "own.toml"
    path.write_text(text)
    return load_policy(path)
