"""However often it arrives, a report has its effects once (promise 4)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from store.schema import (
    decisions,
    failure_days,
    inbox,
    messages,
    report_keys,
    reports,
    retries,
    suppression_audit,
    suppressions,
)
from tests.support.desk import Desk, report


def counts(desk: Desk) -> list[int]:
    tables = (reports, decisions, messages, retries, suppressions, suppression_audit, failure_days)
    return [len(desk.rows(table)) for table in tables]


def test_a_callback_sent_again_changes_nothing(desk: Desk) -> None:
    items = [report("m-1", 9, 27), report("m-2", 9, 1), report("m-3", 5)]
    desk.handle(*items)
    before = counts(desk)
    for _ in range(3):
        assert desk.handle(*items).reports == 0
    assert counts(desk) == before


def test_a_messages_first_report_is_recognised_by_the_message(desk: Desk) -> None:
    desk.handle(report("m-1", 5), report("m-2", 9, 1))
    assert desk.rows(report_keys) == []
    assert desk.handle(report("m-1", 5), report("m-2", 9, 1)).reports == 0


def test_each_further_report_on_a_message_is_recognised_too(desk: Desk) -> None:
    told = [report("m-1", 7), report("m-1", 9, 27), report("m-1", 5)]
    assert [desk.handle(one).reports for one in told] == [1, 1, 1]
    assert [desk.handle(one).reports for one in told] == [0, 0, 0]
    assert desk.handle(*told, *told).reports == 0


def test_so_are_reports_that_came_together(desk: Desk) -> None:
    told = [report("m-1", 7), report("m-1", 5), report("m-1", 7)]
    assert desk.handle(*told).reports == 2
    assert desk.handle(*reversed(told)).reports == 0


def test_what_came_before_fingerprints_lay_beside_messages_is_still_recognised(desk: Desk) -> None:
    told = report("m-1", 9, 1)
    desk.handle(told)
    before = counts(desk)
    with desk.database.transaction() as connection:
        # What the release before left.
        [row] = connection.execute(select(messages.c.account, messages.c.fingerprint)).all()
        connection.execute(update(messages).values(fingerprint=None))
        connection.execute(insert(report_keys).values(account=row[0], fingerprint=row[1], seen_at=datetime.now(UTC)))
    assert desk.handle(told).reports == 0
    assert desk.handle(report("m-1", 5)).reports == 1
    assert desk.handle(told, report("m-1", 5)).reports == 0
    assert counts(desk)[0] == before[0] + 1


def test_a_strangers_word_does_not_use_up_the_real_one(desk: Desk) -> None:
    told = report("m-1", 5)
    assert [desk.handle(told, trusted=trusted).reports for trusted in (False, True, False, True)] == [1, 1, 0, 0]


def test_a_seen_report_that_names_the_person_otherwise_is_recognised(desk: Desk) -> None:
    told = {"messageId": "m-1", "from": "447700900123", "to": "Shop", "seenAt": report()["doneAt"]}
    desk.post(told, channel="whatsapp")
    assert desk.drain().reports == 1
    assert desk.handle(report("m-1", 5), channel="whatsapp").reports == 1
    desk.post(told, channel="whatsapp")
    assert desk.drain().reports == 0
    assert desk.handle(report("m-1", 5), channel="whatsapp").reports == 0


def test_a_report_repeated_in_one_callback_counts_once(desk: Desk) -> None:
    assert desk.handle(*[report("m-1", 9, 603)] * 5).reports == 1


def test_the_same_report_as_json_and_as_xml_is_one(desk: Desk) -> None:
    desk.handle(report("m-1", 5))
    xml = (
        f"<reportResponse><results><result><messageId>m-1</messageId><to>447700900123</to><sender>Shop</sender>"
        f"<doneAt>{report()['doneAt']}</doneAt><status><id>5</id><groupId>3</groupId></status><error><id>0</id></error>"
        f"</result></results></reportResponse>"
    )
    desk.post_body(xml.encode(), content_type="application/xml")
    assert desk.drain().reports == 0


def test_parallel_workers_give_each_report_its_effects_once(desk: Desk) -> None:
    for _ in range(12):
        desk.post(*[report(f"m-{number}", 9, 27) for number in range(40)])
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: desk.drain(), range(4)))
    assert sum(part.reports for part in done) == 40
    assert len(desk.rows(retries)) == 40
    assert {row.state for row in desk.rows(inbox)} == {"done"}


def test_two_different_reports_of_one_message_are_two(desk: Desk) -> None:
    assert desk.handle(report(status=7), report(status=5)).reports == 2


def test_items_without_any_id_are_told_apart_by_all_they_hold(desk: Desk) -> None:
    one = {"type": "CALL_FINISHED", "callId": "c-1", "timestamp": report()["doneAt"]}
    other = {**one, "callId": "c-2"}
    for event in (one, other, one):
        desk.post_body(json.dumps(event).encode(), "calls")
    assert desk.drain().reports == 2


def test_a_callback_larger_than_a_slice_is_done_in_slices(desk: Desk) -> None:
    done = desk.handle(*[report(f"m-{number}", 5) for number in range(1_203)])
    assert (done.reports, done.callbacks) == (1_203, 1)
    assert [row.state for row in desk.rows(inbox)] == ["done"]
