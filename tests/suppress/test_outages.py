"""What failed while an incident was open for its network or domain says nothing about the person."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from policy import Mode
from store import failures, holds, incidents, outages, traffic
from store.failures import Failure
from store.ids import new_id
from store.schema import decisions, failure_days, suppressions
from store.schema import incidents as incident_table
from tests.support.desk import Desk, report
from tests.suppress.outage import BEGIN, DAY, absent, begins, ends, excuse, fails_on, goes_on
from tests.suppress.people import act, until_it_waits
from workers.watch import rates_leave_their_band


@pytest.fixture(autouse=True)
def everything_acts(desk: Desk) -> None:
    act(desk, Mode.ACT)


def states(desk: Desk) -> list[str]:
    return sorted(row.state for row in desk.rows(suppressions))


def test_eight_days_of_absence_suppress_without_an_incident(desk: Desk) -> None:
    fails_on(desk, range(8))
    assert states(desk) == ["active"]


@pytest.mark.parametrize("facts", [{"network": "23410"}, {"channel": "sms", "network": "23410"}, {"country": "234"}])
def test_days_of_an_incident_for_the_network_do_not_count(desk: Desk, facts: dict[str, str]) -> None:
    fails_on(desk, range(5))
    goes_on(desk, range(5 * DAY - 60, 9 * DAY, 30), facts)
    fails_on(desk, range(5, 9))
    assert states(desk) == []
    reasons = [row.reason for row in desk.rows(decisions)]
    assert "does not count against the recipient, since incident" in reasons[-1]
    assert f"was open for {'country 234' if 'country' in facts else 'network 23410'}" in reasons[-1]


@pytest.mark.parametrize(
    "facts",
    [
        {"network": "23415"},
        {"channel": "viber", "network": "23410"},
        {"sender": "Shop", "network": "23410"},
        {"account": "main"},
    ],
)
def test_an_incident_about_something_else_excuses_nobody(desk: Desk, facts: dict[str, str]) -> None:
    goes_on(desk, range(-60, 8 * DAY, 30), facts)
    fails_on(desk, range(8))
    assert states(desk) == ["active"]


def test_an_incident_for_a_mail_domain_excuses_its_mailboxes_and_no_others(desk: Desk) -> None:
    goes_on(desk, range(-60, 5 * DAY, 30), {"domain": "example.com"})
    for day in range(5):
        for domain in ("example.com", "example.org"):
            item = report(f"{domain}-{day}", 9, 6007, day * DAY, to=f"jo@{domain}", mccMnc=None)
            desk.handle(item, channel="email")
    with desk.database.reading() as connection:
        rows = connection.execute(text("SELECT a.domain FROM suppressions s JOIN addresses a ON a.hash = s.address"))
        assert [row.domain for row in rows] == ["example.org"]


def test_what_counts_is_when_it_failed_and_not_when_it_was_told(desk: Desk) -> None:
    fails_on(desk, range(7))
    number = begins(desk, 7 * DAY - 60, {"network": "23410"})
    ends(desk, number, 7 * DAY + 600)
    desk.handle(absent(1, 7 * DAY))  # told after the incident was over
    assert states(desk) == []
    desk.handle(absent(1, 8 * DAY))
    assert states(desk) == ["active"]


def test_an_incident_that_never_opened_excuses_nobody(desk: Desk) -> None:
    begins(desk, 0, {"network": "23410"}, threshold=50)
    fails_on(desk, range(8))
    assert states(desk) == ["active"]


def test_what_was_counted_before_the_incident_opened_is_taken_back(desk: Desk) -> None:
    fails_on(desk, range(7))
    begins(desk, 7 * DAY - 5, {"network": "23410"}, threshold=50)
    desk.handle(absent(1, 7 * DAY))  # below the threshold still: it counts
    desk.handle(report("dead", 9, 1, 7 * DAY, to="447700900777"))  # nobody has this number, incident or not
    assert states(desk) == ["active", "active"]
    excuse(desk)
    assert states(desk) == ["active", "active"]
    begins(desk, 7 * DAY + 5, {"network": "23410"}, threshold=50, count=60)
    excuse(desk)
    excuse(desk)
    assert states(desk) == ["active", "dropped"]
    [dropped] = [row for row in desk.rows(suppressions) if row.state == "dropped"]
    assert dropped.cause == "recipient_unreachable"
    # A later failure is judged anew: with seven days before the outage, one after it is enough.
    with desk.database.reading() as connection:
        number = connection.execute(select(incident_table.c.id)).scalar_one()
    ends(desk, number, 8 * DAY - 60)
    desk.handle(absent(1, 8 * DAY))
    assert states(desk) == ["active", "active"]


def test_a_trickle_of_failures_long_before_an_outage_is_no_part_of_it(desk: Desk) -> None:
    facts = {"network": "23410"}
    begins(desk, 0, facts, threshold=50)
    fails_on(desk, range(7))
    begins(desk, 7 * DAY - 5, facts, threshold=50, count=60)
    with desk.database.reading() as connection:
        first = connection.execute(select(incident_table.c.first_at)).scalar_one()
    assert first == BEGIN + timedelta(minutes=7 * DAY - 5)


def test_nor_is_a_trickle_that_never_stops(desk: Desk) -> None:
    facts = {"network": "23410"}
    trickle = range(0, 8 * DAY, 50)
    for minute in trickle:
        begins(desk, minute, facts, threshold=50)
    fails_on(desk, range(8))
    begins(desk, 8 * DAY, facts, threshold=50, count=60)
    excuse(desk)
    with desk.database.reading() as connection:
        first = connection.execute(select(incident_table.c.first_at)).scalar_one()
    # Within the hour that its threshold counts.
    assert first == BEGIN + timedelta(minutes=trickle[-1])
    assert states(desk) == ["active"]


def test_what_a_person_accepted_meanwhile_is_theirs(desk: Desk) -> None:
    act(desk, Mode.PROPOSE)
    fails_on(desk, range(7))
    begins(desk, 7 * DAY - 5, {"network": "23410"}, threshold=50)
    desk.handle(absent(1, 7 * DAY), absent(2, 7 * DAY))
    fails_on(desk, range(7), person=2)
    desk.handle(absent(2, 7 * DAY + 1))
    [accepted, waits] = desk.rows(suppressions)
    desk.database.repeat(lambda c: holds.answer(c, [accepted.id], datetime.now(UTC), "ann", accept=True))
    begins(desk, 7 * DAY + 5, {"network": "23410"}, threshold=50, count=60)
    excuse(desk)
    assert {row.id: row.state for row in desk.rows(suppressions)} == {accepted.id: "active", waits.id: "dropped"}


def test_what_a_person_accepts_in_that_moment_is_theirs(desk: Desk) -> None:
    act(desk, Mode.PROPOSE)
    fails_on(desk, range(7))
    begins(desk, 7 * DAY - 5, {"network": "23410"}, threshold=50)
    desk.handle(absent(1, 7 * DAY))
    [waits] = desk.rows(suppressions)
    begins(desk, 7 * DAY + 5, {"network": "23410"}, threshold=50, count=60)
    now = datetime.now(UTC)
    with desk.database.reading() as connection:
        [incident] = outages.newly_excusing(connection, now - timedelta(minutes=1))
        assert list(outages.counted(connection, incident)) == [[waits.id]]
    dropping = Thread(
        target=desk.database.repeat,
        args=(lambda connection: outages.drop_counted(connection, incident, [waits.id], now),),
    )
    with desk.database.transaction() as connection:
        holds.answer(connection, [waits.id], now, "ann", accept=True)
        dropping.start()
        until_it_waits(desk)
    dropping.join(30)
    assert states(desk) == ["active"]


def test_an_outage_of_three_days_suppresses_nobody_though_many_were_on_the_brink(desk: Desk) -> None:
    """200 people fail for 7 days each; then the whole network is down for three days, with a thousand failures."""
    fails_on_the_brink = [absent(person, day * DAY + person) for person in range(200) for day in range(7)]
    for start in range(0, len(fails_on_the_brink), 200):
        desk.post(*fails_on_the_brink[start : start + 200])
    desk.drain()
    assert states(desk) == []
    outage = 10 * DAY
    facts = {"channel": "sms", "network": "23410"}
    first = [absent(person, outage + person % 60) for person in range(40)]
    desk.post(*first)
    desk.drain()
    goes_on(desk, range(outage - 30, outage + 3 * DAY, 30), facts)
    excuse(desk)
    for hour in range(1, 72, 8):
        desk.post(*(absent(person, outage + hour * 60 + person) for person in range(200)))
        desk.drain()
    excuse(desk)
    assert {row.state for row in desk.rows(suppressions)} <= {"dropped"}


def test_the_watch_over_rates_excuses_an_outage_of_three_days_by_itself(desk: Desk) -> None:
    """Nobody makes the incident here: a network that usually delivers fails, and its rate tells."""
    clock = [BEGIN]
    desk.clock = lambda: clock[0]

    def comes(minute: int, *items: dict[str, Any]) -> None:
        clock[0] = BEGIN + timedelta(minutes=minute + 1)
        desk.post(*items)
        desk.drain()

    for day in range(7):  # 150 people who are unreachable every day, among many who are not
        away = [absent(person, day * DAY) for person in range(150)]
        comes(
            day * DAY,
            *away,
            *(report(f"d-{day}-{n}", 5, 0, day * DAY, to=str(447_700_910_000 + n)) for n in range(900)),
        )
    assert states(desk) == []
    for day in range(7, 10):
        for minute in (0, 30):
            comes(day * DAY + minute, *(absent(person, day * DAY + minute) for person in range(150)))
            for _ in range(30):  # it is looked at every minute
                with desk.database.transaction() as connection:
                    traffic.fold(connection)
                    incidents.note(connection, list(rates_leave_their_band(connection, clock[0])))
                desk.fold()
                clock[0] += timedelta(minutes=1)
            excuse(desk)
    assert len(desk.rows(incident_table)) > 0
    assert set(states(desk)) == {"dropped"}


def test_days_before_a_delivery_count_no_longer(desk: Desk) -> None:
    fails_on(desk, range(3))
    desk.handle(report("ok", 5, 0, 3 * DAY, to="447700900001"))
    assert [row.reached_at for row in desk.rows(failure_days)] == [BEGIN + timedelta(days=3)] * 3
    fails_on(desk, range(4, 6))
    [*_, last] = [row.reason for row in desk.rows(decisions)]
    assert "failed on 2 of the 8 days" in last


def test_a_slice_reads_failures_and_incidents_by_their_indexes(desk: Desk) -> None:
    people = [("main", number.to_bytes(16)) for number in range(1, 10_001)]
    failed = [
        Failure(*one, "sms", BEGIN + timedelta(days=day), "recipient_full", "network=23410")
        for one in people
        for day in range(2)
    ]
    rows = [{**_incident(number), "place": f"network=219{number:02}", "key": f"k{number}"} for number in range(2000)]
    with desk.database.transaction() as connection:
        failures.note(connection, failed)
        connection.execute(insert(incident_table), rows)
        if not desk.database.is_sqlite:
            connection.execute(text("ANALYZE failure_days"))
            connection.execute(text("ANALYZE incidents"))
    plans = []

    def explained(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith("SELECT") and ("failure_days" in statement or "FROM incidents" in statement):
            word = "EXPLAIN QUERY PLAN " if desk.database.is_sqlite else "EXPLAIN "
            cursor.execute(word + statement, parameters)
            plans.append(" ".join(str(part) for row in cursor.fetchall() for part in row))

    event.listen(desk.database.engine, "before_cursor_execute", explained)
    with desk.database.reading() as connection:
        assert len(failures.of(connection, people[:20])) == 20
        outages.read(connection, {("main", "network=21907"), ("main", "domain=example.com")})
    event.remove(desk.database.engine, "before_cursor_execute", explained)
    assert len(plans) == 2
    for plan, index in zip(
        plans, ("PRIMARY KEY" if desk.database.is_sqlite else "pkey", "ix_incidents_place"), strict=True
    ):
        assert index in plan
        assert "SCAN" not in plan
        assert "Seq Scan" not in plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_taken_back_is_looked_for_among_what_was_suppressed_since(desk: Desk) -> None:
    """A list of a million people must not be read from end to end, over and over, while nobody else may write."""
    begins(desk, 0, {"network": "23410"})
    plans = []

    def explained(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if "FROM suppressions" in statement:
            cursor.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            plans.append(" ".join(str(part) for row in cursor.fetchall() for part in row))

    event.listen(desk.database.engine, "before_cursor_execute", explained)
    excuse(desk)
    event.remove(desk.database.engine, "before_cursor_execute", explained)
    assert ["ix_suppressions_state (state=? AND since>?)" in plan for plan in plans] == [True]


def _incident(number: int) -> dict[str, Any]:
    known = new_id()
    return {
        "id": known,
        "account": "main",
        "rule": "r",
        "severity": "info",
        "title": "t",
        "next_step": "n",
        "state": "resolved",
        "first_at": BEGIN,
        "last_at": BEGIN,
        "heard_at": BEGIN,
        "count": 1,
        "recent": "{}",
        "examples": "[]",
        "is_open": known,
        "resolved_at": BEGIN + timedelta(minutes=number),
    }
