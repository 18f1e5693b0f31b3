"""What came in, what was planned, who is left alone and what needs a person, as the commands list it."""

import json

import pytest

from store.schema import incidents, reports, suppressions
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr

OTHER = "447700900456"


@pytest.fixture(autouse=True)
def _what_came_in(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 27))
    desk.handle(report("m-2", 9, 1, to=OTHER))
    desk.handle(report("m-3", 5, minute=2))
    desk.handle(report("m-4", 9, 603, to="447700900789", minute=3))


def test_reports_come_newest_first_with_masked_addresses(dlr: Dlr) -> None:
    lines = dlr.lines("reports")
    assert [line[2] for line in lines] == ["m-4", "m-3", "m-2", "m-1"]
    assert [line[3] for line in lines] == ["…89", "…23", "…56", "…23"]
    assert "4477009" not in dlr("reports") + dlr("reports", "--format", "json")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("--recipient", f"+{PERSON}"), ["m-3", "m-1"]),
        (("--recipient", "00 44 7700 900456"), ["m-2"]),
        (("--outcome", "delivered"), ["m-3"]),
        (("--cause", "recipient_unknown"), ["m-2"]),
        (("--rule", "unreachable"), ["m-1"]),
        (("--message", "m-3"), ["m-3"]),
        (("--since", "1h", "--limit", "1"), ["m-4"]),
        (("--account", "main", "--channel", "sms", "--until", "2999-01-01"), ["m-4", "m-3", "m-2", "m-1"]),
    ],
)
def test_reports_can_be_narrowed_down(dlr: Dlr, filters: tuple[str, ...], found: list[str]) -> None:
    assert [row["message_id"] for row in dlr.json("reports", *filters)] == found


def test_inbound_messages_that_mention_a_stop_word_are_found(desk: Desk, dlr: Dlr) -> None:
    texts = ("please stop it now", "hello")
    desk.handle(
        *({"from": PERSON, "to": "Shop", "text": text, "receivedAt": "2026-03-09T10:00:00.000+0000"} for text in texts)
    )
    (row,) = dlr.json("reports", "--word", "mention")
    assert row["event"] == "inbound"
    assert "please" not in json.dumps(row)


def test_every_moment_in_json_is_written_in_one_way(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-9", 5, minute=3, sentAt="2026-03-09T12:00:00.250+0200"))
    (row,) = dlr.json("reports", "--message", "m-9")
    assert row["sent_at"] == "2026-03-09T10:00:00.250+00:00"
    assert row["event_at"] == "2026-03-09T10:03:00.000+00:00"
    ((told,),) = (message["reports"] for message in dlr.json("message", "m-9")["messages"])
    assert told["facts"]["sent_at"] == row["sent_at"]


def test_an_id_that_ends_like_all_others_is_masked_by_what_stands_before(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-9", 5, to="Zm9yLWEtdGVzdC00Nw=="), report("m-8", 5, to="Zm9yLWE=="), channel="viber-bot")
    assert {line[3] for line in dlr.lines("reports", "--channel", "viber-bot")} == {"…Nw", "…WE"}


def test_ids_are_text_in_json_since_other_languages_round_them(desk: Desk, dlr: Dlr) -> None:
    assert {row["id"] for row in dlr.json("reports")} == {str(row.id) for row in desk.rows(reports)}
    assert all(isinstance(row["status"]["id"], int) for row in dlr.json("reports"))


def test_a_filter_that_fits_nothing_says_so_and_a_mistyped_one_is_refused(dlr: Dlr) -> None:
    assert "No report fits" in dlr.run("reports", "--recipient", "447700900000").stderr
    assert "Did you mean sms" in dlr.fails("reports", "--channel", "smss", code=2)
    assert "is no time" in dlr.fails("reports", "--since", "yesterday", code=2)


def test_suppressions_are_listed_and_found_by_address(dlr: Dlr) -> None:
    assert {(row["cause"], row["state"]) for row in dlr.json("suppress", "list")} == {
        ("recipient_unknown", "proposed"),
        ("recipient_opted_out", "active"),
    }
    (found,) = dlr.json("suppress", "list", "--recipient", OTHER)
    assert (found["address"], found["cause"]) == ("…56", "recipient_unknown")


@pytest.mark.parametrize("by", ["id", "address"])
def test_a_suppression_is_shown_with_its_evidence_and_every_change(desk: Desk, dlr: Dlr, by: str) -> None:
    wanted = next(row for row in desk.rows(suppressions) if row.cause == "recipient_opted_out")
    text = dlr("suppress", "show", str(wanted.id) if by == "id" else "+44 7700 900789")
    assert "…89" in text
    assert "the person opted out" in text
    assert "suppressed by policy" in text
    assert "447700900789" not in text
    assert "447700900789" in dlr("suppress", "show", str(wanted.id), "--reveal")


def test_an_address_that_nobody_suppressed_is_said_to_be_free(dlr: Dlr) -> None:
    assert "no such suppression" in dlr.fails("suppress", "show", PERSON)


def test_an_incident_is_acknowledged_once_and_resolved_once(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-9", 12))
    desk.fold()
    (row,) = dlr.json("incidents", "list")
    assert row["state"] == "open"
    assert row["next_step"]
    number = row["id"]
    assert "acknowledged" in dlr("incidents", "ack", number)
    assert "acknowledged it already" in dlr.fails("incidents", "ack", number)
    shown = dlr("incidents", "show", number)
    assert "acknowledged" in shown
    assert "m-9 to …23" in shown
    dlr("incidents", "resolve", number)
    assert f"{number}: it is over already" in dlr.fails("incidents", "resolve", number)
    assert f"{number}: it is over already" in dlr.fails("incidents", "ack", number)
    assert dlr.json("incidents", "list") == []
    assert [row["state"] for row in dlr.json("incidents", "list", "--all")] == ["resolved"]


@pytest.mark.parametrize("what", ["ack", "resolve"])
def test_an_incident_that_is_not_there_is_said_to_be_none_with_where_to_look(desk: Desk, dlr: Dlr, what: str) -> None:
    told = dlr.fails("incidents", what, "1")
    assert "1: there is no such incident" in told
    assert "`dlr incidents list --all`" in told


def test_after_an_end_the_same_opens_a_new_incident(desk: Desk, dlr: Dlr) -> None:
    for message in ("m-9", "m-10"):
        desk.handle(report(message, 12))
        desk.fold()
        dlr("incidents", "resolve", dlr.json("incidents", "list")[0]["id"])
    assert len(desk.rows(incidents)) == 2


def test_what_is_no_id_is_refused(dlr: Dlr) -> None:
    assert "is no id" in dlr.fails("incidents", "show", "first", code=2)
    assert "There is no incident 12" in dlr.fails("incidents", "show", "12")
