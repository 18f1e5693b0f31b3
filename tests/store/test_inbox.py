"""Callbacks are kept once, claimed by one worker at a time, and never lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from store import inbox
from store.choice import LEASE, MOST_BYTES, MOST_CALLBACKS, MOST_REPORTS
from store.database import Database
from store.inbox import Arrival
from store.schema import inbox as table
from store.schema import quarantine
from store.vault import Vault

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def arrival(body: bytes = b'{"results": []}', **changes: object) -> Arrival:
    values: dict[str, object] = {
        "account": "main",
        "channel": "sms",
        "content_type": "application/json",
        "body": body,
        "received_at": NOW,
        "trusted": True,
    }
    return Arrival(**(values | changes))  # type: ignore[arg-type]


def keep(database: Database, vault: Vault, count: int = 1) -> list[int]:
    with database.transaction() as connection:
        return [inbox.keep(connection, vault, arrival(b"%d" % number)) for number in range(count)]


def test_a_kept_callback_is_claimed_as_it_came(database: Database, vault: Vault) -> None:
    [number] = keep(database, vault)
    [callback] = inbox.claim(database, vault, "a", NOW).callbacks
    assert (callback.id, callback.body, callback.channel, callback.trusted) == (number, b"0", "sms", True)


def test_the_body_is_not_readable_in_the_database(database: Database, vault: Vault) -> None:
    secret = b'{"to": "447700900123"}'
    with database.transaction() as connection:
        inbox.keep(connection, vault, arrival(secret, headers={"x-hub-signature": "s3cret"}))
        row = connection.execute(select(table)).one()
    assert b"447700900123" not in row.body
    assert b"s3cret" not in row.headers


def test_two_workers_never_hold_the_same_callback(database: Database, vault: Vault) -> None:
    numbers = keep(database, vault, 60)

    def drain(owner: str) -> list[int]:
        mine: list[int] = []
        while claimed := inbox.claim(database, vault, owner, NOW, most=7).callbacks:
            mine += [callback.id for callback in claimed]
        return mine

    with ThreadPoolExecutor(4) as pool:
        held = [number for mine in pool.map(drain, "abcd") for number in mine]
    assert sorted(held) == sorted(numbers)


def test_a_claim_takes_about_as_many_reports_whatever_each_callback_brings(database: Database, vault: Vault) -> None:
    most = MOST_REPORTS[database.engine.dialect.name]
    with database.transaction() as connection:
        for items in (most - 500, 400, 400, 1, 3 * most, 7):
            inbox.keep(connection, vault, arrival(b"{}", items=items))
    taken = [inbox.claim(database, vault, "a", NOW) for _ in range(5)]
    assert [(len(one.callbacks), one.more) for one in taken] == [
        (2, True),
        (2, True),
        (1, True),
        (1, False),
        (0, False),
    ]


def test_a_claim_takes_no_more_than_16_mib_and_one_of_any_size(database: Database, vault: Vault) -> None:
    with database.transaction() as connection:
        for size in (MOST_BYTES + 1, MOST_BYTES // 2, MOST_BYTES // 3, MOST_BYTES // 3):
            inbox.keep(connection, vault, arrival(b" " * size, items=1))
    taken = [inbox.claim(database, vault, "a", NOW) for _ in range(3)]
    assert [(len(one.callbacks), one.more) for one in taken] == [(1, True), (2, True), (1, False)]


def test_a_claim_that_is_being_made_leaves_the_rest_to_other_workers(database: Database, vault: Vault) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.transaction() as connection:
        for _ in range(30):
            inbox.keep(connection, vault, arrival(b"{}", items=100))
    with database.transaction() as connection:
        first = inbox._claim(connection, vault, "a", NOW, MOST_CALLBACKS)
        second = inbox.claim(database, vault, "b", NOW)
    assert (len(first.callbacks), len(second.callbacks)) == (20, 10)


def test_a_lease_that_ran_out_lets_another_worker_take_over(database: Database, vault: Vault) -> None:
    [number] = keep(database, vault)
    inbox.claim(database, vault, "a", NOW)
    assert inbox.claim(database, vault, "b", NOW + LEASE - timedelta(seconds=1)).callbacks == []
    assert [callback.id for callback in inbox.claim(database, vault, "b", NOW + LEASE).callbacks] == [number]


def test_a_worker_that_lost_its_lease_cannot_finish(database: Database, vault: Vault) -> None:
    numbers = keep(database, vault)
    inbox.claim(database, vault, "a", NOW)
    inbox.claim(database, vault, "b", NOW + LEASE)
    assert not inbox.finish(database, "a", numbers)
    assert inbox.finish(database, "b", numbers)


def test_a_callback_that_lost_an_attempt_is_claimed_alone(database: Database, vault: Vault) -> None:
    numbers = keep(database, vault, 3)
    inbox.claim(database, vault, "dead", NOW)
    later = NOW + LEASE
    alone = [[callback.id for callback in inbox.claim(database, vault, "b", later).callbacks] for _ in range(3)]
    assert alone == [[number] for number in numbers]


def test_giving_back_does_not_count_as_an_attempt(database: Database, vault: Vault) -> None:
    numbers = keep(database, vault, 2)
    inbox.claim(database, vault, "a", NOW)
    inbox.give_back(database, "a", numbers)
    assert len(inbox.claim(database, vault, "b", NOW).callbacks) == 2


def test_only_attempts_lost_alone_are_counted_towards_poison(database: Database, vault: Vault) -> None:
    keep(database, vault, 2)
    inbox.claim(database, vault, "a", NOW)
    with database.reading() as connection:
        assert list(connection.scalars(select(table.c.alone_attempts))) == [0, 0]
    inbox.claim(database, vault, "b", NOW + LEASE)
    with database.reading() as connection:
        assert sorted(connection.scalars(select(table.c.alone_attempts))) == [0, 1]


def test_bad_items_are_quarantined_with_the_callback_in_one_commit(database: Database, vault: Vault) -> None:
    def die() -> None:
        with database.transaction() as connection:
            inbox.keep(connection, vault, arrival(faults=[(3, "no status")]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die()
    with database.reading() as connection:
        assert connection.execute(select(table)).first() is None
        assert connection.execute(select(quarantine)).first() is None


def test_a_refused_body_is_kept_once_however_often_it_comes(database: Database, vault: Vault) -> None:
    with database.transaction() as connection:
        first = inbox.keep_refused(connection, vault, arrival(b"nonsense"), "not JSON")
        again = inbox.keep_refused(connection, vault, arrival(b"nonsense"), "not JSON")
    assert (first, again) == (True, False)
    with database.reading() as connection:
        assert [row.item_index for row in connection.execute(select(quarantine))] == [-1]
    assert inbox.claim(database, vault, "a", NOW).callbacks == []


def test_the_backlog_tells_number_and_age(database: Database, vault: Vault) -> None:
    numbers = keep(database, vault, 3)
    inbox.claim(database, vault, "a", NOW, most=1)
    assert inbox.finish(database, "a", numbers[:1])
    with database.transaction() as connection:
        connection.execute(update(table).where(table.c.id == numbers[2]).values(received_at=NOW - timedelta(minutes=4)))
    with database.reading() as connection:
        assert inbox.backlog(connection, NOW) == (2, timedelta(minutes=4))
