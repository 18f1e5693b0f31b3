"""What decisions become in the database: rows, collected first and written in one order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from codes import CAUSES, CodeRef
from config.mask import mask
from policy import Action, Alert, Decision, Forward, Mode, Retry, Suppress
from reports import mail_domain
from store import incidents, ledger, messages, retries, suppressions
from store.ids import new_id
from store.messages import Message
from store.moments import to_ms
from store.schema import outbox
from store.suppressions import ACTIVE, PROPOSED, Entry
from store.vault import Vault
from store.writes import insert_new
from workers.prepare import Prepared

_RETRY_STATES: Final = {Mode.OBSERVE: "observed", Mode.PROPOSE: "proposed", Mode.ACT: "planned"}
_ORIGINS: Final = {"COMPLAINED": "complaint", "BLOCK": "infobip", "DELIVERY": "report", "LATE_BOUNCE": "report"}
_ENCODE: Final = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode
# A forwarded event that nobody takes is given up after Infobip's own patience.
_FORWARD_FOR_MS: Final = 42 * 3_600_000


@dataclass(slots=True)
class Effects:
    """Everything one slice writes. Collected outside the statements, so that locks are taken in one order."""

    vault: Vault
    now: datetime
    reports: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    addresses: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    changed: dict[bytes, Message] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    retries: list[dict[str, Any]] = field(default_factory=list)
    sightings: list[incidents.Sighting] = field(default_factory=list)
    failures: list[tuple[str, bytes, str, datetime]] = field(default_factory=list)
    delivered: dict[tuple[str, bytes], datetime] = field(default_factory=dict)
    reached: set[bytes] = field(default_factory=set)
    silenced: set[tuple[str, bytes]] = field(default_factory=set)
    opted_in: list[Prepared] = field(default_factory=list)
    outgoing: list[dict[str, Any]] = field(default_factory=list)

    def add_report(self, number: int, item: Prepared, outcome: str, cause: str) -> None:
        """Keep the normalised report and its address."""
        report = item.report
        received = to_ms(item.received_at)
        self.reports.append(
            {
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
                "received_at": received,
                "facts": _ENCODE(facts(item)).decode("utf-8", "surrogatepass"),
            }
        )
        if item.recipient and item.recipient not in self.addresses:
            self.addresses[item.recipient] = {
                "hash": item.recipient,
                "sealed": self.vault.seal(report.recipient.encode("utf-8", "surrogatepass")),
                "tail": report.recipient[-2:],
                "domain": mail_domain(report.recipient)[:255],
                "seen_at": received,
            }

    def add_decision(self, number: int, item: Prepared, decision: Decision) -> None:
        """Keep the decision, and collect what follows from it."""
        self.decisions.append(decision_row(number, decision, self.now))
        for action in decision.actions:
            collect = _COLLECT.get(type(action))
            if collect is not None:
                collect(self, number, item, decision, action)

    def write(self, connection: Connection) -> None:
        """Write it all: messages first, then suppressions, then the rest, the order in which all writers take locks."""
        at = self.now
        messages.save(connection, self.changed.values(), at)
        suppressions.suppress(connection, self.entries, at, "policy")
        suppressions.lift_after_delivery(connection, self.delivered, at)
        for item in self.opted_in:
            self._opt_in(connection, item)
        suppressions.note_failures(connection, self.failures)
        ledger.add_addresses(connection, list(self.addresses.values()))
        ledger.add_reports(connection, self.reports)
        ledger.add_decisions(connection, self.decisions)
        retries.plan(connection, self.retries)
        retries.cancel(connection, self.reached, at, "the message arrived")
        for account, address in sorted(self.silenced):
            retries.cancel_for(connection, account, address, at, "the person wants no more")
        insert_new(connection, outbox, self.outgoing)
        incidents.note(connection, self.sightings)

    def _opt_in(self, connection: Connection, item: Prepared) -> None:
        assert item.event is not None
        suppressions.lift_opt_out(
            connection,
            item.report.account,
            item.recipient,
            item.event.lifts,
            sender=item.report.sender,
            channel=item.report.channel,
            at=item.event_at,
            now=self.now,
            reason=f"opted in again ({item.report.kind})",
        )


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
        "sender": report.sender,
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
        "bad_dates": report.detail.get("bad_dates"),
    }
    return {name: value for name, value in found.items() if value not in (None, "", False)}


def _code(ref: CodeRef | None) -> dict[str, Any] | None:
    if ref is None:
        return None
    return {name: value for name, value in ref._asdict().items() if value not in (None, "")}


def _retry(effects: Effects, number: int, item: Prepared, decision: Decision, action: Action) -> None:
    assert isinstance(action, Retry)
    state = _RETRY_STATES[action.mode] if action.due_at is not None else "waiting"
    effects.retries.append(
        {
            "id": new_id(),
            "account": item.report.account,
            "message_key": item.message_key,
            "attempt": action.attempt,
            "report_id": number,
            "state": state,
            "mode": action.mode.value,
            "rule": action.rule,
            "channel": action.channel,
            "due_at": action.due_at,
            "give_up_at": action.give_up_at,
            "note": action.note,
            "changed_at": effects.now,
        }
    )


def _suppress(effects: Effects, number: int, item: Prepared, decision: Decision, action: Action) -> None:
    assert isinstance(action, Suppress)
    if action.mode is Mode.OBSERVE or not item.recipient:
        return
    report = item.report
    channel, sender, campaign = _scope(action.scope, report.channel, report.sender, report.campaign)
    effects.entries.append(
        Entry(
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
    )
    if action.firm:
        effects.silenced.add((report.account, item.recipient))


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


def _alert(effects: Effects, number: int, item: Prepared, decision: Decision, action: Action) -> None:
    assert isinstance(action, Alert)
    values = {name: value for name in action.group_by if (value := _dimension(name, item, decision))}
    scope = ", ".join(f"{name} {value}" for name, value in values.items())
    meaning = item.meaning
    effects.sightings.append(
        incidents.Sighting(
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
            example=f"{item.report.message_id or item.report.event_id} to {mask(item.report.recipient)}",
        )
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


def _forward(effects: Effects, number: int, item: Prepared, decision: Decision, action: Action) -> None:
    assert isinstance(action, Forward)
    effects.outgoing.append(
        {
            "id": new_id(),
            "account": item.report.account,
            "kind": "forward",
            "target": action.to,
            "subject": number,
            "payload": None,
            "state": "due",
            "due_at": to_ms(effects.now),
            "give_up_at": to_ms(effects.now) + _FORWARD_FOR_MS,
            "attempts": 0,
            "owner": "",
            "lease_until": 0,
            "last_error": "",
        }
    )


_COLLECT: Final[Mapping[type, Any]] = {
    Retry: _retry,
    Suppress: _suppress,
    Alert: _alert,
    Forward: _forward,
}


def without_channel(item: Prepared) -> incidents.Sighting:
    """Return the sighting of an item whose channel nobody named."""
    return incidents.Sighting(
        account=item.report.account,
        key="no-channel",
        rule="no-channel",
        severity="warning",
        title="Reports come in without a channel",
        next_step="Name the channel in the URL that Infobip posts to (/webhook/sms), or set DLR_DEFAULT_CHANNEL.",
        at=item.received_at,
        example=item.report.message_id,
    )


def mentioned(item: Prepared) -> incidents.Sighting:
    """Return the sighting of an inbound message that contains a stop word without being one."""
    return incidents.Sighting(
        account=item.report.account,
        key="stop-word-mentioned",
        rule="stop-word-mentioned",
        severity="info",
        title="Inbound messages mention a stop word",
        next_step="Read them and opt the person out by hand where that is meant: `dlr reports --word mention`.",
        at=item.event_at,
        example=mask(item.report.recipient),
    )
