"""Correct what was decided before: new decisions, and the suppressions and resends that no longer follow, or now do.

Only suppressions that rules inferred from reports are corrected. What a person asked for (an opt-out, a complaint,
do-not-disturb), and what an operator entered, is never touched.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, or_, select, update

from store.ledger import add_decisions
from store.replay import evidence_of
from store.retries import OPEN as NOT_LEFT
from store.schema import reports, retries, suppression_audit, suppressions
from store.suppressions import ACTIVE, LIFTED, LIFTED_BY_DELIVERY, STANDING, Entry, lift, suppress
from store.trail import Change, change
from store.views import latest_decisions
from store.writes import Line, insert_returning

WHO: Final = "replay"
# The person's own word, or what stands for it. Whatever the rules now say, only the person or an operator lifts it.
OWN_WORD: Final = frozenset({"recipient_opted_out", "recipient_complained", "recipient_dnd", "recipient_blocklisted"})
_INFERRED: Final = "report"
_OPT_IN_KINDS: Final = ("UNBLOCK", "SUBSCRIBE")
_LAST: Final = 1_000


def write_decisions(connection: Connection, lines: Sequence[Line], told: Mapping[int, tuple[str, str]]) -> None:
    """Write new decisions, and the outcome and cause that listings show; `told` has those by report."""
    add_decisions(connection, lines)
    for number, (outcome, cause) in sorted(told.items()):
        mine = update(reports).where(reports.c.id == number)
        connection.execute(mine.values(outcome=outcome, cause=cause))


def is_suppressed(connection: Connection, account: str, address: bytes, now: datetime) -> bool:
    """Whether anything stands against sending to this person."""
    query = select(suppressions.c.id).where(
        suppressions.c.account == account,
        suppressions.c.address == address,
        suppressions.c.state == ACTIVE,
        or_(suppressions.c.until.is_(None), suppressions.c.until > now),
    )
    return connection.execute(query.limit(1)).first() is not None


def withdraw(connection: Connection, report_id: int, entry: Entry, at: datetime) -> bool:
    """Lift the suppression that a report led to and no longer would; whether it was lifted.

    It stands where the person asked for it, and where another report that is still kept leads to it.
    """
    standing = _standing(connection, entry)
    if standing is None or standing.state not in STANDING or _is_own_word(standing):
        return False
    last = str(evidence_of(standing).get("report", ""))
    if last != str(report_id) and not _is_kept(connection, last):
        return False
    if _led_to_by_another(connection, report_id, entry):
        return False
    return lift(connection, [(standing.id, at)], at, WHO, "the rules no longer suppress on this report") > 0


def impose(connection: Connection, report_id: int, entry: Entry, at: datetime) -> bool:
    """Write the suppression that a report leads to now, or correct its end; whether anything changed.

    Not where it would be over already, or where something that happened later disproves it.
    """
    if (entry.until is not None and entry.until <= at) or _disproved(connection, entry):
        return False
    standing = _standing(connection, entry)
    if standing is None or _is_own_word(standing):
        return suppress(connection, [entry], at, WHO) > 0
    if standing.state == LIFTED and _last_change_by(connection, standing.id) == WHO:
        return _set(connection, standing.id, entry, at, "renewed", state=entry.state)
    is_its_own = str(evidence_of(standing).get("report", "")) == str(report_id)
    if is_its_own and standing.state in STANDING and standing.until != entry.until:
        state = ACTIVE if ACTIVE in (standing.state, entry.state) else standing.state
        return _set(connection, standing.id, entry, at, "corrected", state=state)
    return suppress(connection, [entry], at, WHO) > 0


def _set(connection: Connection, number: int, entry: Entry, at: datetime, word: str, *, state: str) -> bool:
    evidence = json.dumps(dict(entry.evidence), ensure_ascii=False)
    values: dict[str, Any] = {
        "state": state,
        "until": entry.until,
        "rule": entry.rule,
        "evidence": evidence,
        "changed_at": at,
    }
    values["event_at"] = entry.since
    change(connection, [Change(number, word, entry.rule, values)], at, WHO)
    return True


def _standing(connection: Connection, entry: Entry) -> Any:
    query = select(suppressions).where(
        suppressions.c.account == entry.account,
        suppressions.c.address == entry.address,
        suppressions.c.scope == entry.scope,
        suppressions.c.cause == entry.cause,
    )
    return connection.execute(query).first()


def _is_own_word(standing: Any) -> bool:
    return standing.cause in OWN_WORD or standing.origin != _INFERRED


def _is_kept(connection: Connection, report: str) -> bool:
    if not report.isdecimal():
        return False
    return connection.execute(select(reports.c.id).where(reports.c.id == int(report))).first() is not None


def _theirs(connection: Connection, entry: Entry) -> list[Any]:
    query = select(reports).where(reports.c.recipient == entry.address, reports.c.account == entry.account)
    return list(connection.execute(query.order_by(reports.c.received_at.desc()).limit(_LAST)))


def _led_to_by_another(connection: Connection, report_id: int, entry: Entry) -> bool:
    """Whether the decision in force on another report of this recipient suppresses for the same cause and scope."""
    others = {row.id: row for row in _theirs(connection, entry) if row.id != report_id}
    decided = latest_decisions(connection, sorted(others))
    return any(
        action["action"] == "suppress"
        and action["mode"] != "observe"
        and action["cause"] == entry.cause
        and action["purpose"] == entry.purpose
        and _covers(action["scope"], others[number], entry)
        for number, decision in decided.items()
        for action in decision["actions"]
    )


def _covers(scope: str, report: Any, entry: Entry) -> bool:
    """Whether `scope` of a report has the bounds of `entry`, as `workers.rows` draws them."""
    facts = json.loads(report.facts)
    sender, campaign = facts.get("sender", ""), facts.get("campaign", "")
    bounds = (report.channel, "", "")
    if scope == "all":
        bounds = ("", "", "")
    elif scope == "campaign" and campaign:
        bounds = ("", "", campaign)
    elif scope in ("sender", "campaign") and sender:
        bounds = ("", sender, "")
    return bounds == (entry.channel, entry.sender, entry.campaign)


def _disproved(connection: Connection, entry: Entry) -> bool:
    """Whether the person was reached, or opted in again, after the event that suppresses."""
    # A stranger's word disproves nothing; the facts are compact JSON.
    later = [
        row for row in _theirs(connection, entry) if row.event_at > entry.since and '"untrusted":true' not in row.facts
    ]
    if entry.cause in LIFTED_BY_DELIVERY:
        return any(
            row.channel == entry.channel or not entry.channel
            for row in later
            if (row.event, row.outcome) == ("delivery", "delivered") or row.event in ("seen", "click")
        )
    if entry.cause in OWN_WORD:
        return any(row.kind in _OPT_IN_KINDS or json.loads(row.facts).get("word") == "start" for row in later)
    return False


def _last_change_by(connection: Connection, number: int) -> str:
    trail = select(suppression_audit.c.who).where(suppression_audit.c.suppression_id == number)
    return str(connection.execute(trail.order_by(suppression_audit.c.id.desc()).limit(1)).scalar() or "")


def drop_resends(connection: Connection, report_id: int, at: datetime) -> int:
    """Cancel resends that a report led to and no longer would."""
    mine = update(retries).where(retries.c.report_id == report_id, retries.c.state.in_(NOT_LEFT))
    note = "the rules no longer resend it"
    return connection.execute(mine.values(state="cancelled", note=note, changed_at=at)).rowcount


def plan_resend(connection: Connection, row: dict[str, Any]) -> bool:
    """Plan a resend, or put off one that has not left; whether anything changed.

    The attempt's unique key stands: one that left, or was cancelled or expired, is never planned again.
    """
    mine = update(retries).where(
        retries.c.account == row["account"],
        retries.c.message_key == row["message_key"],
        retries.c.attempt == row["attempt"],
        retries.c.state.in_(NOT_LEFT),
    )
    again = {name: value for name, value in row.items() if name not in ("id", "account", "message_key", "attempt")}
    if connection.execute(mine.values(**again)).rowcount:
        return True
    return bool(insert_returning(connection, retries, [row], ("id",)))
