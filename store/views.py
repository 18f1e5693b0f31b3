"""What people look at: read-only queries. Rows come as plain mappings, addresses as their keyed hashes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, exists, func, select

from store.about import about
from store.parts import in_parts
from store.people import IN_REPORT
from store.schema import (
    decisions,
    incidents,
    listed,
    messages,
    meta,
    protections,
    quarantine,
    report_keys,
    reports,
    retries,
    sends,
    suppression_audit,
    suppressions,
    traffic,
    traffic_deltas,
)

Found = dict[str, Any]
# A report without the address that it may hold (`store.people`).
SHOWN: Final = [column for column in reports.columns if column.name not in IN_REPORT]
# JSON texts: what is only shown is kept as one, and read here, so that nobody else need know.
_JSON: Final = frozenset({"purposes", "facts", "actions", "evidence", "examples", "legs", "recent", "spells"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows. Empty means all; each listing heeds those that it has columns for."""

    account: str = ""
    channel: str = ""
    event: str = ""
    outcome: str = ""
    cause: str = ""
    rule: str = ""
    word: str = ""
    state: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    message_id: str = ""
    recipients: tuple[bytes, ...] | None = None
    limit: int = 50


def accounts(connection: Connection) -> set[str]:
    """Return the accounts that have rows: one index look-up for each, not a scan."""
    # What nobody has added up yet is little.
    found = set(connection.scalars(select(traffic_deltas.c.account).distinct()))
    for table in (report_keys, traffic, suppressions, retries, sends, protections, listed):
        column = table.c.account
        last = connection.execute(select(func.min(column))).scalar()
        while last is not None:
            found.add(last)
            last = connection.execute(select(func.min(column)).where(column > last)).scalar()
    return found


def find_reports(connection: Connection, wanted: Wanted) -> list[Found]:
    """Return reports, the newest receipt first, each with its latest decision's `rule`, `reason` and `replay`."""
    query = select(*SHOWN).where(*report_conditions(wanted)).order_by(reports.c.received_at.desc(), reports.c.id.desc())
    found = read_rows(connection, query.limit(wanted.limit))
    latest = latest_decisions(connection, [row["id"] for row in found])
    for row in found:
        decision = latest.get(row["id"], {})
        row.update({name: decision.get(name) for name in ("rule", "reason", "replay")})
    return found


def report_conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return the conditions on `reports` that `wanted` stands for."""
    conditions = [
        column == value
        for column, value in (
            (reports.c.account, wanted.account),
            (reports.c.channel, wanted.channel),
            (reports.c.event, wanted.event),
            (reports.c.outcome, wanted.outcome),
            (reports.c.cause, wanted.cause),
        )
        if value
    ]
    if wanted.since:
        conditions.append(reports.c.received_at >= wanted.since)
    if wanted.until:
        conditions.append(reports.c.received_at < wanted.until)
    if wanted.recipients is not None:
        conditions.append(reports.c.recipient.in_(wanted.recipients))
    if wanted.message_id:
        keys = select(messages.c.key).where(messages.c.message_id == wanted.message_id[:255])
        conditions.append(about(keys))
    if wanted.word:
        # The facts are compact JSON.
        conditions.append(reports.c.facts.contains(f'"word":{json.dumps(wanted.word)}', autoescape=True))
    if wanted.rule:
        ruled = select(decisions.c.id).where(decisions.c.report_id == reports.c.id, decisions.c.rule == wanted.rule)
        conditions.append(exists(ruled))
    return conditions


def latest_decisions(connection: Connection, report_ids: Sequence[int]) -> dict[int, Found]:
    """Return the decision in force of each report: the last one made."""
    return {report: made[-1] for report, made in decisions_of(connection, report_ids).items()}


def decisions_of(connection: Connection, report_ids: Sequence[int]) -> dict[int, list[Found]]:
    """Return all decisions of these reports, in the order in which they were made."""
    found: dict[int, list[Found]] = {}
    for part in in_parts(report_ids):
        query = select(decisions).where(decisions.c.report_id.in_(part)).order_by(decisions.c.id)
        for row in read_rows(connection, query):
            found.setdefault(row["report_id"], []).append(row)
    return found


def messages_of(connection: Connection, message_id: str) -> list[Found]:
    """Return every message with this id: one for each account and recipient."""
    query = select(messages).where(messages.c.message_id == message_id[:255])
    return read_rows(connection, query.order_by(messages.c.account, messages.c.first_at, messages.c.key))


def reports_of(connection: Connection, message_key: bytes) -> list[Found]:
    """Return the reports on one message in the order in which things happened, each with its `decisions`."""
    query = select(*SHOWN).where(about([message_key]))
    found = read_rows(connection, query.order_by(reports.c.event_at, reports.c.id))
    made = decisions_of(connection, [row["id"] for row in found])
    for row in found:
        row["decisions"] = made.get(row["id"], [])
    return found


def find_retries(connection: Connection, wanted: Wanted, key: bytes | None = None) -> list[Found]:
    """Return planned resends with their message's id and channel: the next due first, then what is not due."""
    query = _resends().where(*retry_conditions(wanted))
    if key is not None:
        query = query.where(retries.c.message_key == key)
    order = (retries.c.due_at.is_(None), retries.c.due_at, retries.c.id)
    return read_rows(connection, query.order_by(*order).limit(wanted.limit))


