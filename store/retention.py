"""Delete what may be kept no longer, a little at a time so that nobody waits for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select, update

from reports.states import State, counted, is_hearsay, leg_name
from store import erasing, told, trail_cuts
from store.database import Database
from store.ids import first_id_of
from store.messages import decode_legs, encode_legs
from store.moments import to_ms
from store.notices import KIND as NOTIFY
from store.outbox import subjects_needed
from store.schema import (
    addresses,
    aliases,
    contents,
    decisions,
    events,
    failure_days,
    inbox,
    incident_events,
    incident_silences,
    incidents,
    listed,
    messages,
    outbox,
    protections,
    quarantine,
    report_keys,
    reports,
    retries,
    sends,
    silences,
    suppressions,
    traffic,
)
from store.silences import KEPT_FOR

_AT_ONCE: Final = 1_000
_FAILURES: Final = timedelta(days=400)
_OUTBOX: Final = timedelta(days=1)
_TRAFFIC: Final = timedelta(days=15)
# A leg that failed and names its channel may be followed by another until the platform's default validity is over.
_VALIDITY: Final = timedelta(hours=48)
_OPEN_RETRIES: Final = ("observed", "proposed", "waiting", "planned")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each kind of thing is kept."""

    bodies: timedelta
    reports: timedelta
    decisions: timedelta
    keys: timedelta
    events: timedelta = timedelta(days=30)
    audit: timedelta = timedelta(days=1826)


def purge(database: Database, limits: Limits, now: datetime) -> dict[str, int]:
    """Delete what is past its time; return how many rows went, by table."""
    inbox_old = inbox.c.id < _before(now - limits.bodies)
    kept = exists(select(quarantine.c.id).where(quarantine.c.callback_id == inbox.c.id, quarantine.c.state == "open"))
    needed = (inbox.c.relaying == 1) | inbox.c.id.in_(subjects_needed("relay"))
    deleted = {
        "bodies": _delete(database, inbox, inbox.c.id, (inbox.c.waiting == 0) & inbox_old & ~kept & ~needed),
        "reports": _delete(database, reports, reports.c.id, reports.c.id < _before(now - limits.reports)),
        "decisions": _delete(database, decisions, decisions.c.id, decisions.c.id < _before(now - limits.decisions)),
        "keys": _delete(database, report_keys, report_keys.c.fingerprint, report_keys.c.seen_at < now - limits.keys),
        "protections": _delete(database, protections, protections.c.address, protections.c.until < now),
        "failures": _delete(database, failure_days, failure_days.c.address, failure_days.c.day < now - _FAILURES),
        # With the message goes what its first report is recognised by.
        "messages": _delete(
            database, messages, messages.c.key, messages.c.changed_at < now - max(limits.decisions, limits.keys)
        ),
        "contents": _delete(database, contents, contents.c.id, contents.c.keep_until < now),
        "sends": _delete(database, sends, sends.c.key, sends.c.sent_at < now - limits.reports),
        "silences": _delete(database, silences, silences.c.key, silences.c.due_at < now - KEPT_FOR),
        "aliases": _delete(database, aliases, aliases.c.key, aliases.c.made_at < now - limits.reports),
        "retries": _delete(database, retries, retries.c.id, retries.c.changed_at < now - limits.decisions),
        "incidents": _delete(
            database,
            incidents,
            incidents.c.id,
            (incidents.c.is_open != 1) & (incidents.c.last_at < now - limits.decisions),
        ),
        "events": _delete(database, events, events.c.id, _told_long_ago(now, limits)),
        "outbox": _delete(database, outbox, outbox.c.id, _over(outbox.c.kind != NOTIFY, now - _OUTBOX)),
        # Who was told of an incident, and when, belongs to its history.
        "notices": _delete(database, outbox, outbox.c.id, _over(outbox.c.kind == NOTIFY, now - limits.reports)),
        "incident_events": _delete(
            database,
            incident_events,
            incident_events.c.id,
            _orphaned() & (incident_events.c.at < now - limits.decisions),
        ),
        "silences of incidents": _delete(
            database, incident_silences, incident_silences.c.id, incident_silences.c.until < now - limits.decisions
        ),
        "traffic": _delete(database, traffic, traffic.c.hour, traffic.c.hour < now - _TRAFFIC),
        "records of lists": _delete(database, listed, listed.c.id, _left_long_ago(now - limits.decisions)),
        "addresses": _delete(database, addresses, addresses.c.hash, _unused(now, limits)),
    }
    deleted["trails"] = trail_cuts.cut(database, now - limits.audit, now)
    database.repeat(lambda connection: _expire_retries(connection, now))
    deleted["settled"] = database.repeat(lambda connection: settle_legs(connection, now))
    return deleted


