"""What a person said last counts by event time, in whatever order and company it arrives."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from store import inbox as store_inbox
from store import retention
from store.errors import Unavailable
from store.schema import messages, reports, suppressions
from tests.support.desk import PERSON, Desk, report


def inbound(text: str, minute: int) -> dict[str, object]:
    received = report(minute=minute)["doneAt"]
    return {"messageId": f"in-{text}-{minute}", "from": PERSON, "to": "Shop", "text": text, "receivedAt": received}


@pytest.mark.parametrize("together", [True, False])
def test_stop_start_stop_leaves_the_person_opted_out(desk: Desk, together: bool) -> None:
    said = [inbound("stop", 0), inbound("start", 1), inbound("stop", 2)]
    for callback in [said] if together else [[one] for one in said]:
        desk.handle(*callback)
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


def test_a_late_start_does_not_undo_a_later_stop(desk: Desk) -> None:
    desk.handle(inbound("stop", 0))
    desk.handle(inbound("stop", 2))
    desk.handle(inbound("start", 1))
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


def test_a_late_delivery_does_not_disprove_a_later_failure(desk: Desk) -> None:
    for minute in (0, 2):
        desk.handle(report(f"m-{minute}", 9, 1, minute=minute))
    desk.handle(report("m-1", 5, minute=1))
    assert [row.state for row in desk.rows(suppressions)] == ["proposed"]


def test_a_pause_grows_only_once_it_has_ended(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=0))
    [before] = desk.rows(suppressions)
    desk.handle(report("m-2", 9, 1, minute=5))
    [after] = desk.rows(suppressions)
    assert after.until - before.until < timedelta(days=1)


def test_the_same_report_of_two_accounts_counts_for_each(desk: Desk) -> None:
    for account in ("a", "b"):
        desk.post(report("m-1", 9, 603), account=account)
    desk.drain()
    assert sorted(row.account for row in desk.rows(reports)) == ["a", "b"]
    assert sorted(row.account for row in desk.rows(suppressions)) == ["a", "b"]


def test_a_strangers_copy_does_not_use_up_the_real_report(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 603), trusted=False)
    desk.handle(report("m-1", 9, 603))
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


def test_a_seen_report_in_one_callback_with_its_delivery_finds_it_and_shows_no_number(desk: Desk) -> None:
    seen = {"messageId": "m-1", "from": PERSON, "to": "Shop", "seenAt": report(minute=4)["doneAt"]}
    desk.handle(report("m-1", 5), seen, channel="viber")
    [message] = desk.rows(messages)
    assert (message.state, message.sender) == ("seen", "Shop")
    assert not [row for row in desk.rows(reports) if PERSON in row.facts]


def test_a_leg_whose_validity_is_over_fails_for_good(desk: Desk) -> None:
    desk.handle(report(status=9, error=7002, channel="RCS", minute=1), channel="rcs")
    later = datetime.now(UTC) + timedelta(days=3)
    assert desk.database.repeat(lambda connection: retention.settle_legs(connection, later)) == 1
    desk.handle(report(status=7, channel="RCS", minute=2), channel="rcs")
    assert [row.state for row in desk.rows(messages)] == ["failed"]


def test_settling_passes_over_any_number_of_messages_that_merely_wait(desk: Desk) -> None:
    desk.handle(*[report(f"waits-{number}", 7) for number in range(1_005)])
    desk.handle(report("z", status=9, error=7002, channel="RCS", minute=1), channel="rcs")
    later = datetime.now(UTC) + timedelta(days=3)
    assert desk.database.repeat(lambda connection: retention.settle_legs(connection, later)) == 1


def test_two_workers_that_meet_on_a_new_message_never_lose_its_delivery(desk: Desk) -> None:
    wait = threading.Barrier(2)

    def work(item: dict[str, object]) -> None:
        desk.post(item)
        wait.wait()
        desk.drain()

    for number in range(12):
        name = f"meets-{number}"
        pair = [report(name, 5, minute=3), report(name, 9, 27, minute=1)]
        threads = [threading.Thread(target=work, args=(item,)) for item in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    desk.drain()
    with desk.database.reading() as connection:
        states = set(connection.scalars(select(messages.c.state)))
    assert states == {"delivered"}


def test_an_attempt_that_the_database_refused_does_not_count(desk: Desk) -> None:
    number = desk.post(report("m-1", 5))
    with desk.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE decisions RENAME TO elsewhere")
    with pytest.raises(Unavailable):
        desk.drain()
    with desk.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO decisions")
        connection.execute(update(messages).values(sender=""))
    [claimed] = store_inbox.claim(desk.database, desk.vault, "next", datetime.now(UTC))
    assert (claimed.id, claimed.alone_attempts) == (number, 1)