def retries_with(connection: Connection, numbers: Sequence[int]) -> list[Found]:
    """Return the resends with these ids as `find_retries` does, the first attempt first."""
    query = _resends().where(retries.c.id.in_(numbers)).order_by(retries.c.message_key, retries.c.attempt)
    return read_rows(connection, query)


def _resends() -> Select[Any]:
    joined = retries.outerjoin(messages, messages.c.key == retries.c.message_key)
    return select(retries, messages.c.message_id, messages.c.channel.label("sent_by")).select_from(joined)


def retry_conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Return the conditions on `retries`, joined with its messages, that `wanted` stands for."""
    # A resend on the same channel names none.
    channel = func.coalesce(func.nullif(retries.c.channel, ""), messages.c.channel)
    columns = {"account": retries.c.account, "channel": channel, "rule": retries.c.rule}
    columns["message_id"] = messages.c.message_id
    found = [column == value[:255] for name, column in columns.items() if (value := getattr(wanted, name))]
    if wanted.state:
        found.append(retries.c.state.in_(wanted.state))
    if wanted.recipients is not None:
        found.append(retries.c.recipient.in_(wanted.recipients))
    return found


def find_suppressions(connection: Connection, wanted: Wanted) -> list[Found]:
    """Return suppressions, the latest change first."""
    query = _narrowed(select(suppressions), suppressions.c, wanted)
    if wanted.cause:
        query = query.where(suppressions.c.cause == wanted.cause)
    if wanted.recipients is not None:
        query = query.where(suppressions.c.address.in_(wanted.recipients))
    return read_rows(
        connection, query.order_by(suppressions.c.changed_at.desc(), suppressions.c.id.desc()).limit(wanted.limit)
    )


def suppression(connection: Connection, number: int) -> Found | None:
    """Return one suppression with its `audit`, or nothing."""
    return _with_audit(connection, read_rows(connection, select(suppressions).where(suppressions.c.id == number)))


def _with_audit(connection: Connection, rows: list[Found]) -> Found | None:
    for row in rows:
        trail = select(suppression_audit).where(suppression_audit.c.suppression_id == row["id"])
        row["audit"] = read_rows(connection, trail.order_by(suppression_audit.c.id))
        return row
    return None


def find_incidents(connection: Connection, wanted: Wanted) -> list[Found]:
    """Return incidents, the last heard of first."""
    query = _narrowed(select(incidents), incidents.c, wanted)
    return read_rows(connection, query.order_by(incidents.c.last_at.desc(), incidents.c.id.desc()).limit(wanted.limit))


def incident(connection: Connection, number: int) -> Found | None:
    """Return one incident, or nothing."""
    return next(iter(read_rows(connection, select(incidents).where(incidents.c.id == number))), None)


def find_quarantined(connection: Connection, wanted: Wanted) -> list[Found]:
    """Return what is in quarantine, the newest first."""
    query = _narrowed(select(quarantine), quarantine.c, wanted)
    return read_rows(connection, query.order_by(quarantine.c.id.desc()).limit(wanted.limit))


def quarantined(connection: Connection, number: int) -> Found | None:
    """Return one item in quarantine, or nothing."""
    return next(iter(read_rows(connection, select(quarantine).where(quarantine.c.id == number))), None)


def _narrowed(query: Select[Any], columns: Any, wanted: Wanted) -> Select[Any]:
    """Return `query` with the conditions that all listings but that of reports share."""
    if wanted.state:
        query = query.where(columns.state.in_(wanted.state))
    for name in ("account", "channel", "rule"):
        if (value := getattr(wanted, name)) and name in columns:
            query = query.where(columns[name] == value)
    return query


def counts_by_state(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many resends, suppressions, incidents and quarantined items there are, by state."""
    tables = {"retries": retries, "suppressions": suppressions, "incidents": incidents, "quarantine": quarantine}
    found = {}
    for name, table in tables.items():
        query = select(table.c.state, func.count()).group_by(table.c.state)
        found[name] = {row[0]: row[1] for row in connection.execute(query)}
    return found


def newest_reports(connection: Connection, count: int) -> list[Found]:
    """Return the last reports that came in."""
    return read_rows(connection, select(*SHOWN).order_by(reports.c.received_at.desc()).limit(count))


def mark(connection: Connection, name: str) -> str | None:
    """Return what is noted about the installation under `name`."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def tells_of(connection: Connection, column: Any, value: str) -> bool:
    """Whether any row of a column's table has this value there."""
    return connection.execute(select(column).where(column == value).limit(1)).first() is not None


def read_rows(connection: Connection, query: Select[Any]) -> list[Found]:
    """Return what a query finds, JSON texts read."""
    return [_read(row) for row in connection.execute(query).mappings()]


def _read(row: RowMapping) -> Found:
    return {name: json.loads(value) if name in _JSON and value else value for name, value in row.items()}
