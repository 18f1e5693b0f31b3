"""The whole history of a message at a glance."""

import os
import pty
import re
import subprocess
import sys

import pytest
from sqlalchemy import update

from store.schema import retries
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr


@pytest.fixture(autouse=True)
def _what_came_in(desk: Desk) -> None:
    price = {"pricePerMessage": 0.042, "currency": "EUR"}
    desk.handle(report("order-1", 7, price=price))
    desk.handle(report("order-1", 9, 27, minute=2, price=price))
    desk.handle(report("order-1", 9, 1, to="447700900456", minute=3))


def test_it_tells_reports_codes_decisions_resends_and_suppressions_of_each_recipient(dlr: Dlr) -> None:
    first, second = dlr.json("message", "order-1")["messages"]
    assert [row["outcome"] for row in first["reports"]] == ["pending", "failed"]
    failed = first["reports"][1]
    assert failed["codes"] == ["9 UNDELIVERABLE_NOT_DELIVERED", "27 EC_ABSENT_SUBSCRIBER"]
    assert "switched off" in failed["advice"]
    assert failed["facts"]["price"] == "0.042"
    (decision,) = failed["decisions"]
    assert decision["rule"] == "unreachable"
    assert "resend 1 of 3" in decision["reason"]
    assert [(row["attempt"], row["state"]) for row in first["resends"]] == [(1, "observed")]
    assert [row["cause"] for row in second["suppressions"]] == ["recipient_unknown"]
    assert (first["recipient"], second["recipient"]) == ("…23", "…56")


def test_in_a_pipe_each_event_is_one_line(dlr: Dlr) -> None:
    lines = dlr.lines("message", "order-1")
    assert [line[:2] for line in lines if line[0] == "message"] == [["message", "order-1"]] * 2
    assert {line[1] for line in lines if line[0] != "message"} == {"report", "means", "decision", "resend", "recipient"}
    assert all(len(line) in (4, 7) for line in lines)


def test_the_address_is_in_clear_only_when_asked_for(dlr: Dlr) -> None:
    for form in ((), ("--format", "json")):
        assert PERSON not in dlr("message", "order-1", *form)
        assert PERSON in dlr("message", "order-1", "--reveal", *form)


def test_a_resend_that_will_leave_makes_the_message_retrying(desk: Desk, dlr: Dlr) -> None:
    assert dlr.json("message", "order-1")["messages"][0]["state"] == "failed"
    with desk.database.transaction() as connection:
        connection.execute(update(retries).values(state="planned"))
    assert dlr.json("message", "order-1")["messages"][0]["state"] == "retrying"
    desk.handle(report("order-1", 5, minute=9))
    assert dlr.json("message", "order-1")["messages"][0]["state"] == "delivered"


def test_legs_are_told_apart(desk: Desk, dlr: Dlr) -> None:
    legs = [report("both", 9, 7002, channel="RCS"), report("both", 5, channel="SMS", minute=1)]
    desk.handle(*legs, channel="omni")
    (told,) = dlr.json("message", "both")["messages"]
    assert {leg["leg"]: leg["state"] for leg in told["legs"]} == {"RCS": "failed", "SMS": "delivered"}


def test_the_same_id_in_two_accounts_is_two_messages(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("order-1", 5), account="shop")
    assert {row["account"] for row in dlr.json("message", "order-1")["messages"]} == {"main", "shop"}
    (row,) = dlr.json("message", "order-1", "--account", "shop")["messages"]
    assert row["state"] == "delivered"


def test_an_unknown_id_says_what_to_look_at(desk: Desk, dlr: Dlr) -> None:
    desk.post(report("later", 5))
    complaint = dlr.fails("message", "later")
    assert "Nothing is known of the message 'later'" in complaint
    assert "1 callback waits" in complaint
    desk.drain()
    assert dlr("message", "later")


def test_on_a_terminal_it_is_a_timeline_for_people(dlr: Dlr) -> None:
    main, side = pty.openpty()
    environment = os.environ | dlr.settings | {"COLUMNS": "100", "TERM": "xterm", "PYTHONPATH": "."}
    command = [sys.executable, "-m", "tests.support.dlr", "message", "order-1"]
    process = subprocess.Popen(command, stdout=side, stderr=side, stdin=side, env=environment)
    os.close(side)
    shown = b""
    try:
        while content := os.read(main, 65536):
            shown += content
    except OSError:
        pass  # how a terminal says that the other side is gone
    os.close(main)
    assert process.wait(60) == 0, shown.decode()
    text = shown.decode()
    assert "\x1b[" in text
    assert "order-1" in text
    assert "2026-03-09" in text
    assert max(len(line) for line in _bare(text).splitlines()) <= 100
    assert len(text.splitlines()) < 40


def _bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
