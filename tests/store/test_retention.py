"""The purge: of everything that is kept for a time, each old row goes and each young row stays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Boolean, LargeBinary, String, Table, Text, insert, select

from store import retention
from store.database import Database
from store.ids import first_id_of
from store.moments import Moment, to_ms
from store.retention import Limits
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

NOW = datetime(2026, 6, 1, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LIMITS = Limits(bodies=30 * DAY, reports=90 * DAY, decisions=400 * DAY, keys=14 * DAY, events=20 * DAY)

Made = Callable[[int, datetime], dict[str, Any]]
"""What a row has that matters, of a number and a moment."""


def row(table: Table, number: int, **values: Any) -> dict[str, Any]:
    """Return a row with something in every column."""
    found: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, Moment):
            found[column.name] = NOW
        elif isinstance(column.type, Boolean):
            found[column.name] = False
        elif isinstance(column.type, LargeBinary):
            found[column.name] = number.to_bytes(column.type.length or 16)
        elif isinstance(column.type, Text):
            found[column.name] = "{}"
        elif isinstance(column.type, String):
            found[column.name] = str(number)
        else:
            found[column.name] = number
    return found | {name: value for name, value in values.items() if name in table.c}


def id_at(moment: datetime, number: int) -> int:
    return first_id_of(to_ms(moment)) + number


def put(database: Database, table: Table, *rows: dict[str, Any]) -> None:
    with database.transaction() as connection:
        connection.execute(insert(table), list(rows))


def kept(database: Database, table: Table, column: str = "account") -> set[Any]:
    with database.reading() as connection:
        return set(connection.scalars(select(table.c[column])))


# table -> how long its rows are kept, and what says how old one is
KEPT: dict[str, tuple[Table, timedelta, Made]] = {
    "inbox": (inbox, LIMITS.bodies, lambda n, at: {"id": id_at(at, n), "waiting": 0, "relaying": 0, "state": "done"}),
    "reports": (reports, LIMITS.reports, lambda n, at: {"id": id_at(at, n)}),
    "decisions": (decisions, LIMITS.decisions, lambda n, at: {"id": id_at(at, n), "replay": False, "rule": str(n)}),
    "report keys": (report_keys, LIMITS.keys, lambda n, at: {"seen_at": at}),
    "protections": (protections, timedelta(), lambda n, at: {"until": at}),
    "failures": (failure_days, 400 * DAY, lambda n, at: {"day": at}),
    "messages": (messages, LIMITS.decisions, lambda n, at: {"changed_at": at, "state": "delivered"}),
    "contents": (contents, timedelta(), lambda n, at: {"keep_until": at}),
    "sends": (sends, LIMITS.reports, lambda n, at: {"sent_at": at, "repeats": False, "flagged": False}),
    "silences": (silences, KEPT_FOR, lambda n, at: {"due_at": at}),
    "aliases": (aliases, LIMITS.reports, lambda n, at: {"made_at": at}),
    "retries": (retries, LIMITS.decisions, lambda n, at: {"changed_at": at, "state": "accepted"}),
    "incidents": (incidents, LIMITS.decisions, lambda n, at: {"last_at": at, "is_open": n + 5, "state": "resolved"}),
    "events": (events, LIMITS.events, lambda n, at: {"id": id_at(at, n)}),
    "forwarded": (outbox, DAY, lambda n, at: {"due_at": at, "state": "done", "kind": "forward"}),
    "notices": (outbox, LIMITS.reports, lambda n, at: {"due_at": at, "state": "given_up", "kind": "notify"}),
    "history of incidents": (incident_events, LIMITS.decisions, lambda n, at: {"at": at}),
    "silences of incidents": (incident_silences, LIMITS.decisions, lambda n, at: {"until": at}),
    "records of lists": (
        listed,
        LIMITS.decisions,
        lambda n, at: {"changed_at": at, "op": "remove", "state": "verified", "until": None},
    ),
    "traffic": (traffic, 15 * DAY, lambda n, at: {"hour": at}),
    "addresses": (addresses, LIMITS.reports, lambda n, at: {"seen_at": at}),
}


@pytest.mark.parametrize("name", KEPT)
def test_each_old_row_goes_and_each_young_row_stays(database: Database, name: str) -> None:
    table, age, made = KEPT[name]
    mark = "account" if "account" in table.c else next(column.name for column in table.primary_key)
    if name in ("incidents", "history of incidents", "addresses", "decisions"):
        mark = {"decisions": "rule", "addresses": "tail"}.get(name, "who" if "who" in table.c else "rule")
    moments = [NOW - age - DAY, NOW - age - SECOND, NOW - age + SECOND, NOW + DAY]
    rows = [row(table, number, **made(number, moment)) for number, moment in enumerate(moments, start=1)]
    for number, one in enumerate(rows, start=1):
        one[mark] = str(number)
    put(database, table, *rows)
    deleted = retention.purge(database, LIMITS, NOW)
    assert kept(database, table, mark) == {"3", "4"}
    assert sum(count for what, count in deleted.items() if what != "settled") == 2


def test_a_message_stays_as_long_as_its_report_must_be_recognised(database: Database) -> None:
    short = replace(LIMITS, decisions=LIMITS.keys - 2 * DAY)
    moments = [NOW - LIMITS.keys - SECOND, NOW - LIMITS.keys + SECOND, NOW - short.decisions + SECOND]
    rows = [row(messages, number, changed_at=at, state="delivered") for number, at in enumerate(moments, start=1)]
    put(database, messages, *rows)
    assert retention.purge(database, short, NOW)["messages"] == 1
    assert len(kept(database, messages, "key")) == 2


def test_every_table_that_the_purge_empties_is_tested_here() -> None:
    tested = {table.name for table, _, _ in KEPT.values()}
    purged = {value.name for value in vars(retention).values() if isinstance(value, Table)}
    assert purged - tested == {"quarantine", "suppressions"}  # these only say what else must stay


def test_very_many_old_rows_go_at_once_and_no_young_one_with_them(database: Database) -> None:
    old, young = NOW - 16 * DAY, NOW - 14 * DAY
    put(database, traffic, *(row(traffic, number, account=f"a{number}", hour=old) for number in range(2_500)))
    put(database, traffic, row(traffic, 1, account="young", hour=young))
    assert retention.purge(database, LIMITS, NOW)["traffic"] == 2_500
    assert kept(database, traffic) == {"young"}


OLD = NOW - 500 * DAY


def test_what_still_waits_or_is_open_stays_however_old(database: Database) -> None:
    waiting = row(inbox, 1, id=id_at(OLD, 1), waiting=1, state="new", account="waiting")
    quarantined = row(inbox, 2, id=id_at(OLD, 2), waiting=0, state="done", account="quarantined")
    settled = row(inbox, 3, id=id_at(OLD, 3), waiting=0, state="done", account="settled")
    relayed = row(inbox, 4, id=id_at(OLD, 4), waiting=0, state="done", account="relayed")
    put(database, inbox, waiting, quarantined, settled, relayed)
    put(
        database,
        quarantine,
        row(quarantine, 1, callback_id=quarantined["id"], state="open"),
        row(quarantine, 2, callback_id=settled["id"], state="replayed"),
    )
    told = row(events, 1, id=id_at(OLD, 1), account="waits for its endpoint")
    put(database, events, told)
    put(
        database,
        outbox,
        row(outbox, 1, kind="relay", subject=relayed["id"], state="due", due_at=OLD, account="relay"),
        row(outbox, 2, kind="forward", subject=told["id"], state="claimed", due_at=OLD, account="forward"),
        row(outbox, 3, kind="notify", subject=3, state="due", due_at=OLD, account="notify"),
    )
    put(database, incidents, row(incidents, 1, is_open=1, state="open", last_at=OLD, account="open"))
    put(database, incident_events, row(incident_events, 1, incident_id=1, at=OLD, who="of an open incident"))
    put(database, protections, row(protections, 1, until=None, since=OLD, account="until somebody ends it"))
    retention.purge(database, LIMITS, NOW)
    assert kept(database, inbox) == {"waiting", "quarantined", "relayed"}
    assert kept(database, outbox) == {"relay", "forward", "notify"}
    assert kept(database, events) == {"waits for its endpoint"}
    assert kept(database, incidents) == {"open"}
    assert kept(database, incident_events, "who") == {"of an open incident"}
    assert kept(database, protections) == {"until somebody ends it"}


def test_the_history_of_an_incident_goes_with_it(database: Database) -> None:
    put(database, incidents, row(incidents, 7, is_open=7, state="resolved", last_at=OLD))
    put(database, incident_events, row(incident_events, 1, incident_id=7, at=OLD))
    retention.purge(database, LIMITS, NOW)
    assert kept(database, incidents, "id") == kept(database, incident_events, "id") == set()


def test_an_address_stays_while_a_report_or_a_suppression_is_about_it(database: Database) -> None:
    hashes = [bytes([number]) * 16 for number in (1, 2, 3)]
    put(
        database,
        addresses,
        *(row(addresses, number, hash=of, seen_at=OLD, tail=str(number)) for number, of in enumerate(hashes)),
    )
    put(database, reports, row(reports, 1, id=id_at(NOW, 1), recipient=hashes[0]))
    put(database, suppressions, row(suppressions, 1, address=hashes[1], state="lifted"))
    retention.purge(database, LIMITS, NOW)
    assert kept(database, addresses, "tail") == {"0", "1"}
