"""The reports on a message are found whoever they name, by an index, and those of an older release as well."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text

from store import migrate
from store.about import about
from store.database import Database, open_database
from store.schema import messages, reports
from tests.support.desk import PERSON, Desk, report
from tests.suppress.test_migration import at_revision

OTHER = "447700900456"


def found(database: Database, message_id: str) -> list[int]:
    keys = select(messages.c.key).where(messages.c.message_id == message_id)
    with database.reading() as connection:
        return list(connection.scalars(select(reports.c.id).where(about(keys)).order_by(reports.c.id)))


def apart(desk: Desk) -> list[bool]:
    return [row.apart for row in desk.rows(reports)]


def test_the_reports_of_one_message_are_found_and_no_others(desk: Desk) -> None:
    desk.handle(report("m-1", 7), report("m-2", 5), report("m-1", 5, minute=1), report("m-1", 5, to=OTHER))
    of = {row.id: (row.message_key, row.recipient) for row in desk.rows(reports)}
    both = found(desk.database, "m-1")

    assert len(of) == 4
    assert len(both) == 3
    assert len({of[number] for number in both}) == 2
    assert apart(desk) == [False] * 4


def test_what_names_nobody_is_found_by_its_message(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27, to=None))
    assert len(found(desk.database, "m-1")) == 1
    desk.handle(report("m-1", 9, 27, minute=5, to=None))
    assert len(found(desk.database, "m-1")) == 2


@pytest.mark.parametrize("together", [True, False])
def test_a_seen_report_from_before_its_delivery_is_found_with_it(desk: Desk, together: bool) -> None:
    seen = {"messageId": "m-1", "from": PERSON, "to": "Shop", "seenAt": report(minute=4)["doneAt"]}
    delivered = report("m-1", 5)
    for callback in [[seen, delivered]] if together else [[seen], [delivered]]:
        desk.handle(*callback, channel="viber")

    assert len(desk.rows(messages)) == 1
    assert len(found(desk.database, "m-1")) == 2


def test_no_report_is_looked_for_from_end_to_end(database: Database) -> None:
    query = select(reports.c.id).where(about([b"\1" * 16]))
    with database.reading() as connection:
        if database.is_sqlite:
            compiled = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
            plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
            assert not [step for step in plan if step.startswith("SCAN reports")]
            assert [step for step in plan if "ix_reports_apart" in step]
            assert [step for step in plan if "ix_reports_recipient" in step]
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            compiled = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
            plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled.replace('%', '%%')}")]
            assert not [step for step in plan if "Seq Scan" in step]


def test_reports_of_an_older_release_are_found_whoever_they_name(database_url: str) -> None:
    opened = at_revision(database_url, "0013")
    at = datetime(2026, 3, 9, 10, tzinfo=UTC)
    key, person, other = b"k" * 16, b"p" * 16, b"o" * 16
    told: dict[str, object] = {
        "account": "main",
        "channel": "sms",
        "callback_id": 1,
        "item_index": 0,
        "kind": "sms",
        "cause": "",
    }
    told |= {"event": "delivery", "outcome": "delivered", "event_at": at, "facts": "{}"}
    names = [(1, key, person), (2, key, other), (3, key, b""), (4, b"", person), (5, b"x" * 16, person)]
    message: dict[str, object] = {
        "key": key,
        "account": "main",
        "message_id": "m-1",
        "recipient": person,
        "channel": "sms",
    }
    message |= {"state": "delivered", "legs": "{}", "resends": 0, "purpose": "undeclared", "sender": "Shop"}
    message |= {"mcc_mnc": "", "first_at": at, "changed_at": at}
    columns = [column.name for column in reports.c if column.name not in ("apart", "sealed", "hint")]
    with opened.transaction() as connection:
        connection.execute(insert(messages), [message])
        for number, of, recipient in names:
            row = told | {"id": number, "message_key": of, "recipient": recipient}
            row["received_at"] = at + timedelta(minutes=number)
            connection.execute(insert(reports).values({name: row[name] for name in columns}))
    migrate.migrate_database(opened)
    opened.close()

    again = open_database(database_url, synchronous="NORMAL")
    assert found(again, "m-1") == [1, 2, 3]
    with again.reading() as connection:
        marked = connection.scalars(select(reports.c.id).where(reports.c.apart).order_by(reports.c.id))
        assert list(marked) == [2, 3, 5]
    again.close()
