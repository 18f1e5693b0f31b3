"""What a person said last counts by event time, in whatever order and company it arrives."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from store import inbox as store_inbox
from store import retention
from store.database import open_database
from store.errors import Unavailable
from store.schema import decisions, failure_days, messages, reports, retries, suppression_audit, suppressions
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


@pytest.mark.parametrize("together", [True, False])
def test_a_start_that_arrives_before_an_older_stop_wins_over_it(desk: Desk, together: bool) -> None:
    said = [inbound("start", 2), inbound("stop", 1)]
    for callback in [said] if together else [[one] for one in said]:
        desk.handle(*callback)
    [entry] = desk.rows(suppressions)
    assert entry.state == "lifted"
    changes = [row.change for row in sorted(desk.rows(suppression_audit), key=lambda row: row.id)]
    assert changes == ["suppressed", "lifted"]


def test_a_start_that_arrived_first_wins_over_an_opt_out_by_code_too(desk: Desk) -> None:
    desk.handle(inbound("start", 9))
    desk.handle(report("m-1", 9, 603, minute=3))
    assert [row.state for row in desk.rows(suppressions)] == ["lifted"]


def test_a_stop_after_a_start_counts_whatever_came_before(desk: Desk) -> None:
    for text, minute in (("start", 2), ("stop", 1), ("stop", 3)):
        desk.handle(inbound(text, minute))
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


def test_a_start_to_another_sender_does_not_undo_an_older_stop(desk: Desk) -> None:
    desk.handle(inbound("start", 2) | {"to": "Bank"})
    desk.handle(inbound("stop", 1))
    assert [(row.sender, row.state) for row in desk.rows(suppressions)] == [("Shop", "active")]


def test_a_start_of_another_account_does_not_undo_an_older_stop(desk: Desk) -> None:
    desk.handle(inbound("start", 2), account="a")
    desk.handle(inbound("stop", 1), account="b")
    assert [(row.account, row.state) for row in desk.rows(suppressions)] == [("b", "active")]


def test_a_complaint_is_not_undone_by_a_start(desk: Desk) -> None:
    person = "jo@example.com"
    start = {"messageId": "in-1", "from": person, "to": "Shop", "text": "start"}
    desk.handle(start | {"receivedAt": report(minute=9)["doneAt"]}, channel="email")
    complaint = {"notificationType": "COMPLAINED", "messageId": "m-1", "recipient": person, "eventId": "e-1"}
    desk.handle(complaint | {"domain": "example.com", "sendDateTime": 1772900000000}, channel="email")
    assert [(row.cause, row.state) for row in desk.rows(suppressions)] == [("recipient_complained", "active")]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("later", ["m-1", "m-2"])
def test_an_older_failure_that_arrives_after_a_delivery_leads_to_nothing(
    desk: Desk, together: bool, later: str
) -> None:
    items = [report(later, 5, minute=5), report("m-1", 9, 1, minute=1)]
    for callback in [items] if together else [[item] for item in items]:
        desk.handle(*callback)
    assert desk.rows(suppressions) == []
    assert desk.rows(failure_days) == []


def test_an_older_failure_of_the_message_that_arrived_is_never_resent(desk: Desk) -> None:
    desk.handle(report(status=5, minute=5))
    desk.handle(report(status=9, error=27, minute=1))
    assert desk.rows(retries) == []
    assert desk.rows(failure_days) == []


def test_an_older_failure_of_another_message_is_still_resent(desk: Desk) -> None:
    desk.handle(report("m-2", 5, minute=5))
    desk.handle(report("m-1", 9, 27, minute=1))
    assert len(desk.rows(retries)) == 1
    assert desk.rows(failure_days) == []


def test_a_failure_in_one_callback_with_a_later_delivery_counts_no_longer(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27, minute=1), report("m-2", 5, minute=5))
    # Kept for a replay, as in two callbacks, and wiped out from the delivery on.
    [day] = desk.rows(failure_days)
    assert day.reached_at - day.last_at == timedelta(minutes=4)
    desk.handle(report("m-3", 9, 27, minute=24 * 60))
    [*_, last] = [row.reason for row in desk.rows(decisions)]
    assert "failed on 1 of the 8 days" in last


def test_a_decision_says_that_a_later_delivery_is_why_nobody_is_suppressed(desk: Desk) -> None:
    desk.handle(report("m-2", 5, minute=5))
    desk.handle(report("m-1", 9, 1, minute=1))
    assert [True for row in desk.rows(decisions) if "something sent later arrived" in row.reason] == [True]


def test_a_delivery_on_another_channel_disproves_nothing(desk: Desk) -> None:
    desk.handle(report("m-2", 5, minute=5), channel="viber")
    desk.handle(report("m-1", 9, 1, minute=1))
    assert [row.state for row in desk.rows(suppressions)] == ["proposed"]
    assert len(desk.rows(failure_days)) == 1


def test_an_older_opt_out_stands_though_a_delivery_came_later(desk: Desk) -> None:
    desk.handle(report("m-2", 5, minute=5))
    desk.handle(report("m-1", 9, 603, minute=1))
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


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


@pytest.mark.parametrize("first", ["start", "stop"])
def test_two_workers_that_meet_on_a_stop_and_a_later_start_leave_nobody_opted_out(desk: Desk, first: str) -> None:
    said = {"stop": inbound("stop", 1), "start": inbound("start", 2)}
    second = next(text for text in said if text != first)
    desk.post(said[first])
    other = replace(desk, database=open_database(desk.database.engine.url.render_as_string(hide_password=False)))
    through, wrote = threading.Event(), threading.Event()

    def work() -> None:
        wrote.wait(10)
        other.handle(said[second])
        through.set()

    @event.listens_for(desk.database.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO reports"):
            wrote.set()

    @event.listens_for(desk.database.engine, "commit")
    def wait_for_the_other(connection: object) -> None:
        # It cannot end before this one does, unless it does not look at what this one does.
        if wrote.is_set():
            through.wait(0.5)

    worker = threading.Thread(target=work)
    worker.start()
    desk.drain()
    worker.join(30)
    other.database.close()
    assert [row.state for row in desk.rows(suppressions)] == ["lifted"]


def test_an_attempt_that_the_database_refused_does_not_count(desk: Desk) -> None:
    number = desk.post(report("m-1", 5))
    with desk.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE decisions RENAME TO elsewhere")
    with pytest.raises(Unavailable):
        desk.drain()
    with desk.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO decisions")
        connection.execute(update(messages).values(sender=""))
    [claimed] = store_inbox.claim(desk.database, desk.vault, "next", datetime.now(UTC)).callbacks
    assert (claimed.id, claimed.alone_attempts) == (number, 1)


def test_failure_days_are_counted_by_event_time_however_late_they_are_told(desk: Desk) -> None:
    day = 24 * 60
    minutes = (4 * day, 0, 2 * day, 3 * day, 2 * day + 60, day)
    for number, minute in enumerate(minutes[:-1]):
        desk.handle(report(f"m-{number}", 9, 6007, minute=minute), channel="email")
    assert len(desk.rows(failure_days)) == 4
    assert desk.rows(suppressions) == []
    # The fifth day, told last: what counts is what lies within the window before this failure, and itself.
    desk.handle(report("m-9", 9, 6007, minute=5 * day), channel="email")
    assert [row.state for row in desk.rows(suppressions)] == ["proposed"]
