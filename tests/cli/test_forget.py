"""A person is forgotten: everything that names them goes, what keeps them from being written to stays."""

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from config.mask import mask_text
from infobip.inbound import read
from store import trail
from store.bodies import Body
from store.forget import remove
from store.moments import from_ms
from store.schema import (
    addresses,
    decisions,
    failure_days,
    inbox,
    incidents,
    messages,
    metadata,
    reports,
    retries,
    suppression_audit,
    suppressions,
)
from store.writes import insert_rows
from tests.support.desk import PERSON, Desk, report
from tests.support.dlr import Dlr
from workers.forget import Person, without

OTHER = "447700900456"


def bodies(desk: Desk) -> list[bytes]:
    return [desk.vault.open(row.body) for row in desk.rows(inbox)]


def xml_of(*items: dict[str, Any]) -> bytes:
    def element(name: str, value: Any) -> str:
        inner = "".join(element(*pair) for pair in value.items()) if isinstance(value, dict) else str(value)
        return f"<{name}>{inner}</{name}>"

    return element("reportResponse", {"results": {f"result{n}": item for n, item in enumerate(items)}}).encode()


def test_nothing_in_the_database_names_the_person_afterwards(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("theirs-1", 9, 27), report("others-1", 9, 27, to=OTHER))
    desk.handle(report("theirs-2", 9, 1), report("theirs-3", 12))
    desk.post_body(xml_of(report("theirs-4", 5), report("others-2", 7, to=OTHER)), content_type="application/xml")
    desk.post_body(f"messageId=theirs-5&to=%2B{PERSON}&status.id=5&doneAt=2026-03-09".encode(), content_type="")
    desk.drain()
    desk.fold()
    told = dlr("forget", f"+{PERSON}", "--yes")
    assert told.startswith("…23 is forgotten: ")
    mine = desk.vault.hash_address("main", PERSON)
    for table in metadata.sorted_tables:
        for row in desk.rows(table):
            assert mine not in row, table.name
            assert not any("theirs-" in str(value) for value in row), table.name
    assert not any(PERSON.encode() in body for body in bodies(desk))
    assert {json.loads(row.facts)["message_id"] for row in desk.rows(reports)} == {"others-1", "others-2"}
    assert len(desk.rows(messages)) == 2
    assert len(desk.rows(retries)) == len(desk.rows(failure_days)) == len(desk.rows(addresses)) == 1


def test_a_message_that_only_a_seen_report_told_of_goes_too_whichever_side_it_names(desk: Desk, dlr: Dlr) -> None:
    seen = {"messageId": "theirs-1", "from": PERSON, "to": "447860000000", "seenAt": report(minute=4)["doneAt"]}
    desk.handle(seen, channel="whatsapp")
    dlr("forget", f"+{PERSON}", "--yes")
    assert desk.rows(messages) == []
    assert desk.rows(reports) == []


def test_neighbours_can_still_be_read_from_the_rewritten_body(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("theirs", 5), report("others", 9, 603, to=OTHER))
    dlr("forget", PERSON, "--yes")
    (row,) = desk.rows(inbox)
    assert row.content_type == "application/json; rewritten=forget"
    reading = read(desk.vault.open(row.body), row.content_type, row.channel)
    assert [(item.index, item.report.message_id) for item in reading.items] == [(1, "others")]
    assert "0 would be decided differently, 1 as before" in dlr.run("replay", "--all", "--dry-run").stderr


def test_an_opt_out_stays_as_a_hash_without_evidence_and_a_pause_goes(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 603), report("m-2", 9, 1))
    told = dlr("forget", PERSON, "--yes")
    assert "Kept as a keyed hash: recipient_opted_out on sender Shop" in told
    (row,) = desk.rows(suppressions)
    assert (row.cause, row.state) == ("recipient_opted_out", "active")
    assert row.address == desk.vault.hash_address("main", PERSON)
    assert set(json.loads(row.evidence)) == {"reason"}
    assert [audit.change for audit in desk.rows(suppression_audit)] == ["suppressed", "evidence removed"]


def test_a_repetition_of_their_report_brings_nothing_back(desk: Desk, dlr: Dlr) -> None:
    told = [report("m-1", 7), report("m-1", 9, 27), report("m-2", 5)]
    for one in told:
        desk.handle(one)
    dlr("forget", PERSON, "--yes")
    for one in told:
        desk.handle(one)
    assert desk.rows(reports) == desk.rows(messages) == []
    # What else is told of them is news.
    assert desk.handle(report("m-2", 5, minute=1), told[2]).reports == 1


