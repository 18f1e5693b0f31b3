"""What an incident is about: messages that were refused before they ever left, found again with their last failure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import Connection, exists, select

from codes import CodeRef, Codes, Meaning, Outcome
from codes.causes import OURS
from store.ids import first_id_of
from store.incidents import RESOLVED
from store.moments import to_ms
from store.resending import REFUSED
from store.schema import decisions, reports, retries
from store.views import Found

# The rule under which workers tell that Infobip refused a resend (`outcome.refusal`).
REFUSAL: Final = "resend-refused"
_REJECTED: Final = 5
_PAGE: Final = 500
# Event times may be a little ahead of our clock, by which reports have their ids.
_AHEAD: Final = timedelta(minutes=15)
_SEPARATOR: Final = "|"


@dataclass(frozen=True, slots=True)
class Failure:
    """One message's last failure that belongs to the incident."""

    message_key: bytes
    recipient: bytes
    report_id: int
    channel: str
    attempt_id: str
    """The message id under which it failed: the original's, or a resend's own."""
    left: str = ""
    """Why it may have left after all, or empty."""


def failures(connection: Connection, incident: Found, codes: Codes) -> list[Failure]:
    """Return what the incident is about, each message once, with what is kept of it."""
    seen = _refused_resends if incident["rule"] == REFUSAL else _rejected
    found: dict[bytes, Failure] = {}
    for one in seen(connection, incident, codes):
        found[one.message_key] = one
    return list(found.values())


def _rejected(connection: Connection, incident: Found, codes: Codes) -> Iterator[Failure]:
    scope = scope_of(incident)
    ruled = exists(
        select(decisions.c.id).where(decisions.c.report_id == reports.c.id, decisions.c.rule == incident["rule"])
    )
    mine = (reports.c.account == incident["account"]) & (reports.c.outcome == Outcome.FAILED.value) & ruled
    mine &= (reports.c.message_key != b"") & (reports.c.event_at >= incident["first_at"])
    if incident["state"] == RESOLVED:
        mine &= reports.c.event_at <= incident["last_at"]
    last = first_id_of(to_ms(incident["first_at"] - _AHEAD))
    while True:
        rows = connection.execute(
            select(reports).where(mine, reports.c.id > last).order_by(reports.c.id).limit(_PAGE)
        ).all()
        for row in rows:
            facts = json.loads(row.facts)
            meaning = _meaning(codes, row.channel, facts)
            if _is_in(scope, row, facts, meaning):
                yield _failure(row, facts, meaning)
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def _refused_resends(connection: Connection, incident: Found, codes: Codes) -> Iterator[Failure]:
    status = scope_of(incident).get("status", "")
    mine = (retries.c.account == incident["account"]) & (retries.c.state == REFUSED)
    mine &= retries.c.changed_at >= incident["first_at"] - timedelta(minutes=1)
    mine &= retries.c.note.contains(f": {status}", autoescape=True)
    if incident["state"] == RESOLVED:
        mine &= retries.c.changed_at <= incident["last_at"] + timedelta(minutes=1)
    for row in connection.execute(select(retries).where(mine).order_by(retries.c.attempt, retries.c.id)):
        yield Failure(row.message_key, row.recipient, row.report_id, row.channel, row.new_id)


def scope_of(incident: Mapping[str, Any]) -> dict[str, str]:
    """Return what the incident's reports have in common: the names by which its rule groups, with their values."""
    parts = str(incident["key"]).split(_SEPARATOR)[1:]
    return {name: value for part in parts for name, is_one, value in [part.partition("=")] if is_one}


def _meaning(codes: Codes, channel: str, facts: Mapping[str, Any]) -> Meaning:
    refs = [CodeRef(**facts[kind]) if facts.get(kind) else None for kind in ("status", "error")]
    return codes.lookup(channel, refs[0], refs[1], facts.get("smtp", ""))


def _is_in(scope: Mapping[str, str], row: Any, facts: Mapping[str, Any], meaning: Meaning) -> bool:
    network = str(facts.get("mcc_mnc", ""))
    values = {
        "network": network,
        "country": network[:3],
        "channel": row.channel,
        "cause": row.cause,
        "error": _label(meaning.error.label),
        "status": _label(meaning.status.label),
        **{name: str(facts.get(name, "")) for name in ("sender", "application", "entity", "campaign")},
    }
    return all(values[name] == value for name, value in scope.items() if name in values)


def _label(text: str) -> str:
    return "" if text == "none" else text


def _failure(row: Any, facts: Mapping[str, Any], meaning: Meaning) -> Failure:
    left = ""
    if row.cause not in OURS:
        left = f"it failed for another reason than our account or sender: {row.cause}"
    elif _group(meaning) != _REJECTED:
        left = "Infobip did not reject it: it left, and failed later"
    elif (price := price_of(facts)) is not None and price > 0:
        left = "Infobip charged for it: it left"
    return Failure(row.message_key, row.recipient, row.id, row.channel, str(facts.get("message_id", "")), left)


def _group(meaning: Meaning) -> int | None:
    status = meaning.status
    return status.row.group_id if status.row else status.ref.group_id if status.ref else None


def price_of(facts: Mapping[str, Any]) -> Decimal | None:
    """Return a report's price, where it tells one."""
    try:
        price = Decimal(str(facts["price"]))
    except (KeyError, InvalidOperation):
        return None
    return price if price.is_finite() and price >= 0 else None


def dearest(connection: Connection, account: str, channels: Sequence[str], newest: int = 1_000) -> tuple[Decimal, str]:
    """Return the dearest price with its currency that the newest reports of these channels tell; 0 if none tells one.

    What was refused was not charged, so its own report says nothing of what it would cost.
    """
    mine = (reports.c.account == account) & reports.c.channel.in_(sorted(set(channels)))
    query = select(reports.c.facts).where(mine, reports.c.facts.contains('"price":'))
    found = (Decimal(0), "")
    for facts in connection.scalars(query.order_by(reports.c.id.desc()).limit(newest)):
        known = json.loads(facts)
        found = max(found, (price_of(known) or Decimal(0), str(known.get("currency", ""))))
    return found
