"""What no report tells is noticed: piles, silence, odd rates, money that runs out, and parts that do no work."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from config.secrets import Secret
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.transport import Transport
from store import inbox, traffic, work_marks
from store.database import Database
from store.ids import first_id_of
from store.inbox import Arrival
from store.incidents import Sighting
from store.schema import quarantine
from store.traffic import Line
from store.vault import Vault
from tests.support.desk import desk as make_desk
from tests.support.desk import report
from workers import watch
from workers.actions import balance, heartbeat

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def look(database: Database, one: watch.Look, now: datetime = NOW) -> list[Sighting]:
    with database.reading() as connection:
        return list(one(connection, now))


def had(database: Database, at: datetime, reports: int, failed: int = 0, channel: str = "sms") -> None:
    """Let so many reports have come in the hour of `at`."""
    hour = int(at.timestamp()) // 3600 * 3_600_000
    counts = Counter(
        {("main", channel, "23410", hour, True): failed, ("main", channel, "23410", hour, False): reports - failed}
    )
    with database.transaction() as connection:
        traffic.note(connection, counts)
        traffic.fold(connection)


def test_callbacks_that_wait_too_long_are_seen_and_get_graver(database: Database, vault: Vault) -> None:
    arrival = Arrival("main", "sms", "application/json", b"{}", NOW - timedelta(minutes=5), True)
    with database.transaction() as connection:
        inbox.keep(connection, vault, arrival)
    (seen,) = look(database, watch.inbox_waits)
    assert (seen.severity, "oldest for 5 min" in seen.title) == ("warning", True)
    (seen,) = look(database, watch.inbox_waits, NOW + timedelta(minutes=20))
    assert seen.severity == "critical"
    assert look(database, watch.inbox_waits, NOW - timedelta(minutes=4)) == []


def test_items_that_cannot_be_understood_are_seen_in_numbers_and_by_account(database: Database) -> None:
    moment = int(NOW.timestamp() * 1000)

    def quarantined(number: int, account: str, minutes: int) -> dict[str, Any]:
        key = first_id_of(moment - minutes * 60_000) + number
        return {
            "id": key, "callback_id": key, "account": account, "channel": "sms", "item_index": number,
            "reason": "no id", "state": "open", "kept_at": NOW,
        }  # fmt: skip

    rows = [quarantined(number, "main", 30) for number in range(10)]
    rows += [quarantined(20 + number, "shop", 30) for number in range(9)]
    rows += [quarantined(40 + number, "old", 90) for number in range(20)]
    with database.transaction() as connection:
        connection.execute(quarantine.insert(), rows)
    (seen,) = look(database, watch.quarantine_grows)
    assert (seen.account, seen.title) == ("main", "10 items could not be understood within an hour")
    assert "dlr quarantine" in seen.next_step


def test_messages_past_their_validity_without_a_final_report_are_seen(database: Database, vault: Vault) -> None:
    desk = make_desk(database, vault)
    desk.handle(
        *[report(f"p-{number}", 7) for number in range(20)], *[report(f"d-{number}", 5) for number in range(30)]
    )
    desk.handle(*[report(f"v-{number}", 7) for number in range(19)], channel="viber")
    now = datetime.now(UTC)
    assert look(database, watch.outcomes_stay_open, now) == []
    (seen,) = look(database, watch.outcomes_stay_open, now + timedelta(hours=48, minutes=30))
    assert (dict(seen.facts), seen.title.split()[0]) == ({"channel": "sms"}, "20")
    # Told once, while they pass through that hour.
    assert look(database, watch.outcomes_stay_open, now + timedelta(hours=50)) == []


@pytest.mark.parametrize(("days", "seen"), [(7, True), (5, True), (4, False)])
def test_a_channel_that_usually_has_reports_at_this_hour_is_missed(database: Database, days: int, seen: bool) -> None:
    for day in range(1, days + 1):
        had(database, NOW - timedelta(days=day, hours=1), 25)
    assert bool(look(database, watch.reports_stay_away)) is seen
    had(database, NOW - timedelta(hours=1), 1)
    assert look(database, watch.reports_stay_away) == []


def test_a_share_far_from_its_own_past_is_seen_with_its_channel_and_network(database: Database) -> None:
    for day in range(1, 9):
        had(database, NOW - timedelta(days=day), 100, 3)
    had(database, NOW, 100, 30)
    (seen,) = look(database, watch.rates_leave_their_band)
    assert dict(seen.facts) == {"channel": "sms", "network": "23410"}
    assert seen.title == "30% of the reports on sms, network 23410 are failures, usually 3.0%"


@pytest.mark.parametrize(
    ("reports", "failed", "past", "past_failed", "days", "unusual"),
    [
        (100, 30, 800, 24, 8, True),
        (100, 30, 800, 24, 6, False),  # neither seven days
        (100, 30, 1_000, 30, 1, True),  # nor a thousand reports
        (49, 40, 5_000, 50, 30, False),  # too few to say
        (100, 9, 5_000, 150, 30, False),  # within what chance does
        (1_000, 550, 5_000, 2_000, 30, False),  # not even twice the usual
        (100, 12, 5_000, 0, 30, True),  # nothing ever failed
    ],
)
def test_a_band_needs_a_past_and_a_volume(
    reports: int, failed: int, past: int, past_failed: int, days: int, unusual: bool
) -> None:
    line = Line("main", "sms", "23410", reports, failed, past, past_failed, NOW - timedelta(days=days))
    assert watch.is_unusual(line, NOW) is unusual


def test_counts_of_many_writers_are_added_up(database: Database) -> None:
    for _ in range(3):
        had(database, NOW, 10, 2)
    with database.reading() as connection:
        (line,) = traffic.lines(connection, NOW)
    assert (line.reports, line.failed, line.past_reports) == (30, 6, 0)


def test_money_tells_the_hour_at_which_it_runs_out() -> None:
    history = [(NOW - timedelta(hours=4 - hour), 100.0 - 10 * hour) for hour in range(5)]
    assert balance.runs_out(history) == NOW + timedelta(hours=6)
    seen = balance.sighting("main", history, "EUR", NOW)
    assert seen is not None
    assert seen.title.endswith("is 60.00 EUR, and runs out about 2026-11-22 16:00Z at the pace of late")
    assert seen.severity == "warning"


def test_money_that_was_added_is_not_spent_and_little_haste_is_no_matter() -> None:
    history = [(NOW - timedelta(hours=2), 50.0), (NOW - timedelta(hours=1), 500.0), (NOW, 490.0)]
    assert balance.sighting("main", history, "EUR", NOW) is None
    gone = balance.sighting("main", [(NOW, 0.0)], "EUR", NOW)
    assert gone is not None
    assert gone.severity == "critical"


@pytest.fixture
def parts(database: Database) -> Database:
    """An installation of which every part has just worked."""
    for part in work_marks.PARTS:
        database.repeat(lambda connection, part=part: work_marks.note(connection, part, NOW))  # type: ignore[misc]
    return database


@pytest.mark.parametrize("part", work_marks.PARTS)
def test_one_part_that_does_no_work_stops_the_heartbeat(parts: Database, part: str) -> None:
    assert heartbeat.missing(parts, NOW) == []
    later = NOW + timedelta(minutes=2)
    for other in work_marks.PARTS:
        if other != part:
            parts.repeat(lambda connection, other=other: work_marks.note(connection, other, later))  # type: ignore[misc]
    assert heartbeat.missing(parts, later) == [part]


def test_a_turn_is_taken_by_one(database: Database) -> None:
    def claim(seconds: float) -> bool:
        now = NOW + timedelta(seconds=seconds)
        return database.repeat(lambda connection: work_marks.claim(connection, "x", now, 60))

    assert [claim(second) for second in (0, 1, 59, 60, 61)] == [True, False, False, True, False]


def test_a_balance_is_read_from_infobips_answer_and_a_key_without_that_right_tells_none() -> None:
    transport = Transport()
    with _answering({"balance": 12.5, "currency": "EUR"}) as url:
        assert balance.ask(_client(url, transport)) == (12.5, "EUR")
    with _answering({"requestError": {}}, 403) as url:
        assert balance.ask(_client(url, transport)) is None
    transport.close()


def _client(url: str, transport: Transport) -> Client:
    return Client(url, AppKey(Secret("k3y")), transport, ["127.0.0.1"])


@contextmanager
def _answering(content: object, code: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path.startswith(balance.PATH)
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()
