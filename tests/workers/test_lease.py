"""A worker that needs long for a large callback keeps it, and one that lost it writes nothing."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from store import inbox as store_inbox
from store.choice import LEASE
from store.schema import inbox, reports
from tests.support.desk import Desk, report
from tests.support.stack import wait_for
from workers.lease import LARGE, Lease
from workers.pipeline import LostLease


def lease_until(desk: Desk, number: int) -> datetime:
    with desk.database.reading() as connection:
        found = connection.execute(select(inbox.c.lease_until).where(inbox.c.id == number)).scalar_one()
    assert isinstance(found, datetime)
    return found


def test_a_long_reading_prolongs_the_lease_beside_itself(desk: Desk) -> None:
    number = desk.post(report("m-1", 5))
    long_ago = datetime.now(UTC) - LEASE
    store_inbox.claim(desk.database, desk.vault, "a", long_ago)
    before = lease_until(desk, number)
    with Lease(desk.database, "a", [number], every=0.02).kept_while_reading(LARGE):
        wait_for(lambda: lease_until(desk, number) > before, "the lease to be prolonged")
        assert store_inbox.claim(desk.database, desk.vault, "b", datetime.now(UTC)).callbacks == []


def test_a_lease_that_was_lost_is_not_taken_back(desk: Desk) -> None:
    number = desk.post(report("m-1", 5))
    store_inbox.claim(desk.database, desk.vault, "a", datetime.now(UTC) - 2 * LEASE)
    [taken] = store_inbox.claim(desk.database, desk.vault, "b", datetime.now(UTC) - timedelta(seconds=1)).callbacks
    before = lease_until(desk, taken.id)
    Lease(desk.database, "a", [number], every=0).renew_in_time()
    assert lease_until(desk, number) == before


def test_a_slice_in_the_middle_of_a_callback_that_was_taken_over_writes_nothing(desk: Desk) -> None:
    desk.post(report("m-1", 5), report("m-2", 5))
    drain = desk.drain_of_one_worker
    [callback] = store_inbox.claim(desk.database, desk.vault, "a", datetime.now(UTC)).callbacks
    items = drain._preparer.prepare(callback)
    assert drain._pipeline.run("a", items[:1], [], datetime.now(UTC)) == 1
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(owner="b"))
    with pytest.raises(LostLease):
        drain._pipeline.run("a", items[1:], [], datetime.now(UTC))
    assert len(desk.rows(reports)) == 1


def test_a_callback_large_enough_for_a_keeper_is_processed_like_any_other(desk: Desk) -> None:
    item = json.dumps(report("m-1", 5) | {"callbackData": "x" * LARGE}).encode()
    desk.post_body(b'{"results": [' + item + b"]}")
    assert desk.drain().reports == 1