def _before(moment: datetime) -> int:
    return first_id_of(to_ms(moment))


def _unused(now: datetime, limits: Limits) -> ColumnElement[bool]:
    in_reports = exists(select(reports.c.id).where(reports.c.recipient == addresses.c.hash))
    in_suppressions = exists(select(suppressions.c.id).where(suppressions.c.address == addresses.c.hash))
    return (addresses.c.seen_at < now - limits.reports) & ~in_reports & ~in_suppressions


def _told_long_ago(now: datetime, limits: Limits) -> ColumnElement[bool]:
    # An endpoint that is away for longer than that still gets what it waits for.
    return (events.c.id < _before(now - limits.events)) & events.c.id.not_in(subjects_needed("forward"))


def _over(kinds: ColumnElement[bool], before: datetime) -> ColumnElement[bool]:
    return kinds & outbox.c.state.in_(("done", "given_up")) & (outbox.c.due_at < before)


def _left_long_ago(before: datetime) -> ColumnElement[bool]:
    ours = (listed.c.op == "remove") & (listed.c.state == "verified")
    theirs = (listed.c.op == "") & (listed.c.state == "gone")
    return (ours | theirs) & (listed.c.changed_at < before)


def _orphaned() -> ColumnElement[bool]:
    return ~exists(select(incidents.c.id).where(incidents.c.id == incident_events.c.incident_id))


def _delete(database: Database, table: Table, key: ColumnElement[Any], condition: ColumnElement[bool]) -> int:
    """Delete matching rows in small transactions, so that a callback never waits for the purge."""
    chosen = select(key).where(condition).limit(_AT_ONCE)
    statement = delete(table).where(key.in_(chosen), condition)
    total = 0
    while count := database.repeat(lambda connection: int(connection.execute(statement).rowcount)):
        total += count
    return total


def _expire_retries(connection: Connection, now: datetime) -> int:
    over = update(retries).where(retries.c.state.in_(_OPEN_RETRIES), retries.c.give_up_at < now)
    values = {"state": "expired", "note": "its time is over", "changed_at": now}
    returned = over.values(**values).returning(
        retries.c.id, retries.c.account, retries.c.message_key, retries.c.attempt
    )
    ended = connection.execute(returned).all()
    told.resends_changed(connection, [row.id for row in ended], now)
    last: dict[bytes, int] = {}
    for row in ended:
        last[row.message_key] = max(row.attempt, last.get(row.message_key, 0))
    erasing.given_up(connection, {row.account for row in ended}, last)
    return len(ended)


def settle_legs(connection: Connection, now: datetime) -> int:
    """Let messages fail whose last known leg failed and whose validity is over without another.

    The failure is kept as that of the message as a whole, so that a later report does not bring `pending` back.
    """
    over = (messages.c.state == State.PENDING.value) & (messages.c.changed_at < now - _VALIDITY)
    settled, after = 0, b""
    while True:
        query = select(messages.c.key, messages.c.legs).where(over, messages.c.key > after).order_by(messages.c.key)
        rows = connection.execute(query.limit(_AT_ONCE)).all()
        if not rows:
            return settled
        after = rows[-1].key
        for row in rows:
            known = decode_legs(row.legs)
            failed = [leg for leg in counted(known).values() if leg.state is State.FAILED]
            if failed:
                name = leg_name("", trusted=not is_hearsay(known))
                legs = encode_legs({**known, name: max(failed, key=lambda leg: leg.at)})
                # Whoever moved it since then knows better: the conditions are asked again with the row locked.
                change = update(messages).where(messages.c.key == row.key, over)
                change = change.values(state=State.FAILED.value, legs=legs, changed_at=now)
                done = connection.execute(change).rowcount
                told.messages_ended(connection, [row.key] if done else [], now)
                settled += done
