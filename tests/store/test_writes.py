"""Multi-row statements keep every value exactly, on both databases."""

import sqlite3
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from store import writes
from store.database import Database
from store.ids import new_id, new_ids
from store.moments import to_ms
from store.schema import decisions, messages, outbox, report_keys

ODD_TEXTS = [
    "",
    "NULL",
    "null",
    "{}",
    '"',
    "\\",
    "\\x41",
    "a,b",
    " lead and trail ",
    "line\nbreak\ttab",
    "ß€😀",
    "'; DROP",
]


def decision(reason: str) -> dict[str, Any]:
    fixed = {
        "report_id": 1,
        "decided_at": 2,
        "replay": False,
        "rule": "r",
        "actions": "[]",
        "policy": "p",
        "tables": "t",
    }
    return {"id": new_id(), "reason": reason, **fixed}


def test_odd_texts_come_back_as_they_were(database: Database) -> None:
    with database.transaction() as connection:
        writes.insert_rows(connection, decisions, [decision(text) for text in ODD_TEXTS])
        rows = writes.select_in(connection, decisions, "report_id", [1])
    assert sorted(row.reason for row in rows) == sorted(ODD_TEXTS)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=8))
def test_any_texts_come_back_as_they_were(database: Database, texts: list[str]) -> None:
    with database.transaction() as connection:
        connection.execute(decisions.delete())
        writes.insert_rows(connection, decisions, [decision(text) for text in texts])
        rows = writes.select_in(connection, decisions, "report_id", [1])
    assert sorted(row.reason for row in rows) == sorted(texts)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=8))
def test_lines_are_written_as_rows_are(database: Database, texts: list[str]) -> None:
    rows = [decision(text) for text in texts]
    names = tuple(rows[0])
    lines = [tuple(row.values()) for row in rows]
    with database.transaction() as connection:
        connection.execute(decisions.delete())
        writes.insert_lines(connection, decisions, names, lines)
        found = writes.select_in(connection, decisions, "report_id", [1], columns=names)
    assert sorted(map(tuple, found)) == sorted(lines)


@pytest.mark.parametrize("many", [3, 1203])
def test_lines_that_are_there_stay_or_are_brought_up_to_date(database: Database, many: int) -> None:
    names = ("account", "fingerprint", "seen_at")
    old = [("main", number.to_bytes(32, "big"), 1) for number in range(0, many, 2)]
    new = [("main", number.to_bytes(32, "big"), 2) for number in range(many)]
    with database.transaction() as connection:
        writes.insert_lines(connection, report_keys, names, old)
        writes.insert_lines(connection, report_keys, names, new, if_new=True)
        kept = [row[0] for row in connection.execute(report_keys.select().order_by("fingerprint")).columns("seen_at")]
        writes.upsert_lines(connection, report_keys, names, new, ("account", "fingerprint"), ("seen_at",))
        later = {row[0] for row in connection.execute(report_keys.select()).columns("seen_at")}
    assert [to_ms(moment) for moment in kept] == [1 if number % 2 == 0 else 2 for number in range(many)]
    assert {to_ms(moment) for moment in later} == {2}


@pytest.mark.parametrize("rows", [499, 500, 501, 1000, 1203])
def test_many_rows_are_all_written_once_each_with_its_own_values(database: Database, rows: int) -> None:
    texts = [f"reason {number}" for number in range(rows)]
    with database.transaction() as connection:
        writes.insert_rows(connection, decisions, [decision(text) for text in texts])
    with database.reading() as connection:
        found = writes.select_in(connection, decisions, "report_id", [1])
    assert sorted(row.reason for row in found) == sorted(texts)


def test_of_many_rows_those_that_were_there_stay_as_they_were(database: Database) -> None:
    row = {"account": "main", "seen_at": 1}
    marks = [number.to_bytes(32, "big") for number in range(1203)]
    with database.transaction() as connection:
        writes.insert_new(connection, report_keys, [{**row, "fingerprint": mark} for mark in marks[::7]])
    with database.transaction() as connection:
        writes.insert_new(connection, report_keys, [{**row, "fingerprint": mark, "seen_at": 2} for mark in marks])
        found = writes.select_in(connection, report_keys, "fingerprint", marks, accounts=["main"])
    assert [row.seen_at for row in found] == [1 if number % 7 == 0 else 2 for number in range(1203)]


