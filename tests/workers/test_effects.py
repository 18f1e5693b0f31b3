"""What decisions become: suppressions, planned resends, incidents (promises 7, 11 and 13 in their rows)."""

import json

import pytest
from sqlalchemy import text

from store.schema import addresses, decisions, incident_deltas, incidents, reports, retries, suppressions
from tests.support.desk import PERSON, Desk, report


def test_an_opt_out_is_active_at_once_and_blocks_that_sender(desk: Desk) -> None:
    desk.handle(report(status=9, error=603))
    [entry] = desk.rows(suppressions)
    assert (entry.state, entry.cause, entry.sender, entry.channel) == ("active", "recipient_opted_out", "Shop", "")
    assert json.loads(entry.evidence)["error"]["id"] == 603


def test_a_suppression_inferred_from_a_failure_is_only_proposed(desk: Desk) -> None:
    desk.handle(report(status=9, error=1))
    [entry] = desk.rows(suppressions)
    assert (entry.state, entry.cause, entry.channel) == ("proposed", "recipient_unknown", "sms")
    assert entry.until is not None


def test_resends_are_observed_until_somebody_says_act(desk: Desk) -> None:
    desk.handle(report(status=9, error=27))
    [retry] = desk.rows(retries)
    assert (retry.state, retry.mode, retry.attempt) == ("observed", "observe", 1)


def test_an_unknown_code_touches_nobody_and_opens_one_incident(desk: Desk) -> None:
    desk.handle(*[report(f"m-{n}", 9, 99_999) for n in range(30)])
    assert desk.rows(suppressions) == []
    assert desk.rows(retries) == []
    [opened] = desk.fold()
    assert "99999" in opened.title
    assert opened.count == 30


def test_a_thousand_failures_of_one_cause_make_one_incident_and_one_notification(desk: Desk) -> None:
    for part in range(4):
        desk.handle(*[report(f"m-{part}-{n}", 12) for n in range(250)])
    assert len(desk.rows(incident_deltas)) <= 4
    assert [told.severity for told in desk.fold()] == ["critical"]
    desk.handle(report("late", 12))
    assert desk.fold() == []
    [incident] = desk.rows(incidents)
    assert (incident._mapping["count"], incident.state) == (1_001, "open")


def test_an_alert_with_a_threshold_waits_for_it(desk: Desk) -> None:
    desk.handle(*[report(f"a-{n}", 6) for n in range(4)])
    assert desk.fold() == []
    desk.handle(report("a-5", 6))
    assert len(desk.fold()) == 1


def test_a_delivery_lifts_what_it_disproves_and_no_opt_out(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=1), report("m-2", 9, 603, minute=1))
    desk.handle(report("m-3", 5, minute=5))
    assert {row.cause: row.state for row in desk.rows(suppressions)} == {
        "recipient_unknown": "lifted",
        "recipient_opted_out": "active",
    }


def test_a_delivery_that_happened_before_the_failure_lifts_nothing(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=5))
    desk.handle(report("m-2", 5, minute=1))
    assert [row.state for row in desk.rows(suppressions)] == ["proposed"]


def test_an_opt_out_cancels_the_persons_planned_resends(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27))
    desk.handle(report("m-2", 9, 603))
    assert [row.state for row in desk.rows(retries)] == ["cancelled"]


def inbound(text_: str, minute: int = 3) -> dict[str, object]:
    return {
        "messageId": f"in-{text_}-{minute}",
        "from": PERSON,
        "to": "Shop",
        "text": text_,
        "receivedAt": report(minute=minute)["doneAt"],
    }


def test_an_inbound_stop_word_suppresses_for_the_sender_it_answers(desk: Desk) -> None:
    desk.handle(inbound(" Stop! "))
    [entry] = desk.rows(suppressions)
    assert (entry.state, entry.sender, entry.cause) == ("active", "Shop", "recipient_opted_out")


