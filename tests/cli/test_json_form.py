"""Every command's JSON has one form: times are RFC 3339 texts in UTC, booleans booleans, objects objects, ids texts."""

import json
from collections.abc import Iterator
from typing import Any

import click
import pytest
from sqlalchemy import update

from store.database import open_database
from store.schema import guard_holds, quarantine, retries, suppressions
from store.schema import incidents as incident_table
from store.vault import open_vault
from tests.cli.test_groups import COMMANDS
from tests.support.answers import faults
from tests.support.desk import PERSON, Desk, report
from tests.support.desk import desk as make_desk
from tests.support.dlr import Dlr, installed
from tests.suppress.people import bounce, maintain

OTHER = "447700900456"
SENT = "2026-03-09T11:59:58.250+0200"
# What calls Infobip; tests/subscribe looks at it.
OUTSIDE = {("subscribe", "plan"), ("subscribe", "show"), ("subscribe", "verify")}
# Its JSON is a callback as Infobip writes it.
NOT_OURS = {("sample",)}
# Each command with what it is asked; `{...}` is the id of a row.
ASKED = {
    ("alerts", "list"): "",
    ("alerts", "test"): "team",
    ("codes", "check"): "",
    ("codes", "diff"): "",
    ("codes", "search"): "absent",
    ("doctor",): "",
    ("evidence",): PERSON,
    ("explain",): "--channel sms --status 9 --error 27",
    ("forget",): f"{OTHER} --yes",
    ("forward", "events"): "",
    ("forward", "list"): "",
    ("forward", "replay"): "--from 1h --dry-run",
    ("incidents", "list"): "--all",
    ("incidents", "show"): "{INCIDENT}",
    ("incidents", "silence"): "--list",
    ("keys", "create"): "app",
    ("keys", "list"): "--all",
    ("message",): "m-1",
    ("policy", "check"): "",
    ("policy", "show"): "",
    ("proposals", "list"): "",
    ("proposals", "show"): "{PROPOSED}",
    ("quarantine", "list"): "",
    ("quarantine", "replay"): "--all",
    ("quarantine", "show"): "{QUARANTINED}",
    ("replay",): "--all --dry-run",
    ("reports",): "",
    ("retries", "from-incident"): "{INCIDENT}",
    ("retries", "list"): "",
    ("retries", "pauses"): "",
    ("retries", "show"): "{RETRY}",
    ("settings",): "",
    ("suppress", "add"): "447700900999",
    ("suppress", "audit"): "{SUPPRESSION}",
    ("suppress", "check"): f"{OTHER} --channel sms",
    ("suppress", "held", "list"): "",
    ("suppress", "list"): "--all",
    ("suppress", "protect"): "",
    ("suppress", "requests"): "",
    ("suppress", "show"): "{SUPPRESSION}",
    ("suppress", "sync"): "",
    ("suppress", "sync", "plan"): "",
}
# After these the others would have less to tell.
LAST = {("quarantine", "replay"), ("forget",)}


def test_the_rule_finds_what_breaks_it() -> None:
    wrong = {
        "sent_at": 1773050400000,
        "is_open": 1,
        "evidence": '{"a": 1}',
        "since": "2026-03-09 10:00:00Z",
        "note": "2026-03-09T10:00:00+02:00",
        "id": 7531104915352681610,
        "list": [{"until": "soon"}],
    }
    assert len({fault.partition(":")[0] for fault in faults(wrong)}) == len(wrong)
    right = {"sent_at": "2026-03-09T10:00:00.250+00:00", "is_open": False, "until": None, "id": "75311", "n": 3}
    assert list(faults(right)) == []


def test_each_command_with_json_is_looked_at() -> None:
    """A command that is new here has to be entered above."""
    speaking = {path for path, command in COMMANDS.items() if any(_is_form(option) for option in command.params)}
    assert {path for path in ASKED if path in speaking} == speaking - OUTSIDE - NOT_OURS


def _is_form(option: click.Parameter) -> bool:
    return "--format" in option.opts


@pytest.fixture(scope="module")
def state(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Dlr]]:
    """An endpoint, a worker and the commands beside them, for all tests of this module."""
    folder = tmp_path_factory.mktemp("state")
    database = open_database(module_database_url, synchronous="NORMAL")
    yield make_desk(database, open_vault(folder, database)), installed(module_database_url, folder)
    database.close()


