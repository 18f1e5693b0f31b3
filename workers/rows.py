"""Rows and entries that one item's report and decision become."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from codes import CAUSES, CodeRef
from config.mask import mask, mask_text
from policy import Action, Alert, Decision, Forward, Mode, Retry, Suppress
from reports import Event, mail_domain
from store import incidents
from store.ids import new_id
from store.moments import to_ms
from store.suppressions import ACTIVE, PROPOSED, Entry
from workers.prepare import Prepared

_RETRY_STATES: Final = {Mode.OBSERVE: "observed", Mode.PROPOSE: "proposed", Mode.ACT: "planned"}
_ORIGINS: Final = {"COMPLAINED": "complaint", "BLOCK": "infobip", "DELIVERY": "report", "LATE_BOUNCE": "report"}
_ENCODE: Final = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode
_LONGEST_DATE: Final = 40
# A forwarded event that nobody takes is given up after Infobip's own patience.
_FORWARD_FOR_MS: Final = 42 * 3_600_000


def report_row(number: int, item: Prepared, outcome: str, cause: str) -> dict[str, Any]:
    """Return the normalised report as a row."""
    report = item.report
    return {
        "id": number,
        "account": report.account,
        "callback_id": item.callback_id,
        "item_index": item.index,
        "message_key": item.message_key,
        "recipient": item.recipient,
        "event": report.event.value,
        "kind": report.kind[:64],
        "channel": report.channel,
        "outcome": outcome,
        "cause": cause,
        "event_at": to_ms(item.event_at),
        "received_at": to_ms(item.received_at),
        "facts": _ENCODE(facts(item)).decode("utf-8", "surrogatepass"),
    }


def decision_row(report_id: int, decision: Decision, at: datetime, *, replay: bool = False) -> dict[str, Any]:
    """Return a decision as a row."""
    return {
        "id": new_id(),
        "report_id": report_id,
        "decided_at": at,
        "replay": replay,
        "rule": decision.rule,
        "actions": _as_json(decision.actions),
        "reason": decision.reason,
        "policy": decision.policy,
        "tables": decision.tables,
    }


@lru_cache(4096)
def _as_json(actions: tuple[Action, ...]) -> str:
    return _ENCODE([action._asdict() for action in actions]).decode()


def facts(item: Prepared) -> dict[str, Any]:
    """Return what is shown of a report besides its columns. Never an address, a text or the application's own data."""
    report = item.report
    found = {
        "message_id": report.message_id,
        "bulk_id": report.bulk_id,
        "status": _code(report.status),
        "error": _code(report.error),
        "smtp": item.meaning.smtp if item.meaning else "",
        "leg": report.own_channel,
        "sender": report.sender if report.event is not Event.SEEN else "",
        "mcc_mnc": report.mcc_mnc,
        "price": report.price,
        "currency": report.currency,
        "count": report.count,
        "campaign": report.campaign,
        "application": report.application,
        "entity": report.entity,
        "family": report.family,
        "sent_at": report.sent_at and to_ms(report.sent_at),
        "word": item.word,
        "time_replaced": item.replaced_time,
        "untrusted": not item.trusted,
        "bad_dates": _shown(report.detail.get("bad_dates")),
    }
    return {name: value for name, value in found.items() if value not in (None, "", False)}