def test_decisions_stay_for_the_count_but_lead_nowhere(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 27))
    [before] = desk.rows(decisions)
    dlr("forget", PERSON, "--yes")
    [row] = desk.rows(decisions)
    assert (row.report_id, row.rule) == (0, "unreachable")
    assert row.id != before.id
    assert row.decided_at.date() == before.decided_at.date() == from_ms(row.id >> 22).date()
    assert [sorted(action) for action in json.loads(row.actions)] == [["action", "mode", "rule"]]
    assert row.reason == "Forgotten at the person's request."


def test_it_asks_and_counts(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 27))
    dlr.fails("forget", PERSON, answer="n\n")
    assert len(desk.rows(reports)) == 1
    told = dlr.json("forget", PERSON, "--yes")
    assert told["removed"]["reports"] == told["removed"]["planned resends"] == told["items"] == told["callbacks"] == 1
    assert told["recipient"] == "…23"
    assert "Nothing more is stored about …23" in dlr("forget", PERSON, "--yes")


def test_a_callback_that_still_waits_is_left_alone_and_said_so(desk: Desk, dlr: Dlr) -> None:
    desk.post(report("m-1", 9, 603))
    complaint = dlr.fails("forget", PERSON, "--yes")
    assert "1 callback that mentions this person waits" in complaint
    desk.drain()
    dlr("forget", PERSON, "--yes")
    assert [row.cause for row in desk.rows(suppressions)] == ["recipient_opted_out"]


def test_bodies_that_no_report_of_theirs_leads_to_lose_them_as_well(desk: Desk, dlr: Dlr) -> None:
    """So every kept body is opened: repetitions leave no report behind, and others' items may mention the person."""
    desk.handle(report("m-1", 5))
    desk.handle(report("m-1", 5))
    desk.handle(report("m-2", 5, to=OTHER, callbackData=f"asked by +{PERSON}"))
    said = {"messageId": "in-1", "from": OTHER, "to": "Shop", "text": f"call {PERSON}", "receivedAt": "2026-03-09"}
    desk.handle(said)
    mine = desk.vault.hash_address("main", PERSON)
    assert len({row.callback_id for row in desk.rows(reports) if row.recipient == mine}) == 1
    dlr("forget", PERSON, "--yes")
    assert not any(PERSON.encode() in body for body in bodies(desk))


def test_every_account_forgets_them(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 27))
    desk.handle(report("m-1", 9, 27), account="shop")
    dlr("forget", PERSON, "--yes")
    assert desk.rows(addresses) == desk.rows(reports) == []


def test_incidents_keep_their_count_and_lose_the_person(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("theirs", 12), report("others", 12, to=OTHER))
    desk.fold()
    dlr("forget", PERSON, "--yes")
    rows = desk.rows(incidents)
    assert sum(row._mapping["count"] for row in rows) == 2
    assert not any("theirs" in row.examples for row in rows)


def test_incidents_lose_what_they_named_of_the_person_in_every_spelling(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report(f"{PERSON}", 12), report("theirs", 9, 27), report("others", 9, 27, to=OTHER))
    desk.handle(report("theirs-2", 9, 603))
    desk.fold()
    mine, [entry] = desk.vault.hash_address("main", PERSON), desk.rows(suppressions)
    named = ["theirs-r1 to …56", "theirs-r1", mask_text(PERSON), f"suppression {entry.id}", "others-r1"]
    with desk.database.transaction() as connection:
        of_theirs = retries.c.recipient == mine
        connection.execute(update(retries).where(of_theirs).values(new_id="theirs-r1"))
        connection.execute(update(incidents).values(examples=json.dumps(named)))
    dlr("forget", PERSON, "--yes")
    assert {row.examples for row in desk.rows(incidents)} == {'["others-r1"]'}


def test_an_address_that_somebody_typed_into_a_reason_goes_and_the_trail_stays_whole(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 603), report("m-2", 9, 603, to=OTHER))
    mine = desk.vault.hash_address("main", PERSON)
    [number] = [row.id for row in desk.rows(suppressions) if row.address == mine]
    dlr("suppress", "lift", str(number), "--reason", f"+{PERSON} wrote to us", "--who", "ada")
    dlr("forget", PERSON, "--yes")
    left = [row for row in desk.rows(suppression_audit) if row.suppression_id == number]
    assert [row.change for row in left] == ["trail cut", "evidence removed"]
    assert not any(PERSON in row.detail for row in left)
    with desk.database.reading() as connection:
        verdict = trail.verify(connection, number)
    assert (verdict.problem, verdict.cut) == ("", 2)


