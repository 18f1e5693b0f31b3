"""However often it arrives, a report has its effects once (promise 4)."""

import json
from concurrent.futures import ThreadPoolExecutor

from store.schema import decisions, failure_days, inbox, messages, reports, retries, suppression_audit, suppressions
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