def _shown(dates: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return dates that could not be read as they may be seen: anything may stand in their place."""
    return {name: mask_text(text)[:_LONGEST_DATE] for name, text in dates.items()} if dates else None


@lru_cache(4096)
def _code(ref: CodeRef | None) -> dict[str, Any] | None:
    if ref is None:
        return None
    return {name: value for name, value in ref._asdict().items() if value not in (None, "")}


def retry_row(number: int, item: Prepared, action: Retry, now: datetime) -> dict[str, Any]:
    """Return a planned resend as a row."""
    state = _RETRY_STATES[action.mode] if action.due_at is not None else "waiting"
    return {
        "id": new_id(),
        "account": item.report.account,
        "message_key": item.message_key,
        "recipient": item.recipient,
        "attempt": action.attempt,
        "report_id": number,
        "state": state,
        "mode": action.mode.value,
        "rule": action.rule,
        "channel": action.channel,
        "due_at": action.due_at,
        "give_up_at": action.give_up_at,
        "note": action.note,
        "changed_at": now,
    }


def entry_of(number: int, item: Prepared, decision: Decision, action: Suppress) -> Entry | None:
    """Return the suppression that the action asks for; nothing where it is only observed or names nobody."""
    if action.mode is Mode.OBSERVE or not item.recipient:
        return None
    report = item.report
    channel, sender, campaign = _scope(action.scope, report.channel, report.sender, report.campaign)
    return Entry(
        account=report.account,
        address=item.recipient,
        channel=channel,
        sender=sender,
        campaign=campaign,
        purpose=action.purpose,
        cause=action.cause,
        rule=action.rule,
        origin=_ORIGINS.get(report.kind, "unsubscribe"),
        state=ACTIVE if action.mode is Mode.ACT else PROPOSED,
        since=item.event_at,
        until=action.until,
        evidence={"report": str(number), "at": item.event_at.isoformat(), "reason": decision.reason, **facts(item)},
    )


def _scope(scope: str, channel: str, sender: str, campaign: str) -> tuple[str, str, str]:
    """Return (channel, sender, campaign) of a suppression. What the report does not name cannot bound it: then the
    next narrower thing that it does name does, and never nothing."""
    if scope == "all":
        return "", "", ""
    if scope == "campaign" and campaign:
        return "", "", campaign
    if scope in ("sender", "campaign") and sender:
        return "", sender, ""
    return channel, "", ""


def sighting_of(item: Prepared, decision: Decision, action: Alert, purpose: str) -> incidents.Sighting:
    """Return what an alert adds to its incident."""
    values = {name: value for name in action.group_by if (value := _dimension(name, item, decision))}
    scope = ", ".join(f"{name} {value}" for name, value in values.items())
    meaning = item.meaning
    return incidents.Sighting(
        account=item.report.account,
        key="|".join((action.rule, *(f"{name}={value}" for name, value in values.items()))),
        rule=action.rule,
        severity=action.severity,
        title=f"{_title(item, decision)} ({scope})",
        next_step=meaning.advice if meaning else "",
        at=item.event_at,
        threshold=action.threshold,
        within=action.within,
        repeat=action.repeat,
        example=f"{mask_text(item.report.message_id or item.report.event_id)} to {mask(item.report.recipient)}",
        cause=decision.cause,
        purpose=purpose,
        facts=values,
    )


def _title(item: Prepared, decision: Decision) -> str:
    meaning = item.meaning
    if meaning is not None and meaning.conflict:
        return "The codes of a report contradict each other"
    if decision.cause == "unknown":
        codes = [match.label for match in (meaning.status, meaning.error) if match.unknown] if meaning else []
        return f"Not in the tables: {', '.join(codes)}" if codes else f"Unknown event {item.report.kind}"
    return f"Messages fail because {CAUSES[decision.cause].summary}"


def _dimension(name: str, item: Prepared, decision: Decision) -> str:
    report = item.report
    match name:
        case "network":
            return report.mcc_mnc
        case "country":
            return report.mcc_mnc[:3]
        case "domain":
            return mail_domain(report.recipient)
        case "cause":
            return decision.cause
        case "error" | "status":
            label = getattr(item.meaning, name).label if item.meaning else ""
            return "" if label == "none" else label
        case _:
            return str(getattr(report, name))


def forward_row(number: int, item: Prepared, action: Forward, now: datetime) -> dict[str, Any]:
    """Return an event for the customer's own URL as a row of the outbox."""
    return {
        "id": new_id(),
        "account": item.report.account,
        "kind": "forward",
        "target": action.to,
        "subject": number,
        "payload": None,
        "state": "due",
        "due_at": to_ms(now),
        "give_up_at": to_ms(now) + _FORWARD_FOR_MS,
        "attempts": 0,
        "owner": "",
        "lease_until": 0,
        "last_error": "",
    }