def test_a_body_that_nobody_can_read_is_emptied_where_it_names_them(desk: Desk, dlr: Dlr) -> None:
    desk.post_body(f"what is {PERSON}?".encode(), content_type="text/plain", undecoded=True)
    desk.post_body(b"what is this?", content_type="text/plain", undecoded=True)
    desk.drain()
    dlr("forget", PERSON, "--yes")
    assert sorted(bodies(desk)) == [b"what is this?", b'{"results": []}']
    assert len(dlr.lines("quarantine", "list")) == 1


@pytest.mark.parametrize(
    ("address", "text", "mentioned"),
    [
        (PERSON, "447700900123", True),
        (PERSON, "+44 7700 900123", True),
        (PERSON, "00447700900123", True),
        (PERSON, "call +447700900123 now", True),
        (PERSON, "call +44 7700 900123 now", True),
        (PERSON, "call 0044-7700/900.123 now", True),
        (PERSON, "call +44 (0)7700 900123 now", True),
        (PERSON, "44 7700 900 1234", False),
        (PERSON, "44, 7700, 900123", False),
        (PERSON, "1447700900123", False),
        (PERSON, "4477009001234", False),
        ("Ada@Example.com", "ada@example.COM", True),
        ("ada@example.com", "Ada <ada@example.com>", True),
        ("ada@example.com", "not.ada@example.com", False),
        ("ada@example.com", "ada@example.com.test", False),
        ("ada@example.com", "see ada@example.com.", True),
        ("1234", "1234", True),
        ("1234", "12345 and 1234", False),
    ],
)
def test_an_address_is_found_in_every_spelling_and_no_other_is(address: str, text: str, mentioned: bool) -> None:
    body = Body(1, "sms", "application/json", json.dumps({"results": [{"text": text}]}).encode(), waiting=False)
    assert (without(Person(address), body) is not None) is mentioned


def test_a_form_spells_the_address_in_other_bytes(desk: Desk) -> None:
    body = Body(1, "email", "", b"messageId=1&to=ada%40example.com&status.id=5", waiting=False)
    rest = without(Person("ada@example.com"), body)
    assert rest is not None
    assert rest.body.body == b'{"results": [null]}'


def test_what_the_xml_root_proved_is_kept_as_the_channel() -> None:
    item = "<to>{}</to><messageId>{}</messageId><status><id>5</id></status>"
    items = "".join(f"<results>{item.format(to, f'm-{to}')}</results>" for to in (PERSON, OTHER))
    xml = f"<ZaloReportRequest><results>{items}</results></ZaloReportRequest>"
    rest = without(Person(PERSON), Body(1, "auto", "application/xml", xml.encode(), waiting=False))
    assert rest is not None
    assert rest.body.channel == "zalo"
    (item_left,) = read(rest.body.body, rest.body.content_type, rest.body.channel).items
    assert (item_left.report.channel, item_left.index) == ("zalo", 1)


def test_a_body_that_waits_again_is_not_rewritten(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 5))
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).values(waiting=1))
    dlr.fails("forget", PERSON, "--yes")
    assert PERSON.encode() in bodies(desk)[0]


def test_a_resend_whose_message_is_kept_no_longer_goes_too(desk: Desk, dlr: Dlr) -> None:
    desk.handle(report("m-1", 9, 27), report("others", 9, 27, to=OTHER))
    with desk.database.transaction() as connection:
        connection.execute(messages.delete())
    dlr("forget", PERSON, "--yes")
    other = desk.vault.hash_address("main", OTHER)
    assert [row.recipient for row in desk.rows(retries)] == [other]


def test_what_only_points_to_their_message_goes_too(desk: Desk, dlr: Dlr) -> None:
    seen = {"messageId": "theirs-1", "from": "447860000000", "to": PERSON, "seenAt": report(minute=4)["doneAt"]}
    desk.handle(seen, channel="whatsapp")
    assert len(desk.rows(messages)) == 2
    dlr("forget", PERSON, "--yes")
    assert desk.rows(messages) == []


def test_a_person_of_very_many_messages_is_forgotten(desk: Desk) -> None:
    """As a number is to which an installation sends its own trials, for a year."""
    desk.handle(report("m-1", 5))
    [one] = desk.rows(messages)
    rows = [dict(one._mapping) | {"key": number.to_bytes(16)} for number in range(66_000)]
    with desk.database.transaction() as connection:
        if desk.database.is_sqlite:
            # Its default; some builds of it take more.
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)
        insert_rows(connection, messages, rows)
        mine = desk.vault.hash_address("main", PERSON)
        done = remove(connection, [mine], "…23", Person(PERSON).is_in, datetime.now(UTC))
    assert done["messages"] == 66_001
    assert desk.rows(messages) == []
