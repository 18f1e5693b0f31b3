"""What could not be understood: seen, replayed after a fix, or given up."""

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, update

from infobip.inbound import read
from store import inbox
from store.moments import EPOCH
from store.schema import inbox as inbox_table
from store.schema import quarantine, report_keys, reports
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

BAD = {**report("bad", 5), "status": {"id": "not a number"}}


def post_as_the_endpoint_does(desk: Desk, *items: object, faults: tuple[tuple[int, str], ...] | None = None) -> int:
    """Keep a callback with the faults that reading it finds, or with the given ones."""
    body = json.dumps({"results": items}).encode()
    if faults is None:
        found = read(body, "application/json", "sms").faults
        faults = tuple((fault.index, fault.error) for fault in found)
    return desk.post_body(body, faults=faults)


def test_an_item_is_listed_and_shown_with_its_neighbours_left_out(desk: Desk, dlr: Dlr) -> None:
    post_as_the_endpoint_does(desk, report("good", 5), BAD)
    desk.drain()
    (line,) = dlr.lines("quarantine", "list")
    assert line[5] == "1"
    assert "status.id" in line[6]
    shown = dlr("quarantine", "show", line[0])
    assert '"messageId": "bad"' in shown
    assert "good" not in shown
    assert PERSON not in shown
    assert PERSON in dlr("quarantine", "show", line[0], "--reveal")
    assert dlr.json("quarantine", "show", line[0], "--reveal")["raw"] == BAD


def test_a_body_that_is_no_json_is_shown_as_text(desk: Desk, dlr: Dlr) -> None:
    desk.post_body(b"to=447700900123&what", content_type="application/pdf", undecoded=True)
    desk.drain()
    ((number, *_),) = dlr.lines("quarantine", "list")
    assert "to=…23&what" in dlr("quarantine", "show", number)


def test_what_still_cannot_be_understood_stays_open(desk: Desk, dlr: Dlr) -> None:
    post_as_the_endpoint_does(desk, BAD)
    desk.drain()
    ((number, *_),) = dlr.lines("quarantine", "list")
    result = dlr.run("quarantine", "replay", number)
    assert result.exit_code == 1
    assert "unreadable" in result.stdout
    assert "stays in quarantine" in result.stderr
    assert [row.state for row in desk.rows(quarantine)] == ["open"]


def test_after_a_fix_the_item_is_processed_and_its_neighbours_are_not_twice(desk: Desk, dlr: Dlr) -> None:
    # A release that did not understand the second item kept it so.
    items = [report("first", 9, 27), report("second", 9, 603, to="447700900456")]
    post_as_the_endpoint_does(desk, *items, faults=((1, "item 1: not understood by the release before"),))
    with desk.database.transaction() as connection:
        # What that release's worker left behind: it could not read the item.
        connection.execute(update(inbox_table).values(state="done", waiting=0))
    desk.handle(items[0])
    ((number, *_),) = dlr.lines("quarantine", "list")
    ((_, result, what),) = dlr.lines("quarantine", "replay", number)
    assert result == "processed"
    assert "the person opted out" in what
    assert len(desk.rows(reports)) == 2
    assert dlr.lines("quarantine", "list") == []
    assert "it is replayed already" in dlr.run("quarantine", "replay", number).stdout


def test_neighbours_are_not_processed_twice_even_when_their_fingerprints_are_gone(desk: Desk, dlr: Dlr) -> None:
    items = [report("first", 9, 27), report("second", 5)]
    post_as_the_endpoint_does(desk, items[0], items[1], faults=((1, "not understood"),))
    with desk.database.transaction() as connection:
        connection.execute(update(inbox_table).values(state="done", waiting=0))
        connection.execute(delete(report_keys))
    ((number, *_),) = dlr.lines("quarantine", "list")
    dlr("quarantine", "replay", number)
    assert [json.loads(row.facts)["message_id"] for row in desk.rows(reports)] == ["second"]


def test_a_whole_body_can_be_replayed(desk: Desk, dlr: Dlr) -> None:
    number = desk.post(report("m-1", 5))
    with desk.database.transaction() as connection:
        connection.execute(update(inbox_table).values(state="quarantined", waiting=0))
        inbox.quarantine_whole(connection, number, "main", "sms", datetime.now(UTC), "an old release could not")
    ((_, result, _),) = dlr.lines("quarantine", "replay", "--all")
    assert result == "processed"
    assert [row.outcome for row in desk.rows(reports)] == ["delivered"]


def test_a_body_that_fails_again_in_the_worker_is_open_again(desk: Desk) -> None:
    number = desk.post_body(b"nothing to read", content_type="text/plain", undecoded=True)
    desk.drain()
    with desk.database.transaction() as connection:
        connection.execute(update(quarantine).values(state="replayed"))
        connection.execute(update(inbox_table).values(state="new", waiting=1, lease_until=EPOCH))
    desk.drain()
    ((row,),) = (desk.rows(quarantine),)
    assert (row.callback_id, row.state) == (number, "open")


def test_discarding_asks_and_keeps_the_body(desk: Desk, dlr: Dlr) -> None:
    post_as_the_endpoint_does(desk, BAD)
    desk.drain()
    ((number, *_),) = dlr.lines("quarantine", "list")
    dlr.fails("quarantine", "discard", number, answer="n\n")
    assert len(dlr.lines("quarantine", "list")) == 1
    assert "1 of 1 discarded" in dlr("quarantine", "discard", number, answer="y\n")
    assert dlr.lines("quarantine", "list") == []
    assert [line[2] for line in dlr.lines("quarantine", "list", "--all")] == ["discarded"]
    assert "not open" in dlr.fails("quarantine", "discard", number, "--yes")
    assert len(desk.rows(inbox_table)) == 1


def test_nobody_is_asked_about_what_cannot_be_discarded(desk: Desk, dlr: Dlr) -> None:
    result = dlr.run("quarantine", "discard", "99", "99")
    assert result.exit_code == 1
    assert "99: it is not in quarantine" in result.stderr
    assert "?" not in result.output
    assert "0 of 1 discarded" in result.stdout
    post_as_the_endpoint_does(desk, BAD)
    desk.drain()
    ((number, *_),) = dlr.lines("quarantine", "list")
    partly = dlr.run("quarantine", "discard", number, "99", answer="y\n")
    assert "Discard 1 item?" in partly.stderr
    assert "1 of 2 discarded" in partly.stdout
    again = dlr.run("quarantine", "discard", number)
    assert f"{number}: it is discarded already" in again.stderr


def test_what_is_not_there_is_said_to_be_missing(desk: Desk, dlr: Dlr) -> None:
    assert "no item 7 in quarantine" in dlr.fails("quarantine", "show", "7")
    assert "no such item" in dlr.run("quarantine", "replay", "7").stdout
    assert "Name the ids" in dlr.fails("quarantine", "replay", code=2)
    post_as_the_endpoint_does(desk, BAD)
    desk.drain()
    with desk.database.transaction() as connection:
        connection.execute(delete(inbox_table).where(inbox_table.c.received_at < datetime.now(UTC) + timedelta(1)))
    ((number, *_),) = dlr.lines("quarantine", "list")
    assert "no longer kept" in dlr.fails("quarantine", "show", number)