def test_an_inbound_start_lifts_the_opt_out(desk: Desk) -> None:
    desk.handle(inbound("STOP", 3))
    desk.handle(inbound("start", 8))
    assert [row.state for row in desk.rows(suppressions)] == ["lifted"]


def test_a_start_from_before_the_stop_lifts_nothing(desk: Desk) -> None:
    desk.handle(inbound("STOP", 8))
    desk.handle(inbound("start", 3))
    assert [row.state for row in desk.rows(suppressions)] == ["active"]


def test_a_text_that_merely_mentions_a_stop_word_is_shown_to_a_person(desk: Desk) -> None:
    desk.handle(inbound("please stop calling"), inbound("quit"))
    assert desk.rows(suppressions) == []
    assert [told.title for told in desk.fold()] == ["Inbound messages mention a stop word"]


def test_a_callback_nobody_authenticated_suppresses_nobody_and_resends_nothing(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 603), report("m-2", 9, 27), inbound("stop"), trusted=False)
    assert desk.rows(suppressions) == []
    assert desk.rows(retries) == []
    assert len(desk.rows(decisions)) == 3


def test_without_a_channel_nothing_is_done_to_anyone_and_one_incident_says_so(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 603), report("m-2", 9, 27), channel="auto")
    assert desk.rows(suppressions) == []
    assert desk.rows(retries) == []
    assert "without a channel" in next(told.title for told in desk.fold())


def test_a_message_known_by_its_channel_lends_it_to_later_reports(desk: Desk) -> None:
    desk.handle(report(status=7), channel="viber")
    desk.handle(report(status=5), channel="auto")
    assert {row.channel for row in desk.rows(reports)} == {"viber"}


def test_every_decision_says_why_and_by_which_versions(desk: Desk) -> None:
    desk.handle(report(status=9, error=27))
    [decision] = desk.rows(decisions)
    assert decision.rule == "unreachable"
    assert "EC_ABSENT_SUBSCRIBER" in decision.reason
    assert decision.reason.endswith(".")
    assert decision.policy == desk.rules.version
    assert json.loads(decision.actions)[0]["action"] == "retry"


def test_no_address_is_readable_anywhere_in_the_database(desk: Desk) -> None:
    desk.handle(report("m-0"))
    assert desk.rows(addresses) == []
    desk.handle(report("m-1", 9, 1), report("m-2", 9, 99_999), report("m-3", 12), inbound("please stop"))
    desk.fold()
    assert len(desk.rows(addresses)) == 1
    with desk.database.reading() as connection:
        for table in ("addresses", "reports", "decisions", "messages", "suppressions", "incidents", "inbox"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                for value in row:
                    content = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                    assert PERSON.encode() not in content, table


@pytest.mark.parametrize(
    "wrong", [f"tomorrow {PERSON}", "call +44 7700 900-123", "jo@example.com", "x" * 95 + PERSON, "soon " * 50]
)
def test_a_date_that_cannot_be_read_is_kept_short_and_masked(desk: Desk, wrong: str) -> None:
    desk.handle(report(doneAt=wrong))
    [row] = desk.rows(reports)
    [(name, text)] = json.loads(row.facts)["bad_dates"].items()
    assert name == "doneAt"
    assert len(text) <= 40
    assert not [secret for secret in (PERSON, PERSON[:6], "900-123", "900123", "jo@") if secret in text]


def test_a_date_that_is_nearly_one_stays_readable(desk: Desk) -> None:
    desk.handle(report(doneAt="2026-13-45T10:00:00"))
    [row] = desk.rows(reports)
    assert json.loads(row.facts)["bad_dates"] == {"doneAt": "2026-13-45T10:00:00"}


def test_event_time_that_cannot_be_is_replaced_by_receipt_time(desk: Desk) -> None:
    desk.handle(report(doneAt="1970-01-01T00:00:00.000+0000"), report("m-2", doneAt="2099-01-01T00:00:00.000+0000"))
    for row in desk.rows(reports):
        assert row.event_at == row.received_at
        assert json.loads(row.facts)["time_replaced"] is True
