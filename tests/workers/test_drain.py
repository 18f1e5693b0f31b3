"""Nothing that arrives is thrown away, and one bad item never harms its neighbours (promises 2 and 3)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from store import inbox as store_inbox
from store.choice import LEASE
from store.inbox import MOST_ALONE
from store.moments import EPOCH
from store.schema import decisions, inbox, incidents, quarantine, reports, suppressions
from store.vault import KEY_FILE, Keys, Vault
from tests.support.desk import Desk, report
from tests.support.keys import rotated, write_keys
from workers.pipeline import LostLease


def test_ninety_nine_good_reports_and_one_bad_one(desk: Desk) -> None:
    items = [report(f"m-{number}", 5) for number in range(100)]
    items[41] = {"messageId": {"not": "a text"}, "status": []}
    assert desk.handle(*items).reports == 99


def test_a_body_that_cannot_be_decoded_is_quarantined_whole_and_the_rest_goes_on(desk: Desk) -> None:
    bad = desk.post_body(b"\x00\xff nonsense", undecoded=True)
    desk.post(report("m-1", 5))
    done = desk.drain()
    assert (done.reports, done.quarantined) == (1, 1)
    [row] = desk.rows(quarantine)
    assert (row.callback_id, row.item_index) == (bad, -1)
    assert {row.id: row.state for row in desk.rows(inbox)}[bad] == "quarantined"


def test_poison_is_quarantined_after_three_attempts_alone(desk: Desk) -> None:
    number = desk.post(report("m-1", 5))
    moment = datetime.now(UTC) - timedelta(hours=1)
    for _ in range(MOST_ALONE):
        [claimed] = store_inbox.claim(desk.database, desk.vault, "dies", moment).callbacks
        assert claimed.id == number
        moment += LEASE
    desk.post(report("m-2", 5))
    desk.drain()
    assert [row.callback_id for row in desk.rows(quarantine)] == [number]
    assert [row.message_key != b"" for row in desk.rows(reports)] == [True]


def test_a_worker_whose_lease_was_taken_over_writes_nothing(desk: Desk) -> None:
    desk.post(report("m-1", 5))
    drain = desk.drain_of_one_worker
    [callback] = store_inbox.claim(desk.database, desk.vault, "a", datetime.now(UTC)).callbacks
    items = drain._preparer.prepare(callback)
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(owner="b"))
    with pytest.raises(LostLease):
        drain._pipeline.run("a", items, [callback.id], datetime.now(UTC))
    assert desk.rows(reports) == []


def test_a_worker_that_dies_between_the_decisions_and_the_mark_has_nothing_done_twice(desk: Desk) -> None:
    desk.post(report("m-1", 9, 1))
    moment = datetime.now(UTC) - timedelta(hours=1)
    [callback] = store_inbox.claim(desk.database, desk.vault, "dies", moment).callbacks
    items = desk.drain_of_one_worker._preparer.prepare(callback)
    assert desk.drain_of_one_worker._pipeline.run("dies", items, [], moment) == 1
    assert [row.state for row in desk.rows(inbox)] == ["new"]

    assert desk.drain().reports == 0
    assert [row.state for row in desk.rows(inbox)] == ["done"]
    assert (len(desk.rows(reports)), len(desk.rows(decisions)), len(desk.rows(suppressions))) == (1, 1, 1)


def test_a_drain_stops_when_told_and_says_that_work_is_left(desk: Desk) -> None:
    desk.post(report("m-1", 5))
    assert desk.drain_of_one_worker.run(30, stopping=lambda: True).more
    assert desk.rows(reports) == []


def test_an_empty_callback_is_done(desk: Desk) -> None:
    desk.handle()
    assert [row.state for row in desk.rows(inbox)] == ["done"]


def test_a_body_that_was_altered_is_quarantined_and_the_rest_goes_on(desk: Desk) -> None:
    rotten = desk.post(report("m-1", 5))
    desk.post(report("m-2", 5))
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).where(inbox.c.id == rotten).values(body=desk.vault.seal(b"sound")[:-1] + b"?"))
    done = desk.drain()
    assert (done.reports, done.quarantined) == (1, 1)
    assert [row.callback_id for row in desk.rows(quarantine)] == [rotten]


def sealed_with_a_newer_key(desk: Desk) -> Keys:
    """Post a callback as a host does whose key file is newer than ours, and return its keys."""
    newer = rotated(desk.vault.keys)
    Desk(desk.database, Vault(newer), desk.rules).post(report("m-1", 5))
    return newer


def let_leases_end(desk: Desk) -> None:
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(lease_until=EPOCH))


def test_a_body_of_a_key_that_is_not_here_yet_waits_until_the_key_is_there(desk: Desk, tmp_path: Path) -> None:
    newer = sealed_with_a_newer_key(desk)
    for _ in range(MOST_ALONE + 2):
        done = desk.drain()
        assert (done.reports, done.quarantined) == (0, 0)
        let_leases_end(desk)
    assert desk.rows(quarantine) == []
    assert [(row.state, row.attempts, row.alone_attempts) for row in desk.rows(inbox)] == [("new", 0, 0)]
    write_keys(tmp_path / "state" / KEY_FILE, newer)
    assert desk.drain().reports == 1


def test_a_body_of_a_key_that_is_not_here_holds_up_no_other(desk: Desk) -> None:
    for _ in range(30):
        sealed_with_a_newer_key(desk)
    desk.post(report("m-2", 5))
    assert desk.drain().reports == 1


def test_a_missing_key_opens_one_incident_however_much_waits_for_it(desk: Desk) -> None:
    sealed_with_a_newer_key(desk)
    sealed_with_a_newer_key(desk)
    desk.drain()
    [opened] = desk.fold()
    assert "key is missing" in opened.title
    assert KEY_FILE in opened.next_step
    let_leases_end(desk)
    desk.drain()
    assert desk.fold() == []
    assert [row.state for row in desk.rows(incidents)] == ["open"]


def test_a_callback_that_was_tried_before_is_no_poison_where_its_key_is_missing(desk: Desk) -> None:
    sealed_with_a_newer_key(desk)
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(attempts=9, alone_attempts=MOST_ALONE))
    desk.drain()
    assert [(row.state, row.attempts, row.alone_attempts) for row in desk.rows(inbox)] == [("new", 9, MOST_ALONE)]