def test_of_many_rows_none_is_written_where_one_cannot_be(database: Database) -> None:
    many = [decision("fine") for _ in range(1203)]
    with pytest.raises(IntegrityError), database.transaction() as connection:
        writes.insert_rows(connection, decisions, [*many, many[700]])
    with database.reading() as connection:
        assert not writes.select_in(connection, decisions, "report_id", [1])


def test_bytes_numbers_flags_and_nothing_come_back_as_they_were(database: Database) -> None:
    row = {
        "id": 2**62,
        "account": "main",
        "kind": "relay",
        "target": "t",
        "subject": 7,
        "payload": bytes(range(256)),
        "state": "due",
        "due_at": 0,
        "give_up_at": 1,
        "attempts": 3,
        "owner": "",
        "lease_until": 0,
        "last_error": "",
    }
    with database.transaction() as connection:
        writes.insert_rows(connection, outbox, [row, {**row, "id": 1, "subject": 8, "payload": None}])
        kept = {found.id: found for found in writes.select_in(connection, outbox, "id", [1, 2**62])}
    assert bytes(kept[2**62].payload) == bytes(range(256))
    assert kept[1].payload is None
    assert kept[2**62].attempts == 3


def test_only_new_rows_are_returned(database: Database) -> None:
    marks = [bytes([number]) * 32 for number in range(4)]
    rows = [{"account": "main", "fingerprint": mark, "seen_at": 1} for mark in marks]
    with database.transaction() as connection:
        names = ("account", "fingerprint")
        first = writes.insert_returning(connection, report_keys, rows[:2], names)
        then = writes.insert_returning(connection, report_keys, rows, names)
        assert writes.insert_returning(connection, report_keys, [], names) == []
    assert first == [("main", mark) for mark in marks[:2]]
    assert then == [("main", mark) for mark in marks[2:]]


def test_only_new_rows_are_returned_however_many_values_they_have(database: Database) -> None:
    rows = [decision("why") for _ in range(4_000)]
    with database.transaction() as connection:
        if database.is_sqlite:
            # Its default; some builds of it take more.
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
        writes.insert_rows(connection, decisions, rows[:1])
        written = writes.insert_returning(connection, decisions, rows, ("id",))
    assert sorted(written) == sorted((row["id"],) for row in rows[1:])


def test_an_upsert_changes_only_what_it_names(database: Database) -> None:
    row = {
        "key": b"k" * 16,
        "account": "main",
        "message_id": "m",
        "recipient": b"r" * 16,
        "channel": "sms",
        "state": "pending",
        "legs": "{}",
        "resends": 0,
        "purpose": "otp",
        "sender": "",
        "mcc_mnc": "",
        "first_at": 1,
        "changed_at": 1,
    }
    with database.transaction() as connection:
        writes.upsert(connection, messages, [row], ("key",), ("state", "changed_at"))
        newer = {**row, "state": "failed", "purpose": "marketing", "changed_at": 9}
        writes.upsert(connection, messages, [newer], ("key",), ("state", "changed_at"))
        [kept] = writes.select_in(connection, messages, "key", [b"k" * 16])
    assert (kept.state, kept.purpose, kept.changed_at, kept.first_at) == ("failed", "otp", 9, 1)


@pytest.mark.parametrize("count", [1, 2, 500])
def test_ids_are_different_and_in_order(count: int) -> None:
    first, second = list(new_ids(count)), list(new_ids(count))
    assert len({*first, *second}) == 2 * count
    assert [*first, *second] == sorted([*first, *second])


@pytest.mark.parametrize("many", [1, 2, 3, 511, 512, 513, 1300])
def test_values_are_looked_up_each_once_and_found_in_their_order(database: Database, many: int) -> None:
    marks = [(number * 7919 % 1301).to_bytes(32, "big") for number in range(many)]
    rows = [{"account": account, "fingerprint": mark, "seen_at": 1} for mark in marks for account in ("main", "shop")]
    with database.transaction() as connection:
        writes.insert_rows(connection, report_keys, rows)
        asked = [*marks, *marks[: many // 2], b"nobody's"]
        columns = ("account", "fingerprint")
        mine = writes.select_in(connection, report_keys, "fingerprint", asked, accounts=["main"], columns=columns)
        all_ = writes.select_in(connection, report_keys, "fingerprint", iter(asked), accounts=["shop", "main", "main"])
    assert [(row.account, bytes(row.fingerprint)) for row in mine] == [("main", mark) for mark in sorted(marks)]
    assert [bytes(row.fingerprint) for row in all_] == sorted(2 * marks)