@pytest.fixture(scope="module")
def desk(state: tuple[Desk, Dlr]) -> Desk:
    return state[0]


@pytest.fixture(scope="module")
def story(state: tuple[Desk, Dlr], tmp_path_factory: pytest.TempPathFactory) -> Dlr:
    """One of everything that a command can list, told once: the few commands that change something take little away."""
    desk, dlr = state
    desk.handle(report("m-1", 9, 27, sentAt=SENT), report("m-2", 9, 1, to=OTHER, sentAt=SENT))
    desk.handle(report("m-3", 9, 603, to="447700900789", minute=3, sentAt=SENT))
    desk.handle(report("m-4", 15, 51, minute=4, sentAt=SENT), report("m-5", 5, minute=5, price={"pricePerMessage": 1}))
    desk.handle(*(bounce(number) for number in range(120)), channel="email")
    maintain(desk)
    desk.post_body(b"?", undecoded=True)
    desk.drain()
    desk.fold()
    dlr("incidents", "silence", "--cause", "account_funds", "--until", "2h", "--why", "why", "--only", "sender=Shop")
    dlr("retries", "pause", "--reason", "why", "--for", "2h")
    dlr("keys", "create", "old")
    dlr("suppress", "protect", PERSON, "--until", "90d")
    row = next(row for row in desk.rows(suppressions) if row.cause == "recipient_opted_out")
    dlr("suppress", "lift", str(row.id), "--reason", "wrote", "--who", "ada", four_eyes="true")
    routes = tmp_path_factory.mktemp("routes") / "routes.toml"
    routes.write_text('[team]\nurl = "json://127.0.0.1:9/hook"\n')
    dlr.settings |= {"DLR_ALERT_ROUTES": str(routes)}
    assert desk.rows(guard_holds)
    return dlr


def _named(desk: Desk, words: str) -> list[str]:
    tables = {"RETRY": retries, "SUPPRESSION": suppressions, "QUARANTINED": quarantine, "INCIDENT": incident_table}
    found = {name: max(row.id for row in desk.rows(table)) for name, table in tables.items() if name in words}
    if "PROPOSED" in words:
        found["PROPOSED"] = next(row.id for row in desk.rows(suppressions) if row.state == "proposed")
    if "INCIDENT" in found:
        found["INCIDENT"] = next(row.id for row in desk.rows(incident_table) if row.cause)
    return words.format(**found).split()


def test_evidence_and_the_latest_times_of_an_incident_are_objects(story: Dlr, desk: Desk) -> None:
    [entry] = [row for row in story.json("proposals", "list") if row["channel"] == "sms"]
    assert entry["evidence"]["message_id"]
    assert entry["evidence"]["sent_at"] == "2026-03-09T09:59:58.250+00:00"
    [shown] = story.json("suppress", "show", entry["id"])
    assert shown["evidence"] == entry["evidence"]
    incident = next(row for row in story.json("incidents", "list", "--all") if row["cause"])
    told = story.json("incidents", "show", incident["id"])
    assert told["is_open"] is True
    assert sum(one["count"] for one in told["recent"]) == told["count"]
    mine = update(incident_table).where(incident_table.c.id == int(incident["id"]))
    with desk.database.transaction() as connection:
        connection.execute(mine.values(state="resolved", is_open=incident_table.c.id))
    assert story.json("incidents", "show", incident["id"])["is_open"] is False
    with desk.database.transaction() as connection:
        connection.execute(mine.values(state="open", is_open=1))


@pytest.mark.parametrize("path", sorted(ASKED, key=LAST.__contains__), ids=" ".join)
def test_what_it_prints_for_programs_has_the_one_form(path: tuple[str, ...], story: Dlr, desk: Desk) -> None:
    result = story.run(*path, *_named(desk, ASKED[path]), "--format", "json")
    assert result.stdout, result.output
    told: Any = json.loads(result.stdout)
    assert told or path in {("codes", "diff"), ("forward", "list")}, "an empty answer proves nothing"
    assert list(faults(told)) == []
